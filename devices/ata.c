/*
 * ATA: what commands do. ATA/ATAPI-6, 8; one table says who knows a command and how it goes.
 *
 * A command is busy for a fixed virtual time (50 us, and 2 us per sector), then its effect
 * happens at once; PIO data moves through a buffer of one DRQ block, which is saved state.
 */
#include "devices/ata.h"

enum kind {
    K_ABORT, K_NODATA, K_IDENTIFY, K_PIO_READ, K_PIO_WRITE, K_DMA_READ, K_DMA_WRITE, K_VERIFY,
    K_FLUSH, K_SET_FEATURES, K_SET_MULTIPLE, K_SET_GEOMETRY, K_DIAGNOSTIC, K_MAX_ADDRESS, K_POWER,
    K_NOP, K_DEVICE_RESET, K_IDENTIFY_PACKET, K_PACKET, K_READ_LOG, K_SIGNATURE,
};
enum { EXT = 1, MULTI = 2, SERIAL = 4 };
enum { LOG_DIRECTORY = 0x00, LOG_QUEUED_ERROR = 0x10 };

static const struct command {
    u8 opcode, kind, flags;
} disk_commands[] = {
    { 0x00, K_NOP, 0 },           { 0x10, K_NODATA, 0 },
    { 0x20, K_PIO_READ, 0 },      { 0x21, K_PIO_READ, 0 },      { 0x24, K_PIO_READ, EXT },
    { 0x25, K_DMA_READ, EXT },    { 0x27, K_MAX_ADDRESS, EXT }, { 0x29, K_PIO_READ, EXT | MULTI },
    { 0x2f, K_READ_LOG, EXT | SERIAL },
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

/* ATA/ATAPI-6, 8, table of the PACKET feature set. */
static const struct command packet_commands[] = {
    { 0x00, K_NOP, 0 },           { 0x08, K_DEVICE_RESET, 0 },  { 0x20, K_SIGNATURE, 0 },
    { 0x90, K_DIAGNOSTIC, 0 },    { 0xa0, K_PACKET, 0 },        { 0xa1, K_IDENTIFY_PACKET, 0 },
    { 0xe0, K_NODATA, 0 },        { 0xe1, K_NODATA, 0 },        { 0xe2, K_NODATA, 0 },
    { 0xe3, K_NODATA, 0 },        { 0xe5, K_POWER, 0 },         { 0xe6, K_NODATA, 0 },
    { 0xe7, K_FLUSH, 0 },         { 0xec, K_SIGNATURE, 0 },     { 0xef, K_SET_FEATURES, 0 },
};

static u8 kind_of(const struct ata_drive *d, u8 opcode, u8 *flags)
{
    const struct command *c = d->cfg.cdrom ? packet_commands : disk_commands;
    const struct command *end = c + (d->cfg.cdrom ? ARRAY_LEN(packet_commands) : ARRAY_LEN(disk_commands));

    *flags = 0;
    for (; c < end; c++)
        if (c->opcode == opcode && (!(c->flags & SERIAL) || d->cfg.serial)) {
            *flags = c->flags;
            return c->kind;
        }
    return K_ABORT;
}

void ata_wait(struct ata_drive *d, u32 nr_sectors)
{
    d->cfg.link->wait(d, ATA_LATENCY_NS + (u64)nr_sectors * ATA_SECTOR_NS);
}

void ata_succeed(struct ata_drive *d)
{
    d->status = ATA_DRDY | ATA_DSC;
    d->left = 0;
    d->cfg.link->done(d);
}

void ata_fail(struct ata_drive *d, u8 error)
{
    d->status = ATA_DRDY | ATA_DSC | ATA_ERR;
    d->error = error;
    d->left = 0;
    d->cfg.link->done(d);
}

/* ---- reset ---- */

/* ATA/ATAPI-6, 9.12: what a drive shows after a reset, so that hosts tell the kinds apart. */
void ata_signature(struct ata_drive *d)
{
    memset(d->feature, 0, sizeof(d->feature));
    d->count[0] = d->count[1] = 1;
    d->lba_low[0] = d->lba_low[1] = 1;
    d->lba_mid[0] = d->lba_mid[1] = d->cfg.cdrom ? 0x14 : 0;
    d->lba_high[0] = d->lba_high[1] = d->cfg.cdrom ? 0xeb : 0;
    d->error = 1; /* diagnostics passed */
}

void ata_reset(struct ata_drive *d)
{
    ata_signature(d);
    d->select = 0;
    d->status = !ata_present(d) || d->cfg.cdrom ? 0 : ATA_DRDY | ATA_DSC;
    d->command = d->multiple = 0;
    d->left = d->buf_pos = d->buf_len = 0;
    d->writing = 0;
    atapi_reset(d, false);
}

void ata_power_on(struct ata_drive *d)
{
    *d = (struct ata_drive){ .cfg = d->cfg, .heads = 16, .sectors = 63 };
    ata_reset(d);
    atapi_reset(d, true);
}

/* ---- addresses ---- */

u64 ata_lba(const struct ata_drive *d, bool ext)
{
    u64 low = d->lba_low[0] | (u64)d->lba_mid[0] << 8 | (u64)d->lba_high[0] << 16;

    if (!(d->select & ATA_SELECT_LBA)) { /* cylinder, head, sector */
        u64 cylinder = d->lba_mid[0] | (u64)d->lba_high[0] << 8;
        if (d->lba_low[0] == 0 || d->lba_low[0] > d->sectors || (d->select & 15) >= d->heads)
            return UINT64_MAX; /* no such sector on a track, or head */
        return (cylinder * d->heads + (d->select & 15)) * d->sectors + d->lba_low[0] - 1;
    }
    if (ext)
        return low | (u64)d->lba_low[1] << 24 | (u64)d->lba_mid[1] << 32 | (u64)d->lba_high[1] << 40;
    return low | (u64)(d->select & 15) << 24;
}

static u32 get_count(const struct ata_drive *d, bool ext)
{
    u32 n = d->count[0] | (ext ? (u32)d->count[1] << 8 : 0);

    return n ? n : ext ? 65536 : 256;
}

static void put_lba(struct ata_drive *d, u64 lba, bool ext)
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
static bool set_range(struct ata_drive *d, bool ext)
{
    u64 total = d->cfg.disk->nr_sectors;

    d->lba = ata_lba(d, ext);
    d->left = get_count(d, ext);
    if (d->lba < total && d->left <= total - d->lba)
        return true;
    ata_fail(d, ATA_IDNF);
    return false;
}

/* ---- PIO transfers ---- */

/* A sector could not be transferred: the task file says which (ATA-6, 8.27.6). */
static void fail_at(struct ata_drive *d, u64 lba, u8 error)
{
    u8 flags;

    kind_of(d, d->command, &flags);
    put_lba(d, lba, flags & EXT);
    ata_fail(d, error);
}

static u32 block_sectors(const struct ata_drive *d)
{
    u8 flags;
    u32 n = 1;

    kind_of(d, d->command, &flags);
    if (flags & MULTI)
        n = d->multiple;
    return n < d->left ? n : d->left;
}

static void offer(struct ata_drive *d, u32 bytes, bool writing, bool irq)
{
    d->buf_pos = 0;
    d->buf_len = bytes;
    d->writing = writing;
    d->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
    d->cfg.link->data(d, irq);
}

static void read_block(struct ata_drive *d)
{
    u32 n = block_sectors(d);

    if (d->cfg.disk->read(d->cfg.disk->h, d->lba, n, d->buf)) {
        fail_at(d, d->lba, ATA_UNC);
        return;
    }
    d->lba += n;
    d->left -= n;
    offer(d, n * SECTOR_SIZE, false, true);
}

void ata_block_taken(struct ata_drive *d)
{
    if (d->command == ATA_PACKET && d->cfg.cdrom) {
        atapi_block_taken(d);
        return;
    }
    d->status = ATA_DRDY | ATA_DSC;
    if (d->left) {
        d->status = ATA_BSY;
        ata_wait(d, block_sectors(d));
    }
}

/* A block from the guest is complete: it is written after the latency. */
void ata_block_given(struct ata_drive *d)
{
    if (d->command == ATA_PACKET && d->cfg.cdrom) {
        atapi_block_given(d);
        return;
    }
    d->status = ATA_BSY;
    ata_wait(d, d->buf_len / SECTOR_SIZE);
}

static void write_block(struct ata_drive *d)
{
    u32 n = d->buf_len / SECTOR_SIZE;

    if (d->cfg.disk->readonly || d->cfg.disk->write(d->cfg.disk->h, d->lba, n, d->buf)) {
        fail_at(d, d->lba, ATA_ABRT);
        return;
    }
    d->lba += n;
    d->left -= n;
    if (!d->left) {
        ata_succeed(d);
        return;
    }
    offer(d, block_sectors(d) * SECTOR_SIZE, true, true);
}

/* ---- commands without data ---- */

static void set_features(struct ata_drive *d)
{
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
            ata_fail(d, ATA_ABRT);
            return;
        }
        if (d->count[0] >> 3 >= 4)
            d->dma_mode = d->count[0];
        break;
    case 0x02: case 0x82: case 0x55: case 0xaa: case 0x66: case 0xcc: break;
    default: ata_fail(d, ATA_ABRT); return;
    }
    ata_succeed(d);
}

