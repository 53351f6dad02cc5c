/* INT 13h: hard disks by CHS with LBA-assisted translation, and by the EDD packet (functions
 * 41h to 48h; Enhanced Disk Drive Specification 3.0). No floppies, no CD: drives below 80h answer
 * "no such drive".
 *
 * Geometry: 63 sectors a track; heads double from 16 until 1024 cylinders are enough, at most 255
 * (the LBA-assist method; Phoenix EDD 1.1, table 1). */
#include "disk.h"
#include "bda.h"
#include "entry.h"
#include "pci.h"

enum {
    ST_OK = 0x00,
    ST_BAD_COMMAND = 0x01,
    ST_NOT_FOUND = 0x04,
    ST_DMA_BOUNDARY = 0x09,
    ST_BAD_SECTOR = 0x0A,
    ST_ECC = 0x10,
    ST_CONTROLLER = 0x20,
    ST_TIMEOUT = 0x80,
    ST_UNDEFINED = 0xBB
};

static struct disk disks[DISKS_MAX];
static unsigned nr_disks;
static struct { u8 bytes[16]; } dpte[DISKS_MAX]; /* EDD device parameter table extension */

enum op { OP_READ, OP_WRITE, OP_VERIFY };

static void geometry(struct disk *d)
{
    u32 sectors = d->ide->sectors >> 32 != 0 ? 0xFFFFFFFF : (u32)d->ide->sectors;
    u32 tracks = sectors / 63;
    u16 heads = 16;
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
    poke8(EBDA_SEG, off + 4, (u8)d->ide->spt);
    poke16(EBDA_SEG, off + 5, 0xFFFF);
    poke8(EBDA_SEG, off + 8, d->heads > 8 ? 0xC8 : 0xC0);
    poke16(EBDA_SEG, off + 9, d->ide->cylinders);
    poke8(EBDA_SEG, off + 11, (u8)d->ide->heads);
    poke8(EBDA_SEG, off + 14, (u8)d->spt);
    u8 sum = 0;
    for (u16 i = 0; i < 15; i++)
        sum = (u8)(sum + peek8(EBDA_SEG, off + i));
    poke8(EBDA_SEG, off + 15, (u8)-sum);
}

static void build_dpte(unsigned i)
{
    const struct ide_drive *d = disks[i].ide;
    u8 *t = dpte[i].bytes;
    u16 base = ide_base(d->channel), control = (u16)(base + 0x206);
    t[0] = (u8)base;
    t[1] = (u8)(base >> 8);
    t[2] = (u8)control;
    t[3] = (u8)(control >> 8);
    t[4] = (u8)(0xE0 | d->unit << 4);
    t[6] = d->channel == 0 ? 14 : 15;
    t[7] = 1; /* block count for multiple */
    t[10] = disks[i].heads > 16 ? 0x18 : 0x10; /* LBA, CHS translation */
    t[14] = 0x11; /* revision */
    u8 sum = 0;
    for (unsigned k = 0; k < 15; k++)
        sum = (u8)(sum + t[k]);
    t[15] = (u8)-sum;
}

static void number(const struct ide_drive *drive)
{
    struct disk *d = &disks[nr_disks];

    for (unsigned i = 0; i < nr_disks; i++) {
        if (disks[i].ide == drive)
            return;
    }
    if (drive->kind != IDE_DISK)
        return;
    d->ide = drive;
    geometry(d);
    build_dpte(nr_disks);
    if (nr_disks < 2) {
        u16 table = nr_disks == 0 ? EBDA_FDPT0 : EBDA_FDPT1;
        write_fdpt(table, d);
        poke32(0, (nr_disks == 0 ? 0x41 : 0x46) * 4, (u32)EBDA_SEG << 16 | table);
    }
    nr_disks++;
}

void disk_init(const u8 *order)
{
    nr_disks = 0;
    for (unsigned i = 0; i < NR_SLOTS; i++) {
        if (order[i] >= SLOT_DISK0)
            number(ide_drive(order[i] - SLOT_DISK0));
    }
    for (unsigned i = 0; i < IDE_DRIVES; i++)
        number(ide_drive(i));
    bda_set8(BDA_NR_DISKS, (u8)nr_disks);
}

unsigned disk_count(void)
{
    return nr_disks;
}

const struct disk *disk_get(unsigned i)
{
    return &disks[i];
}

