/*
 * The floppy disk controller: commands that look for sectors. 82077AA data sheet (290166), 5.1 and 6.
 *
 * Each sector takes its time, then its bytes move: through DMA channel 2, or through the FIFO with
 * one interrupt. All sectors of an image have 512 bytes (N = 2) and the numbers of their places.
 */
#include "devices/fdc.h"

enum { MULTI_TRACK = 0x80, SKIP = 0x20, N_512 = 2, FORMAT_BYTES = 4, ST2_CONTROL_MARK = 0x40 };
enum { HLT_NON_DMA = 1, DOR_DMA = 8, CONFIG_IMPLIED_SEEK = 0x40, VERIFY_COUNT = 0x80 };
enum operation {
    READ_TRACK = 0x02, WRITE = 0x05, READ = 0x06, WRITE_DELETED = 0x09, READ_ID = 0x0a, READ_DELETED = 0x0c,
    FORMAT = 0x0d, SCAN_EQUAL = 0x11, VERIFY = 0x16, SCAN_LOW = 0x19, SCAN_HIGH = 0x1d,
};

static enum operation operation(const struct fdc *f)
{
    return (enum operation)(f->fifo[0] & 31);
}

bool fdc_is_dma(const struct fdc *f)
{
    return !(f->hlt_nd & HLT_NON_DMA) && (f->dor & DOR_DMA);
}

bool fdc_to_host(const struct fdc *f)
{
    enum operation op = operation(f);

    return op == READ || op == READ_DELETED || op == READ_TRACK;
}

static bool writes(enum operation op)
{
    return op == WRITE || op == WRITE_DELETED || op == FORMAT;
}

static void end(struct fdc *f, u8 st0, u8 st1, u8 st2)
{
    f->fifo[0] = (u8)(st0 | f->head << 2 | f->unit);
    f->fifo[1] = (u8)(f->st1 | st1);
    f->fifo[2] = (u8)(f->st2 | st2);
    f->fifo[3] = f->c;
    f->fifo[4] = f->h;
    f->fifo[5] = f->r;
    f->fifo[6] = N_512;
    f->data_pos = f->data_len = 0;
    fdc_results(f, 7, true);
}

static void wait_for_sector(struct fdc *f)
{
    f->waiting = 0;
    timer_arm(&f->next, clock_now(f->dev.env.clk) + FDC_SECTOR_NS);
}

/* The host's turn: bytes wait for it, or are wanted of it. */
static void ask_host(struct fdc *f, u16 len)
{
    f->data_pos = 0;
    f->data_len = len;
    f->waiting = 1;
    if (fdc_is_dma(f))
        irq_set(&f->cfg.dreq, true); /* dack says when */
    else
        fdc_set_irq(f, true);
}

/* ---- sectors ---- */

/* What is wrong with the sector's address, as ST1 | ST2 << 8; 0: *lba. */
static u16 find_sector(struct fdc *f, const struct fdc_drive *d, u64 *lba)
{
    const struct fdc_format *m = &d->format;

    if (d->cylinder >= m->cylinders || f->head >= m->heads)
        return ST1_NO_MARK;
    if (f->c != d->cylinder)
        return ST1_NO_DATA | ST2_CYLINDER << 8;
    if (f->h != f->head || f->r == 0 || f->r > m->spt)
        return ST1_NO_DATA;
    *lba = ((u64)d->cylinder * m->heads + f->head) * m->spt + f->r - 1;
    return 0;
}

/* What an image that was cut short lacks reads as zeros. */
static bool read_sector(const struct fdc_drive *d, u64 lba, u8 bytes[SECTOR_SIZE])
{
    if (lba < d->disk->nr_sectors)
        return d->disk->read(d->disk->h, lba, 1, bytes) == 0;
    memset(bytes, 0, SECTOR_SIZE);
    return true;
}

static bool write_sector(const struct fdc_drive *d, u64 lba, const u8 bytes[SECTOR_SIZE])
{
    return lba < d->disk->nr_sectors && !d->disk->readonly && d->disk->write(d->disk->h, lba, 1, bytes) == 0;
}

