/*
 * The PIIX3's IDE function: two channels, up to four drives (devices/ata), PIO and bus-master DMA.
 * ATA/ATAPI-6 (T13 1410D); Intel 290550 and "Programming Interface for Bus Master IDE Controller".
 */
#ifndef DEVICES_IDE_H
#define DEVICES_IDE_H

#include "devices/ata.h"
#include "devices/pci.h"

struct ide_cfg {
    struct pci_bus *bus;
    struct irq_line irq14, irq15;
    struct blockdev *disk[4]; /* primary master, primary slave, secondary ... or NULL */
    bool cdrom[4];            /* a CD-ROM drive, whose medium, if any, is disk */
    bool broken;              /* status stays busy */
};

/* A walk through the table of physical regions. */
struct prd_walk {
    u32 next, base, room;
    bool last;
};

struct ide_channel {
    struct ide *ide;
    struct irq_line irq;
    struct bus_region command_block, control_block;
    struct timer done;   /* the command under way completes */
    struct ata_drive drive[2];
    u8 irq_pending[2];   /* INTRQ of each, which shows while it is selected and nIEN is 0 */
    u8 selected, control;
    u8 active;           /* the drive whose command is under way: selection cannot change it */
    u8 intrq;            /* level of the line */
    u8 bm_command, bm_status; /* bus-master registers */
    u32 bm_prdt;
    u8 dma_wanted;       /* a DMA command waits for the start bit */
    struct prd_walk walk; /* of the transfer that is being done: no state */
};

struct ide {
    struct dev dev;
    struct ide_cfg cfg;
    struct pci_func func;
    struct bus_region bmiba;
    struct ide_channel ch[2];
};

extern const struct dev_class ide_class;

/* ---- between ide.c and ide_dma.c ---- */

static inline struct ata_drive *ide_active(struct ide_channel *ch)
{
    return &ch->drive[ch->active];
}

/* Whether the bus master may move data now: started, and master of the PCI bus. */
bool ide_dma_started(const struct ide_channel *);
/* The bus master was started, or may be master now: what waits for it begins. */
void ide_dma_begin(struct ide_channel *);
void ide_dma_run(struct ide_channel *);
bool ide_dma_move(struct ata_drive *, u8 *bytes, u32 len, bool to_drive);
u64 ide_bm_read(void *dev, u64 off, unsigned size);
void ide_bm_write(void *dev, u64 off, u64 v, unsigned size);

#endif
