/*
 * IDE: what commands do. ATA/ATAPI-6, 8; one table says how each begins and ends.
 *
 * A command is busy for a fixed virtual time (50 us, and 2 us per sector), then its effect
 * happens at once; PIO data moves through a buffer of one DRQ block, which is saved state.
 */
#include "devices/ide.h"

enum { LATENCY_NS = 50000, SECTOR_NS = 2000, SELECT_LBA = 0x40 };

enum kind {
    K_ABORT, K_NODATA, K_IDENTIFY, K_PIO_READ, K_PIO_WRITE, K_DMA_READ, K_DMA_WRITE, K_VERIFY,
    K_FLUSH, K_SET_FEATURES, K_SET_MULTIPLE, K_SET_GEOMETRY, K_DIAGNOSTIC, K_MAX_ADDRESS, K_POWER,
    K_NOP, K_PACKET_RESET,
};
enum { EXT = 1, MULTI = 2 };

static const struct {
    u8 opcode, kind, flags;
} commands[] = {
    { 0x00, K_NOP, 0 },           { 0x08, K_PACKET_RESET, 0 },  { 0x10, K_NODATA, 0 },
    { 0x20, K_PIO_READ, 0 },      { 0x21, K_PIO_READ, 0 },      { 0x24, K_PIO_READ, EXT },
    { 0x25, K_DMA_READ, EXT },    { 0x27, K_MAX_ADDRESS, EXT }, { 0x29, K_PIO_READ, EXT | MULTI },
    { 0x30, K_PIO_WRITE, 0 },     { 0x31, K_PIO_WRITE, 0 },     { 0x34, K_PIO_WRITE, EXT },
    { 0x35, K_DMA_WRITE, EXT },   { 0x39, K_PIO_WRITE, EXT | MULTI },
    { 0x40, K_VERIFY, 0 },        { 0x41, K_VERIFY, 0 },        { 0x42, K_VERIFY, EXT },
    { 0x70, K_NODATA, 0 },        { 0x90, K_DIAGNOSTIC, 0 },    { 0x91, K_SET_GEOMETRY, 0 },
    { 0xc4, K_PIO_READ, MULTI },  { 0xc5, K_PIO_WRITE, MULTI }, { 0xc6, K_SET_MULTIPLE, 0 },
    { 0xc8, K_DMA_READ, 0 },      { 0xc9, K_DMA_READ, 0 },      { 0xca, K_DMA_WRITE, 0 },
    { 0xcb, K_DMA_WRITE, 0 },     { 0xe0, K_NODATA, 0 },        { 0xe1, K_NODATA, 0 },
    { 0xe2, K_NODATA, 0 },        { 0xe3, K_NODATA, 0 },        { 0xe5, K_POWER, 0 },
    { 0xe6, K_NODATA, 0 },        { 0xe7, K_FLUSH, 0 },         { 0xea, K_FLUSH, EXT },
    { 0xec, K_IDENTIFY, 0 },      { 0xef, K_SET_FEATURES, 0 },  { 0xf8, K_MAX_ADDRESS, 0 },
};

static u8 kind_of(u8 opcode, u8 *flags)
{
    *flags = 0;
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++)
        if (commands[i].opcode == opcode) {
            *flags = commands[i].flags;
            return commands[i].kind;
        }
    return K_ABORT;
}

static struct blockdev *disk(struct ide_channel *ch)
{
    return ch->disk[ch->active];
}

void ide_start_latency(struct ide_channel *ch, u32 nr_sectors)
{
    timer_arm(&ch->done, clock_now(ch->ide->dev.env.clk) + LATENCY_NS + (u64)nr_sectors * SECTOR_NS);
}

void ide_succeed(struct ide_channel *ch)
{
    struct ide_drive *d = ide_active(ch);

    d->status = ATA_DRDY | ATA_DSC;
    d->left = 0;
    ide_raise(ch);
}

void ide_fail(struct ide_channel *ch, u8 error)
{
    struct ide_drive *d = ide_active(ch);

    d->status = ATA_DRDY | ATA_DSC | ATA_ERR;
    d->error = error;
    d->left = 0;
    ch->dma_wanted = 0;
    ide_raise(ch);
}

/* ---- addresses ---- */

