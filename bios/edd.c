/* INT 13h 41h to 49h and 4Eh: Enhanced Disk Drive Specification 3.0, for hard disks and CDs.
 * A CD's sectors have 2048 bytes; it is read only. */
#include "bda.h"
#include "ahci.h"
#include "disk.h"
#include "entry.h"
#include "ide.h"
#include "pci.h"

static struct { u8 bytes[16]; } dpte[DRIVES_MAX]; /* device parameter table extension */

/* AHCI disks have no ports that a program could use: their table is never pointed at. */
void edd_init(unsigned index, const struct disk *disk)
{
    const struct drive *d = disk->drive;
    u8 *t = dpte[index].bytes;
    u16 base = ide_base(d->channel), control = (u16)(base + 0x206);
    t[0] = (u8)base;
    t[1] = (u8)(base >> 8);
    t[2] = (u8)control;
    t[3] = (u8)(control >> 8);
    t[4] = (u8)(0xE0 | d->unit << 4);
    t[6] = d->channel == 0 ? 14 : 15;
    t[7] = 1; /* block count for multiple */
    t[10] = disk->heads > 16 ? 0x18 : 0x10; /* LBA, CHS translation */
    t[14] = 0x11; /* revision */
    u8 sum = 0;
    for (unsigned k = 0; k < 15; k++)
        sum = (u8)(sum + t[k]);
    t[15] = (u8)-sum;
}

static u8 cd_transfer(const struct drive *d, u32 lba, u16 nr, u16 seg, u16 off, u16 *done)
{
    while (*done < nr) {
        u16 part = nr - *done > 16 ? 16 : nr - *done;
        enum drive_result e = cd_read(d, lba, part, (u16)(seg + (off >> 4)), off & 15);
        if (e != DRIVE_OK)
            return drive_last_error() >> 4 == 2 ? ST_NO_MEDIA : disk_status_of(e);
        *done = (u16)(*done + part);
        lba += part;
        seg = (u16)(seg + part * (CD_SECTOR / 16));
    }
    return ST_OK;
}

/* To or from an address beyond real mode's: a sector at a time through our buffer. */
static u8 flat_transfer(const struct drive *d, enum drive_op op, u64 lba, u16 nr, u32 pa, u16 *done)
{
    u32 at = (u32)drive_buffer, bytes = d->kind == DRIVE_CD ? CD_SECTOR : 512;
    u16 seg = (u16)(dseg_copy + (at >> 4)), off = at & 15, one;
    for (; *done < nr; ++*done, lba++, pa += bytes) {
        flat_begin();
        for (u32 i = 0; op == OP_WRITE && i < bytes; i += 4)
            *(u32 *)((u8 *)drive_buffer + i) = flat_read32(pa + i);
        flat_end();
        one = 0;
        u8 status = d->kind == DRIVE_CD ? cd_transfer(d, (u32)lba, 1, seg, off, &one)
                                        : disk_transfer(d, op, lba, 1, seg, off, &one);
        if (status != ST_OK)
            return status;
        flat_begin();
        for (u32 i = 0; op == OP_READ && i < bytes; i += 4)
            flat_write32(pa + i, *(const u32 *)((const u8 *)drive_buffer + i));
        flat_end();
    }
    return ST_OK;
}

/* The packet at DS:SI: 0 size, 2 count, 4 buffer, 8 LBA, 10h flat 64-bit buffer. */
static u8 transfer(struct regs *r, const struct drive *d, enum drive_op op)
{
    u16 ds = r->ds, si = r->si, done = 0;
    u8 size = peek8(ds, si), status;
    if (size < 16)
        return ST_BAD_COMMAND;
    u16 nr = peek16(ds, (u16)(si + 2));
    u16 off = peek16(ds, (u16)(si + 4)), seg = peek16(ds, (u16)(si + 6));
    u64 lba = peek32(ds, (u16)(si + 8)) | (u64)peek32(ds, (u16)(si + 12)) << 32;
    bool flat = off == 0xFFFF && seg == 0xFFFF;
    if (d->kind == DRIVE_CD && op == OP_WRITE) {
        status = ST_WRITE_PROTECTED;
    } else if (flat && (size < 0x18 || peek32(ds, (u16)(si + 0x14)) != 0)) {
        status = ST_BAD_COMMAND; /* no address, or one that nobody here can reach */
    } else if (flat) {
        status = flat_transfer(d, op, lba, nr, peek32(ds, (u16)(si + 0x10)), &done);
    } else if (d->kind == DRIVE_CD) {
        status = lba >> 32 != 0 ? ST_NOT_FOUND
                 : op == OP_READ ? cd_transfer(d, (u32)lba, nr, seg, off, &done)
                                 : ST_OK;
    } else {
        status = disk_transfer(d, op, lba, nr, seg, off, &done);
        if (status == ST_OK && op == OP_WRITE && r->al == 2)
            status = disk_transfer(d, OP_VERIFY, lba, nr, seg, off, &done);
    }
    poke16(ds, (u16)(si + 2), done);
    return status;
}

static void put(u16 seg, u16 *off, u32 v, unsigned bytes)
{
    for (; bytes > 0; bytes--, v >>= 8)
        poke8(seg, (*off)++, (u8)v);
}

