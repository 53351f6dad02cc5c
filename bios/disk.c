/* INT 13h: the dispatcher, and hard disks by CHS with translation.
 *
 * Geometry: the drive's own while 1024 cylinders are enough; else LBA-assisted translation: 63 sectors a
 * track, heads double from 16 until 1024 cylinders are enough, at most 255 (Phoenix EDD 1.1, table 1). */
#include "disk.h"
#include "bda.h"
#include "eltorito.h"
#include "entry.h"
#include "floppy.h"

static struct disk disks[DRIVES_MAX];
static const struct drive *cds[DRIVES_MAX];
static unsigned nr_disks, nr_cds;

static void geometry(struct disk *d)
{
    const struct drive *drive = d->drive;
    u32 sectors = drive->sectors >> 32 != 0 ? 0xFFFFFFFF : (u32)drive->sectors;
    u32 tracks = sectors / 63;
    u16 heads = 16;
    if (drive->cylinders >= 1 && drive->cylinders <= 1024 && drive->heads >= 1 && drive->heads <= 16 &&
        drive->spt >= 1 && drive->spt <= 63) {
        d->cylinders = drive->cylinders;
        d->heads = drive->heads;
        d->spt = drive->spt;
        return;
    }
    while (heads < 128 && tracks / heads > 1024)
        heads *= 2;
    if (tracks / heads > 1024)
        heads = 255;
    u32 cylinders = tracks / heads;
    d->heads = heads;
    d->spt = 63;
    d->cylinders = (u16)(cylinders > 1024 ? 1024 : cylinders == 0 ? 1 : cylinders);
}

/* The fixed disk parameter table that INT 41h or 46h points at; translated form (A0h). */
static void write_fdpt(u16 off, const struct disk *d)
{
    for (u16 i = 0; i < 16; i++)
        poke8(EBDA_SEG, off + i, 0);
    poke16(EBDA_SEG, off + 0, d->cylinders);
    poke8(EBDA_SEG, off + 2, (u8)d->heads);
    poke8(EBDA_SEG, off + 3, 0xA0);
    poke8(EBDA_SEG, off + 4, (u8)d->drive->spt);
    poke16(EBDA_SEG, off + 5, 0xFFFF);
    poke8(EBDA_SEG, off + 8, d->heads > 8 ? 0xC8 : 0xC0);
    poke16(EBDA_SEG, off + 9, d->drive->cylinders);
    poke8(EBDA_SEG, off + 11, (u8)d->drive->heads);
    poke8(EBDA_SEG, off + 14, (u8)d->spt);
    u8 sum = 0;
    for (u16 i = 0; i < 15; i++)
        sum = (u8)(sum + peek8(EBDA_SEG, off + i));
    poke8(EBDA_SEG, off + 15, (u8)-sum);
}

static void number(const struct drive *drive)
{
    for (unsigned i = 0; i < nr_disks; i++) {
        if (disks[i].drive == drive)
            return;
    }
    for (unsigned i = 0; i < nr_cds; i++) {
        if (cds[i] == drive)
            return;
    }
    if (drive->kind == DRIVE_CD)
        cds[nr_cds++] = drive;
    if (drive->kind != DRIVE_DISK)
        return;
    struct disk *d = &disks[nr_disks];
    d->drive = drive;
    geometry(d);
    edd_init(nr_disks, d);
    if (nr_disks < 2) {
        u16 table = nr_disks == 0 ? EBDA_FDPT0 : EBDA_FDPT1;
        write_fdpt(table, d);
        poke32(0, (nr_disks == 0 ? 0x41 : 0x46) * 4, (u32)EBDA_SEG << 16 | table);
    }
    nr_disks++;
}

void disk_init(const u8 *order)
{
    nr_disks = nr_cds = 0;
    for (unsigned i = 0; i < NR_SLOTS; i++) {
        if (slot_drive(order[i]) >= 0)
            number(drive_get((unsigned)slot_drive(order[i])));
    }
    for (unsigned i = 0; i < DRIVES_MAX; i++)
        number(drive_get(i));
    bda_set8(BDA_NR_DISKS, (u8)nr_disks);
}

unsigned disk_count(void) { return nr_disks; }
const struct disk *disk_get(unsigned i) { return &disks[i]; }
unsigned cd_count(void) { return nr_cds; }
const struct drive *cd_get(unsigned i) { return cds[i]; }

u8 disk_status_of(enum drive_result e)
{
    if (e == DRIVE_OK)
        return ST_OK;
    if (e == DRIVE_TIMEOUT)
        return ST_TIMEOUT;
    u8 error = drive_last_error();
    return error & 0x40 ? ST_ECC : error & 0x10 ? ST_NOT_FOUND : error & 0x80 ? ST_BAD_SECTOR
                                                                             : ST_CONTROLLER;
}

