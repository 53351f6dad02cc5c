/*
 * ATAPI: the packet commands of a CD-ROM drive. MMC-5 (T10 1675), SPC-3; ATA/ATAPI-6, 9.9 for how
 * packet, data and status follow each other. One data track, read only; the medium is the image
 * that the drive was made with, and the guest may open and close the tray.
 *
 * A reply is built whole in the drive's buffer; a read goes through it four sectors at a time. Both
 * leave it in DRQ blocks of at most the byte count limit.
 */
#include "devices/ata.h"

enum { REASON_COMMAND = 1, REASON_TO_HOST = 2 }; /* C/D and I/O in the count register */
enum { BUF_SECTORS = ATA_BUF / CD_SECTOR, LEADOUT = 0xaa, MSF_START = 150, FRAMES = 75 };
enum sense { NOT_READY = 2, MEDIUM_ERROR = 3, ILLEGAL_REQUEST = 5, UNIT_ATTENTION = 6 };
enum asc {
    ASC_NONE = 0, ASC_READ_ERROR = 0x11, ASC_INVALID_COMMAND = 0x20, ASC_OUT_OF_RANGE = 0x21,
    ASC_INVALID_FIELD = 0x24, ASC_MEDIUM_CHANGED = 0x28, ASC_POWER_ON = 0x29, ASC_NO_MEDIUM = 0x3a,
    ASC_REMOVAL_PREVENTED = 0x53,
};

/* ---- big-endian fields ---- */

static u32 be(const u8 *p, unsigned bytes)
{
    u32 v = 0;

    while (bytes--)
        v = v << 8 | *p++;
    return v;
}

static void put_be(u8 *p, u32 v, unsigned bytes)
{
    while (bytes--) {
        p[bytes] = (u8)v;
        v >>= 8;
    }
}

/* ---- medium and errors ---- */

static bool has_medium(const struct ata_drive *d)
{
    return d->cfg.disk && !d->atapi.tray_open;
}

static u32 cd_sectors(const struct ata_drive *d)
{
    u64 n = d->cfg.disk->nr_sectors / (CD_SECTOR / SECTOR_SIZE);

    return n > UINT32_MAX ? UINT32_MAX : (u32)n;
}

static void end_well(struct ata_drive *d)
{
    d->atapi.sense_key = d->atapi.asc = d->atapi.ascq = 0;
    d->count[0] = REASON_COMMAND | REASON_TO_HOST;
    d->error = 0;
    ata_succeed(d);
}

static void check_condition(struct ata_drive *d, enum sense key, enum asc asc)
{
    d->atapi.sense_key = key;
    d->atapi.asc = asc;
    d->atapi.ascq = 0;
    d->count[0] = REASON_COMMAND | REASON_TO_HOST;
    ata_fail(d, (u8)(key << 4 | (key == ILLEGAL_REQUEST ? ATA_ABRT : 0)));
}

void atapi_reset(struct ata_drive *d, bool power_on)
{
    struct atapi *a = &d->atapi;

    a->wants_packet = a->dma = a->locked = 0;
    a->limit = 0;
    a->data_len = 0;
    memset(a->packet, 0, sizeof(a->packet));
    a->sense_key = a->asc = a->ascq = 0;
    a->attention = ASC_POWER_ON;
    if (power_on)
        a->tray_open = 0;
}

/* ---- data to the host ---- */

/* The next DRQ block of what buf holds. */
static void offer(struct ata_drive *d)
{
    u32 left = d->atapi.data_len - d->buf_len;
    u32 n = left < d->atapi.limit ? left : d->atapi.limit;

    d->buf_pos = d->buf_len;
    d->buf_len += n;
    d->writing = 0;
    d->count[0] = REASON_TO_HOST;
    d->lba_mid[0] = (u8)n;
    d->lba_high[0] = (u8)(n >> 8);
    d->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
    d->cfg.link->data(d, true);
}

