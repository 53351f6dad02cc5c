/*
 * AHCI: what a port does with commands. AHCI 1.3.1, 5 (data transfer) and 6 (errors); Serial ATA
 * 2.6, 10.3 (frames) and 13.6 (queued commands).
 *
 * A port has one command that is not queued under way, or any number of queued ones, which the
 * drive answers one at a time. The drive only notes what it wants while it is called; settle() then
 * does it, so that nothing here runs within itself.
 *
 * Command list, command tables and regions are the guest's: each is read through struct dma when it
 * is needed, and one that is not memory stops the port (HBFS).
 */
#include "devices/ahci.h"

enum { FIS_H2D = 0x27, FIS_D2H = 0x34, FIS_DMA_SETUP = 0x41, FIS_PIO_SETUP = 0x5f, FIS_SET_BITS = 0xa1 };
enum { AREA_DMA_SETUP = 0x00, AREA_PIO_SETUP = 0x20, AREA_D2H = 0x40, AREA_SET_BITS = 0x58 };
enum { FIS_IRQ = 0x40, FIS_TO_HOST = 0x20, CONTROL_SRST = 4 };
enum { HEADER_SIZE = 32, TABLE_ACMD = 0x40, TABLE_PRDT = 0x80, PRD_SIZE = 16 };
enum { READ_QUEUED = 0x60, WRITE_QUEUED = 0x61 };
enum { SSTS_UP = 0x123 }; /* active, 3 Gbit/s, communication established */

static struct dma *dma_of(const struct ahci_port *p)
{
    return p->hba->dev.env.dma;
}

static void stop(struct ahci_port *p, u32 cause, const char *why)
{
    guest_error(p->hba->dev.env.log, "ahci: port %u: %s", (unsigned)p->number, why);
    p->is |= cause;
    p->stopped = 1;
    timer_cancel(&p->done);
}

/* ---- frames to the host ---- */

static void post(struct ahci_port *p, unsigned area, const u8 *fis, unsigned len)
{
    if ((p->cmd & CMD_FRE) && dma_write(dma_of(p), (u64)p->fbu << 32 | p->fb | area, fis, len))
        stop(p, IS_HBFS, "received frames have no memory");
}

static void fill_task_file(u8 *fis, const struct ata_drive *d)
{
    fis[2] = d->status;
    fis[3] = d->error;
    fis[4] = d->lba_low[0], fis[5] = d->lba_mid[0], fis[6] = d->lba_high[0];
    fis[7] = d->select;
    fis[8] = d->lba_low[1], fis[9] = d->lba_mid[1], fis[10] = d->lba_high[1];
    fis[12] = d->count[0], fis[13] = d->count[1];
}

static void set_tfd(struct ahci_port *p)
{
    p->tfd = p->drive.status | (u32)p->drive.error << 8;
}

static void post_d2h(struct ahci_port *p, bool irq)
{
    u8 fis[20] = { FIS_D2H, irq ? FIS_IRQ : 0 };

    fill_task_file(fis, &p->drive);
    set_tfd(p);
    post(p, AREA_D2H, fis, sizeof(fis));
    if (irq)
        p->is |= IS_DHRS;
    if (p->drive.status & ATA_ERR) {
        p->is |= IS_TFES;
        p->stopped = 1;
    }
}

static void post_signature(struct ahci_port *p)
{
    const struct ata_drive *d = &p->drive;

    if (!p->owes_signature || !(p->cmd & CMD_FRE))
        return;
    p->owes_signature = 0;
    p->sig = d->count[0] | (u32)d->lba_low[0] << 8 | (u32)d->lba_mid[0] << 16 | (u32)d->lba_high[0] << 24;
    post_d2h(p, false);
}

/* ---- the slot's regions ---- */

/* Reads a slot's header, and stands before its first region. */
static bool open_table(struct ahci_port *p, unsigned slot, u8 header[HEADER_SIZE])
{
    if (dma_read(dma_of(p), ((u64)p->clbu << 32 | p->clb) + slot * HEADER_SIZE, header, HEADER_SIZE)) {
        stop(p, IS_HBFS, "the command list is no memory");
        return false;
    }
    p->nr_prd = (u32)load_le(header + 2, 2);
    p->table = load_le(header + 8, 8) & ~0x7full;
    p->next_prd = p->prd_room = p->moved = 0;
    p->prd_irq = 0;
    return true;
}