u8 disk_transfer(const struct drive *d, enum drive_op op, u64 lba, u16 nr, u16 seg, u16 off, u16 *done)
{
    *done = 0;
    if (lba >= d->sectors || nr > d->sectors - lba)
        return ST_NOT_FOUND;
    seg = (u16)(seg + (off >> 4));
    off &= 15;
    while (*done < nr) {
        u16 part = nr - *done > 128 ? 128 : nr - *done, moved = part;
        enum drive_result e = drive_transfer(d, op, lba, part, seg, off, &moved);
        *done = (u16)(*done + (e == DRIVE_OK ? part : moved));
        if (e != DRIVE_OK)
            return disk_status_of(e);
        lba += part;
        seg = (u16)(seg + part * 32);
    }
    return ST_OK;
}

bool int13_chs(const struct regs *r, u16 cylinders, u16 heads, u16 spt, u32 *lba)
{
    u16 cylinder = (u16)(r->ch | (r->cl & 0xC0) << 2), sector = r->cl & 63;
    *lba = ((u32)cylinder * heads + r->dh) * spt + sector - 1;
    return sector != 0 && sector <= spt && r->dh < heads && cylinder < cylinders;
}

static u8 chs_transfer(struct regs *r, const struct disk *d, enum drive_op op)
{
    u16 nr = r->al, done;
    u32 lba;
    if (nr == 0 || nr > 128 || (r->cl & 63) == 0)
        return ST_BAD_COMMAND;
    if (!int13_chs(r, d->cylinders, d->heads, d->spt, &lba)) {
        r->al = 0;
        return ST_NOT_FOUND;
    }
    u8 status = disk_transfer(d->drive, op, lba, nr, r->es, r->bx, &done);
    r->al = (u8)done;
    return status;
}

static u8 serve(struct regs *r, const struct disk *d)
{
    switch (r->ah) {
    case 0x00: /* reset */
    case 0x05: /* format track: nothing to do on a drive with fixed sectors */
    case 0x09: /* set parameters */
    case 0x0C: /* seek */
    case 0x0D:
    case 0x10: /* ready? */
    case 0x11:
    case 0x14: return ST_OK;
    case 0x02: return chs_transfer(r, d, OP_READ);
    case 0x03: return chs_transfer(r, d, OP_WRITE);
    case 0x04: return chs_transfer(r, d, OP_VERIFY);
    case 0x08: {
        /* As on the AT, the last cylinder is kept for diagnostics and not counted. */
        u16 last = (u16)(d->cylinders > 1 ? d->cylinders - 2 : 0);
        r->al = 0;
        r->ch = (u8)last;
        r->cl = (u8)((last >> 2 & 0xC0) | d->spt);
        r->dh = (u8)(d->heads - 1);
        r->dl = (u8)(nr_disks + (eltorito_shift(DISK_FIRST) ? 1 : 0));
        return ST_OK;
    }
    }
    return ST_BAD_COMMAND;
}

void int13_finish(struct regs *r, u8 status)
{
    bda_set8(r->dl < DISK_FIRST ? BDA_FLOPPY_STATUS : BDA_DISK_STATUS, status);
    r->ah = status;
    set_cf(r, status != ST_OK);
}

/* Function 15h: what kind of drive, and how many sectors. */
static void disk_type(struct regs *r, const struct disk *d)
{
    if (d != 0) {
        u32 n = (d->cylinders - 1u) * d->heads * d->spt;
        r->cx = (u16)(n >> 16);
        r->dx = (u16)n;
    }
    int13_finish(r, ST_OK);
    r->ah = d != 0 ? 3 : 0;
    set_cf(r, d == 0);
}

void int13_disk(struct regs *r)
{
    u8 function = r->ah, status = ST_BAD_COMMAND;
    if (function == 0x01) {
        status = bda8(r->dl < DISK_FIRST ? BDA_FLOPPY_STATUS : BDA_DISK_STATUS);
        r->ah = status;
        set_cf(r, status != 0);
        return;
    }
    if (eltorito_services(r))
        return;
    unsigned shift = eltorito_shift(r->dl & 0x80);
    if (r->dl < DISK_FIRST) {
        if (r->dl >= shift)
            floppy_services(r, (u8)(r->dl - shift));
        return;
    }
    unsigned index = r->dl - (unsigned)DISK_FIRST - shift, cd = r->dl - (unsigned)CD_FIRST;
    const struct disk *d = index < nr_disks ? &disks[index] : 0;
    struct edd_target t = {.drive = d != 0 ? d->drive : cd < nr_cds ? cds[cd] : 0, .disk = d, .index = index};
    if (function == 0x15) {
        disk_type(r, d);
        return;
    }
    if (t.drive != 0 && !edd_services(r, &t, &status))
        status = d != 0 ? serve(r, d) : function == 0x00 ? ST_OK : ST_BAD_COMMAND;
    int13_finish(r, status);
    if (function == 0x41 && status == ST_OK)
        r->ah = 0x30; /* EDD 3.0 */
}