/* Table 6-1: the address behind the sector. False: that was the last one of the command. */
static bool advance(struct fdc *f)
{
    if (f->r != f->eot) {
        f->r++;
        return true;
    }
    f->r = 1;
    if ((f->fifo[0] & MULTI_TRACK) && f->head == 0) {
        f->h ^= 1;
        f->head = 1;
        return true;
    }
    if (f->fifo[0] & MULTI_TRACK)
        f->h ^= 1;
    f->c++;
    return false;
}

/* A sector is done: the next one, or the end. */
static void go_on(struct fdc *f)
{
    bool more = advance(f), ends_well = operation(f) == READ_TRACK;

    if (f->terminal)
        end(f, 0, 0, 0);
    else if (!more) /* the end of the cylinder without a terminal count */
        end(f, ends_well ? 0 : FDC_ABNORMAL, ends_well ? 0 : ST1_END, 0);
    else if (fdc_to_host(f))
        wait_for_sector(f);
    else
        ask_host(f, SECTOR_SIZE);
}

/* ---- single operations ---- */

static void read_id(struct fdc *f, const struct fdc_drive *d)
{
    if (d->cylinder >= d->format.cylinders || f->head >= d->format.heads) {
        end(f, FDC_ABNORMAL, ST1_NO_MARK, 0);
        return;
    }
    f->c = d->cylinder;
    f->h = f->head;
    f->r = (u8)(f->r % d->format.spt + 1);
    end(f, 0, 0, 0);
}

static void format_sector(struct fdc *f, const struct fdc_drive *d)
{
    u8 filler[SECTOR_SIZE];
    u64 lba;

    f->c = f->data[0], f->h = f->data[1], f->r = f->data[2];
    memset(filler, f->fifo[5], sizeof(filler));
    if (f->data[3] != N_512 || find_sector(f, d, &lba))
        guest_error(f->dev.env.log, "fdc: an image cannot hold a sector %u:%u:%u of size %u", (unsigned)f->c,
                    (unsigned)f->h, (unsigned)f->r, (unsigned)f->data[3]);
    else if (!write_sector(d, lba, filler)) {
        end(f, FDC_ABNORMAL, ST1_DATA, ST2_DATA);
        return;
    }
    if (--f->count == 0 || f->terminal)
        end(f, 0, 0, 0);
    else
        ask_host(f, FORMAT_BYTES);
}

/* Table 5-9. FFh on either side is equal to anything. True: the condition is met. */
static bool scan(struct fdc *f, const u8 *disk)
{
    enum operation op = operation(f);

    f->st2 &= (u8) ~(ST2_EQUAL | ST2_UNEQUAL);
    for (unsigned i = 0; i < SECTOR_SIZE; i++) {
        u8 host = f->data[i];

        if (disk[i] == host || disk[i] == 0xff || host == 0xff)
            continue;
        if ((op == SCAN_LOW && disk[i] < host) || (op == SCAN_HIGH && disk[i] > host))
            return true;
        f->st2 |= ST2_UNEQUAL;
        return false;
    }
    f->st2 |= ST2_EQUAL;
    return true;
}

static void scan_sector(struct fdc *f, const struct fdc_drive *d, u64 lba)
{
    u8 bytes[SECTOR_SIZE];
    bool more;

    if (!read_sector(d, lba, bytes)) {
        end(f, FDC_ABNORMAL, ST1_DATA, ST2_DATA);
        return;
    }
    if (scan(f, bytes)) {
        end(f, 0, 0, 0);
        return;
    }
    more = advance(f);
    if (more && f->fifo[8] == 2) /* every second sector */
        more = advance(f);
    if (!more || f->terminal)
        end(f, 0, 0, 0);
    else
        ask_host(f, SECTOR_SIZE);
}

static void verify_sector(struct fdc *f)
{
    bool counts = f->fifo[1] & VERIFY_COUNT, more = advance(f);

    if (!more || (counts && --f->count == 0))
        end(f, 0, 0, 0);
    else
        wait_for_sector(f);
}