static bool next_prd(struct ahci_port *p)
{
    u8 prd[PRD_SIZE];
    u32 count;

    if (dma_read(dma_of(p), p->table + TABLE_PRDT + (u64)p->next_prd * PRD_SIZE, prd, PRD_SIZE)) {
        stop(p, IS_HBFS, "the table of regions is no memory");
        return false;
    }
    p->next_prd++;
    count = (u32)load_le(prd + 12, 4);
    p->prd_base = load_le(prd, 8) & ~1ull;
    p->prd_room = (count & 0x3fffff) + 1;
    p->prd_irq = count >> 31;
    return true;
}

static bool move(struct ata_drive *d, u8 *bytes, u32 len, bool to_drive)
{
    struct ahci_port *p = d->cfg.owner;

    for (u32 at = 0, part; at < len; at += part) {
        if (p->prd_room == 0 && p->next_prd >= p->nr_prd) {
            p->is |= IS_OFS;
            if (!to_drive) /* what does not fit is dropped: 6.1.3 */
                return true;
            stop(p, IS_OFS, "the regions end before the data does");
            return false;
        }
        if (p->prd_room == 0 && !next_prd(p))
            return false;
        part = len - at < p->prd_room ? len - at : p->prd_room;
        if (to_drive ? dma_read(dma_of(p), p->prd_base, bytes + at, part)
                     : dma_write(dma_of(p), p->prd_base, bytes + at, part)) {
            stop(p, IS_HBFS, "a region is no memory");
            return false;
        }
        p->prd_base += part;
        p->prd_room -= part;
        p->moved += part;
        if (p->prd_room == 0 && p->prd_irq)
            p->is |= IS_DPS;
    }
    return true;
}

static void close_table(struct ahci_port *p, unsigned slot)
{
    u8 count[4];

    store_le(count, p->moved, 4);
    if (dma_write(dma_of(p), ((u64)p->clbu << 32 | p->clb) + slot * HEADER_SIZE + 4, count, 4))
        stop(p, IS_HBFS, "the command list is no memory");
}

/* ---- what the drive asks for ---- */

static void arm(struct ahci_port *p, u64 ns)
{
    timer_arm(&p->done, clock_now(p->hba->dev.env.clk) + ns);
}

static void link_wait(struct ata_drive *d, u64 ns)
{
    arm(d->cfg.owner, ns);
}

static void link_dma(struct ata_drive *d)
{
    struct ahci_port *p = d->cfg.owner;

    p->dma_wanted = 1;
    arm(p, ata_dma_ns(d));
}

static void link_data(struct ata_drive *d, bool irq)
{
    struct ahci_port *p = d->cfg.owner;

    p->offered = true;
    p->irq = irq;
}

static void link_done(struct ata_drive *d)
{
    struct ahci_port *p = d->cfg.owner;

    p->over = true;
}

const struct ata_link ahci_link = { link_wait, link_data, link_dma, move, link_done };

/* ---- commands that are not queued ---- */

/* A PIO block, which its setup frame announces: 5.3.8 and 5.3.9. */
static void pass_block(struct ahci_port *p)
{
    struct ata_drive *d = &p->drive;
    u32 len = d->buf_len - d->buf_pos;
    bool packet = d->command == ATA_PACKET && d->atapi.wants_packet, irq = p->irq;
    u8 fis[20] = { FIS_PIO_SETUP, (u8)((irq ? FIS_IRQ : 0) | (d->writing ? 0 : FIS_TO_HOST)) };

    fill_task_file(fis, d);
    store_le(fis + 16, len, 2);
    if (packet) {
        if (dma_read(dma_of(p), p->table + TABLE_ACMD, d->buf, ATAPI_PACKET)) {
            stop(p, IS_HBFS, "the packet is no memory");
            return;
        }
    } else if (!move(d, d->buf + d->buf_pos, len, d->writing)) {
        return;
    }
    d->buf_pos = d->buf_len;
    if (d->writing)
        ata_block_given(d);
    else
        ata_block_taken(d);
    fis[15] = d->status;
    set_tfd(p);
    post(p, AREA_PIO_SETUP, fis, sizeof(fis));
    if (irq)
        p->is |= IS_PSS;
}

