/*
 * An ATA or ATAPI drive: task file, commands and their data, whatever it is connected by.
 * ATA/ATAPI-6 (T13 1410D); the packet commands of a CD-ROM drive are devices/atapi.c's.
 *
 * Who embeds a drive (devices/ide, devices/ahci) is its link. It fills in cfg, lets the guest at
 * the registers and at buf, and calls ata_start(); the drive answers through struct ata_link.
 * None of those functions may call back into the drive before it has returned, except move.
 */
#ifndef DEVICES_ATA_H
#define DEVICES_ATA_H

#include "core/backend.h"
#include "core/dev.h"

enum { ATA_MAX_MULTIPLE = 16, ATA_CHUNK = 128 }; /* sectors per DRQ block, per backend transfer */
enum { ATA_BUF = ATA_MAX_MULTIPLE * SECTOR_SIZE, ATAPI_PACKET = 12, CD_SECTOR = 2048 };
enum ata_opcode { ATA_DEVICE_RESET = 0x08, ATA_DIAGNOSTIC = 0x90, ATA_PACKET = 0xa0 };
enum ata_status { ATA_ERR = 1, ATA_DRQ = 8, ATA_DSC = 0x10, ATA_DF = 0x20, ATA_DRDY = 0x40, ATA_BSY = 0x80 };
enum ata_error { ATA_AMNF = 1, ATA_ABRT = 4, ATA_IDNF = 0x10, ATA_UNC = 0x40 };
enum { ATA_SELECT_LBA = 0x40 };

struct ata_drive;

struct ata_link {
    /* The drive is busy: call ata_continue() after so long. */
    void (*wait)(struct ata_drive *, u64 ns);
    /* A DRQ block: buf_pos to buf_len of buf is to be read or, if writing, to be filled. Then call
     * ata_block_taken() or ata_block_given(). */
    void (*data)(struct ata_drive *, bool irq);
    /* A DMA command: call ata_dma_run() once ata_dma_ns() have passed and the way is open. */
    void (*dma)(struct ata_drive *);
    /* Part of such a command's data. False: it does not get through; the drive goes on waiting. */
    bool (*move)(struct ata_drive *, u8 *bytes, u32 len, bool to_drive);
    /* The command is over; status and error say how. */
    void (*done)(struct ata_drive *);
};

struct ata_cfg {
    const struct ata_link *link;
    void *owner;            /* the link's */
    struct log *log;
    struct trace *trace;
    const char *name;       /* of the channel or port, for traces */
    struct blockdev *disk;  /* NULL: no drive; of a CD-ROM drive: no medium */
    bool cdrom;
    bool serial;            /* Serial ATA: queued commands, no cable to detect */
    u8 number;              /* in its serial number */
    bool slave;
};

/* What the packet command under way is about to do, and the drive's memory. */
struct atapi {
    u8 packet[ATAPI_PACKET];
    u8 wants_packet;        /* the DRQ block is the command packet */
    u8 dma;                 /* FEATURE bit 0 */
    u8 sense_key, asc, ascq;
    u8 attention;           /* unit attention that is still to be said: its ASC; 0: none */
    u8 tray_open, locked;
    u16 limit;              /* bytes in a DRQ block */
    u32 data_len;           /* valid bytes in buf */
};

struct ata_drive {
    struct ata_cfg cfg;     /* the rest is state */
    u8 error, status;
    u8 feature[2], count[2], lba_low[2], lba_mid[2], lba_high[2]; /* [0] latest, [1] previous */
    u8 select;    /* device/head register */
    u8 command;
    u8 multiple;  /* sectors per block of READ and WRITE MULTIPLE; 0: not set */
    u8 dma_mode;  /* SET FEATURES 03h */
    u16 heads, sectors; /* the translation that INITIALIZE DEVICE PARAMETERS set */
    u64 lba;      /* where the transfer goes on; of a CD in its own sectors */
    u32 left;     /* sectors still to transfer */
    u32 buf_pos, buf_len; /* position in the present DRQ block */
    u8 writing;   /* data goes to the drive */
    u8 queued_error, queued_tag; /* of the queued command that failed: log 10h */
    u64 queued_lba;
    struct atapi atapi;
    u8 buf[ATA_BUF];
};

static inline bool ata_present(const struct ata_drive *d)
{
    return d->cfg.disk || d->cfg.cdrom;
}

void ata_power_on(struct ata_drive *);
/* As after SRST or DEVICE RESET: the signature, nothing under way. */
void ata_reset(struct ata_drive *);
void ata_signature(struct ata_drive *);
/* The drive is there and idle. */
void ata_start(struct ata_drive *, u8 command);
void ata_continue(struct ata_drive *);
void ata_block_taken(struct ata_drive *);
void ata_block_given(struct ata_drive *);
u64 ata_dma_ns(const struct ata_drive *);
bool ata_dma_run(struct ata_drive *); /* false: the link did not let it through */
/* The address that a command means, and whether it and the count lie on the disk. */
u64 ata_lba(const struct ata_drive *, bool ext);
/* Why no drive can be in this state; NULL: it can. under_way: the link will continue it. */
const char *ata_impossible(const struct ata_drive *, bool under_way);

extern const struct state_field ata_drive_fields[];

/* ---- between ata.c, ata_identify.c and atapi.c ---- */

enum { ATA_LATENCY_NS = 50000, ATA_SECTOR_NS = 2000 };

void ata_identify(const struct ata_drive *, u8 buf[SECTOR_SIZE]);
void ata_identify_packet(const struct ata_drive *, u8 buf[SECTOR_SIZE]);
void ata_succeed(struct ata_drive *);
void ata_fail(struct ata_drive *, u8 error);
void ata_wait(struct ata_drive *, u32 nr_sectors);
void atapi_reset(struct ata_drive *, bool power_on);
void atapi_start(struct ata_drive *);         /* PACKET */
void atapi_continue(struct ata_drive *);
void atapi_block_taken(struct ata_drive *);
void atapi_block_given(struct ata_drive *);
bool atapi_dma_run(struct ata_drive *);
u64 atapi_dma_ns(const struct ata_drive *);

extern const struct state_field atapi_fields[];

#endif
