/*
 * AHCI 1.3.1 (Intel): 3 (registers), 4 (structures in memory), 10 (software). Serial ATA frames:
 * SATA 3.0, 10.3.4 (register, host to device).
 *
 * Each port carries one command at a time, in slot 0, under its mutex; the caller sleeps until the
 * interrupt, which comes by the PCI line that the firmware routed to the 8259s and may be shared.
 * A command that fails or does not end is tried again after the port was reset.
 *
 * UNIMPL: native command queueing, ATAPI, port multipliers, hot plug, message signalled interrupts.
 */
#include "guestos/drivers/ahci.h"
#include "guestos/abi/errno.h"
#include "guestos/drivers/ata.h"
#include "guestos/drivers/block.h"
#include "guestos/drivers/pci.h"
#include "guestos/drivers/random.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/lock.h"
#include "guestos/kernel/string.h"
#include "guestos/kernel/traps.h"
#include "guestos/mm/frames.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/paging.h"
#include "guestos/mm/slab.h"

#define CLASS_AHCI 0x010601 /* with its programming interface */
#define PCI_ABAR   0x24
#define ABAR_BYTES 0x1100
#define MAX_PORTS  32u
#define MAX_DISKS  16u
#define SD_MAJOR   8u
#define SD_MINORS  16u

enum host_register { CAP = 0x00, GHC = 0x04, IS = 0x08, PI = 0x0C, CAP2 = 0x24, BOHC = 0x28 };
#define CAP_S64A (1u << 31)
#define GHC_IE   (1u << 1)
#define GHC_AE   (1u << 31)
#define CAP2_BOH (1u << 0)
#define BOHC_BOS (1u << 0)
#define BOHC_OOS (1u << 1)

enum port_register {
    PxCLB = 0x00,
    PxCLBU = 0x04,
    PxFB = 0x08,
    PxFBU = 0x0C,
    PxIS = 0x10,
    PxIE = 0x14,
    PxCMD = 0x18,
    PxTFD = 0x20,
    PxSIG = 0x24,
    PxSSTS = 0x28,
    PxSCTL = 0x2C,
    PxSERR = 0x30,
    PxCI = 0x38,
};
#define PORT_BASE(n) (0x100u + 0x80u * (n))
#define CMD_ST       (1u << 0)
#define CMD_SUD      (1u << 1)
#define CMD_POD      (1u << 2)
#define CMD_FRE      (1u << 4)
#define CMD_FR       (1u << 14)
#define CMD_CR       (1u << 15)
#define IS_DHRS      (1u << 0)   /* a register frame: the command ended */
#define IS_PSS       (1u << 1)   /* PIO setup: IDENTIFY's end */
#define IS_ERRORS    0x7D800010u /* TFES HBFS HBDS IFS INFS OFS, IPMS, and UFS */
#define SSTS_DET(x)  ((x)&15u)
#define DET_PRESENT  3u
#define SCTL_RESET   1u
#define SIG_ATA      0x00000101u

/* A port's frame. */
#define AT_LIST    0x000 /* 32 command headers of 32 bytes; only the first is used */
#define AT_FIS     0x400
#define AT_TABLE   0x500
#define AT_PRDT    (AT_TABLE + 0x80)
#define MAX_PIECES 128u

#define FIS_H2D        0x27
#define FIS_DWORDS     5u
#define FIS_IS_COMMAND 0x80
#define DEVICE_LBA     0x40
#define HEADER_WRITE   (1u << 6)

#define MAX_TRIES  3u
#define TIMEOUT_NS (10 * NS_PER_S)
#define FLUSH_NS   (30 * NS_PER_S)
#define STATE_NS   (500 * NS_PER_MS) /* spec: what a port takes to stop */
#define LINK_NS    (1000 * NS_PER_MS)
#define DMA32_END  (1ul << 32)

struct ahci_host {
    volatile u8 *base;
    bool has_64bit;
    u8 irq;
    u32 ports; /* those that have disks */
    struct ahci_port *port[MAX_PORTS];
};

struct ahci_port {
    struct ahci_host *host;
    u32 number;
    u8 *memory; /* a frame */
    u64 memory_pa;
    struct mutex mutex;
    struct wait_queue done;
    volatile bool ended;
    volatile u32 interrupts; /* PxIS of the running command, gathered */
    struct ata_identity id;
    struct block_device block;
};

static u32 nr_disks;

/* ---- registers */

static u32 host_read(const struct ahci_host *h, u32 reg)
{
    return *(volatile u32 *)(h->base + reg);
}

static void host_write(const struct ahci_host *h, u32 reg, u32 value)
{
    *(volatile u32 *)(h->base + reg) = value;
}