static void end_command(struct ahci_port *p, bool frame)
{
    unsigned slot = p->slot;

    p->slot = AHCI_NO_SLOT;
    p->dma_wanted = 0;
    close_table(p, slot);
    if (frame)
        post_d2h(p, true);
    if (!(p->drive.status & ATA_ERR)) /* else it stays, and says which one failed */
        p->ci &= ~(1u << slot);
}

/* ---- queued commands ---- */

/* The queue is lost; the log says why (SATA 2.6, 13.6.4). */
static void fail_queue(struct ahci_port *p, unsigned tag, u64 lba, u8 error)
{
    struct ata_drive *d = &p->drive;

    d->status = ATA_DRDY | ATA_DSC | ATA_ERR;
    d->error = error;
    d->queued_tag = (u8)tag;
    d->queued_error = error;
    d->queued_lba = lba;
    p->queued = 0;
    p->dma_wanted = 0;
    timer_cancel(&p->done);
}

static bool fits(const struct ahci_port *p, const struct ahci_queued *q)
{
    const struct blockdev *disk = p->drive.cfg.disk;

    return disk && !p->drive.cfg.cdrom && q->left && q->lba < disk->nr_sectors && q->left <= disk->nr_sectors - q->lba;
}

static void arm_queue(struct ahci_port *p)
{
    unsigned tag = p->last_queued;

    if (!p->queued || timer_armed(&p->done))
        return;
    do
        tag = (tag + 1) % AHCI_SLOTS;
    while (!(p->queued >> tag & 1));
    p->last_queued = (u8)tag;
    arm(p, ATA_LATENCY_NS + (u64)p->queue[tag].left * ATA_SECTOR_NS);
}

static void accept_queued(struct ahci_port *p, unsigned slot, const u8 *fis)
{
    struct ata_drive *d = &p->drive;
    struct ahci_queued *q = &p->queue[slot];

    *q = (struct ahci_queued){
        .lba = load_le(fis + 4, 3) | (u64)load_le(fis + 8, 3) << 24,
        .left = fis[3] | (u32)fis[11] << 8,
        .writing = fis[2] == WRITE_QUEUED,
    };
    if (q->left == 0)
        q->left = 65536;
    TRACE(d->cfg.trace, ide_command, d->cfg.name, (u64)fis[2], q->lba, (u64)q->left);
    d->command = fis[2];
    if (fis[12] >> 3 != slot || !(p->sact >> slot & 1) || !fits(p, q)) {
        fail_queue(p, slot, q->lba, fits(p, q) ? ATA_ABRT : ATA_IDNF);
        post_d2h(p, true);
        return;
    }
    d->status = ATA_DRDY | ATA_DSC;
    d->error = 0;
    post_d2h(p, false);
    p->ci &= ~(1u << slot);
    p->queued |= 1u << slot;
    arm_queue(p);
}

/* Moves the data of a queued command. An error that is the drive's, or 0; false: the port stopped. */
static bool do_queued(struct ahci_port *p, struct ahci_queued *q, u8 *error)
{
    struct ata_drive *d = &p->drive;
    struct blockdev *disk = d->cfg.disk;
    u8 chunk[ATA_CHUNK * SECTOR_SIZE];

    *error = 0;
    while (q->left) {
        u32 n = q->left < ATA_CHUNK ? q->left : ATA_CHUNK;

        if (!q->writing && disk->read(disk->h, q->lba, n, chunk)) {
            *error = ATA_UNC;
            return true;
        }
        if (!move(d, chunk, n * SECTOR_SIZE, q->writing))
            return false;
        if (q->writing && (disk->readonly || disk->write(disk->h, q->lba, n, chunk))) {
            *error = ATA_ABRT;
            return true;
        }
        q->lba += n;
        q->left -= n;
    }
    return true;
}