static void set_geometry(struct ata_drive *d)
{
    if (d->count[0] == 0) {
        ata_fail(d, ATA_ABRT);
        return;
    }
    d->sectors = d->count[0];
    d->heads = (d->select & 15) + 1;
    ata_succeed(d);
}

static void set_multiple(struct ata_drive *d)
{
    u8 n = d->count[0];

    if (n > ATA_MAX_MULTIPLE || (n & (n - 1))) {
        ata_fail(d, ATA_ABRT);
        return;
    }
    d->multiple = n;
    ata_succeed(d);
}

static void max_address(struct ata_drive *d, bool ext)
{
    u64 last = d->cfg.disk->nr_sectors - 1;

    if (!ext && last > 0x0fffffff)
        last = 0x0fffffff;
    put_lba(d, last, ext);
    ata_succeed(d);
}

/* Of each drive alone: that one command is meant for both on a cable is the link's matter. */
static void diagnostic(struct ata_drive *d)
{
    ata_signature(d);
    d->select = 0;
    d->status = d->cfg.cdrom ? 0 : ATA_DRDY | ATA_DSC;
    d->cfg.link->done(d);
}

/* READ LOG EXT, SATA 2.6 13.7: the directory, and which queued command failed. */
static void read_log(struct ata_drive *d)
{
    u8 log = d->lba_low[0], sum = 0;

    if (d->lba_mid[0] || get_count(d, true) != 1 || (log != LOG_DIRECTORY && log != LOG_QUEUED_ERROR)) {
        ata_fail(d, ATA_ABRT);
        return;
    }
    memset(d->buf, 0, SECTOR_SIZE);
    if (log == LOG_DIRECTORY) {
        store_le(d->buf, 1, 2);
        store_le(d->buf + 2 * LOG_QUEUED_ERROR, 1, 2);
    } else {
        d->buf[0] = d->queued_tag;
        d->buf[2] = ATA_DRDY | ATA_DSC | ATA_ERR;
        d->buf[3] = d->queued_error;
        for (unsigned i = 0; i < 3; i++) {
            d->buf[4 + i] = (u8)(d->queued_lba >> (8 * i));
            d->buf[8 + i] = (u8)(d->queued_lba >> (24 + 8 * i));
        }
        d->buf[7] = ATA_SELECT_LBA;
        for (unsigned i = 0; i < SECTOR_SIZE - 1; i++)
            sum = (u8)(sum + d->buf[i]);
        d->buf[SECTOR_SIZE - 1] = (u8)-sum;
    }
    offer(d, SECTOR_SIZE, false, true);
}