static u8 status_of(enum ide_result e)
{
    if (e == IDE_OK)
        return ST_OK;
    if (e == IDE_TIMEOUT)
        return ST_TIMEOUT;
    u8 error = ide_last_error();
    return error & 0x40 ? ST_ECC : error & 0x10 ? ST_NOT_FOUND : error & 0x80 ? ST_BAD_SECTOR
                                                                             : ST_CONTROLLER;
}

static u8 transfer(const struct disk *d, enum op op, u64 lba, u16 nr, u16 seg, u16 off, u16 *done)
{
    *done = 0;
    if (lba >= d->ide->sectors || nr > d->ide->sectors - lba)
        return ST_NOT_FOUND;
    seg = (u16)(seg + (off >> 4));
    off &= 15;
    while (*done < nr) {
        u16 part = nr - *done > 128 ? 128 : nr - *done, moved = part;
        enum ide_result e;
        if (op == OP_READ)
            e = ide_read(d->ide, lba, part, seg, off, &moved);
        else if (op == OP_WRITE)
            e = ide_write(d->ide, lba, part, seg, off, &moved);
        else
            e = ide_verify(d->ide, lba, part);
        *done = (u16)(*done + (e == IDE_OK ? part : moved));
        if (e != IDE_OK)
            return status_of(e);
        lba += part;
        seg = (u16)(seg + part * 32);
    }
    return ST_OK;
}

static u8 chs_transfer(struct regs *r, const struct disk *d, enum op op)
{
    u16 cylinder = (u16)(r->ch | (r->cl & 0xC0) << 2), sector = r->cl & 63, done;
    u16 nr = r->al;
    if (nr == 0 || nr > 128 || sector == 0)
        return ST_BAD_COMMAND;
    if (sector > d->spt || r->dh >= d->heads || cylinder >= d->cylinders) {
        r->al = 0;
        return ST_NOT_FOUND;
    }
    u32 lba = ((u32)cylinder * d->heads + r->dh) * d->spt + sector - 1;
    u8 status = transfer(d, op, lba, nr, r->es, r->bx, &done);
    r->al = (u8)done;
    return status;
}

/* The packet at DS:SI: 0 size, 2 count, 4 buffer, 8 LBA, 10h flat 64-bit buffer. */
static u8 edd_transfer(struct regs *r, const struct disk *d, enum op op)
{
    u16 ds = r->ds, si = r->si;
    if (peek8(ds, si) < 16)
        return ST_BAD_COMMAND;
    u16 nr = peek16(ds, (u16)(si + 2)), done;
    u16 off = peek16(ds, (u16)(si + 4)), seg = peek16(ds, (u16)(si + 6));
    u64 lba = peek32(ds, (u16)(si + 8)) | (u64)peek32(ds, (u16)(si + 12)) << 32;
    if (off == 0xFFFF && seg == 0xFFFF) /* UNIMPL: flat address at offset 10h */
        return ST_BAD_COMMAND;
    u8 status = transfer(d, op, lba, nr, seg, off, &done);
    poke16(ds, (u16)(si + 2), done);
    return status;
}

static void put(u16 seg, u16 *off, u32 v, unsigned bytes)
{
    for (; bytes > 0; bytes--, v >>= 8)
        poke8(seg, (*off)++, (u8)v);
}

