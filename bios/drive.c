/* What IDE and AHCI drives have in common: IDENTIFY data (ATA/ATAPI-6, 8.12), reading CDs (MMC-3). */
#include "drive.h"
#include "ahci.h"
#include "chips.h"
#include "entry.h"
#include "ide.h"

enum { SCSI_TEST_UNIT_READY = 0x00, SCSI_READ_CAPACITY = 0x25, SCSI_READ_10 = 0x28, TRIES = 6 };

u16 drive_buffer[1024] __attribute__((aligned(4)));
static struct drive drives[DRIVES_MAX];
static u8 last_error;

struct drive *drive_get(unsigned i)
{
    return &drives[i];
}

u8 drive_last_error(void)
{
    return last_error;
}

void drive_set_error(u8 error)
{
    last_error = error;
}

void drive_probe(void)
{
    for (unsigned i = 0; i < DRIVES_MAX; i++)
        drives[i].kind = DRIVE_NONE;
    ide_probe(&drives[0]);
    ahci_probe(&drives[IDE_DRIVES]);
}

void drive_identified(struct drive *d, const u16 *identify, bool packet)
{
    d->cylinders = identify[1];
    d->heads = identify[3];
    d->spt = identify[6];
    d->lba48 = (identify[83] & 0xC400) == 0x4400;
    d->sectors = identify[60] | (u32)identify[61] << 16;
    if (d->lba48) {
        u64 wide = identify[100] | (u32)identify[101] << 16 | (u64)identify[102] << 32;
        if (wide > d->sectors)
            d->sectors = wide;
    }
    if (!(identify[49] & 0x200)) /* no LBA: UNIMPL, such drives are not used */
        d->sectors = 0;
    for (unsigned i = 0; i < 20; i++) {
        d->model[2 * i] = (char)(identify[27 + i] >> 8);
        d->model[2 * i + 1] = (char)identify[27 + i];
    }
    unsigned n = 40;
    while (n > 0 && (d->model[n - 1] == ' ' || d->model[n - 1] == 0))
        n--;
    d->model[n] = 0;
    d->kind = packet ? DRIVE_CD : d->sectors != 0 ? DRIVE_DISK : DRIVE_NONE;
}

enum drive_result drive_transfer(const struct drive *d, enum drive_op op, u64 lba, u16 nr, u16 seg,
                                 u16 off, u16 *done)
{
    *done = 0;
    if (d->bus == BUS_AHCI)
        return ahci_transfer(d, op, lba, nr, seg, off, done);
    if (op == OP_VERIFY)
        return ide_verify(d, lba, nr);
    return op == OP_READ ? ide_read(d, lba, nr, seg, off, done) : ide_write(d, lba, nr, seg, off, done);
}

enum drive_result drive_packet(const struct drive *d, const u8 cdb[12], u16 seg, u16 off, u32 len)
{
    return d->bus == BUS_AHCI ? ahci_packet(d, cdb, seg, off, len) : ide_packet(d, cdb, seg, off, len);
}

enum drive_result cd_read(const struct drive *d, u32 lba, u16 nr, u16 seg, u16 off)
{
    u8 cdb[12] = {SCSI_READ_10};
    for (unsigned i = 0; i < 4; i++)
        cdb[2 + i] = (u8)(lba >> (24 - 8 * i));
    cdb[7] = (u8)(nr >> 8);
    cdb[8] = (u8)nr;
    return drive_packet(d, cdb, seg, off, (u32)nr * CD_SECTOR);
}

bool cd_ready(const struct drive *d)
{
    static const u8 test[12] = {SCSI_TEST_UNIT_READY};
    for (unsigned i = 0; i < TRIES; i++) {
        if (drive_packet(d, test, dseg_copy, 0, 0) == DRIVE_OK)
            return true;
        if (last_error >> 4 == 2 && i >= 2) /* sense key: not ready, thrice */
            return false;
        delay_us(1000);
    }
    return false;
}

u32 cd_sectors(const struct drive *d)
{
    static const u8 capacity[12] = {SCSI_READ_CAPACITY};
    const u8 *b = (const u8 *)drive_buffer;
    u32 at = (u32)drive_buffer;
    if (drive_packet(d, capacity, (u16)(dseg_copy + (at >> 4)), at & 15, 8) != DRIVE_OK)
        return 0;
    return ((u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | b[3]) + 1;
}