static void put_text(u16 seg, u16 *off, const char *s, unsigned bytes)
{
    for (; bytes > 0; bytes--)
        poke8(seg, (*off)++, *s != 0 ? (u8)*s++ : ' ');
}

/* EDD 3.0, 8.22.2: where the drive is. */
static void put_path(u16 seg, u16 *at, const struct drive *d)
{
    u16 path = *at, bdf = d->bus == BUS_AHCI ? ahci_bdf() : pci_find_class(0x0101);
    put(seg, at, 0xBEDD, 2);
    put(seg, at, 0x24, 1); /* device path length */
    put(seg, at, 0, 3);
    put_text(seg, at, bdf != 0xFFFF ? "PCI" : "ISA", 4);
    put_text(seg, at, d->bus == BUS_AHCI ? "SATA" : d->kind == DRIVE_CD ? "ATAPI" : "ATA", 8);
    if (bdf != 0xFFFF) {
        put(seg, at, bdf >> 8, 1);
        put(seg, at, bdf >> 3 & 31, 1);
        put(seg, at, bdf & 7, 1);
        put(seg, at, d->bus == BUS_AHCI ? 0xFF : d->channel, 1);
        put(seg, at, 0, 4);
    } else {
        put(seg, at, ide_base(d->channel), 2);
        put(seg, at, 0, 6);
    }
    put(seg, at, d->bus == BUS_AHCI ? d->channel : d->unit, 1);
    put(seg, at, 0, 4);
    put(seg, at, 0, 4);
    put(seg, at, 0, 4);
    u8 sum = 0;
    for (u16 i = path; i < *at; i++)
        sum = (u8)(sum + peek8(seg, i));
    put(seg, at, (u8)-sum, 2);
}

/* Function 48h: as much of the result buffer as the caller's size word has room for. */
static u8 parameters(struct regs *r, const struct edd_target *t)
{
    const struct drive *d = t->drive;
    u16 seg = r->ds, start = r->si, at = start, size = peek16(seg, start);
    if (size < 0x1A)
        return ST_BAD_COMMAND;
    u16 have = size >= 0x42 ? 0x42 : size >= 0x1E ? 0x1E : 0x1A;
    bool cd = d->kind == DRIVE_CD;
    u32 low = cd ? cd_sectors(d) : (u32)d->sectors, high = cd ? 0 : (u32)(d->sectors >> 32);
    /* Bit 1: the geometry is valid, for disks it can express; removable, lockable media: 2, 4, 5, 6. */
    bool chs_valid = !cd && high == 0 && low / (16 * 63) <= 16383;
    put(seg, &at, have, 2);
    put(seg, &at, cd ? 0x0074 : chs_valid ? 0x0002 : 0x0000, 2);
    put(seg, &at, cd ? 0xFFFFFFFF : chs_valid ? low / (16 * 63) : 16383, 4);
    put(seg, &at, cd ? 0xFFFFFFFF : 16, 4);
    put(seg, &at, cd ? 0xFFFFFFFF : 63, 4);
    put(seg, &at, cd && low == 0 ? 0xFFFFFFFF : low, 4);
    put(seg, &at, cd && low == 0 ? 0xFFFFFFFF : high, 4);
    put(seg, &at, cd ? CD_SECTOR : 512, 2);
    if (have >= 0x1E) {
        bool ports = !cd && d->bus == BUS_IDE;
        put(seg, &at, ports ? (u32)dpte[t->index].bytes : 0xFFFF, 2);
        put(seg, &at, ports ? dseg_copy : 0xFFFF, 2);
    }
    if (have >= 0x42)
        put_path(seg, &at, d);
    return ST_OK;
}

static u8 eject(const struct drive *d)
{
    static const u8 stop_unit[12] = {0x1B, 0, 0, 0, 2}; /* START STOP UNIT: load or eject */
    return d->kind == DRIVE_CD ? disk_status_of(drive_packet(d, stop_unit, dseg_copy, 0, 0))
                               : ST_NOT_REMOVABLE;
}

bool edd_services(struct regs *r, const struct edd_target *t, u8 *status)
{
    *status = ST_OK;
    switch (r->ah) {
    case 0x41:
        if (r->bx != 0x55AA) {
            *status = ST_BAD_COMMAND;
            break;
        }
        r->bx = 0xAA55;
        r->cx = 0x0007; /* packet access, locking, EDD */
        break;
    case 0x42: *status = transfer(r, t->drive, OP_READ); break;
    case 0x43: *status = r->al > 2 ? ST_BAD_COMMAND : transfer(r, t->drive, OP_WRITE); break;
    case 0x44: *status = transfer(r, t->drive, OP_VERIFY); break;
    case 0x45: /* lock: media are never locked */
        r->al = 0;
        break;
    case 0x46: *status = eject(t->drive); break;
    case 0x47: /* extended seek */
    case 0x49: /* changed? A change shows as an error of the next read */
        break;
    case 0x48: *status = parameters(r, t); break;
    case 0x4E: /* hardware configuration: PIO and no prefetch is all there is */
        r->al = 0;
        break;
    default: return false;
    }
    return true;
}