/* A sector has passed under the head: with the host's bytes for it, or with bytes for the host. */
static void sector(struct fdc *f, struct fdc_drive *d)
{
    enum operation op = operation(f);
    u64 lba = 0;
    u16 wrong = find_sector(f, d, &lba);

    if (wrong) {
        end(f, FDC_ABNORMAL, (u8)wrong, (u8)(wrong >> 8));
    } else if (op == READ_DELETED && (f->fifo[0] & SKIP)) { /* no sector has a deleted mark */
        f->st2 |= ST2_CONTROL_MARK;
        if (advance(f))
            wait_for_sector(f);
        else
            end(f, FDC_ABNORMAL, ST1_END, 0);
    } else if (op == VERIFY) {
        verify_sector(f);
    } else if (fdc_to_host(f)) {
        if (read_sector(d, lba, f->data))
            ask_host(f, SECTOR_SIZE);
        else
            end(f, FDC_ABNORMAL, ST1_DATA, ST2_DATA);
    } else if (!writes(op)) {
        scan_sector(f, d, lba);
    } else if (write_sector(d, lba, f->data)) {
        go_on(f);
    } else {
        end(f, FDC_ABNORMAL, ST1_DATA, ST2_DATA);
    }
}

/* ---- data ---- */

void fdc_transfer_moved(struct fdc *f)
{
    f->waiting = 0;
    irq_set(&f->cfg.dreq, false);
    if (!fdc_to_host(f)) {
        memset(f->data + f->data_pos, 0, sizeof(f->data) - f->data_pos); /* cut short by TC */
        wait_for_sector(f);
    } else if (operation(f) == READ_DELETED) { /* a sector without the mark ends the command */
        advance(f);
        end(f, 0, 0, ST2_CONTROL_MARK);
    } else {
        go_on(f);
    }
}

/* The channel is ours. */
static void move_by_dma(struct fdc *f)
{
    bool tc;

    f->data_pos += (u16)i8237_move(f->cfg.dma, 2, f->data + f->data_pos, (u32)f->data_len - f->data_pos, fdc_to_host(f), &tc);
    f->terminal |= tc;
    if (tc || f->data_pos == f->data_len)
        fdc_transfer_moved(f);
}

void fdc_transfer_next(struct fdc *f)
{
    struct fdc_drive *d = fdc_drive_of(f, f->unit);

    if (f->waiting) {
        if (fdc_is_dma(f))
            move_by_dma(f);
    } else if (!d) {
        end(f, FDC_ABNORMAL, ST1_NO_MARK, 0);
    } else if (operation(f) == READ_ID) {
        read_id(f, d);
    } else if (operation(f) == FORMAT) {
        format_sector(f, d);
    } else {
        sector(f, d);
    }
}

/* ---- start ---- */

void fdc_transfer_start(struct fdc *f)
{
    enum operation op = operation(f);
    struct fdc_drive *d;

    f->phase = FDC_EXECUTION;
    f->unit = f->fifo[1] & 3;
    f->head = f->fifo[1] >> 2 & 1;
    f->st1 = f->st2 = f->terminal = f->waiting = 0;
    f->data_pos = f->data_len = 0;
    d = fdc_drive_of(f, f->unit);
    if (op == FORMAT) {
        f->count = f->fifo[3];
    } else if (op != READ_ID) {
        f->c = f->fifo[2], f->h = f->fifo[3], f->r = f->fifo[4], f->eot = f->fifo[6];
        f->count = f->fifo[8];
    }
    if (!d || f->rate != d->format.rate) { /* nothing that looks like a sector goes by */
        end(f, FDC_ABNORMAL, ST1_NO_MARK, 0);
        return;
    }
    if (writes(op) && d->disk->readonly) {
        end(f, FDC_ABNORMAL, ST1_WRITE_PROTECT, 0);
        return;
    }
    if ((f->config & CONFIG_IMPLIED_SEEK) && op != FORMAT && op != READ_ID && f->c < d->format.cylinders) {
        d->changed &= d->cylinder == f->c;
        d->cylinder = f->c;
    }
    if (op != FORMAT && op != READ_ID && f->fifo[5] != N_512) {
        end(f, FDC_ABNORMAL, ST1_NO_DATA, 0);
        return;
    }
    if (op == READ_TRACK)
        f->r = 1;
    if (op == FORMAT && f->count)
        ask_host(f, FORMAT_BYTES);
    else if (op == FORMAT)
        end(f, 0, 0, 0);
    else if (fdc_to_host(f) || op == READ_ID || op == VERIFY)
        wait_for_sector(f);
    else
        ask_host(f, SECTOR_SIZE);
}
