/*
 * IDE: bus-master DMA. "Programming Interface for Bus Master IDE Controller" 1.0; 290550, 2.6.
 *
 * The table of physical regions is the guest's, so nothing in it is believed: it may lie
 * anywhere, be too short, or never end.
 */
#include "devices/ide.h"

enum { BM_START = 1, BM_TO_MEMORY = 8, ST_ACTIVE = 1, ST_ERROR = 2, ST_IRQ = 4, PRD_EOT = 1u << 31 };

bool ide_dma_started(const struct ide_channel *ch)
{
    return (ch->bm_command & BM_START) && (ch->bm_status & ST_ACTIVE) &&
           (pci_get(&ch->ide->func, PCI_COMMAND, 2) & PCI_COMMAND_MASTER);
}

/* The controller gives up; the drive goes on waiting for it, without an interrupt (290550,
 * table of interrupt and active bits). Software's timeout finds the reason in the status. */
static bool stall(struct ide_channel *ch, u8 status, const char *why)
{
    guest_error(ch->ide->dev.env.log, "ide: DMA: %s", why);
    ch->bm_status = (u8)((ch->bm_status & ~ST_ACTIVE) | status);
    return false;
}

/* Moves len bytes between memory and chunk. */
bool ide_dma_move(struct ata_drive *d, u8 *chunk, u32 len, bool from_memory)
{
    struct ide_channel *ch = d->cfg.owner;
    struct prd_walk *w = &ch->walk;
    struct dma *dma = ch->ide->dev.env.dma;

    for (u32 at = 0, part; at < len; at += part) {
        if (w->room == 0) {
            u8 entry[8];
            u32 count;

            if (w->last)
                return stall(ch, 0, "the table ends before the data does");
            if (dma_read(dma, w->next, entry, sizeof(entry)))
                return stall(ch, ST_ERROR, "the table lies outside of memory");
            w->next += 8;
            w->base = (u32)load_le(entry, 4) & ~1u;
            count = (u32)load_le(entry + 4, 4);
            w->room = count & 0xfffe ? count & 0xfffe : 0x10000;
            w->last = count & PRD_EOT;
        }
        part = len - at < w->room ? len - at : w->room;
        if (from_memory ? dma_read(dma, w->base, chunk + at, part) : dma_write(dma, w->base, chunk + at, part))
            return stall(ch, ST_ERROR, "a region lies outside of memory");
        w->base += part;
        w->room -= part;
    }
    return true;
}

void ide_dma_begin(struct ide_channel *ch)
{
    if (ch->dma_wanted && ide_dma_started(ch) && !timer_armed(&ch->done))
        timer_arm(&ch->done, clock_now(ch->ide->dev.env.clk) + ata_dma_ns(ide_active(ch)));
}

void ide_dma_run(struct ide_channel *ch)
{
    ch->walk = (struct prd_walk){ .next = ch->bm_prdt };
    if (!ata_dma_run(ide_active(ch)))
        return;
    /* Active stays set when the table describes more than was moved (BM-IDE 3.1). */
    if (ch->walk.last && ch->walk.room == 0)
        ch->bm_status &= (u8)~ST_ACTIVE;
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
        ide_dma_begin(ch);
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
