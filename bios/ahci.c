/* AHCI disks and CD drives (Serial ATA AHCI 1.3.1), one command at a time, polled.
 *
 * The registers are in memory above 1 MiB. Where the controller offers the index and data ports of
 * ICH9 (BAR4, offsets 10h and 14h), these are used: they also work in virtual-8086 mode, where
 * flat_begin() cannot. All ports share one command list and one area for received FISes, since
 * only slot 0 of one port is ever busy. Data moves straight to the caller's buffer, or through a
 * buffer of ours if that has an odd address. */
#include "ahci.h"
#include "chips.h"
#include "console.h"
#include "entry.h"
#include "io.h"
#include "pci.h"

enum { /* registers; those of a port from 100h + 80h * port */
    CAP = 0x00,
    GHC = 0x04,
    PI = 0x0C,
    GHC_AE = 1u << 31,
    GHC_HR = 1,
    PX_CLB = 0x00,
    PX_CLBU = 0x04,
    PX_FB = 0x08,
    PX_FBU = 0x0C,
    PX_IS = 0x10,
    PX_IE = 0x14,
    PX_CMD = 0x18,
    PX_TFD = 0x20,
    PX_SIG = 0x24,
    PX_SSTS = 0x28,
    PX_SCTL = 0x2C,
    PX_SERR = 0x30,
    PX_CI = 0x38,
    CMD_ST = 1 << 0,
    CMD_SUD = 1 << 1,
    CMD_POD = 1 << 2,
    CMD_FRE = 1 << 4,
    CMD_FR = 1 << 14,
    CMD_CR = 1 << 15,
    IS_TFES = 1 << 30,
    IS_FATAL = 0xF << 26, /* interface and host bus errors */
    TFD_BSY_DRQ = 0x88,
    SIG_ATA = 0x00000101,
    SIG_ATAPI = 0xEB140101u,
};

enum {
    ATA_READ = 0xC8,
    ATA_READ_EXT = 0x25,
    ATA_WRITE = 0xCA,
    ATA_WRITE_EXT = 0x35,
    ATA_VERIFY = 0x40,
    ATA_VERIFY_EXT = 0x42,
    ATA_FLUSH = 0xE7,
    ATA_PACKET = 0xA0,
    ATA_IDENTIFY = 0xEC,
    ATA_IDENTIFY_PACKET = 0xA1,
    LINK_US = 10000,
    PORT_US = 500000,
    COMMAND_US = 1900000,
};

static struct {
    u32 list[32 * 8];
    u32 fis[64];
    struct { u8 fis[64], packet[16], reserved[48]; u32 prd[4]; } table;
} memory __attribute__((aligned(1024)));

static u16 bdf = 0xFFFF, index_port;
static u32 abar;

u16 ahci_bdf(void)
{
    return bdf;
}

static u32 hba_read(u32 reg)
{
    if (index_port != 0) {
        outl(index_port, reg);
        return inl((u16)(index_port + 4));
    }
    flat_begin();
    u32 v = flat_read32(abar + reg);
    flat_end();
    return v;
}

static void hba_write(u32 reg, u32 v)
{
    if (index_port != 0) {
        outl(index_port, reg);
        outl((u16)(index_port + 4), v);
        return;
    }
    flat_begin();
    flat_write32(abar + reg, v);
    flat_end();
}

static u32 port_reg(u8 port, u32 reg)
{
    return 0x100u + port * 0x80u + reg;
}
static u32 px_read(u8 port, u32 reg) { return hba_read(port_reg(port, reg)); }
static void px_write(u8 port, u32 reg, u32 v) { hba_write(port_reg(port, reg), v); }

/* Waits until the bits of a port's register have the value. */
static bool wait_for(u8 port, u32 reg, u32 bits, u32 value, u32 us)
{
    struct deadline d;
    deadline_start(&d, us);
    while ((px_read(port, reg) & bits) != value) {
        if (deadline_passed(&d))
            return false;
        irq_window();
    }
    return true;
}

static void stop(u8 port)
{
    px_write(port, PX_CMD, px_read(port, PX_CMD) & ~(u32)CMD_ST);
    wait_for(port, PX_CMD, CMD_CR, 0, PORT_US);
}

static void start(u8 port)
{
    px_write(port, PX_SERR, 0xFFFFFFFF);
    px_write(port, PX_IS, 0xFFFFFFFF);
    px_write(port, PX_CMD, px_read(port, PX_CMD) | CMD_ST);
}