static u64 get_lba(const struct ide_drive *d, bool ext)
{
    u64 low = d->lba_low[0] | (u64)d->lba_mid[0] << 8 | (u64)d->lba_high[0] << 16;

    if (!(d->select & SELECT_LBA)) { /* cylinder, head, sector */
        u64 cylinder = d->lba_mid[0] | (u64)d->lba_high[0] << 8;
        if (d->lba_low[0] == 0 || d->lba_low[0] > d->sectors || (d->select & 15) >= d->heads)
            return UINT64_MAX; /* no such sector on a track, or head */
        return (cylinder * d->heads + (d->select & 15)) * d->sectors + d->lba_low[0] - 1;
    }
    if (ext)
        return low | (u64)d->lba_low[1] << 24 | (u64)d->lba_mid[1] << 32 | (u64)d->lba_high[1] << 40;
    return low | (u64)(d->select & 15) << 24;
}

static u32 get_count(const struct ide_drive *d, bool ext)
{
    u32 n = d->count[0] | (ext ? (u32)d->count[1] << 8 : 0);

    return n ? n : ext ? 65536 : 256;
}

static void put_lba(struct ide_drive *d, u64 lba, bool ext)
{
    d->lba_low[0] = (u8)lba;
    d->lba_mid[0] = (u8)(lba >> 8);
    d->lba_high[0] = (u8)(lba >> 16);
    if (ext) {
        d->lba_low[1] = (u8)(lba >> 24);
        d->lba_mid[1] = (u8)(lba >> 32);
        d->lba_high[1] = (u8)(lba >> 40);
    } else {
        d->select = (u8)((d->select & 0xf0) | (lba >> 24 & 15));
    }
}

/* Takes LBA and count from the task file. False: beyond the disk, and the command has failed. */
static bool set_range(struct ide_channel *ch, bool ext)
{
    struct ide_drive *d = ide_active(ch);
    u64 total = disk(ch)->nr_sectors;

    d->lba = get_lba(d, ext);
    d->left = get_count(d, ext);
    if (d->lba < total && d->left <= total - d->lba)
        return true;
    ide_fail(ch, ATA_IDNF);
    return false;
}

/* ---- IDENTIFY DEVICE: ATA-6 table 27 ---- */

static void put_word(u8 *buf, unsigned word, u16 v)
{
    store_le(buf + 2 * word, v, 2);
}

/* Strings have their bytes swapped within words and are padded with blanks. */
static void put_string(u8 *buf, unsigned word, unsigned words, const char *s)
{
    for (unsigned i = 0; i < 2 * words; i++)
        buf[2 * word + (i ^ 1)] = (u8)(*s ? *s++ : ' ');
}

static void identify(struct ide_channel *ch)
{
    struct ide_drive *d = ide_active(ch);
    u64 total = disk(ch)->nr_sectors, cylinders = total / (16 * 63), chs;
    u8 *b = d->buf;
    char serial[21];

    if (cylinders > 16383)
        cylinders = 16383;
    if (cylinders < 2) /* the image of a boot sector: firmware subtracts a cylinder */
        cylinders = 2;
    chs = cylinders * d->heads * d->sectors;
    if (chs > total)
        chs = total;
    memset(b, 0, SECTOR_SIZE);
    put_word(b, 0, 0x0040); /* fixed device */
    put_word(b, 1, (u16)cylinders);
    put_word(b, 3, 16);
    put_word(b, 6, 63);
    snprintf(serial, sizeof(serial), "KILN%04u", (unsigned)(ch == &ch->ide->ch[1]) * 2 + ch->active);
    put_string(b, 10, 10, serial);
    put_string(b, 23, 4, "1.0");
    put_string(b, 27, 20, "KILN HARDDISK");
    put_word(b, 47, 0x8000 | IDE_MAX_MULTIPLE);
    put_word(b, 49, 0x0f00); /* IORDY, LBA, DMA */
    put_word(b, 50, 0x4000);
    put_word(b, 51, 0x0200);
    put_word(b, 53, 7);
    put_word(b, 54, (u16)cylinders);
    put_word(b, 55, d->heads);
    put_word(b, 56, d->sectors);
    put_word(b, 57, (u16)chs);
    put_word(b, 58, (u16)(chs >> 16));
    put_word(b, 59, d->multiple ? 0x100 | d->multiple : 0);
    store_le(b + 120, total < 0x0fffffff ? total : 0x0fffffff, 4);
    put_word(b, 63, (u16)(0x07 | (d->dma_mode >> 3 == 4 ? 0x100 << (d->dma_mode & 7) : 0)));
    put_word(b, 64, 3); /* PIO 3 and 4 */
    for (unsigned w = 65; w <= 68; w++)
        put_word(b, w, 120);
    put_word(b, 80, 0x007e); /* ATA-1 to ATA-6 */
    put_word(b, 82, 0x4028); /* NOP, write cache, power management */
    put_word(b, 83, 0x7400); /* FLUSH CACHE (EXT), 48-bit addresses */
    put_word(b, 84, 0x4000);
    put_word(b, 85, 0x4028);
    put_word(b, 86, 0x3400);
    put_word(b, 87, 0x4000);
    put_word(b, 88, (u16)(0x3f | (d->dma_mode >> 3 == 8 ? 0x100 << (d->dma_mode & 7) : 0)));
    put_word(b, 93, ch->active ? 0x6b00 : 0x600b);
    store_le(b + 200, total, 8);
}

