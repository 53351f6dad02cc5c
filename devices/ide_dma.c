/*
 * IDE: bus-master DMA. "Programming Interface for Bus Master IDE Controller" 1.0; 290550, 2.6.
 *
 * The table of physical regions is the guest's, so nothing in it is believed: it may lie
 * anywhere, be too short, or never end.
 */
#include "devices/ide.h"

enum { BM_START = 1, BM_TO_MEMORY = 8, ST_ACTIVE = 1, ST_ERROR = 2, ST_IRQ = 4, PRD_EOT = 1u << 31 };

static void dma_error(struct ide_channel *ch, const char *why)
{
    guest_error(ch->ide->dev.env.log, "ide: DMA: %s", why);
    ch->bm_status |= ST_ERROR;
}

/* Moves the whole command's data. The table is walked once, in pieces of the backend's size. */
bool ide_dma_run(struct ide_channel *ch)
{
    struct ide_drive *d = &ch->drive[ch->selected];
    struct blockdev *disk = ch->disk[ch->selected];
    struct dma *dma = ch->ide->dev.env.dma;
    u8 chunk[IDE_CHUNK * SECTOR_SIZE];
    u32 prd = ch->bm_prdt, room = 0, base = 0;
    bool last = false;

    while (d->left) {
        u32 n = d->left < IDE_CHUNK ? d->left : IDE_CHUNK, bytes = n * SECTOR_SIZE;

        if (!d->writing && disk->read(disk->h, d->lba, n, chunk)) {
            ide_fail(ch, ATA_UNC);
            return false;
        }
        for (u32 at = 0; at < bytes;) {
            u32 part;

            if (room == 0) {
                u8 entry[8];
                u32 count;

                if (last) {
                    dma_error(ch, "the table ends before the data does");
                    ide_fail(ch, ATA_ABRT);
                    return false;
                }
                if (dma_read(dma, prd, entry, sizeof(entry))) {
                    dma_error(ch, "the table lies outside of memory");
                    ide_fail(ch, ATA_ABRT);
                    return false;
                }
                prd += 8;
                base = (u32)load_le(entry, 4) & ~1u;
                count = (u32)load_le(entry + 4, 4);
                room = count & 0xfffe ? count & 0xfffe : 0x10000;
                last = count & PRD_EOT;
            }
            part = bytes - at < room ? bytes - at : room;
            if (d->writing ? dma_read(dma, base, chunk + at, part) : dma_write(dma, base, chunk + at, part))
                dma_error(ch, "a region lies outside of memory");
            at += part;
            base += part;
            room -= part;
        }
        if (d->writing && (disk->readonly || disk->write(disk->h, d->lba, n, chunk))) {
            ide_fail(ch, ATA_ABRT);
            return false;
        }
        d->lba += n;
        d->left -= n;
    }
    /* Active stays set when the table describes more than was moved (BM-IDE 3.1). */
    if (last && room == 0)
        ch->bm_status &= (u8)~ST_ACTIVE;
    return true;
}

/* Per channel: command, -, status, -, table address. */
u64 ide_bm_read(void *dev, u64 off, unsigned size)
{
    struct ide *ide = dev;
    const struct ide_channel *ch = &ide->ch[off >> 3];
    u8 regs[8] = { ch->bm_command, 0xff, ch->bm_status, 0xff };

    store_le(regs + 4, ch->bm_prdt, 4);
    return (off & 7) + size <= 8 ? load_le(regs + (off & 7), size) : size_mask(size);
}

static void write_command(struct ide_channel *ch, u8 v)
{
    bool start = (v & BM_START) && !(ch->bm_command & BM_START);

    ch->bm_command = v & (BM_START | BM_TO_MEMORY);
    if (start) {
        ch->bm_status |= ST_ACTIVE;
        if (ch->dma_wanted)
            ide_start_latency(ch, ch->drive[ch->selected].left);
    } else if (!(v & BM_START)) {
        ch->bm_status &= (u8)~ST_ACTIVE; /* stopping discards what has not been moved */
    }
}

void ide_bm_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct ide *ide = dev;
    struct ide_channel *ch = &ide->ch[off >> 3];

    for (unsigned i = 0; i < size && (off & 7) + i < 8; i++) {
        u8 byte = (u8)(v >> (8 * i));
        unsigned reg = (off & 7) + i;

        if (reg == 0)
            write_command(ch, byte);
        else if (reg == 2)
            ch->bm_status = (u8)((ch->bm_status & ST_ACTIVE) | (byte & 0x60) |
                                 (ch->bm_status & ~byte & (ST_ERROR | ST_IRQ)));
        else if (reg >= 4) {
            unsigned shift = 8 * (reg - 4);
            ch->bm_prdt = (ch->bm_prdt & ~(0xffu << shift)) | (u32)byte << shift;
            ch->bm_prdt &= ~3u;
        }
    }
}