static u32 port_read(const struct ahci_port *p, u32 reg)
{
    return host_read(p->host, PORT_BASE(p->number) + reg);
}

static void port_write(const struct ahci_port *p, u32 reg, u32 value)
{
    host_write(p->host, PORT_BASE(p->number) + reg, value);
}

/* Until (register & mask) == value. */
static bool port_wait(const struct ahci_port *p, u32 reg, u32 mask, u32 value, u64 timeout_ns)
{
    u64 end = clock_monotonic() + timeout_ns;

    while ((port_read(p, reg) & mask) != value) {
        if (clock_monotonic() >= end) {
            return false;
        }
    }
    return true;
}

/* ---- a port's life */

static bool stop(const struct ahci_port *p)
{
    port_write(p, PxCMD, port_read(p, PxCMD) & ~CMD_ST);
    bool stopped = port_wait(p, PxCMD, CMD_CR, 0, STATE_NS);
    port_write(p, PxCMD, port_read(p, PxCMD) & ~CMD_FRE);
    return port_wait(p, PxCMD, CMD_FR, 0, STATE_NS) && stopped;
}

static bool port_start(const struct ahci_port *p)
{
    u64 list = p->memory_pa + AT_LIST, fis = p->memory_pa + AT_FIS;

    port_write(p, PxCLB, (u32)list);
    port_write(p, PxCLBU, (u32)(list >> 32));
    port_write(p, PxFB, (u32)fis);
    port_write(p, PxFBU, (u32)(fis >> 32));
    port_write(p, PxSERR, ~0u);
    port_write(p, PxIS, ~0u);
    port_write(p, PxCMD, port_read(p, PxCMD) | CMD_FRE | CMD_SUD | CMD_POD);
    if (!port_wait(p, PxTFD, ATA_BSY | ATA_DRQ, 0, TIMEOUT_NS)) {
        return false;
    }
    port_write(p, PxCMD, port_read(p, PxCMD) | CMD_ST);
    port_write(p, PxIE, IS_DHRS | IS_PSS | IS_ERRORS);
    return true;
}

/* 10.4.2: the link is taken down for a millisecond and comes up again. */
static bool reset(const struct ahci_port *p)
{
    stop(p);
    port_write(p, PxSCTL, (port_read(p, PxSCTL) & ~15u) | SCTL_RESET);
    sleep_ms(2);
    port_write(p, PxSCTL, port_read(p, PxSCTL) & ~15u);
    return port_wait(p, PxSSTS, 15, DET_PRESENT, LINK_NS) && port_start(p);
}

static void port_interrupt(struct ahci_port *p)
{
    u32 is = port_read(p, PxIS);

    port_write(p, PxIS, is);
    p->interrupts |= is;
    if ((p->interrupts & IS_ERRORS) || !(port_read(p, PxCI) & 1)) {
        p->ended = true;
        wake_all(&p->done);
    }
}

static void interrupt(void *argument)
{
    struct ahci_host *h = argument;
    u32 pending = host_read(h, IS) & h->ports;

    for (u32 i = 0; i < MAX_PORTS; i++) {
        if (pending >> i & 1) {
            port_interrupt(h->port[i]);
        }
    }
    if (pending) {
        host_write(h, IS, pending);
        random_add(pending);
    }
}

/* ---- commands; the port's mutex is held */

struct request {
    u8 command;
    bool write;
    u64 lba;
    const struct block_piece *piece;
    u32 nr_pieces, nr_sectors;
};

static void put32(u8 *to, u32 value)
{
    memcpy(to, &value, sizeof value);
}

static void put64(u8 *to, u64 value)
{
    memcpy(to, &value, sizeof value);
}

static void build(const struct ahci_port *p, const struct request *r)
{
    u8 *header = p->memory + AT_LIST;
    const u8 fis[] = {
        FIS_H2D,
        FIS_IS_COMMAND,
        r->command,
        0,
        (u8)r->lba,
        (u8)(r->lba >> 8),
        (u8)(r->lba >> 16),
        DEVICE_LBA,
        (u8)(r->lba >> 24),
        (u8)(r->lba >> 32),
        (u8)(r->lba >> 40),
        0,
        (u8)r->nr_sectors,
        (u8)(r->nr_sectors >> 8),
        0,
        0,
        0,
        0,
        0,
        0,
    };

    put32(header, FIS_DWORDS | (r->write ? HEADER_WRITE : 0) | r->nr_pieces << 16);
    put32(header + 4, 0); /* bytes moved: the controller counts */
    put64(header + 8, p->memory_pa + AT_TABLE);
    memcpy(p->memory + AT_TABLE, fis, sizeof fis);
    for (u32 i = 0; i < r->nr_pieces; i++) {
        u8 *prd = p->memory + AT_PRDT + 16 * i;
        put64(prd, r->piece[i].pa);
        put32(prd + 8, 0);
        put32(prd + 12, r->piece[i].len_bytes - 1);
    }
}