/* ---- PIO transfers ---- */

/* A sector could not be transferred: the task file says which (ATA-6, 8.27.6). */
static void fail_at(struct ide_channel *ch, u64 lba, u8 error)
{
    struct ide_drive *d = ide_active(ch);
    u8 flags;

    kind_of(d->command, &flags);
    put_lba(d, lba, flags & EXT);
    ide_fail(ch, error);
}

static u32 block_sectors(const struct ide_drive *d)
{
    u8 flags;
    u32 n = 1;

    kind_of(d->command, &flags);
    if (flags & MULTI)
        n = d->multiple;
    return n < d->left ? n : d->left;
}

static void offer(struct ide_channel *ch, u32 bytes, bool writing)
{
    struct ide_drive *d = ide_active(ch);

    d->buf_pos = 0;
    d->buf_len = bytes;
    d->writing = writing;
    d->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
}

static void read_block(struct ide_channel *ch)
{
    struct ide_drive *d = ide_active(ch);
    u32 n = block_sectors(d);

    if (disk(ch)->read(disk(ch)->h, d->lba, n, d->buf)) {
        fail_at(ch, d->lba, ATA_UNC);
        return;
    }
    d->lba += n;
    d->left -= n;
    offer(ch, n * SECTOR_SIZE, false);
    ide_raise(ch);
}

void ide_block_read(struct ide_channel *ch)
{
    struct ide_drive *d = ide_active(ch);

    d->status = ATA_DRDY | ATA_DSC;
    if (d->left) {
        d->status = ATA_BSY;
        ide_start_latency(ch, block_sectors(d));
    }
}

/* A block from the guest is complete: it is written after the latency. */
void ide_block_written(struct ide_channel *ch)
{
    ide_active(ch)->status = ATA_BSY;
    ide_start_latency(ch, ide_active(ch)->buf_len / SECTOR_SIZE);
}

bool ide_block_fits(const struct ide_drive *d)
{
    u8 flags, kind = kind_of(d->command, &flags);

    return kind != K_PIO_WRITE || d->buf_len <= d->left * SECTOR_SIZE;
}

static void write_block(struct ide_channel *ch)
{
    struct ide_drive *d = ide_active(ch);
    u32 n = d->buf_len / SECTOR_SIZE;

    if (disk(ch)->readonly || disk(ch)->write(disk(ch)->h, d->lba, n, d->buf)) {
        fail_at(ch, d->lba, ATA_ABRT);
        return;
    }
    d->lba += n;
    d->left -= n;
    if (!d->left) {
        ide_succeed(ch);
        return;
    }
    offer(ch, block_sectors(d) * SECTOR_SIZE, true);
    ide_raise(ch);
}

/* ---- commands without data ---- */

static void set_features(struct ide_channel *ch)
{
    struct ide_drive *d = ide_active(ch);
    bool bad;

    switch (d->feature[0]) {
    case 0x03: /* transfer mode: PIO, multiword DMA or ultra DMA */
        switch (d->count[0] >> 3) {
        case 0: bad = d->count[0] > 1; break;       /* PIO default, IORDY on or off */
        case 1: bad = (d->count[0] & 7) > 4; break; /* PIO mode */
        case 4: bad = (d->count[0] & 7) > 2; break; /* multiword DMA */
        case 8: bad = (d->count[0] & 7) > 5; break; /* ultra DMA */
        default: bad = true;
        }
        if (bad) {
            ide_fail(ch, ATA_ABRT);
            return;
        }
        if (d->count[0] >> 3 >= 4)
            d->dma_mode = d->count[0];
        break;
    case 0x02: case 0x82: case 0x55: case 0xaa: case 0x66: case 0xcc: break;
    default: ide_fail(ch, ATA_ABRT); return;
    }
    ide_succeed(ch);
}

static void set_geometry(struct ide_channel *ch)
{
    struct ide_drive *d = ide_active(ch);

    if (d->count[0] == 0) {
        ide_fail(ch, ATA_ABRT);
        return;
    }
    d->sectors = d->count[0];
    d->heads = (d->select & 15) + 1;
    ide_succeed(ch);
}

