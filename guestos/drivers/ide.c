/*
 * IDE disks. Registers and PIO: ATA/ATAPI-6 (T13 1410D), 7 and 9; bus-master DMA: Programming
 * Interface for Bus Master IDE Controller (SFF-8038i) 1.0, as the PIIX has it (Intel 290550, 2.7).
 *
 * A channel carries one command at a time, under its mutex; the caller sleeps until the interrupt.
 * A command that fails or does not end is tried again after a reset, the last time by PIO.
 *
 * UNIMPL: ATAPI drives; channels in native PCI mode; setting of transfer modes (the firmware did).
 */
#include "guestos/drivers/ide.h"
#include "guestos/abi/errno.h"
#include "guestos/drivers/random.h"
#include "guestos/drivers/pci.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/percpu.h"
#include "guestos/kernel/string.h"
#include "guestos/kernel/thread.h"
#include "guestos/kernel/traps.h"
#include "guestos/kernel/x86.h"
#include "guestos/mm/frames.h"
#include "guestos/mm/layout.h"

/* offsets in the command block */
enum { DATA, ERROR, COUNT, LBA_LOW, LBA_MID, LBA_HIGH, DEVICE, STATUS, COMMAND = STATUS };

#define CONTROL_NIEN   0x02 /* no interrupts */
#define CONTROL_SRST   0x04 /* both drives are reset */
#define DEVICE_LBA     0xE0 /* and the two bits that old disks want set */
#define DEVICE_UNIT(n) ((n) << 4)
#define FLOATING_BUS   0xFF /* nobody drives it: no channel, or no drive */

/* the bus master's registers, 8 bytes for each channel */
enum { MASTER_COMMAND = 0, MASTER_STATUS = 2, MASTER_PRD = 4 };
#define MASTER_START     0x01
#define MASTER_TO_MEMORY 0x08
#define MASTER_ERROR     0x02 /* these two are cleared by writing 1 */
#define MASTER_INTERRUPT 0x04
#define MASTER_CAPABLE   0x60 /* the firmware's note that drives do DMA */
#define PRD_LAST         (1u << 31)
#define DMA_END          (1ul << 32) /* a PRD has 32 bits of address */

#define CLASS_IDE     0x0101
#define IDE_IS_MASTER 0x80 /* in the programming interface */
#define IDE_NATIVE(n) (1u << 2 * (n))
#define PCI_BAR4      0x20

#define MAX_SECTORS 256u /* of one command: what LBA28 can say, and 32 frames */
#define MAX_PIECES  (PAGE_BYTES / 8)
#define MAX_TRIES   3
#define TIMEOUT_NS  (5 * NS_PER_S)
#define FLUSH_NS    (30 * NS_PER_S)
#define HD_MAJOR_0  3 /* hda, hdb; Linux' devices list */
#define HD_MAJOR_1  22
#define HD_MINORS   64

struct prd {
    u32 pa, len_bytes; /* 65536 is 0; PRD_LAST in the length's word */
};

struct ide_channel {
    u16 command, control, master; /* ports; master 0: none */
    u8 irq;
    struct mutex mutex; /* the whole channel, while a command runs */
    struct prd *prd;    /* a frame below 4 GiB */
    u32 prd_pa;
    bool dma; /* the running command is one */
    volatile bool expecting, interrupted;
    volatile u8 status, master_status; /* as the interrupt found them */
    struct wait_queue done;
};

static struct ide_channel channels[2] = {
    {.command = 0x1F0, .control = 0x3F6, .irq = 14},
    {.command = 0x170, .control = 0x376, .irq = 15},
};
static struct ide_disk disks[IDE_MAX_DISKS];
static u32 nr_disks;

/* ---- the wire */

/* 400 ns, the time until the status is that of the new command or unit: four reads. */
static void settle(const struct ide_channel *c)
{
    for (u32 i = 0; i < 4; i++) {
        in8(c->control);
    }
}

/* Until BSY is clear; the status then, or BSY if it never was. */
static u8 wait_ready(const struct ide_channel *c)
{
    u64 end = clock_monotonic() + TIMEOUT_NS;

    do {
        u8 status = in8(c->control);
        if (!(status & ATA_BSY)) {
            return status;
        }
    } while (clock_monotonic() < end);
    return ATA_BSY;
}

static void read_words(const struct ide_channel *c, void *to, u32 nr_words)
{
    __asm__ volatile("rep insw"
                     : "+D"(to), "+c"(nr_words)
                     : "d"((u16)(c->command + DATA))
                     : "memory");
}

