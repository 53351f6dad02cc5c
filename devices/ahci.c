/*
 * AHCI: the registers of host and ports, PCI function, resets. AHCI 1.3.1, 3. What happens to
 * commands is in ahci_port.c.
 *
 * DEVIATION: no index-data pair in I/O space and no legacy mode (CAP.SAM is set); interrupts come
 * by INTA only; there is no firmware to ask when an OS takes the controller (BOHC), so that it is
 * handed over at once.
 */
#include "devices/ahci.h"

enum host_reg { CAP = 0x00, GHC = 0x04, IS = 0x08, PI = 0x0c, VS = 0x10, CAP2 = 0x24, BOHC = 0x28, PORT0 = 0x100 };
enum port_reg {
    CLB = 0x00, CLBU = 0x04, FB = 0x08, FBU = 0x0c, PXIS = 0x10, IE = 0x14, CMD = 0x18, TFD = 0x20,
    SIG = 0x24, SSTS = 0x28, SCTL = 0x2c, SERR = 0x30, SACT = 0x34, CI = 0x38,
};
enum { ABAR_SIZE = 0x1000, PORT_SIZE = 0x80 };
enum { GHC_HR = 1, GHC_IE = 2 };
#define GHC_AE 0x80000000u /* fixed: CAP.SAM */
enum { BOS = 1, OOS = 2, OOC = 8 };
enum {
    IE_BITS = 0x7dc0007f, IS_CLEARABLE = 0x7d80002f, SCTL_DET = 15,
};
/* 64-bit addresses, queued commands, CLO, 3 Gbit/s, AHCI only, 32 slots, 6 ports. */
#define CAP_VALUE (0xc1240000u | (AHCI_SLOTS - 1) << 8 | (AHCI_PORTS - 1))

void ahci_interrupt(struct ahci_port *p)
{
    struct ahci *h = p->hba;

    p->is &= (u32)~(IS_PCS | IS_PRCS); /* they follow SERR */
    p->is |= (p->serr & SERR_DIAG_X ? IS_PCS : 0) | (p->serr & SERR_DIAG_N ? IS_PRCS : 0);
    if (p->is & p->ie)
        h->is |= 1u << p->number;
    pci_set_intx(&h->func, (h->ghc & GHC_IE) && h->is);
}

/* ---- ports ---- */

static u32 port_read(const struct ahci_port *p, unsigned reg)
{
    switch (reg) {
    case CLB: return p->clb;
    case CLBU: return p->clbu;
    case FB: return p->fb;
    case FBU: return p->fbu;
    case PXIS: return p->is;
    case IE: return p->ie;
    case CMD:
        return (p->cmd & ~(u32)CMD_CCS) | (p->cmd & CMD_ST ? CMD_CR | (u32)p->last_slot << 8 : 0) |
               (p->cmd & CMD_FRE ? CMD_FR : 0);
    case TFD: return p->tfd;
    case SIG: return p->sig;
    case SSTS: return p->ssts;
    case SCTL: return p->sctl;
    case SERR: return p->serr;
    case SACT: return p->sact;
    case CI: return p->ci;
    default: return 0; /* SNTF, FBS: no port multipliers */
    }
}

static void write_cmd(struct ahci_port *p, u32 v)
{
    u32 was = p->cmd;

    p->cmd = CMD_SUD | CMD_POD | (v & (CMD_ST | CMD_FRE | CMD_ATAPI | CMD_DLAE));
    if ((was & CMD_ST) && !(v & CMD_ST))
        ahci_port_stop(p);
    if ((v & CMD_CLO) && !(was & CMD_ST))
        p->tfd &= ~(u32)(ATA_BSY | ATA_DRQ);
    ahci_port_kick(p);
}

static void write_sctl(struct ahci_port *p, u32 v)
{
    u32 was = p->sctl & SCTL_DET, now = v & SCTL_DET;

    p->sctl = v & 0xfff;
    if (now == was)
        return;
    if (now == 1 || now == 4) { /* COMRESET is being sent, or the port is off */
        ahci_port_stop(p);
        p->ssts = now == 4 ? 4 : 0;
        p->tfd = 0x7f;
    } else if (now == 0) {
        ahci_port_link_reset(p);
    }
}

static void port_write(struct ahci_port *p, unsigned reg, u32 v)
{
    switch (reg) {
    case CLB: p->clb = v & 0xfffffc00; break;
    case CLBU: p->clbu = v; break;
    case FB: p->fb = v & 0xffffff00; break;
    case FBU: p->fbu = v; break;
    case PXIS: p->is &= ~(v & IS_CLEARABLE); break;
    case IE: p->ie = v & IE_BITS; break;
    case CMD: write_cmd(p, v); break;
    case SCTL: write_sctl(p, v); break;
    case SERR: p->serr &= ~v; break;
    case SACT:
        if (p->cmd & CMD_ST)
            p->sact |= v;
        break;
    case CI:
        if (p->cmd & CMD_ST)
            p->ci |= v;
        ahci_port_kick(p);
        break;
    default: return;
    }
    ahci_interrupt(p);
}

/* ---- the host ---- */

static void host_reset(struct ahci *h)
{
    h->ghc = GHC_AE;
    h->is = 0;
    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        struct ahci_port *p = &h->port[i];

        ahci_port_stop(p);
        p->clb = p->clbu = p->fb = p->fbu = p->is = p->ie = p->sctl = p->serr = 0;
        p->cmd = CMD_SUD | CMD_POD;
        p->last_slot = p->last_queued = 0;
        ahci_port_link_reset(p);
        ahci_interrupt(p);
    }
}