static void set_multiple(struct ide_channel *ch)
{
    struct ide_drive *d = ide_active(ch);
    u8 n = d->count[0];

    if (n > IDE_MAX_MULTIPLE || (n & (n - 1))) {
        ide_fail(ch, ATA_ABRT);
        return;
    }
    d->multiple = n;
    ide_succeed(ch);
}

static void max_address(struct ide_channel *ch, bool ext)
{
    u64 last = disk(ch)->nr_sectors - 1;

    if (!ext && last > 0x0fffffff)
        last = 0x0fffffff;
    put_lba(ide_active(ch), last, ext);
    ide_succeed(ch);
}

static void diagnostic(struct ide_channel *ch)
{
    for (int i = 0; i < 2; i++) {
        ide_signature(&ch->drive[i]);
        ch->drive[i].select = 0;
        ch->drive[i].status = ch->disk[i] ? ATA_DRDY | ATA_DSC : 0;
    }
    ch->selected = 0;
    ide_raise(ch); /* by drive 0 */
}

/* ---- start and completion ---- */

/* The caller has seen that the selected drive is there (or that both are meant) and idle. */
void ide_command_start(struct ide_channel *ch, u8 opcode)
{
    struct ide_drive *d;
    u8 flags, kind = kind_of(opcode, &flags);

    if (timer_armed(&ch->done)) /* diagnostics run, and a drive that is absent was selected */
        return;
    if (kind == K_DIAGNOSTIC) { /* meant for both, whichever is selected */
        ch->selected = ch->disk[0] ? 0 : 1;
        ch->drive[!ch->selected].status = ch->disk[!ch->selected] ? ATA_BSY : 0;
    }
    ch->active = ch->selected;
    d = ide_active(ch);
    TRACE(ch->ide->dev.env.trace, ide_command, ch == &ch->ide->ch[0] ? "ide0" : "ide1",
          (u64)opcode, get_lba(d, flags & EXT), (u64)get_count(d, flags & EXT));
    d->command = opcode;
    d->error = 0;
    d->status = ATA_BSY;
    d->left = 0;
    switch (kind) {
    case K_PIO_READ: case K_PIO_WRITE: case K_DMA_READ: case K_DMA_WRITE: case K_VERIFY:
        if ((flags & MULTI) && !d->multiple) {
            ide_fail(ch, ATA_ABRT);
            return;
        }
        if (!set_range(ch, flags & EXT))
            return;
        if (kind == K_PIO_WRITE) { /* the first block is asked for at once, without interrupt */
            offer(ch, block_sectors(d) * SECTOR_SIZE, true);
            return;
        }
        if (kind == K_DMA_READ || kind == K_DMA_WRITE) {
            d->writing = kind == K_DMA_WRITE;
            ch->dma_wanted = 1; /* busy until the bus master has done its part, or a reset */
            if (ide_dma_started(ch))
                ide_start_latency(ch, d->left);
            return;
        }
        ide_start_latency(ch, kind == K_VERIFY ? d->left : block_sectors(d));
        return;
    default: ide_start_latency(ch, 1); return;
    }
}

void ide_command_done(struct ide_channel *ch)
{
    struct ide_drive *d = ide_active(ch);
    u8 flags, kind = kind_of(d->command, &flags);

    switch (kind) {
    case K_IDENTIFY:
        identify(ch);
        offer(ch, SECTOR_SIZE, false);
        ide_raise(ch);
        break;
    case K_PIO_READ: read_block(ch); break;
    case K_PIO_WRITE: write_block(ch); break;
    case K_DMA_READ: case K_DMA_WRITE:
        if (ch->dma_wanted && ide_dma_started(ch) && ide_dma_run(ch)) {
            ch->dma_wanted = 0;
            ide_succeed(ch);
        }
        break;
    case K_VERIFY: case K_NODATA: ide_succeed(ch); break;
    case K_FLUSH:
        if (disk(ch)->flush && disk(ch)->flush(disk(ch)->h))
            ide_fail(ch, ATA_ABRT);
        else
            ide_succeed(ch);
        break;
    case K_SET_FEATURES: set_features(ch); break;
    case K_SET_MULTIPLE: set_multiple(ch); break;
    case K_SET_GEOMETRY: set_geometry(ch); break;
    case K_DIAGNOSTIC: diagnostic(ch); break;
    case K_MAX_ADDRESS: max_address(ch, flags & EXT); break;
    case K_POWER:
        d->count[0] = 0xff; /* active */
        ide_succeed(ch);
        break;
    default: /* NOP, DEVICE RESET on a disk, and what is not in the table */
        ide_fail(ch, ATA_ABRT);
        break;
    }
}