/* ---- DMA ---- */

u64 ata_dma_ns(const struct ata_drive *d)
{
    if (d->command == ATA_PACKET && d->cfg.cdrom)
        return atapi_dma_ns(d);
    return ATA_LATENCY_NS + (u64)d->left * ATA_SECTOR_NS;
}

/* Moves the whole command's data, in pieces of the backend's size. */
bool ata_dma_run(struct ata_drive *d)
{
    struct blockdev *disk = d->cfg.disk;
    u8 chunk[ATA_CHUNK * SECTOR_SIZE], flags, kind = kind_of(d, d->command, &flags);

    if (d->command == ATA_PACKET && d->cfg.cdrom)
        return atapi_dma_run(d);
    if (kind != K_DMA_READ && kind != K_DMA_WRITE) { /* of a loaded state */
        ata_fail(d, ATA_ABRT);
        return true;
    }
    while (d->left) {
        u32 n = d->left < ATA_CHUNK ? d->left : ATA_CHUNK;

        if (!d->writing && disk->read(disk->h, d->lba, n, chunk)) {
            fail_at(d, d->lba, ATA_UNC);
            return true;
        }
        if (!d->cfg.link->move(d, chunk, n * SECTOR_SIZE, d->writing))
            return false;
        if (d->writing && (disk->readonly || disk->write(disk->h, d->lba, n, chunk))) {
            fail_at(d, d->lba, ATA_ABRT);
            return true;
        }
        d->lba += n;
        d->left -= n;
    }
    ata_succeed(d);
    return true;
}

/* ---- start and completion ---- */

void ata_start(struct ata_drive *d, u8 opcode)
{
    u8 flags, kind = kind_of(d, opcode, &flags);

    TRACE(d->cfg.trace, ide_command, d->cfg.name, (u64)opcode, ata_lba(d, flags & EXT),
          (u64)get_count(d, flags & EXT));
    d->command = opcode;
    d->error = 0;
    d->status = ATA_BSY;
    d->left = 0;
    switch (kind) {
    case K_PIO_READ: case K_PIO_WRITE: case K_DMA_READ: case K_DMA_WRITE: case K_VERIFY:
        if ((flags & MULTI) && !d->multiple) {
            ata_fail(d, ATA_ABRT);
            return;
        }
        if (!set_range(d, flags & EXT))
            return;
        if (kind == K_PIO_WRITE) { /* the first block is asked for at once, without interrupt */
            offer(d, block_sectors(d) * SECTOR_SIZE, true, false);
            return;
        }
        if (kind == K_DMA_READ || kind == K_DMA_WRITE) {
            d->writing = kind == K_DMA_WRITE;
            d->cfg.link->dma(d); /* busy until the link has done its part, or a reset */
            return;
        }
        ata_wait(d, kind == K_VERIFY ? d->left : block_sectors(d));
        return;
    case K_PACKET: atapi_start(d); return;
    case K_DEVICE_RESET: ata_reset(d); return; /* no interrupt: ATA/ATAPI-6, 9.11 */
    default: ata_wait(d, 1); return;
    }
}