/* Without an interrupt: has it come to its end? */
static bool poll(struct ahci_port *p)
{
    if (!p->ended && !(port_read(p, PxCI) & 1)) {
        p->ended = true;
        return true;
    }
    return false;
}

static bool issue(struct ahci_port *p, const struct request *r, u64 timeout_ns)
{
    build(p, r);
    p->ended = false;
    p->interrupts = 0;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    port_write(p, PxCI, 1);
    WAIT(&p->done, p->ended, WAIT_FIRM, clock_monotonic() + timeout_ns);
    if (poll(p)) {
        print("ahci: port %u: its interrupt (line %u) was lost\n", p->number, p->host->irq);
    }
    return p->ended && !(p->interrupts & IS_ERRORS) &&
           !(port_read(p, PxTFD) & (ATA_ERR | ATA_DF | ATA_BSY));
}

static int run(struct ahci_port *p, const struct request *r, u64 timeout_ns)
{
    for (u32 try = 0; try < MAX_TRIES; try++) {
        if (issue(p, r, timeout_ns)) {
            return 0;
        }
        print("%s: command %02x of %u sectors at %lu failed: task file %04x, interrupts %08x%s\n",
              p->block.name, r->command, r->nr_sectors, r->lba, port_read(p, PxTFD), p->interrupts,
              p->ended ? "" : ", no end");
        if (!reset(p)) {
            print("%s: the port does not come back\n", p->block.name);
            break;
        }
    }
    return -EIO;
}

static bool is_reachable(const struct ahci_port *p, const struct block_piece *piece)
{
    return p->host->has_64bit || piece->pa + piece->len_bytes <= DMA32_END;
}

/* A piece that the controller cannot address goes by way of a frame that it can. */
static int run_bounced(struct ahci_port *p, struct request *r)
{
    u64 pa = frame_alloc_dirty();
    struct block_piece bounce = {pa, r->piece->len_bytes};
    void *theirs = direct(r->piece->pa);
    int result = -EIO;

    r->piece = &bounce;
    if (pa != NO_FRAME && is_reachable(p, &bounce)) {
        memcpy(direct(pa), theirs, r->write ? bounce.len_bytes : 0);
        result = run(p, r, TIMEOUT_NS);
        memcpy(theirs, direct(pa), r->write || result ? 0 : bounce.len_bytes);
    }
    if (pa != NO_FRAME) {
        frame_free(pa);
    }
    return result;
}

static u8 command_of(const struct ahci_port *p, bool write)
{
    return p->id.has_lba48 ? (write ? ATA_WRITE_DMA_EXT : ATA_READ_DMA_EXT)
                           : (write ? ATA_WRITE_DMA : ATA_READ_DMA);
}

static int transfer(struct block_device *b, bool write, u64 sector, const struct block_piece *piece,
                    u32 nr_pieces)
{
    struct ahci_port *p = b->data;
    int result = 0;

    mutex_lock(&p->mutex);
    for (u32 at = 0; at < nr_pieces && result == 0;) {
        struct request r = {
            .command = command_of(p, write), .write = write, .lba = sector, .piece = piece + at};
        bool bounce = !is_reachable(p, r.piece);
        do {
            r.nr_sectors += piece[at].len_bytes / SECTOR_BYTES;
            r.nr_pieces++;
            at++;
        } while (!bounce && at < nr_pieces && r.nr_pieces < MAX_PIECES &&
                 r.nr_sectors + PAGE_BYTES / SECTOR_BYTES <= 256 && is_reachable(p, &piece[at]));
        result = bounce ? run_bounced(p, &r) : run(p, &r, TIMEOUT_NS);
        sector += r.nr_sectors;
    }
    mutex_unlock(&p->mutex);
    return result;
}

static int flush(struct block_device *b)
{
    struct ahci_port *p = b->data;
    struct request r = {.command = p->id.has_flush_ext ? ATA_FLUSH_EXT : ATA_FLUSH};

    if (!p->id.has_flush && !p->id.has_flush_ext) {
        return 0; /* nothing is cached, then */
    }
    mutex_lock(&p->mutex);
    int result = run(p, &r, FLUSH_NS);
    mutex_unlock(&p->mutex);
    return result;
}

/* ---- what is there */