static void run_queued(struct ahci_port *p, unsigned tag)
{
    struct ahci_queued *q = &p->queue[tag];
    u8 setup[28] = { FIS_DMA_SETUP, q->writing ? 0 : FIS_TO_HOST }, header[HEADER_SIZE];
    u8 fis[8] = { FIS_SET_BITS, FIS_IRQ };
    u8 error;

    setup[4] = (u8)tag;
    store_le(setup + 20, (u64)q->left * SECTOR_SIZE, 4);
    post(p, AREA_DMA_SETUP, setup, sizeof(setup));
    if (p->stopped || !open_table(p, tag, header) || !do_queued(p, q, &error))
        return;
    if (error) {
        fail_queue(p, tag, q->lba, error);
    } else {
        p->queued &= ~(1u << tag);
        p->sact &= ~(1u << tag);
        p->drive.status = ATA_DRDY | ATA_DSC;
        store_le(fis + 4, 1u << tag, 4);
    }
    fis[2] = p->drive.status & 0x77;
    fis[3] = p->drive.error;
    set_tfd(p);
    post(p, AREA_SET_BITS, fis, sizeof(fis));
    p->is |= IS_SDBS | (error ? IS_TFES : 0);
    p->stopped |= error != 0;
    if (!p->stopped)
        arm_queue(p);
}

/* ---- fetching ---- */

static void write_control(struct ahci_port *p, unsigned slot, u8 control)
{
    bool was = p->soft_reset;

    p->ci &= ~(1u << slot);
    p->soft_reset = (control & CONTROL_SRST) != 0;
    if (p->soft_reset) {
        p->queued = 0;
        timer_cancel(&p->done);
    }
    if (p->soft_reset || !was)
        return;
    ata_reset(&p->drive);
    p->owes_signature = 1;
    post_signature(p);
}

static void load_task_file(struct ata_drive *d, const u8 *fis)
{
    d->feature[0] = fis[3], d->feature[1] = fis[11];
    d->lba_low[0] = fis[4], d->lba_mid[0] = fis[5], d->lba_high[0] = fis[6];
    d->lba_low[1] = fis[8], d->lba_mid[1] = fis[9], d->lba_high[1] = fis[10];
    d->select = fis[7] & 0x5f;
    d->count[0] = fis[12], d->count[1] = fis[13];
}

static void fetch(struct ahci_port *p, unsigned slot)
{
    struct ata_drive *d = &p->drive;
    u8 header[HEADER_SIZE], fis[20];

    p->last_slot = (u8)slot;
    if (!open_table(p, slot, header))
        return;
    if (dma_read(dma_of(p), p->table, fis, sizeof(fis))) {
        stop(p, IS_HBFS, "the command table is no memory");
        return;
    }
    if (fis[0] != FIS_H2D || (header[0] & 31) < 5) {
        stop(p, IS_IFS, "the frame is no command");
        return;
    }
    if (!(fis[1] & 0x80)) {
        write_control(p, slot, fis[15]);
        return;
    }
    if ((fis[2] == READ_QUEUED || fis[2] == WRITE_QUEUED) && !d->cfg.cdrom) {
        accept_queued(p, slot, fis);
        return;
    }
    load_task_file(d, fis);
    if (p->queued) { /* not while commands are queued: 13.6.3 */
        fail_queue(p, slot, 0, ATA_ABRT);
        d->command = fis[2];
        post_d2h(p, true);
        return;
    }
    p->slot = (u8)slot;
    p->tfd = ATA_BSY;
    ata_start(d, fis[2]);
    if (fis[2] == ATA_DEVICE_RESET && d->cfg.cdrom) /* over without a word */
        p->over = true;
}

static bool may_fetch(const struct ahci_port *p)
{
    return p->slot == AHCI_NO_SLOT && !p->stopped && p->ci && (p->cmd & CMD_ST) && ata_present(&p->drive) &&
           !(p->tfd & (ATA_BSY | ATA_DRQ)) && (pci_get(&p->hba->func, PCI_COMMAND, 2) & PCI_COMMAND_MASTER);
}

/* Does what the drive has asked for, and fetches commands while it can take them. */
static void settle(struct ahci_port *p)
{
    for (;;) {
        if (p->offered) {
            p->offered = false;
            pass_block(p);
            if (!p->stopped && !p->offered && !p->over && !(p->drive.status & (ATA_BSY | ATA_DRQ)))
                end_command(p, false); /* the last block's status ends a read */
        } else if (p->over) {
            p->over = false;
            if (p->slot != AHCI_NO_SLOT)
                end_command(p, true);
        } else if (may_fetch(p)) {
            unsigned slot = p->last_slot;

            do
                slot = (slot + 1) % AHCI_SLOTS;
            while (!(p->ci >> slot & 1));
            fetch(p, slot);
        } else {
            break;
        }
    }
    ahci_interrupt(p);
}

void ahci_port_kick(struct ahci_port *p)
{
    post_signature(p);
    settle(p);
}