static void write_words(const struct ide_channel *c, const void *from, u32 nr_words)
{
    __asm__ volatile("rep outsw"
                     : "+S"(from), "+c"(nr_words)
                     : "d"((u16)(c->command + DATA))
                     : "memory");
}

static void interrupt(void *argument)
{
    struct ide_channel *c = argument;
    u8 master = c->master ? in8(c->master + MASTER_STATUS) : 0;

    if (c->dma && !(master & MASTER_INTERRUPT)) {
        return; /* data is still on its way */
    }
    c->status = in8(c->command + STATUS); /* which takes the request back */
    if (c->master) {
        c->master_status = master;
        out8(c->master + MASTER_STATUS,
             (master & MASTER_CAPABLE) | MASTER_INTERRUPT | MASTER_ERROR);
    }
    random_add(c->status);
    if (c->expecting) {
        c->expecting = false;
        c->interrupted = true;
        wake_all(&c->done);
    }
}

/* The same without an interrupt: has the command come to its end? */
static bool poll(struct ide_channel *c)
{
    irq_off();
    if (!c->interrupted && !(in8(c->control) & ATA_BSY)) {
        interrupt(c);
    }
    irq_back();
    return c->interrupted;
}

/* Before what makes the drive interrupt. */
static void expect(struct ide_channel *c, bool dma)
{
    c->dma = dma;
    c->interrupted = false;
    c->expecting = true;
}

static bool wait_interrupt(struct ide_channel *c, u64 timeout_ns)
{
    u64 end = clock_monotonic() + timeout_ns;

    WAIT(&c->done, c->interrupted, WAIT_FIRM, end);
    if (!c->interrupted && poll(c)) {
        print("ide: the interrupt %u was lost\n", c->irq);
    }
    c->expecting = false;
    return c->interrupted;
}

static void reset(struct ide_channel *c)
{
    if (c->master) {
        out8(c->master + MASTER_COMMAND, 0);
    }
    out8(c->control, CONTROL_SRST | CONTROL_NIEN);
    settle(c);
    out8(c->control, 0);
    settle(c);
    wait_ready(c);
    in8(c->command + STATUS);
}

/* ---- commands; the channel's mutex is held */

/* The EXT forms write each register twice, high byte first. nr_sectors: at most MAX_SECTORS. */
static void write_address(const struct ide_disk *d, u64 lba, u32 nr_sectors, bool ext)
{
    u16 base = d->channel->command;

    if (ext) {
        out8(base + COUNT, (u8)(nr_sectors >> 8));
        out8(base + LBA_LOW, (u8)(lba >> 24));
        out8(base + LBA_MID, (u8)(lba >> 32));
        out8(base + LBA_HIGH, (u8)(lba >> 40));
    }
    out8(base + COUNT, (u8)nr_sectors); /* without EXT 0 is 256 */
    out8(base + LBA_LOW, (u8)lba);
    out8(base + LBA_MID, (u8)(lba >> 8));
    out8(base + LBA_HIGH, (u8)(lba >> 16));
    out8(base + DEVICE, (u8)(DEVICE_LBA | DEVICE_UNIT(d->unit) | (ext ? 0 : (lba >> 24 & 15))));
}

static bool select(const struct ide_disk *d)
{
    if (wait_ready(d->channel) & ATA_BSY) {
        return false;
    }
    out8(d->channel->command + DEVICE, (u8)(DEVICE_LBA | DEVICE_UNIT(d->unit)));
    settle(d->channel);
    return !(wait_ready(d->channel) & (ATA_BSY | ATA_DRQ));
}

struct request {
    bool write;
    u64 lba;
    const struct block_piece *piece;
    u32 nr_pieces, nr_sectors;
};

static bool is_ext(const struct request *r)
{
    return r->lba + r->nr_sectors > ATA_LBA28_END;
}

static bool run_dma(struct ide_disk *d, const struct request *r)
{
    static const u8 commands[2][2] = {{ATA_READ_DMA, ATA_READ_DMA_EXT},
                                      {ATA_WRITE_DMA, ATA_WRITE_DMA_EXT}};
    struct ide_channel *c = d->channel;
    u8 direction = r->write ? 0 : MASTER_TO_MEMORY;

    for (u32 i = 0; i < r->nr_pieces; i++) {
        bool last = i + 1 == r->nr_pieces;
        c->prd[i] =
            (struct prd){(u32)r->piece[i].pa, r->piece[i].len_bytes | (last ? PRD_LAST : 0)};
    }
    out8(c->master + MASTER_COMMAND, direction);
    out32(c->master + MASTER_PRD, c->prd_pa);
    out8(c->master + MASTER_STATUS,
         (in8(c->master + MASTER_STATUS) & MASTER_CAPABLE) | MASTER_INTERRUPT | MASTER_ERROR);
    if (!select(d)) {
        return false;
    }
    write_address(d, r->lba, r->nr_sectors, is_ext(r));
    expect(c, true);
    out8(c->command + COMMAND, commands[r->write][is_ext(r)]);
    out8(c->master + MASTER_COMMAND, direction | MASTER_START);
    bool ended = wait_interrupt(c, TIMEOUT_NS);
    out8(c->master + MASTER_COMMAND, direction);
    c->dma = false;
    return ended && !(c->status & (ATA_ERR | ATA_DF)) && !(c->master_status & MASTER_ERROR);
}

