/* Boot CDs: the catalog, no emulation, emulated floppies and hard disks, INT 13h 4Ah to 4Dh.
 * An emulated drive is read only; its sectors of 512 bytes are read through a buffer. */
#include "eltorito.h"
#include "bda.h"
#include "disk.h"
#include "entry.h"

enum {
    RECORD_LBA = 17,   /* the boot record volume descriptor */
    RECORD_CATALOG = 0x47,
    ENTRY_DEFAULT = 0x20,
    MEDIA_NONE = 0,
    MEDIA_1200 = 1,
    MEDIA_1440 = 2,
    MEDIA_2880 = 3,
    MEDIA_HARD = 4,
    PACKET_SIZE = 0x13,
};

static struct {
    bool active;      /* a CD was booted: 4Bh has something to tell */
    u8 media, drive;
    u8 index;         /* of the CD */
    u32 lba;          /* of the image, in sectors of 2048 bytes */
    u32 catalog;
    u16 segment, count;
    u16 cylinders, heads, spt;
    u32 cached;       /* sector of 2048 bytes in drive_buffer, + 1 */
} boot;

/* One sector into drive_buffer. */
static bool read_sector(const struct drive *d, u32 lba)
{
    u32 at = (u32)drive_buffer;
    return cd_read(d, lba, 1, (u16)(dseg_copy + (at >> 4)), at & 15) == DRIVE_OK;
}

static bool same(const u8 *p, const char *text)
{
    while (*text != 0 && *p == (u8)*text) {
        p++;
        text++;
    }
    return *text == 0;
}

/* Sectors of 512 bytes from the emulated disk. */
static u8 read_image(u32 sector, u16 nr, u16 seg, u16 off, u16 *done)
{
    const struct drive *d = cd_get(boot.index);
    for (*done = 0; *done < nr; ++*done, sector++) {
        u32 at = (u32)drive_buffer + (sector & 3) * 512;
        if ((*done == 0 || (sector & 3) == 0) && !read_sector(d, boot.lba + sector / 4))
            return drive_last_error() >> 4 == 2 ? ST_NO_MEDIA : ST_NOT_FOUND;
        far_copy((u16)(seg + (off >> 4) + *done * 32), off & 15, dseg_copy, at, 512);
    }
    return ST_OK;
}

static bool find_geometry(void)
{
    static const struct { u16 cylinders, heads, spt; } floppy[] = {{80, 2, 15}, {80, 2, 18}, {80, 2, 36}};
    if (boot.media == MEDIA_NONE)
        return true;
    if (boot.media < MEDIA_HARD) {
        boot.cylinders = floppy[boot.media - 1].cylinders;
        boot.heads = floppy[boot.media - 1].heads;
        boot.spt = floppy[boot.media - 1].spt;
        return true;
    }
    /* A hard disk's is that of the end of the one partition. */
    if (!read_sector(cd_get(boot.index), boot.lba))
        return false;
    const u8 *entry = (const u8 *)drive_buffer + 0x1BE;
    boot.heads = (u16)(entry[5] + 1);
    boot.spt = entry[6] & 63;
    boot.cylinders = (u16)((entry[7] | (entry[6] & 0xC0) << 2) + 1);
    return boot.spt != 0;
}

enum eltorito_why eltorito_load(unsigned cd, u8 *drive, u16 *seg)
{
    const struct drive *d = cd_get(cd);
    const u8 *b = (const u8 *)drive_buffer;
    boot.active = false;
    boot.index = (u8)cd;
    if (!cd_ready(d))
        return ELTORITO_NO_MEDIA;
    if (!read_sector(d, RECORD_LBA))
        return ELTORITO_READ_ERROR;
    if (b[0] != 0 || !same(b + 1, "CD001") || !same(b + 7, "EL TORITO SPECIFICATION"))
        return ELTORITO_NOT_BOOTABLE;
    boot.catalog = *(const u32 *)(b + RECORD_CATALOG);
    if (!read_sector(d, boot.catalog))
        return ELTORITO_READ_ERROR;
    u16 sum = 0;
    for (unsigned i = 0; i < 16; i++)
        sum = (u16)(sum + drive_buffer[i]);
    const u8 *e = b + ENTRY_DEFAULT;
    u8 media = e[1] & 0x0F;
    if (b[0] != 1 || sum != 0 || b[0x1E] != 0x55 || b[0x1F] != 0xAA || e[0] != 0x88 || media > MEDIA_HARD)
        return ELTORITO_NOT_BOOTABLE;
    boot.media = media;
    boot.segment = *(const u16 *)(e + 2) != 0 ? *(const u16 *)(e + 2) : 0x07C0;
    boot.count = *(const u16 *)(e + 6);
    boot.lba = *(const u32 *)(e + 8);
    boot.drive = media == MEDIA_NONE ? (u8)(CD_FIRST + cd) : media == MEDIA_HARD ? 0x80 : 0x00;
    if (!find_geometry())
        return ELTORITO_READ_ERROR;
    u16 nr = boot.count == 0 ? 1 : boot.count, done;
    u16 room = (u16)((0x9000 - boot.segment) / 32); /* what fits below 90000h */
    if (boot.segment >= 0x9000 || read_image(0, nr > room ? room : nr, boot.segment, 0, &done) != ST_OK)
        return ELTORITO_READ_ERROR;
    boot.active = true;
    *drive = boot.drive;
    *seg = boot.segment;
    return ELTORITO_OK;
}

void eltorito_end(void)
{
    boot.active = false;
}

unsigned eltorito_shift(u8 first)
{
    return boot.active && boot.media != MEDIA_NONE && (boot.drive & 0x80) == first ? 1 : 0;
}