/* buf holds a reply of len bytes; the host has room for max. */
static void reply(struct ata_drive *d, u32 len, u32 max)
{
    d->atapi.data_len = len < max ? len : max;
    d->buf_pos = d->buf_len = 0;
    d->left = 0;
    if (!d->atapi.data_len)
        end_well(d);
    else if (d->atapi.dma)
        d->cfg.link->dma(d);
    else
        offer(d);
}

static void read_sectors(struct ata_drive *d)
{
    u32 n = d->left < BUF_SECTORS ? d->left : BUF_SECTORS, ratio = CD_SECTOR / SECTOR_SIZE;

    if (d->cfg.disk->read(d->cfg.disk->h, d->lba * ratio, n * ratio, d->buf)) {
        check_condition(d, MEDIUM_ERROR, ASC_READ_ERROR);
        return;
    }
    d->lba += n;
    d->left -= n;
    d->buf_pos = d->buf_len = 0;
    d->atapi.data_len = n * CD_SECTOR;
    offer(d);
}

static void cmd_read(struct ata_drive *d, u32 lba, u32 n)
{
    u32 total = cd_sectors(d);

    if (n > total || lba > total - n) {
        check_condition(d, ILLEGAL_REQUEST, ASC_OUT_OF_RANGE);
        return;
    }
    if (n > 65536) { /* no host asks for more at once; the count is that of a transfer */
        check_condition(d, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
        return;
    }
    if (n == 0) {
        end_well(d);
        return;
    }
    d->lba = lba;
    d->left = n;
    if (d->atapi.dma)
        d->cfg.link->dma(d);
    else
        ata_wait(d, n < BUF_SECTORS ? n : BUF_SECTORS);
}

/* ---- replies ---- */

static void cmd_inquiry(struct ata_drive *d)
{
    static const u8 head[8] = { 0x05, 0x80, 0x00, 0x21, 31, 0, 0, 0 }; /* CD, removable, ATAPI */

    if (d->atapi.packet[1] & 1) { /* vital product data: the list of pages, which has only itself */
        if (d->atapi.packet[2]) {
            check_condition(d, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
            return;
        }
        memset(d->buf, 0, 5);
        d->buf[0] = 5;
        d->buf[3] = 1;
        reply(d, 5, be(d->atapi.packet + 3, 2));
        return;
    }
    memcpy(d->buf, head, 8);
    memcpy(d->buf + 8, "KILN    CD-ROM          1.0 ", 28);
    reply(d, 36, be(d->atapi.packet + 3, 2));
}

static void cmd_request_sense(struct ata_drive *d)
{
    struct atapi *a = &d->atapi;

    if (!a->sense_key && a->attention) {
        a->sense_key = UNIT_ATTENTION;
        a->asc = a->attention;
        a->attention = 0;
    }
    memset(d->buf, 0, 18);
    d->buf[0] = 0x70;
    d->buf[2] = a->sense_key;
    d->buf[7] = 10;
    d->buf[12] = a->asc;
    d->buf[13] = a->ascq;
    reply(d, 18, a->packet[4]);
}

static void cmd_read_capacity(struct ata_drive *d)
{
    put_be(d->buf, cd_sectors(d) - 1, 4);
    put_be(d->buf + 4, CD_SECTOR, 4);
    reply(d, 8, 8);
}

/* An address as the TOC writes it: a sector, or minute, second, frame. */
static void put_address(u8 *p, u32 lba, bool msf)
{
    put_be(p, lba, 4);
    if (!msf)
        return;
    lba += MSF_START;
    p[0] = 0;
    p[1] = (u8)(lba / FRAMES / 60);
    p[2] = (u8)(lba / FRAMES % 60);
    p[3] = (u8)(lba % FRAMES);
}

/* MMC-5, 6.26: one data track in one session. */
static void cmd_read_toc(struct ata_drive *d)
{
    const u8 *c = d->atapi.packet;
    unsigned format = c[2] & 15 ? c[2] & 15 : c[9] >> 6, track = c[6], n = 4;
    bool msf = c[1] & 2;
    u8 *b = d->buf;

    memset(b, 0, 64);
    b[2] = b[3] = 1; /* first and last track, or session */
    switch (format) {
    case 0:
        if (track > 1 && track != LEADOUT) {
            check_condition(d, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
            return;
        }
        if (track <= 1) {
            b[n + 1] = 0x14, b[n + 2] = 1;
            put_address(b + n + 4, 0, msf);
            n += 8;
        }
        b[n + 1] = 0x14, b[n + 2] = LEADOUT;
        put_address(b + n + 4, cd_sectors(d), msf);
        n += 8;
        break;
    case 1:
        b[n + 1] = 0x14, b[n + 2] = 1;
        put_address(b + n + 4, 0, msf);
        n += 8;
        break;
    case 2: /* of the lead-in: first track, last track, start of the lead-out, the track */
        for (unsigned i = 0; i < 4; i++, n += 11) {
            static const u8 points[] = { 0xa0, 0xa1, 0xa2, 1 };

            b[n] = 1, b[n + 1] = 0x14, b[n + 3] = points[i];
            if (i < 2)
                b[n + 8] = 1; /* PMIN: the track's number */
            else
                put_address(b + n + 7, i == 2 ? cd_sectors(d) : 0, true);
        }
        break;
    default: check_condition(d, ILLEGAL_REQUEST, ASC_INVALID_FIELD); return;
    }
    put_be(b, n - 2, 2);
    reply(d, n, be(c + 7, 2));
}

/* MMC-5, 5: the profile and four features. */
static void cmd_get_configuration(struct ata_drive *d)
{
    static const struct { u16 code; u8 flags, len, data[8]; } features[] = {
        { 0x0000, 0x03, 8, { 0x00, 0x10, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00 } }, /* DVD-ROM, CD-ROM */
        { 0x0001, 0x07, 4, { 0x00, 0x00, 0x00, 0x02 } },             /* core: ATAPI */
        { 0x0003, 0x03, 4, { 0x29, 0x00, 0x00, 0x00 } },             /* removable: tray, eject, lock */
        { 0x001e, 0x00, 4, { 0x00, 0x00, 0x00, 0x00 } },             /* CD read */
    };
    const u8 *c = d->atapi.packet;
    unsigned only = c[1] & 3, start = be(c + 2, 2), n = 8;
    /* More than 80 minutes of a CD is a DVD. */
    u16 profile = !has_medium(d) ? 0 : cd_sectors(d) > 80 * 60 * FRAMES ? 0x10 : 0x08;
    u8 *b = d->buf;

    if (only == 3) {
        check_condition(d, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
        return;
    }
    memset(b, 0, 64);
    put_be(b + 6, profile, 2);
    for (unsigned i = 0; i < ARRAY_LEN(features); i++) {
        u8 *f = b + n;

        if (only == 2 ? features[i].code != start : features[i].code < start)
            continue;
        put_be(f, features[i].code, 2);
        f[2] = features[i].flags;
        f[3] = features[i].len;
        memcpy(f + 4, features[i].data, features[i].len);
        if (features[i].code == 0) {
            f[6] = profile == 0x10, f[10] = profile == 0x08; /* which one is current */
        } else if (features[i].code == 0x1e) {
            f[2] = profile == 0x08;
        }
        n += 4u + features[i].len;
    }
    put_be(b, n - 4, 4);
    reply(d, n, be(c + 7, 2));
}

/* MMC-5, 6.6: only polled, only the media class. */
static void cmd_get_event(struct ata_drive *d)
{
    const u8 *c = d->atapi.packet;
    u8 *b = d->buf;

    if (!(c[1] & 1)) {
        check_condition(d, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
        return;
    }
    memset(b, 0, 8);
    b[3] = 0x10; /* classes that there are */
    if (!(c[4] & 0x10)) {
        b[2] = 0x80;
        put_be(b, 2, 2);
        reply(d, 4, be(c + 7, 2));
        return;
    }
    put_be(b, 6, 2);
    b[2] = 4;
    if (d->atapi.attention == ASC_MEDIUM_CHANGED) {
        b[4] = 2; /* new medium */
        d->atapi.attention = 0;
    }
    b[5] = (u8)((has_medium(d) ? 2 : 0) | (d->atapi.tray_open ? 1 : 0));
    reply(d, 8, be(c + 7, 2));
}

/* MODE SENSE (6) and (10): pages 01h (error recovery) and 2Ah (capabilities); no changeable values. */
static void cmd_mode_sense(struct ata_drive *d)
{
    static const u8 recovery[8] = { 0x01, 6, 0, 5, 0, 0, 0, 0 };
    static const u8 capabilities[22] = {
        0x2a, 20, 0x3b, 0x00, 0x70, 0x60, 0x29, 0x00, 706 >> 8, 706 & 255, 0x00, 0x02,
        512 >> 8, 512 & 255, 706 >> 8, 706 & 255,
    };
    const u8 *c = d->atapi.packet;
    bool six = c[0] == 0x1a;
    unsigned page = c[2] & 0x3f, head = six ? 4 : 8, n = head;
    bool changeable = c[2] >> 6 == 1;
    u8 *b = d->buf;

    if ((page != 0x01 && page != 0x2a && page != 0x3f) || c[2] >> 6 == 3) {
        check_condition(d, ILLEGAL_REQUEST, c[2] >> 6 == 3 ? (enum asc)0x39 : ASC_INVALID_FIELD);
        return;
    }
    memset(b, 0, 64);
    if (page != 0x2a) {
        memcpy(b + n, recovery, changeable ? 2 : sizeof(recovery));
        n += sizeof(recovery);
    }
    if (page != 0x01) {
        memcpy(b + n, capabilities, changeable ? 2 : sizeof(capabilities));
        if (!changeable && d->atapi.locked)
            b[n + 6] |= 2;
        n += sizeof(capabilities);
    }
    b[six ? 1 : 2] = has_medium(d) ? 0x01 : d->atapi.tray_open ? 0x71 : 0x70; /* medium type */
    if (six)
        b[0] = (u8)(n - 1);
    else
        put_be(b, n - 2, 2);
    reply(d, n, six ? c[4] : be(c + 7, 2));
}

static void cmd_mechanism_status(struct ata_drive *d)
{
    memset(d->buf, 0, 8);
    d->buf[1] = d->atapi.tray_open ? 0x10 : 0;
    reply(d, 8, be(d->atapi.packet + 8, 2));
}

static void cmd_read_disc_information(struct ata_drive *d)
{
    if (d->atapi.packet[1] & 7) {
        check_condition(d, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
        return;
    }
    memset(d->buf, 0, 34);
    d->buf[1] = 32;
    d->buf[2] = 0x0e; /* last session complete, disc finalized */
    d->buf[3] = d->buf[4] = d->buf[5] = d->buf[6] = 1;
    d->buf[7] = 0x20;
    reply(d, 34, be(d->atapi.packet + 7, 2));
}

static void cmd_start_stop(struct ata_drive *d)
{
    unsigned what = d->atapi.packet[4] & 3;

    if (what == 2 && d->atapi.locked && !d->atapi.tray_open) {
        check_condition(d, ILLEGAL_REQUEST, ASC_REMOVAL_PREVENTED);
        return;
    }
    if (what == 2) {
        d->atapi.tray_open = 1;
    } else if (what == 3 && d->atapi.tray_open) {
        d->atapi.tray_open = 0;
        d->atapi.attention = d->cfg.disk ? ASC_MEDIUM_CHANGED : 0;
    }
    end_well(d);
}

/* READ CD of user data only: what drivers use to read data tracks. */
static void cmd_read_cd(struct ata_drive *d)
{
    const u8 *c = d->atapi.packet;
    u32 n = be(c + 6, 3);

    if (n == 0 || (c[9] & 0xf8) == 0) /* nothing is asked for */
        end_well(d);
    else if ((c[9] & 0xf8) != 0x10)
        check_condition(d, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
    else
        cmd_read(d, be(c + 2, 4), n);
}

/* ---- the packet ---- */

enum { NEEDS_MEDIUM = 1, IN_ATTENTION = 2, HAS_DATA = 4 }; /* IN_ATTENTION: works in spite of one */

static const struct {
    u8 opcode, flags;
} packets[] = {
    { 0x00, NEEDS_MEDIUM },            { 0x03, IN_ATTENTION | HAS_DATA },
    { 0x12, IN_ATTENTION | HAS_DATA }, { 0x1a, HAS_DATA },
    { 0x1b, 0 },                       { 0x1e, 0 },
    { 0x25, NEEDS_MEDIUM | HAS_DATA }, { 0x28, NEEDS_MEDIUM | HAS_DATA },
    { 0x2b, NEEDS_MEDIUM },            { 0x43, NEEDS_MEDIUM | HAS_DATA },
    { 0x46, IN_ATTENTION | HAS_DATA }, { 0x4a, IN_ATTENTION | HAS_DATA },
    { 0x51, NEEDS_MEDIUM | HAS_DATA }, { 0x5a, HAS_DATA },
    { 0xa8, NEEDS_MEDIUM | HAS_DATA }, { 0xbb, 0 },
    { 0xbd, HAS_DATA },                { 0xbe, NEEDS_MEDIUM | HAS_DATA },
};

static bool may_go_on(struct ata_drive *d)
{
    struct atapi *a = &d->atapi;

    for (unsigned i = 0; i < ARRAY_LEN(packets); i++) {
        u8 flags = packets[i].flags;

        if (packets[i].opcode != a->packet[0])
            continue;
        if (a->attention && !(flags & IN_ATTENTION)) {
            u8 asc = a->attention;

            a->attention = 0;
            check_condition(d, UNIT_ATTENTION, (enum asc)asc);
        } else if ((flags & NEEDS_MEDIUM) && !has_medium(d)) {
            check_condition(d, NOT_READY, ASC_NO_MEDIUM);
            d->atapi.ascq = d->atapi.tray_open ? 2 : 1;
        } else if ((flags & HAS_DATA) && !a->dma && !a->limit) {
            ata_fail(d, ATA_ABRT); /* ATA/ATAPI-6, 8.24: a byte count limit of 0 */
        } else {
            return true;
        }
        return false;
    }
    check_condition(d, ILLEGAL_REQUEST, ASC_INVALID_COMMAND);
    return false;
}

static void execute(struct ata_drive *d)
{
    const u8 *c = d->atapi.packet;

    if (!may_go_on(d))
        return;
    switch (c[0]) {
    case 0x03: cmd_request_sense(d); break;
    case 0x12: cmd_inquiry(d); break;
    case 0x1a: case 0x5a: cmd_mode_sense(d); break;
    case 0x1b: cmd_start_stop(d); break;
    case 0x1e:
        d->atapi.locked = c[4] & 1;
        end_well(d);
        break;
    case 0x25: cmd_read_capacity(d); break;
    case 0x28: cmd_read(d, be(c + 2, 4), be(c + 7, 2)); break;
    case 0x2b: /* SEEK */
        if (be(c + 2, 4) >= cd_sectors(d))
            check_condition(d, ILLEGAL_REQUEST, ASC_OUT_OF_RANGE);
        else
            end_well(d);
        break;
    case 0x43: cmd_read_toc(d); break;
    case 0x46: cmd_get_configuration(d); break;
    case 0x4a: cmd_get_event(d); break;
    case 0x51: cmd_read_disc_information(d); break;
    case 0xa8: cmd_read(d, be(c + 2, 4), be(c + 6, 4)); break;
    case 0xbd: cmd_mechanism_status(d); break;
    case 0xbe: cmd_read_cd(d); break;
    default: end_well(d); break; /* TEST UNIT READY, SET CD SPEED */
    }
}

void atapi_start(struct ata_drive *d)
{
    struct atapi *a = &d->atapi;

    if (d->feature[0] & 2) { /* overlapped: not claimed */
        ata_fail(d, ATA_ABRT);
        return;
    }
    a->dma = d->feature[0] & 1;
    a->limit = (u16)(d->lba_mid[0] | d->lba_high[0] << 8);
    if (a->limit > 1)
        a->limit &= 0xfffe; /* only the last block may be odd */
    a->wants_packet = 1;
    a->data_len = 0;
    d->buf_pos = 0;
    d->buf_len = ATAPI_PACKET;
    d->writing = 1;
    d->count[0] = REASON_COMMAND;
    d->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
    d->cfg.link->data(d, false);
}

void atapi_block_given(struct ata_drive *d)
{
    memcpy(d->atapi.packet, d->buf, ATAPI_PACKET);
    d->status = ATA_BSY;
    d->buf_pos = d->buf_len = 0;
    ata_wait(d, 1);
}

/* The packet has been there for a while, or the next part of a read is due. */
void atapi_continue(struct ata_drive *d)
{
    if (d->atapi.wants_packet) {
        d->atapi.wants_packet = 0;
        execute(d);
    } else if (d->left && has_medium(d)) {
        read_sectors(d);
    } else {
        end_well(d);
    }
}

void atapi_block_taken(struct ata_drive *d)
{
    if (d->buf_len < d->atapi.data_len) {
        offer(d);
    } else if (d->left) {
        d->status = ATA_BSY;
        ata_wait(d, d->left < BUF_SECTORS ? d->left : BUF_SECTORS);
    } else {
        end_well(d);
    }
}

/* ---- DMA ---- */

u64 atapi_dma_ns(const struct ata_drive *d)
{
    return ATA_LATENCY_NS + (u64)d->left * (CD_SECTOR / SECTOR_SIZE) * ATA_SECTOR_NS;
}

bool atapi_dma_run(struct ata_drive *d)
{
    u32 ratio = CD_SECTOR / SECTOR_SIZE;

    if (d->atapi.data_len && !d->cfg.link->move(d, d->buf, d->atapi.data_len, false))
        return false;
    d->atapi.data_len = 0;
    while (d->left && has_medium(d)) {
        u32 n = d->left < BUF_SECTORS ? d->left : BUF_SECTORS;

        if (d->cfg.disk->read(d->cfg.disk->h, d->lba * ratio, n * ratio, d->buf)) {
            check_condition(d, MEDIUM_ERROR, ASC_READ_ERROR);
            return true;
        }
        if (!d->cfg.link->move(d, d->buf, n * CD_SECTOR, false))
            return false;
        d->lba += n;
        d->left -= n;
    }
    end_well(d);
    return true;
}

const struct state_field atapi_fields[] = {
    STATE_BYTES(struct atapi, packet), STATE_UPTO(struct atapi, wants_packet, 1),
    STATE_UPTO(struct atapi, dma, 1), STATE_UPTO(struct atapi, sense_key, 15),
    STATE(struct atapi, asc), STATE(struct atapi, ascq), STATE(struct atapi, attention),
    STATE_UPTO(struct atapi, tray_open, 1), STATE_UPTO(struct atapi, locked, 1),
    STATE(struct atapi, limit), STATE_UPTO(struct atapi, data_len, ATA_BUF), STATE_END,
};