void ata_continue(struct ata_drive *d)
{
    u8 flags, kind = kind_of(d, d->command, &flags);

    switch (kind) {
    case K_IDENTIFY: case K_IDENTIFY_PACKET:
        (kind == K_IDENTIFY ? ata_identify : ata_identify_packet)(d, d->buf);
        offer(d, SECTOR_SIZE, false, true);
        break;
    case K_PIO_READ: read_block(d); break;
    case K_PIO_WRITE: write_block(d); break;
    case K_READ_LOG: read_log(d); break;
    case K_PACKET: atapi_continue(d); break;
    case K_VERIFY: case K_NODATA: ata_succeed(d); break;
    case K_FLUSH:
        if (d->cfg.disk && d->cfg.disk->flush && d->cfg.disk->flush(d->cfg.disk->h))
            ata_fail(d, ATA_ABRT);
        else
            ata_succeed(d);
        break;
    case K_SET_FEATURES: set_features(d); break;
    case K_SET_MULTIPLE: set_multiple(d); break;
    case K_SET_GEOMETRY: set_geometry(d); break;
    case K_DIAGNOSTIC: diagnostic(d); break;
    case K_MAX_ADDRESS: max_address(d, flags & EXT); break;
    case K_POWER:
        d->count[0] = 0xff; /* active */
        ata_succeed(d);
        break;
    case K_SIGNATURE: /* what a disk would do: the answer is the signature (9.12) */
        ata_signature(d);
        ata_fail(d, ATA_ABRT);
        break;
    default: /* NOP, DEVICE RESET on a disk, and what is not in the table */
        ata_fail(d, ATA_ABRT);
        break;
    }
}

/* ---- saved state ---- */

/* Transfers are not checked again while they go on, so whatever is under way must be within its
 * disk and its buffer. */
const char *ata_impossible(const struct ata_drive *d, bool under_way)
{
    u64 total = !d->cfg.disk ? 0 : d->cfg.disk->nr_sectors / (d->cfg.cdrom ? CD_SECTOR / SECTOR_SIZE : 1);
    u8 flags, kind = kind_of(d, d->command, &flags);

    if (d->left && (d->lba >= total || d->left > total - d->lba))
        return "a transfer reaches beyond its disk";
    if (d->buf_pos > d->buf_len)
        return "a transfer is beyond its block";
    if (d->multiple & (d->multiple - 1))
        return "a drive has no such block size";
    if (under_way && kind == K_PIO_WRITE && d->buf_len > d->left * SECTOR_SIZE)
        return "more data waits to be written than was asked for";
    if (under_way && !ata_present(d))
        return "a drive that is not there is busy";
    if (d->cfg.cdrom && d->buf_len > d->atapi.data_len && !d->atapi.wants_packet && kind == K_PACKET)
        return "a packet's data is beyond its buffer";
    return NULL;
}

const struct state_field ata_drive_fields[] = {
    STATE(struct ata_drive, error), STATE(struct ata_drive, status),
    STATE_BYTES(struct ata_drive, feature), STATE_BYTES(struct ata_drive, count),
    STATE_BYTES(struct ata_drive, lba_low), STATE_BYTES(struct ata_drive, lba_mid),
    STATE_BYTES(struct ata_drive, lba_high), STATE(struct ata_drive, select),
    STATE(struct ata_drive, command), STATE_UPTO(struct ata_drive, multiple, ATA_MAX_MULTIPLE),
    STATE(struct ata_drive, dma_mode), STATE(struct ata_drive, heads),
    STATE(struct ata_drive, sectors), STATE(struct ata_drive, lba), STATE_UPTO(struct ata_drive, left, 65536),
    STATE_UPTO(struct ata_drive, buf_pos, ATA_BUF), STATE_UPTO(struct ata_drive, buf_len, ATA_BUF),
    STATE_UPTO(struct ata_drive, writing, 1), STATE(struct ata_drive, queued_error),
    STATE(struct ata_drive, queued_tag), STATE(struct ata_drive, queued_lba),
    STATE_STRUCT(struct ata_drive, atapi, atapi_fields), STATE_BYTES(struct ata_drive, buf), STATE_END,
};