/* The specification packet (figure 6), for 4Ah to 4Ch. */
static void write_packet(u16 seg, u16 at)
{
    const struct drive *d = cd_get(boot.index);
    poke8(seg, at, PACKET_SIZE);
    poke8(seg, (u16)(at + 1), boot.media);
    poke8(seg, (u16)(at + 2), boot.drive);
    poke8(seg, (u16)(at + 3), d->bus == BUS_IDE ? d->channel : 0);
    poke32(seg, (u16)(at + 4), boot.lba);
    poke16(seg, (u16)(at + 8), d->bus == BUS_IDE ? d->unit : d->channel);
    poke16(seg, (u16)(at + 0x0A), 0); /* no user buffer */
    poke16(seg, (u16)(at + 0x0C), boot.segment);
    poke16(seg, (u16)(at + 0x0E), boot.count);
    poke8(seg, (u16)(at + 0x10), (u8)(boot.cylinders - 1));
    poke8(seg, (u16)(at + 0x11), (u8)(((boot.cylinders - 1) >> 2 & 0xC0) | boot.spt));
    poke8(seg, (u16)(at + 0x12), (u8)(boot.heads - 1));
}

/* 4Ah, 4Ch: an emulation that the caller's packet describes; 4Ch also boots it. */
static u8 initiate(struct regs *r, bool start)
{
    u16 ds = r->ds, si = r->si, done;
    if (cd_count() == 0 || (peek8(ds, (u16)(si + 1)) & 0x0F) > MEDIA_HARD)
        return ST_BAD_COMMAND;
    if (!boot.active)
        boot.index = 0;
    boot.active = false;
    boot.media = peek8(ds, (u16)(si + 1)) & 0x0F;
    boot.drive = peek8(ds, (u16)(si + 2));
    boot.lba = peek32(ds, (u16)(si + 4));
    boot.segment = peek16(ds, (u16)(si + 0x0C));
    boot.count = peek16(ds, (u16)(si + 0x0E));
    if (boot.segment == 0)
        boot.segment = 0x07C0;
    if (!cd_ready(cd_get(boot.index)) || !find_geometry())
        return ST_NO_MEDIA;
    boot.active = true;
    if (!start)
        return ST_OK;
    u8 status = read_image(0, boot.count, boot.segment, 0, &done);
    if (status == ST_OK)
        boot_jump(boot.drive, boot.segment);
    return status;
}

/* 4Dh: sectors of the boot catalog; at DS:SI 0 size, 1 count, 2 far buffer, 6 first sector. */
static u8 read_catalog(struct regs *r)
{
    u16 ds = r->ds, si = r->si, off = peek16(ds, (u16)(si + 2)), seg = peek16(ds, (u16)(si + 4));
    u8 nr = peek8(ds, (u16)(si + 1));
    if (!boot.active || nr == 0 || nr > 31)
        return ST_BAD_COMMAND;
    return disk_status_of(cd_read(cd_get(boot.index), boot.catalog + peek16(ds, (u16)(si + 6)), nr,
                                  (u16)(seg + (off >> 4)), off & 15));
}

static u8 emulated(struct regs *r)
{
    u32 lba;
    u16 done;
    switch (r->ah) {
    case 0x00:
    case 0x05:
    case 0x09:
    case 0x0C:
    case 0x0D:
    case 0x10:
    case 0x11:
    case 0x14: return ST_OK;
    case 0x02:
    case 0x04: {
        if (!int13_chs(r, boot.cylinders, boot.heads, boot.spt, &lba))
            return ST_NOT_FOUND;
        if (r->ah == 0x04)
            return ST_OK;
        u8 status = read_image(lba, r->al, r->es, r->bx, &done);
        r->al = (u8)done;
        return status;
    }
    case 0x03: return ST_WRITE_PROTECTED;
    case 0x08: {
        u16 last = (u16)(boot.cylinders - 1);
        bool hard = boot.media == MEDIA_HARD;
        r->al = 0;
        r->bl = hard ? 0 : boot.media == MEDIA_1200 ? 2 : boot.media == MEDIA_1440 ? 4 : 6;
        r->ch = (u8)last;
        r->cl = (u8)((last >> 2 & 0xC0) | boot.spt);
        r->dh = (u8)(boot.heads - 1);
        r->dl = (u8)(hard ? disk_count() + 1 : 1);
        if (!hard) {
            r->es = 0xF000;
            r->di = 0xEFC7;
        }
        return ST_OK;
    }
    }
    return ST_BAD_COMMAND;
}

bool eltorito_services(struct regs *r)
{
    u8 status = ST_BAD_COMMAND;
    switch (r->ah) {
    case 0x4A: status = initiate(r, false); break;
    case 0x4B:
        if (boot.active && r->al <= 1 && (r->dl == boot.drive || r->dl == 0x7F)) {
            write_packet(r->ds, r->si);
            boot.active = r->al == 1 || boot.media == MEDIA_NONE;
            status = ST_OK;
        }
        break;
    case 0x4C: status = initiate(r, true); break;
    case 0x4D: status = read_catalog(r); break;
    default:
        if (!eltorito_shift(r->dl & 0x80) || r->dl != boot.drive)
            return false;
        if (r->ah == 0x15) {
            u32 n = (u32)boot.cylinders * boot.heads * boot.spt;
            bool hard = boot.media == MEDIA_HARD;
            if (hard) {
                r->cx = (u16)(n >> 16);
                r->dx = (u16)n;
            }
            r->ah = hard ? 3 : 1;
            set_cf(r, false);
            return true;
        }
        status = emulated(r);
        break;
    }
    int13_finish(r, status);
    return true;
}
