/*
 * ATA/ATAPI-6 (T13 1410D): 7 (registers), 8.15 IDENTIFY DEVICE, 8.27 READ SECTOR(S), 8.28 READ
 * SECTOR(S) EXT; 9.5 the PIO data-in protocol. Interrupts are off (nIEN): the driver polls.
 * UNIMPL: writes, DMA, ATAPI drives, channels in native PCI mode.
 */
#include "guestos/drivers/ide.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/string.h"
#include "guestos/kernel/x86.h"

/* offsets in the command block */
enum { DATA, ERROR, COUNT, LBA_LOW, LBA_MID, LBA_HIGH, DEVICE, STATUS, COMMAND = STATUS };

#define STATUS_BSY     0x80
#define STATUS_DF      0x20
#define STATUS_DRQ     0x08
#define STATUS_ERR     0x01
#define CONTROL_NIEN   0x02
#define DEVICE_LBA     0xE0 /* and the two bits that old disks want set */
#define DEVICE_UNIT(n) ((n) << 4)
#define CMD_READ       0x20
#define CMD_READ_EXT   0x24
#define CMD_IDENTIFY   0xEC
#define LBA28_END      0x10000000ul
#define TIMEOUT_MS     5000
#define FLOATING_BUS   0xFF /* nobody drives it: no channel, or no drive */

/* words of IDENTIFY DEVICE's data */
#define ID_MODEL        27
#define ID_MODEL_WORDS  20
#define ID_CAPABILITIES 49
#define ID_HAS_LBA      (1u << 9)
#define ID_SECTORS28    60
#define ID_COMMAND_SETS 83
#define ID_HAS_LBA48    (1u << 10)
#define ID_SECTORS48    100

static struct ide_disk disks[IDE_MAX_DISKS];
static u32 nr_disks;

/* 400 ns, the time until the status is that of the new command or unit: four reads. */
static void settle(const struct ide_disk *d)
{
    for (u32 i = 0; i < 4; i++) {
        in8(d->control);
    }
}

/* Until BSY is clear; the status then, or BSY if it never was. */
static u8 wait_ready(const struct ide_disk *d)
{
    u64 end = uptime_ms() + TIMEOUT_MS;

    do {
        u8 status = in8(d->command + STATUS);
        if (!(status & STATUS_BSY)) {
            return status;
        }
    } while (uptime_ms() < end);
    return STATUS_BSY;
}

static void read_data(const struct ide_disk *d, u16 *to)
{
    for (u32 i = 0; i < IDE_SECTOR_BYTES / 2; i++) {
        to[i] = in16(d->command + DATA);
    }
}

/* The task file of one sector; the EXT form writes each register twice, high byte first. */
static void write_address(const struct ide_disk *d, u64 lba, bool ext)
{
    if (ext) {
        out8(d->command + COUNT, 0);
        out8(d->command + LBA_LOW, (u8)(lba >> 24));
        out8(d->command + LBA_MID, (u8)(lba >> 32));
        out8(d->command + LBA_HIGH, (u8)(lba >> 40));
    }
    out8(d->command + COUNT, 1);
    out8(d->command + LBA_LOW, (u8)lba);
    out8(d->command + LBA_MID, (u8)(lba >> 8));
    out8(d->command + LBA_HIGH, (u8)(lba >> 16));
    out8(d->command + DEVICE,
         (u8)(DEVICE_LBA | DEVICE_UNIT(d->unit) | (ext ? 0 : (lba >> 24 & 15))));
}

static bool identify(struct ide_disk *d)
{
    u16 id[IDE_SECTOR_BYTES / 2];

    out8(d->control, CONTROL_NIEN);
    out8(d->command + DEVICE, (u8)(DEVICE_LBA | DEVICE_UNIT(d->unit)));
    settle(d);
    u8 status = in8(d->command + STATUS);
    if (status == FLOATING_BUS || status == 0) {
        return false;
    }
    if (wait_ready(d) & STATUS_BSY) {
        return false;
    }
    out8(d->command + COMMAND, CMD_IDENTIFY);
    settle(d);
    if (in8(d->command + STATUS) == 0) {
        return false;
    }
    status = wait_ready(d);
    if ((status & (STATUS_BSY | STATUS_ERR)) || !(status & STATUS_DRQ)) {
        return false; /* an ATAPI drive aborts the command */
    }
    read_data(d, id);
    if (!(id[ID_CAPABILITIES] & ID_HAS_LBA)) {
        return false;
    }
    d->has_lba48 = id[ID_COMMAND_SETS] & ID_HAS_LBA48;
    d->nr_sectors = id[ID_SECTORS28] | (u64)id[ID_SECTORS28 + 1] << 16;
    if (d->has_lba48) {
        d->nr_sectors = id[ID_SECTORS48] | (u64)id[ID_SECTORS48 + 1] << 16 |
                        (u64)id[ID_SECTORS48 + 2] << 32 | (u64)id[ID_SECTORS48 + 3] << 48;
    }
    u32 len = 0;
    for (u32 i = 0; i < ID_MODEL_WORDS; i++) { /* two characters a word, the first one high */
        d->model[2 * i] = (char)(id[ID_MODEL + i] >> 8);
        d->model[2 * i + 1] = (char)id[ID_MODEL + i];
    }
    for (u32 i = 0; i < 2 * ID_MODEL_WORDS; i++) {
        if (d->model[i] != ' ') {
            len = i + 1;
        }
    }
    d->model[len] = 0;
    return true;
}

void ide_init(void)
{
    static const struct {
        u16 command, control;
    } channels[] = {{0x1F0, 0x3F6}, {0x170, 0x376}};

    for (u32 i = 0; i < IDE_MAX_DISKS; i++) {
        struct ide_disk d = {
            .command = channels[i / 2].command, .control = channels[i / 2].control, .unit = i % 2};
        if (identify(&d)) {
            disks[nr_disks++] = d;
        }
    }
}

u32 ide_nr_disks(void)
{
    return nr_disks;
}

const struct ide_disk *ide_disk(u32 number)
{
    return number < nr_disks ? &disks[number] : NULL;
}

bool ide_read(const struct ide_disk *d, u64 lba, void *to)
{
    bool ext = lba >= LBA28_END;

    if (lba >= d->nr_sectors) {
        print("sector %lu is beyond the disk's end (%lu sectors)\n", lba, d->nr_sectors);
        return false;
    }
    out8(d->command + DEVICE, (u8)(DEVICE_LBA | DEVICE_UNIT(d->unit)));
    settle(d);
    u8 status = wait_ready(d);
    if (!(status & STATUS_BSY)) {
        write_address(d, lba, ext);
        out8(d->command + COMMAND, ext ? CMD_READ_EXT : CMD_READ);
        settle(d);
        status = wait_ready(d);
    }
    if ((status & (STATUS_BSY | STATUS_DF | STATUS_ERR)) || !(status & STATUS_DRQ)) {
        print("sector %lu: read error, status %02x, error %02x\n", lba, status,
              in8(d->command + ERROR));
        return false;
    }
    read_data(d, to);
    return true;
}