/* Function 48h: as much of the result buffer as the caller's size word has room for. */
static u8 edd_parameters(struct regs *r, unsigned index)
{
    const struct disk *d = &disks[index];
    u16 seg = r->ds, start = r->si, at = start, size = peek16(seg, start);
    if (size < 0x1A)
        return ST_BAD_COMMAND;
    u16 have = size >= 0x42 ? 0x42 : size >= 0x1E ? 0x1E : 0x1A;
    u32 low = (u32)d->ide->sectors, high = (u32)(d->ide->sectors >> 32);
    put(seg, &at, have, 2);
    /* DMA boundaries are handled; bit 1: the geometry is valid, for disks it can express. */
    bool chs_valid = high == 0 && low / (16 * 63) <= 16383;
    put(seg, &at, chs_valid ? 0x0002 : 0x0000, 2);
    put(seg, &at, chs_valid ? low / (16 * 63) : 16383, 4);
    put(seg, &at, 16, 4);
    put(seg, &at, 63, 4);
    put(seg, &at, low, 4);
    put(seg, &at, high, 4);
    put(seg, &at, 512, 2);
    if (have >= 0x1E) {
        put(seg, &at, (u32)(u32)dpte[index].bytes, 2);
        put(seg, &at, dseg_copy, 2);
    }
    if (have < 0x42)
        return ST_OK;
    u16 path = at, bdf = pci_find_class(0x0101);
    put(seg, &at, 0xBEDD, 2);
    put(seg, &at, 0x24, 1); /* device path length */
    put(seg, &at, 0, 3);
    if (bdf != 0xFFFF) {
        put(seg, &at, 0x20494350, 4); /* "PCI " */
        put(seg, &at, 0x20415441, 4); /* "ATA     " */
        put(seg, &at, 0x20202020, 4);
        put(seg, &at, bdf >> 8, 1);
        put(seg, &at, bdf >> 3 & 31, 1);
        put(seg, &at, bdf & 7, 1);
        put(seg, &at, d->ide->channel, 1);
        put(seg, &at, 0, 4);
    } else {
        put(seg, &at, 0x20415349, 4); /* "ISA " */
        put(seg, &at, 0x20415441, 4);
        put(seg, &at, 0x20202020, 4);
        put(seg, &at, ide_base(d->ide->channel), 2);
        put(seg, &at, 0, 6);
    }
    put(seg, &at, d->ide->unit, 1);
    put(seg, &at, 0, 4);
    put(seg, &at, 0, 4);
    put(seg, &at, 0, 4);
    u8 sum = 0;
    for (u16 i = path; i < at; i++)
        sum = (u8)(sum + peek8(seg, i));
    put(seg, &at, (u8)-sum, 2);
    return ST_OK;
}

static u8 serve(struct regs *r, unsigned index)
{
    const struct disk *d = &disks[index];
    switch (r->ah) {
    case 0x00: /* reset */
    case 0x05: /* format track: nothing to do on a drive with fixed sectors */
    case 0x09: /* set parameters */
    case 0x0C: /* seek */
    case 0x0D:
    case 0x10: /* ready? */
    case 0x11:
    case 0x14:
    case 0x45: /* lock, unlock: not removable */
    case 0x47: /* extended seek */ return ST_OK;
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
        r->dl = (u8)nr_disks;
        return ST_OK;
    }
    case 0x41:
        if (r->bx != 0x55AA)
            return ST_BAD_COMMAND;
        r->bx = 0xAA55;
        r->cx = 0x0007; /* packet access, locking, EDD */
        return ST_OK;   /* AH becomes the version, see below */
    case 0x42: return edd_transfer(r, d, OP_READ);
    case 0x43: return edd_transfer(r, d, OP_WRITE);
    case 0x44: return edd_transfer(r, d, OP_VERIFY);
    case 0x48: return edd_parameters(r, index);
    }
    return ST_BAD_COMMAND;
}

void int13_disk(struct regs *r)
{
    u8 function = r->ah, status;
    unsigned index = r->dl - 0x80u;
    if (function == 0x01) {
        status = bda8(BDA_DISK_STATUS);
        r->ah = status;
        set_cf(r, status != 0);
        return;
    }
    if (function == 0x15) {
        bool there = index < nr_disks;
        if (there) {
            u32 n = (disks[index].cylinders - 1u) * disks[index].heads * disks[index].spt;
            r->cx = (u16)(n >> 16);
            r->dx = (u16)n;
            r->ah = 3;
        } else {
            r->ah = 0;
        }
        bda_set8(BDA_DISK_STATUS, 0);
        set_cf(r, !there && r->dl >= 0x80);
        return;
    }
    if (function == 0x08 && r->dl < 0x80) { /* no floppies */
        r->ax = 0;
        r->bl = 0;
        r->cx = 0;
        r->dx = 0;
        set_cf(r, true);
        r->ah = ST_BAD_COMMAND;
        bda_set8(BDA_DISK_STATUS, ST_BAD_COMMAND);
        return;
    }
    status = index < nr_disks ? serve(r, index) : ST_BAD_COMMAND;
    if (function == 0x00 && r->dl < 0x80)
        status = ST_OK;
    bda_set8(BDA_DISK_STATUS, status);
    r->ah = status;
    if (function == 0x41 && status == ST_OK)
        r->ah = 0x30; /* EDD 3.0 */
    set_cf(r, status != ST_OK);
}