static bool identify(struct ahci_port *p)
{
    u64 pa = frame_alloc();
    struct block_piece piece = {pa, SECTOR_BYTES};
    struct request r = {.command = ATA_IDENTIFY, .piece = &piece, .nr_pieces = 1};
    bool good = pa != NO_FRAME && is_reachable(p, &piece) && run(p, &r, TIMEOUT_NS) == 0 &&
                ata_identify(&p->id, direct(pa));

    if (pa != NO_FRAME) {
        frame_free(pa);
    }
    return good;
}

static void start_disk(struct ahci_port *p)
{
    u32 n = nr_disks++;

    p->block.rdev = SD_MAJOR << 8 | n * SD_MINORS;
    p->block.nr_sectors = p->id.nr_sectors;
    p->block.max_partitions = SD_MINORS - 1;
    p->block.transfer = transfer;
    p->block.flush = flush;
    p->block.data = p;
    print("%s: %s, %lu sectors (%lu MiB), AHCI port %u\n", p->block.name, p->id.model,
          p->id.nr_sectors, p->id.nr_sectors >> 11, p->number);
    block_register(&p->block);
}

/* Whether the link is up, and stays so; a drive may take its time. */
static bool has_link(const struct ahci_port *p)
{
    return SSTS_DET(port_read(p, PxSSTS)) == DET_PRESENT;
}

static struct ahci_port *port_new(struct ahci_host *h, u32 number)
{
    struct ahci_port *p = kmalloc(sizeof *p);
    u64 pa = frame_alloc();

    if (!p || pa == NO_FRAME || (!h->has_64bit && pa + PAGE_BYTES > DMA32_END)) {
        kfree(p);
        return NULL;
    }
    p->host = h;
    p->number = number;
    p->memory_pa = pa;
    p->memory = direct(pa);
    p->block = (struct block_device){.name = {'s', 'd', (char)('a' + nr_disks)}};
    mutex_init(&p->mutex);
    wait_queue_init(&p->done);
    return p;
}

static void start_port(struct ahci_host *h, u32 number)
{
    struct ahci_port probe = {.host = h, .number = number};

    if (!has_link(&probe) || nr_disks == MAX_DISKS) {
        return;
    }
    struct ahci_port *p = port_new(h, number);
    if (!p) {
        print("ahci: no memory for port %u\n", number);
        return;
    }
    h->port[number] = p;
    h->ports |= 1u << number;
    stop(p);
    if (port_start(p) && port_read(p, PxSIG) == SIG_ATA && identify(p)) {
        start_disk(p);
        return;
    }
    port_write(p, PxIE, 0); /* something else: its memory stays the controller's */
    h->ports &= ~(1u << number);
    stop(p);
}

/* 10.6.3: the firmware gives the controller away. */
static void take_over(const struct ahci_host *h)
{
    u64 end = clock_monotonic() + 2 * NS_PER_S;

    if (host_read(h, CAP2) & CAP2_BOH) {
        host_write(h, BOHC, host_read(h, BOHC) | BOHC_OOS);
        while ((host_read(h, BOHC) & BOHC_BOS) && clock_monotonic() < end) {
        }
    }
}

static bool start_host(struct pci_function at, void *unused)
{
    u32 bar = pci_read(at, PCI_ABAR), irq = pci_read(at, PCI_IRQ) & 0xFF;

    (void)unused;
    if (pci_read(at, PCI_CLASS) >> 8 != CLASS_AHCI) {
        return false;
    }
    struct ahci_host *h = kmalloc(sizeof *h);
    if (!h || !(bar & ~15u) || (bar & 1) || irq == 0 || irq > 15) {
        print("ahci: a controller without %s\n", h && bar ? "an interrupt line" : "an address");
        kfree(h);
        return false;
    }
    u32 command = pci_read(at, PCI_COMMAND) & 0xFFFF & ~PCI_COMMAND_NO_INT;
    pci_write(at, PCI_COMMAND, command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    h->base = device_map(bar & ~15u, ABAR_BYTES);
    if (!h->base) {
        kfree(h);
        return false;
    }
    h->irq = (u8)irq;
    take_over(h);
    host_write(h, GHC, host_read(h, GHC) | GHC_AE);
    h->has_64bit = host_read(h, CAP) & CAP_S64A;
    irq_attach(h->irq, interrupt, h);
    host_write(h, IS, ~0u);
    host_write(h, GHC, host_read(h, GHC) | GHC_IE);
    for (u32 i = 0; i < MAX_PORTS; i++) {
        if (host_read(h, PI) >> i & 1) {
            start_port(h, i);
        }
    }
    return false;
}

void ahci_init(void)
{
    pci_scan(start_host, NULL);
}