/* Runs the command whose FIS lies in the table (len bytes from or to pa), in slot 0. */
static enum drive_result run(u8 port, u32 pa, u32 len, bool write, bool packet)
{
    u32 base = (u32)dseg_copy << 4;
    u32 cr0;
    __asm__ volatile("movl %%cr0, %0" : "=r"(cr0));
    if (index_port == 0 && cr0 & 1)
        return DRIVE_ERROR; /* virtual-8086 mode without ports: see above */
    memory.list[0] = 5 | (packet ? 1 << 5 : 0) | (write ? 1 << 6 : 0) | (len != 0 ? 1 << 16 : 0);
    memory.list[1] = 0;
    memory.list[2] = base + (u32)&memory.table;
    memory.list[3] = 0;
    memory.table.prd[0] = pa;
    memory.table.prd[1] = memory.table.prd[2] = 0;
    memory.table.prd[3] = len - 1;
    px_write(port, PX_IS, 0xFFFFFFFF);
    px_write(port, PX_CI, 1);
    struct deadline d;
    deadline_start(&d, COMMAND_US);
    enum drive_result result = DRIVE_OK;
    while (px_read(port, PX_CI) & 1) {
        if (px_read(port, PX_IS) & (IS_TFES | IS_FATAL))
            break;
        if (deadline_passed(&d)) {
            result = DRIVE_TIMEOUT;
            break;
        }
        irq_window();
    }
    u32 tfd = px_read(port, PX_TFD);
    if (result == DRIVE_OK && (px_read(port, PX_IS) & (IS_TFES | IS_FATAL) || tfd & 0x21))
        result = DRIVE_ERROR;
    drive_set_error((u8)(tfd >> 8));
    if (result != DRIVE_OK) { /* AHCI 6.2.2.1: start anew */
        stop(port);
        start(port);
    }
    return result;
}

static void fill_fis(u8 command, u64 lba, u16 nr, u8 device, u8 features)
{
    u8 *f = memory.table.fis;
    u32 low = (u32)lba, high = (u32)(lba >> 32);
    for (unsigned i = 0; i < 64; i++)
        f[i] = 0;
    f[0] = 0x27; /* register, host to device */
    f[1] = 0x80; /* a command */
    f[2] = command;
    f[3] = features;
    f[4] = (u8)low;
    f[5] = (u8)(low >> 8);
    f[6] = (u8)(low >> 16);
    f[7] = device;
    f[8] = (u8)(low >> 24);
    f[9] = (u8)high;
    f[10] = (u8)(high >> 8);
    f[12] = (u8)nr;
    f[13] = (u8)(nr >> 8);
}

static enum drive_result command(const struct drive *d, enum drive_op op, u64 lba, u16 nr, u32 pa)
{
    static const u8 code[3][2] = {
        {ATA_READ, ATA_READ_EXT}, {ATA_WRITE, ATA_WRITE_EXT}, {ATA_VERIFY, ATA_VERIFY_EXT}};
    bool wide = d->lba48;
    fill_fis(code[op][wide], wide ? lba : lba & 0xFFFFFF, nr,
             (u8)(0x40 | (wide ? 0 : (u32)lba >> 24 & 0x0F)), 0);
    return run(d->channel, pa, op == OP_VERIFY ? 0 : nr * 512u, op == OP_WRITE, false);
}

enum drive_result ahci_transfer(const struct drive *d, enum drive_op op, u64 lba, u16 nr, u16 seg,
                                u16 off, u16 *done)
{
    enum drive_result e = DRIVE_OK;
    u16 part = op != OP_VERIFY && off & 1 ? 1 : nr;
    *done = 0;
    while (e == DRIVE_OK && *done < nr) {
        u32 ours = (u32)drive_buffer, pa = ((u32)seg << 4) + off;
        if (part != nr)
            pa = ((u32)dseg_copy << 4) + ours;
        if (part != nr && op == OP_WRITE)
            far_copy(dseg_copy, ours, seg, off, 512);
        e = command(d, op, lba, part, pa);
        if (e != DRIVE_OK)
            return e;
        if (part != nr && op == OP_READ)
            far_copy(seg, off, dseg_copy, ours, 512);
        *done = (u16)(*done + part);
        lba += part;
        seg = (u16)(seg + part * 32);
    }
    if (op == OP_WRITE) {
        fill_fis(ATA_FLUSH, 0, 0, 0, 0);
        if (run(d->channel, 0, 0, false, false) == DRIVE_TIMEOUT)
            e = DRIVE_TIMEOUT;
    }
    return e;
}

