/*
 * Disk reads through INT 13h: AH=42h where the BIOS has it (EDD), else AH=02h with the geometry of
 * AH=08h. The BIOS reads to a bounce buffer below 1 MiB, which every BIOS can reach.
 */
#include "guestos/boot/loader.h"

#define NR_TRIES 3

/* EDD-3, 7.2.1: disk address packet. */
struct packet {
    uint8_t size, reserved;
    uint16_t nr_sectors, offset, segment;
    uint64_t lba;
};

static struct packet packet BIOS_DATA;

void disk_open(struct disk *disk, uint8_t drive)
{
    struct bios_regs r = {.eax = 0x4100, .ebx = 0x55AA, .edx = drive};

    disk->drive = drive;
    bios_call(0x13, &r);
    disk->has_edd = !(r.flags & EFLAGS_CF) && (r.ebx & 0xFFFF) == 0xAA55 && (r.ecx & 1);
    if (disk->has_edd) {
        return;
    }
    r = (struct bios_regs){.eax = 0x0800, .edx = drive};
    bios_call(0x13, &r);
    disk->nr_track_sectors = r.ecx & 0x3F;
    disk->nr_heads = ((r.edx >> 8) & 0xFF) + 1;
    if ((r.flags & EFLAGS_CF) || disk->nr_track_sectors == 0) {
        fail("drive %xh has neither EDD nor a geometry (status %xh)", drive, (r.eax >> 8) & 0xFF);
    }
}

/* Fills r for one read to the bounce buffer; returns how many sectors it will bring, 0: none. */
static uint32_t prepare(const struct disk *disk, struct bios_regs *r, uint32_t lba,
                        uint32_t nr_sectors)
{
    if (disk->has_edd) {
        packet = (struct packet){.size = sizeof packet,
                                 .nr_sectors = (uint16_t)nr_sectors,
                                 .offset = 0,
                                 .segment = BOUNCE_ADDR >> 4,
                                 .lba = lba};
        *r = (struct bios_regs){
            .eax = 0x4200, .edx = disk->drive, .esi = (uint32_t)(uintptr_t)&packet};
        return nr_sectors;
    }
    uint32_t track = lba / disk->nr_track_sectors;
    uint32_t sector = lba % disk->nr_track_sectors;
    uint32_t head = track % disk->nr_heads;
    uint32_t cylinder = track / disk->nr_heads;
    if (cylinder > 1023) {
        return 0;
    }
    if (nr_sectors > disk->nr_track_sectors - sector) {
        nr_sectors = disk->nr_track_sectors - sector; /* stay on the track */
    }
    *r = (struct bios_regs){.eax = 0x0200 | nr_sectors,
                            .ecx = (cylinder & 0xFF) << 8 | (cylinder >> 8) << 6 | (sector + 1),
                            .edx = head << 8 | disk->drive,
                            .es = BOUNCE_ADDR >> 4};
    return nr_sectors;
}

bool disk_read(const struct disk *disk, uint32_t lba, uint32_t nr_sectors, void *to)
{
    uint8_t *out = to;

    while (nr_sectors) {
        uint32_t done = 0;
        uint8_t status = 0;
        for (uint32_t i = 0; i < NR_TRIES && !done; i++) {
            struct bios_regs r;
            uint32_t n =
                prepare(disk, &r, lba, nr_sectors < BOUNCE_SECTORS ? nr_sectors : BOUNCE_SECTORS);
            if (n == 0) {
                return error("sector %u lies beyond cylinder 1023, and the BIOS has no EDD", lba);
            }
            bios_call(0x13, &r);
            if (!(r.flags & EFLAGS_CF)) {
                done = n;
                break;
            }
            status = (uint8_t)(r.eax >> 8);
            r = (struct bios_regs){.eax = 0, .edx = disk->drive};
            bios_call(0x13, &r);
        }
        if (!done) {
            return error("drive %xh, sector %u: read error %xh", disk->drive, lba, status);
        }
        memcpy(out, (const void *)BOUNCE_ADDR, done * SECTOR_BYTES);
        out += done * SECTOR_BYTES;
        lba += done;
        nr_sectors -= done;
    }
    return true;
}
