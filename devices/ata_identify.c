/* ATA: what a drive says of itself. ATA/ATAPI-6, tables 27 and 28; SATA 2.6, 13.2. */
#include "devices/ata.h"
#include <stdio.h>

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

static void put_names(const struct ata_drive *d, u8 *b, const char *model)
{
    char serial[21];

    snprintf(serial, sizeof(serial), "KILN%04u", (unsigned)d->cfg.number);
    put_string(b, 10, 10, serial);
    put_string(b, 23, 4, "1.0");
    put_string(b, 27, 20, model);
}

/* Transfer modes, cycle times, versions: of disks and packet drives alike. */
static void put_modes(const struct ata_drive *d, u8 *b)
{
    put_word(b, 53, 7);
    put_word(b, 63, (u16)(0x07 | (d->dma_mode >> 3 == 4 ? 0x100 << (d->dma_mode & 7) : 0)));
    put_word(b, 64, 3); /* PIO 3 and 4 */
    for (unsigned w = 65; w <= 68; w++)
        put_word(b, w, 120);
    if (d->cfg.serial) {
        put_word(b, 76, d->cfg.cdrom ? 0x0006 : 0x0106); /* 1.5 and 3 Gbit/s, queued commands */
        put_word(b, 75, d->cfg.cdrom ? 0 : 31);          /* at most 32 */
    }
    put_word(b, 80, 0x007e); /* ATA-1 to ATA-6 */
    put_word(b, 88, (u16)(0x3f | (d->dma_mode >> 3 == 8 ? 0x100 << (d->dma_mode & 7) : 0)));
    if (!d->cfg.serial)
        put_word(b, 93, d->cfg.slave ? 0x6b00 : 0x600b);
}

void ata_identify(const struct ata_drive *d, u8 b[SECTOR_SIZE])
{
    u64 total = d->cfg.disk->nr_sectors, cylinders = total / (16 * 63), chs;
    u16 log = d->cfg.serial ? 0x20 : 0; /* general purpose logs */

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
    put_names(d, b, "KILN HARDDISK");
    put_word(b, 47, 0x8000 | ATA_MAX_MULTIPLE);
    put_word(b, 49, 0x0f00); /* IORDY, LBA, DMA */
    put_word(b, 50, 0x4000);
    put_word(b, 51, 0x0200);
    put_word(b, 54, (u16)cylinders);
    put_word(b, 55, d->heads);
    put_word(b, 56, d->sectors);
    put_word(b, 57, (u16)chs);
    put_word(b, 58, (u16)(chs >> 16));
    put_word(b, 59, d->multiple ? 0x100 | d->multiple : 0);
    store_le(b + 120, total < 0x0fffffff ? total : 0x0fffffff, 4);
    put_modes(d, b);
    put_word(b, 82, 0x4028); /* NOP, write cache, power management */
    put_word(b, 83, 0x7400); /* FLUSH CACHE (EXT), 48-bit addresses */
    put_word(b, 84, 0x4000 | log);
    put_word(b, 85, 0x4028);
    put_word(b, 86, 0x3400);
    put_word(b, 87, 0x4000 | log);
    store_le(b + 200, total, 8);
}

void ata_identify_packet(const struct ata_drive *d, u8 b[SECTOR_SIZE])
{
    memset(b, 0, SECTOR_SIZE);
    put_word(b, 0, 0x85c0); /* packets of 12 bytes within 50 us, removable, CD-ROM */
    put_names(d, b, "KILN CD-ROM");
    put_word(b, 49, 0x0b00); /* IORDY, LBA, DMA */
    put_word(b, 50, 0x4000);
    put_word(b, 71, 30);
    put_word(b, 72, 30);
    put_modes(d, b);
    put_word(b, 82, 0x4210); /* NOP, DEVICE RESET, PACKET */
    put_word(b, 83, 0x4000);
    put_word(b, 84, 0x4000);
    put_word(b, 85, 0x4210);
    put_word(b, 87, 0x4000);
}