enum drive_result ahci_packet(const struct drive *d, const u8 cdb[12], u16 seg, u16 off, u32 len)
{
    if (len > CD_SECTOR && off & 1)
        return DRIVE_ERROR;
    bool bounce = (off & 1) != 0;
    u32 pa = bounce ? ((u32)dseg_copy << 4) + (u32)drive_buffer : ((u32)seg << 4) + off;
    fill_fis(ATA_PACKET, (u64)(len > 0xFFFE ? 0xFFFE : len) << 8, 0, 0, len != 0); /* 1: by DMA */
    for (unsigned i = 0; i < 16; i++)
        memory.table.packet[i] = i < 12 ? cdb[i] : 0;
    enum drive_result e = run(d->channel, pa, len, false, true);
    if (e == DRIVE_OK && bounce)
        far_copy(seg, off, dseg_copy, (u32)drive_buffer, len);
    return e;
}

static bool probe_port(u8 port, struct drive *d)
{
    u32 base = (u32)dseg_copy << 4;
    stop(port);
    px_write(port, PX_CMD, px_read(port, PX_CMD) & ~(u32)CMD_FRE);
    wait_for(port, PX_CMD, CMD_FR, 0, PORT_US);
    px_write(port, PX_IE, 0);
    px_write(port, PX_CLB, base + (u32)memory.list);
    px_write(port, PX_CLBU, 0);
    px_write(port, PX_FB, base + (u32)memory.fis);
    px_write(port, PX_FBU, 0);
    px_write(port, PX_CMD, px_read(port, PX_CMD) | CMD_SUD | CMD_POD | CMD_FRE);
    if (!wait_for(port, PX_SSTS, 0xF, 3, LINK_US))
        return false; /* nobody there */
    px_write(port, PX_SERR, 0xFFFFFFFF);
    if (!wait_for(port, PX_TFD, TFD_BSY_DRQ, 0, PORT_US)) {
        post_fail("ahci", "the drive at port %u stays busy (status %02Xh)", port,
                  px_read(port, PX_TFD) & 0xFF);
        return false;
    }
    start(port);
    u32 signature = px_read(port, PX_SIG);
    bool packet = signature == SIG_ATAPI;
    d->bus = BUS_AHCI;
    d->channel = port;
    d->unit = 0;
    fill_fis(packet ? ATA_IDENTIFY_PACKET : ATA_IDENTIFY, 0, 0, 0, 0);
    if ((signature != SIG_ATA && !packet) ||
        run(port, base + (u32)drive_buffer, 512, false, false) != DRIVE_OK) {
        post_fail("ahci", "the drive at port %u (signature %08Xh) does not identify itself", port,
                  signature);
        return false;
    }
    drive_identified(d, drive_buffer, packet);
    return d->kind != DRIVE_NONE;
}

void ahci_probe(struct drive *drives)
{
    bdf = pci_find_class(0x0106);
    if (bdf == 0xFFFF)
        return;
    abar = pci_read32(bdf, 0x24) & ~0xFu;
    u32 bar4 = pci_read32(bdf, 0x20);
    index_port = 0;
    u32 cap = hba_read(CAP);
    if (bar4 & 1 && bar4 > 1) { /* are index and data ports there? */
        index_port = (u16)((bar4 & 0xFFFC) + 0x10);
        if (hba_read(CAP) != cap || hba_read(PI) == 0xFFFFFFFF)
            index_port = 0;
    }
    if (cap == 0xFFFFFFFF || abar == 0) {
        post_fail("ahci", "the controller does not answer");
        return;
    }
    hba_write(GHC, hba_read(GHC) | GHC_AE);
    hba_write(GHC, hba_read(GHC) | GHC_HR);
    struct deadline d;
    deadline_start(&d, 1000000);
    while (hba_read(GHC) & GHC_HR) {
        if (deadline_passed(&d)) {
            post_fail("ahci", "the controller does not finish its reset");
            return;
        }
    }
    hba_write(GHC, GHC_AE);
    u32 ports = hba_read(PI);
    unsigned n = 0;
    for (u8 port = 0; port < 32 && n < AHCI_DRIVES; port++) {
        if (ports >> port & 1 && probe_port(port, &drives[n]))
            n++;
    }
}
