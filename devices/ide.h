/*
 * The PIIX3's IDE function: two channels, up to four disks, PIO and bus-master DMA.
 * ATA/ATAPI-6 (T13 1410D); Intel 290550 and "Programming Interface for Bus Master IDE Controller".
 */
#ifndef DEVICES_IDE_H
#define DEVICES_IDE_H

#include "core/backend.h"
#include "devices/pci.h"

enum { IDE_MAX_MULTIPLE = 16, IDE_CHUNK = 128 }; /* sectors per DRQ block, per backend transfer */

struct ide_cfg {
    struct pci_bus *bus;
    struct irq_line irq14, irq15;
    struct blockdev *disk[4]; /* primary master, primary slave, secondary ... or NULL */
    bool broken;              /* status stays busy */
};

/* One disk's task file: each device keeps its own copy (ATA 6.2, 7). */
struct ide_drive {
    u8 error, status;
    u8 feature[2], count[2], lba_low[2], lba_mid[2], lba_high[2]; /* [0] latest, [1] previous */
    u8 select;    /* device/head register */
    u8 command;
    u8 multiple;  /* sectors per block of READ and WRITE MULTIPLE; 0: not set */
    u8 dma_mode;  /* SET FEATURES 03h */
    u16 heads, sectors; /* the translation that INITIALIZE DEVICE PARAMETERS set */
    u64 lba;      /* where the transfer goes on */
    u32 left;     /* sectors still to transfer */
    u32 buf_pos, buf_len; /* PIO: position in the present DRQ block */
    u8 writing;   /* data goes to the disk */
    u8 irq_pending; /* INTRQ, which shows while the drive is selected and nIEN is 0 */
    u8 buf[IDE_MAX_MULTIPLE * SECTOR_SIZE];
};

struct ide_channel {
    struct ide *ide;
    struct irq_line irq;
    struct bus_region command_block, control_block;
    struct timer done;   /* the command under way completes */
    struct ide_drive drive[2];
    struct blockdev *disk[2];
    u8 selected, control;
    u8 active;           /* the drive whose command is under way: selection cannot change it */
    u8 intrq;            /* level of the line */
    u8 bm_command, bm_status; /* bus-master registers */
    u32 bm_prdt;
    u8 dma_wanted;       /* a DMA command waits for the start bit */
};

struct ide {
    struct dev dev;
    struct ide_cfg cfg;
    struct pci_func func;
    struct bus_region bmiba;
    struct ide_channel ch[2];
};

extern const struct dev_class ide_class;

/* ---- between ide.c, ide_command.c and ide_dma.c ---- */

enum { ATA_DIAGNOSTIC = 0x90 };
enum ide_status { ATA_ERR = 1, ATA_DRQ = 8, ATA_DSC = 0x10, ATA_DF = 0x20, ATA_DRDY = 0x40, ATA_BSY = 0x80 };
enum ide_error { ATA_AMNF = 1, ATA_ABRT = 4, ATA_IDNF = 0x10, ATA_UNC = 0x40 };

static inline struct ide_drive *ide_active(struct ide_channel *ch)
{
    return &ch->drive[ch->active];
}

void ide_raise(struct ide_channel *); /* the active drive asks for attention */
void ide_command_start(struct ide_channel *, u8 command);
void ide_command_done(struct ide_channel *);  /* the timer's work */
void ide_block_read(struct ide_channel *);    /* the guest has read a whole DRQ block */
void ide_block_written(struct ide_channel *); /* the guest has filled a whole DRQ block */
/* Whether the block that is to be written, if one is, belongs to the transfer: of a loaded state. */
bool ide_block_fits(const struct ide_drive *);
void ide_fail(struct ide_channel *, u8 error);
void ide_succeed(struct ide_channel *);
void ide_signature(struct ide_drive *);
/* Whether the bus master may move data now: started, and master of the PCI bus. */
bool ide_dma_started(const struct ide_channel *);
/* Moves the data. False: it did not get through; the drive's command has failed or goes on for ever. */
bool ide_dma_run(struct ide_channel *);
u64 ide_bm_read(void *dev, u64 off, unsigned size);
void ide_bm_write(void *dev, u64 off, u64 v, unsigned size);
/* Starts the fixed virtual latency of a transfer of n sectors. */
void ide_start_latency(struct ide_channel *, u32 nr_sectors);

#endif