/* A block of data is one sector. Reads interrupt before each, writes after each. */
static bool run_pio(struct ide_disk *d, const struct request *r)
{
    static const u8 commands[2][2] = {{ATA_READ, ATA_READ_EXT}, {ATA_WRITE, ATA_WRITE_EXT}};
    struct ide_channel *c = d->channel;
    u32 piece = 0, at = 0;

    if (!select(d)) {
        return false;
    }
    write_address(d, r->lba, r->nr_sectors, is_ext(r));
    expect(c, false);
    out8(c->command + COMMAND, commands[r->write][is_ext(r)]);
    settle(c);
    for (u32 i = 0; i < r->nr_sectors; i++) {
        u8 *data = (u8 *)direct(r->piece[piece].pa) + at;
        if (r->write) {
            u8 status = i == 0 ? wait_ready(c) : c->status;
            if ((status & (ATA_BSY | ATA_ERR | ATA_DF)) || !(status & ATA_DRQ)) {
                return false;
            }
            expect(c, false);
            write_words(c, data, SECTOR_BYTES / 2);
        }
        if (!wait_interrupt(c, TIMEOUT_NS) || (c->status & (ATA_ERR | ATA_DF))) {
            return false;
        }
        if (!r->write) {
            if (!(c->status & ATA_DRQ)) {
                return false;
            }
            expect(c, false);
            read_words(c, data, SECTOR_BYTES / 2);
        }
        at += SECTOR_BYTES;
        if (at == r->piece[piece].len_bytes) {
            piece++;
            at = 0;
        }
    }
    c->expecting = false;
    return true;
}

static bool is_reachable(const struct request *r)
{
    for (u32 i = 0; i < r->nr_pieces; i++) {
        if (r->piece[i].pa + r->piece[i].len_bytes > DMA_END) {
            return false;
        }
    }
    return true;
}

static int run(struct ide_disk *d, const struct request *r)
{
    struct ide_channel *c = d->channel;

    for (u32 try = 1; try <= MAX_TRIES; try++) {
        bool dma = d->use_dma && try < MAX_TRIES && is_reachable(r);
        if (dma ? run_dma(d, r) : run_pio(d, r)) {
            if (d->use_dma && try == MAX_TRIES) {
                print("%s: DMA does not work; PIO from now on\n", d->block.name);
                d->use_dma = false;
            }
            return 0;
        }
        print("%s: %s of %u sectors at %lu failed: status %02x, error %02x, bus master %02x%s\n",
              d->block.name, r->write ? "write" : "read", r->nr_sectors, r->lba, in8(c->control),
              in8(c->command + ERROR), c->master_status, c->interrupted ? "" : ", no interrupt");
        reset(c);
    }
    return -EIO;
}

static int transfer(struct block_device *b, bool write, u64 sector, const struct block_piece *piece,
                    u32 nr_pieces)
{
    struct ide_disk *d = b->data;
    int result = 0;

    mutex_lock(&d->channel->mutex);
    for (u32 at = 0; at < nr_pieces && result == 0;) {
        struct request r = {.write = write, .lba = sector, .piece = piece + at};
        while (at < nr_pieces && r.nr_pieces < MAX_PIECES &&
               r.nr_sectors + piece[at].len_bytes / SECTOR_BYTES <= MAX_SECTORS) {
            r.nr_sectors += piece[at].len_bytes / SECTOR_BYTES;
            r.nr_pieces++;
            at++;
        }
        result = run(d, &r);
        sector += r.nr_sectors;
    }
    mutex_unlock(&d->channel->mutex);
    return result;
}