void ahci_port_timer(void *port, u64 now_ns)
{
    struct ahci_port *p = port;

    (void)now_ns;
    if (p->queued && p->slot == AHCI_NO_SLOT) {
        if (p->queued >> p->last_queued & 1)
            run_queued(p, p->last_queued);
    } else if (p->dma_wanted) {
        ata_dma_run(&p->drive); /* if it does not get through, the port has stopped */
    } else if (ata_present(&p->drive)) {
        ata_continue(&p->drive);
    }
    settle(p);
}

/* ---- stops and resets ---- */

/* The drive, too, drops what it was doing. */
void ahci_port_stop(struct ahci_port *p)
{
    struct ata_drive *d = &p->drive;

    timer_cancel(&p->done);
    if (p->slot != AHCI_NO_SLOT || p->queued) {
        d->status = d->cfg.cdrom && !d->command ? 0 : ATA_DRDY | ATA_DSC;
        d->left = d->buf_pos = d->buf_len = 0;
        d->atapi.wants_packet = 0;
        d->atapi.data_len = 0;
        if (p->tfd & (ATA_BSY | ATA_DRQ))
            set_tfd(p);
    }
    p->slot = AHCI_NO_SLOT;
    p->queued = p->ci = p->sact = 0;
    p->stopped = p->dma_wanted = p->soft_reset = 0;
    p->table = p->prd_base = 0;
    p->nr_prd = p->next_prd = p->prd_room = p->moved = p->prd_irq = 0;
}

void ahci_port_link_reset(struct ahci_port *p)
{
    ahci_port_stop(p);
    p->tfd = 0x7f;
    p->sig = 0xffffffff;
    p->ssts = 0;
    if (!ata_present(&p->drive))
        return;
    p->ssts = SSTS_UP;
    p->serr |= SERR_DIAG_X | SERR_DIAG_N;
    ata_reset(&p->drive);
    p->owes_signature = 1;
    post_signature(p);
}

/* ---- saved state ---- */

const char *ahci_port_impossible(const struct ahci_port *p)
{
    bool under_way = p->slot != AHCI_NO_SLOT || (timer_armed(&p->done) && !p->queued);
    const char *why = ata_impossible(&p->drive, under_way);

    if (why)
        return why;
    if (p->queued && p->slot != AHCI_NO_SLOT)
        return "queued commands are beside another one";
    if (timer_armed(&p->done) && !p->queued && p->slot == AHCI_NO_SLOT)
        return "the drive is busy without a command";
    for (unsigned i = 0; i < AHCI_SLOTS; i++)
        if ((p->queued >> i & 1) && !fits(p, &p->queue[i]))
            return "a queued transfer reaches beyond its disk";
    return NULL;
}

static const struct state_field queued_fields[] = {
    STATE(struct ahci_queued, lba), STATE(struct ahci_queued, left),
    STATE_UPTO(struct ahci_queued, writing, 1), STATE_END,
};
#define PORT(field) STATE(struct ahci_port, field)
#define PORT_UPTO(field, max) STATE_UPTO(struct ahci_port, field, max)
const struct state_field ahci_port_fields[] = {
    STATE_STRUCT(struct ahci_port, drive, ata_drive_fields), STATE_TIMER(struct ahci_port, done),
    PORT(clb), PORT(clbu), PORT(fb), PORT(fbu), PORT(is), PORT(ie), PORT(cmd), PORT(tfd), PORT(sig),
    PORT(ssts), PORT(sctl), PORT(serr), PORT(sact), PORT(ci),
    PORT_UPTO(slot, AHCI_NO_SLOT), PORT_UPTO(last_slot, AHCI_SLOTS - 1), PORT_UPTO(stopped, 1),
    PORT_UPTO(owes_signature, 1), PORT_UPTO(soft_reset, 1), PORT_UPTO(dma_wanted, 1), PORT(queued),
    PORT_UPTO(last_queued, AHCI_SLOTS - 1), STATE_STRUCTS(struct ahci_port, queue, queued_fields),
    PORT(table), PORT(prd_base), PORT_UPTO(nr_prd, 65535), PORT_UPTO(next_prd, 65535),
    PORT_UPTO(prd_room, 1 << 22), PORT(moved), PORT_UPTO(prd_irq, 1), STATE_END,
};