static u64 abar_read(void *dev, u64 off, unsigned size)
{
    const struct ahci *h = dev;

    (void)size;
    if (off >= PORT0)
        return off < PORT0 + AHCI_PORTS * PORT_SIZE
                   ? port_read(&h->port[(off - PORT0) / PORT_SIZE], off % PORT_SIZE)
                   : 0;
    switch (off) {
    case CAP: return CAP_VALUE;
    case GHC: return h->ghc;
    case IS: return h->is;
    case PI: return (1u << AHCI_PORTS) - 1;
    case VS: return 0x00010200;
    case CAP2: return 1; /* BOHC is there */
    case BOHC: return h->bohc;
    default: return 0;
    }
}

static void abar_write(void *dev, u64 off, u64 val, unsigned size)
{
    struct ahci *h = dev;
    u32 v = (u32)val;

    (void)size;
    if (off >= PORT0) {
        if (off < PORT0 + AHCI_PORTS * PORT_SIZE)
            port_write(&h->port[(off - PORT0) / PORT_SIZE], off % PORT_SIZE, v);
        return;
    }
    switch (off) {
    case GHC:
        if (v & GHC_HR)
            host_reset(h);
        else
            h->ghc = GHC_AE | (v & GHC_IE);
        break;
    case IS: h->is &= ~v; break;
    case BOHC:
        h->bohc = (v & 0x17) | (h->bohc & OOC & ~v);
        if ((h->bohc & BOS) && (h->bohc & OOS))
            h->bohc &= ~(u32)BOS;
        return;
    default: return;
    }
    for (unsigned i = 0; i < AHCI_PORTS; i++)
        ahci_interrupt(&h->port[i]);
}

static void config_written(void *dev, unsigned reg, unsigned size)
{
    struct ahci *h = dev;

    (void)size;
    if (reg <= PCI_COMMAND + 1)
        for (unsigned i = 0; i < AHCI_PORTS; i++)
            ahci_port_kick(&h->port[i]);
}

/* ---- the class ---- */

static int ahci_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops ops = { abar_read, abar_write, 4 };
    static const char *const names[AHCI_PORTS] = { "ahci0", "ahci1", "ahci2", "ahci3", "ahci4", "ahci5" };
    struct ahci *h = CONTAINER_OF(dev, struct ahci, dev);

    (void)err;
    h->cfg = *(const struct ahci_cfg *)cfg;
    pci_add(h->cfg.bus, h->cfg.slot << 3, &h->func, h);
    pci_header(&h->func, 0x8086, 0x2922, 0x010601, 0x02);
    pci_set(&h->func, PCI_IRQ_PIN, 1, 1);
    pci_set(&h->func, 0x90, 1, 0x40); /* MAP: AHCI mode */
    h->func.written = config_written;
    h->abar = (struct bus_region){ .ops = &ops, .dev = h, .name = "ahci" };
    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        struct ahci_port *p = &h->port[i];

        p->hba = h;
        p->number = (u8)i;
        p->slot = AHCI_NO_SLOT;
        p->drive.cfg = (struct ata_cfg){
            .link = &ahci_link, .owner = p, .log = dev->env.log, .trace = dev->env.trace,
            .name = names[i], .disk = h->cfg.disk[i], .cdrom = h->cfg.cdrom[i], .serial = true,
            .number = (u8)(4 + i),
        };
        timer_init(&p->done, dev->env.clk, ahci_port_timer, p);
    }
    return pci_add_bar(&h->func, 5, &h->abar, ABAR_SIZE, false);
}

static void ahci_reset(struct dev *dev, enum reset_kind kind)
{
    struct ahci *h = CONTAINER_OF(dev, struct ahci, dev);

    (void)kind;
    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        ata_power_on(&h->port[i].drive);
        memset(h->port[i].queue, 0, sizeof(h->port[i].queue));
    }
    h->bohc = 0;
    host_reset(h);
    pci_func_reset(&h->func);
}

static void ahci_loaded(struct dev *dev)
{
    struct ahci *h = CONTAINER_OF(dev, struct ahci, dev);

    pci_update_bars(&h->func);
    pci_set_intx(&h->func, h->func.intx);
}

static int ahci_check(const struct dev *dev, char err[160])
{
    const struct ahci *h = CONTAINER_OF(dev, struct ahci, dev);

    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        const char *why = ahci_port_impossible(&h->port[i]);

        if (why) {
            snprintf(err, 160, "ahci%u: %s", i, why);
            return -1;
        }
    }
    return 0;
}

static void ahci_fini(struct dev *dev)
{
    struct ahci *h = CONTAINER_OF(dev, struct ahci, dev);

    for (unsigned i = 0; i < AHCI_PORTS; i++)
        timer_cancel(&h->port[i].done);
}

static const struct state_field ahci_fields[] = {
    STATE_STRUCT(struct ahci, func, pci_func_fields), STATE(struct ahci, ghc), STATE(struct ahci, is),
    STATE(struct ahci, bohc), STATE_STRUCTS(struct ahci, port, ahci_port_fields), STATE_END,
};
static const struct state_desc ahci_state = { "ahci", 1, ahci_fields };
const struct dev_class ahci_class = { "ahci", ahci_init, ahci_reset, ahci_loaded, ahci_fini,
                                      &ahci_state, ahci_check };
