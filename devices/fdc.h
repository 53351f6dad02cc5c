/*
 * The floppy disk controller of an AT: an Intel 82077AA (290166) in AT mode, with two drives.
 *
 *     3F2 DOR   3F3 TDR   3F4 MSR, DSR   3F5 FIFO   3F7 DIR, CCR
 *
 * A drive has its medium's format from the image's size: 1.44M, 720K, 2.88M, and some older ones.
 */
#ifndef DEVICES_FDC_H
#define DEVICES_FDC_H

#include "core/backend.h"
#include "devices/i8237.h"

enum { FDC_DRIVES = 2, FDC_UNITS = 4, FDC_FIFO = 16 }; /* units 2 and 3 can be named, and are not there */

struct fdc_cfg {
    struct irq_line irq6;
    struct i8237 *dma;                 /* channel 2 is this controller's */
    struct irq_line dreq;
    struct blockdev *disk[FDC_DRIVES]; /* NULL: no drive */
};

struct fdc_format {
    u32 sectors;             /* of the whole medium */
    u8 cylinders, heads, spt;
    u8 rate;                 /* of CCR */
    u8 cmos;                 /* the drive's type in CMOS cell 10h */
};

struct fdc_drive {
    struct fdc *fdc;
    struct blockdev *disk;
    struct fdc_format format; /* the rest is state */
    struct timer arrives;     /* the end of a seek */
    u8 cylinder;              /* where the heads are */
    u8 target;                /* where they are going */
    u8 changed;               /* DSKCHG */
    u8 seeking, arrived;      /* its busy bit; its end waits for SENSE INTERRUPT STATUS */
    u8 st0;                   /* for that */
};

enum fdc_phase { FDC_COMMAND, FDC_EXECUTION, FDC_RESULT };

struct fdc {
    struct dev dev;
    struct fdc_cfg cfg;
    struct bus_region ports, dir_port;
    struct timer next;        /* a reset ends, a sector has passed under the head */
    struct fdc_drive drive[FDC_UNITS];
    u8 dor, tdr, rate;
    u8 srt_hut, hlt_nd;       /* SPECIFY */
    u8 config, pretrk, locked, perpendicular;
    u8 irq;
    u8 resetting, polls;      /* drives whose ready change is still to be sensed after a reset */
    u8 phase;
    u8 fifo[FDC_FIFO], fifo_pos, fifo_len; /* a command and its parameters, or results */
    /* The command in its execution phase. */
    u8 unit, head;            /* which drive and which side it works on */
    u8 c, h, r, eot;
    u8 count;                 /* sectors still to be formatted or verified */
    u8 st0, st1, st2;
    u8 waiting;               /* for the host's bytes, or for it to take ours */
    u8 terminal;              /* TC has come */
    u16 data_pos, data_len;
    u8 data[SECTOR_SIZE];
};

extern const struct dev_class fdc_class;

/* The format that an image of so many sectors has; its sectors field may be greater when the
 * image is cut short. NULL: larger than any. */
const struct fdc_format *fdc_format_of(u64 nr_sectors);

/* irq_line: the DMA channel is ours, or no longer. */
void fdc_dack(void *fdc, unsigned pin, bool level);

/* ---- between fdc.c, fdc_command.c and fdc_transfer.c ---- */

enum { FDC_ABNORMAL = 0x40, FDC_INVALID = 0x80, FDC_POLLED = 0xc0, FDC_SEEK_END = 0x20, FDC_CHECK = 0x10 };
enum fdc_st1 { ST1_END = 0x80, ST1_DATA = 0x20, ST1_NO_DATA = 4, ST1_WRITE_PROTECT = 2, ST1_NO_MARK = 1 };
enum fdc_st2 { ST2_DATA = 0x20, ST2_CYLINDER = 0x10, ST2_EQUAL = 8, ST2_UNEQUAL = 4 };
enum { FDC_SECTOR_NS = 200000, FDC_STEP_NS = 100000, FDC_SETTLE_NS = 500000 };

void fdc_set_irq(struct fdc *, bool level);
struct fdc_drive *fdc_drive_of(struct fdc *, unsigned unit); /* NULL: no such drive */
unsigned fdc_nr_parameters(u8 command);
void fdc_execute(struct fdc *); /* the whole command is in the FIFO */
void fdc_results(struct fdc *, unsigned n, bool irq);
void fdc_idle(struct fdc *);
void fdc_arrives(void *drive, u64 now_ns);
/* Commands that look for sectors: fdc_transfer.c. */
bool fdc_is_dma(const struct fdc *);
bool fdc_to_host(const struct fdc *);
void fdc_transfer_start(struct fdc *);
void fdc_transfer_next(struct fdc *);  /* the timer's work */
void fdc_transfer_moved(struct fdc *); /* the host has taken or given data_len bytes */

#endif