static int flush(struct block_device *b)
{
    struct ide_disk *d = b->data;
    struct ide_channel *c = d->channel;

    if (!d->id.has_flush && !d->id.has_flush_ext) {
        return 0; /* nothing is cached, then */
    }
    mutex_lock(&c->mutex);
    bool good = select(d);
    if (good) {
        expect(c, false);
        out8(c->command + COMMAND, d->id.has_flush_ext ? ATA_FLUSH_EXT : ATA_FLUSH);
        good = wait_interrupt(c, FLUSH_NS) && !(c->status & (ATA_ERR | ATA_DF));
    }
    if (!good) {
        print("%s: the disk's cache cannot be written: status %02x\n", b->name, in8(c->control));
        reset(c);
    }
    mutex_unlock(&c->mutex);
    return good ? 0 : -EIO;
}

/* ---- what is there */

static bool identify(struct ide_disk *d)
{
    struct ide_channel *c = d->channel;
    u16 words[256];

    out8(c->control, CONTROL_NIEN);
    out8(c->command + DEVICE, (u8)(DEVICE_LBA | DEVICE_UNIT(d->unit)));
    settle(c);
    u8 status = in8(c->command + STATUS);
    if (status == FLOATING_BUS || status == 0 || (wait_ready(c) & ATA_BSY)) {
        return false;
    }
    out8(c->command + COMMAND, ATA_IDENTIFY);
    settle(c);
    if (in8(c->command + STATUS) == 0) {
        return false;
    }
    status = wait_ready(c);
    if ((status & (ATA_BSY | ATA_ERR)) || !(status & ATA_DRQ)) {
        return false; /* an ATAPI drive aborts the command */
    }
    read_words(c, words, ARRAY_LEN(words));
    in8(c->command + STATUS);
    return ata_identify(&d->id, words);
}

static bool find_master(struct pci_function at, void *argument)
{
    u32 class = pci_read(at, PCI_CLASS);
    u32 bar4 = pci_read(at, PCI_BAR4);

    (void)argument;
    if (class >> 16 != CLASS_IDE) {
        return false;
    }
    for (u32 i = 0; i < 2; i++) {
        u64 pa = frame_alloc();
        if (class >> 8 & IDE_NATIVE(i)) {
            print("ide: channel %u is in native PCI mode, which is not implemented\n", i);
            channels[i].command = 0;
        } else if ((class >> 8 & IDE_IS_MASTER) && (bar4 & 1) && (bar4 & 0xFFF0) &&
                   pa != NO_FRAME && pa + PAGE_BYTES <= DMA_END) {
            channels[i].master = (u16)((bar4 & 0xFFF0) + 8 * i);
            channels[i].prd = direct(pa);
            channels[i].prd_pa = (u32)pa;
            continue;
        }
        if (pa != NO_FRAME) {
            frame_free(pa);
        }
    }
    pci_write(at, PCI_COMMAND,
              (pci_read(at, PCI_COMMAND) & 0xFFFF) | PCI_COMMAND_IO | PCI_COMMAND_MASTER);
    return true;
}

static void start_disk(struct ide_disk *d, u32 number)
{
    u32 major = number < 2 ? HD_MAJOR_0 : HD_MAJOR_1;

    d->use_dma = d->channel->master && d->id.has_dma;
    d->block = (struct block_device){
        .name = {'h', 'd', (char)('a' + number)},
        .rdev = (u64)major << 8 | number % 2 * HD_MINORS,
        .nr_sectors = d->id.nr_sectors,
        .max_partitions = HD_MINORS - 1,
        .transfer = transfer,
        .flush = flush,
        .data = d,
    };
    block_register(&d->block);
}

void ide_init(void)
{
    u32 number[IDE_MAX_DISKS];

    pci_scan(find_master, NULL);
    for (u32 i = 0; i < IDE_MAX_DISKS; i++) {
        struct ide_disk d = {.channel = &channels[i / 2], .unit = i % 2};
        if (d.channel->command && identify(&d)) {
            number[nr_disks] = i;
            disks[nr_disks++] = d;
        }
    }
    for (u32 i = 0; i < 2; i++) {
        struct ide_channel *c = &channels[i];
        mutex_init(&c->mutex);
        wait_queue_init(&c->done);
        if (c->command) {
            irq_attach(c->irq, interrupt, c);
            out8(c->control, 0); /* interrupts on */
        }
    }
    for (u32 i = 0; i < nr_disks; i++) {
        start_disk(&disks[i], number[i]);
    }
}

u32 ide_nr_disks(void)
{
    return nr_disks;
}

const struct ide_disk *ide_disk(u32 number)
{
    return number < nr_disks ? &disks[number] : NULL;
}

bool ide_read(const struct ide_disk *d, u64 lba, void *to)
{
    if (lba >= d->id.nr_sectors) {
        print("sector %lu is beyond the disk's end (%lu sectors)\n", lba, d->id.nr_sectors);
        return false;
    }
    return block_read((struct block_device *)&d->block, lba, to, 1) == 0;
}
