/*
 * The floppy disk controller: its commands but for those that look for sectors (fdc_transfer.c).
 * 82077AA data sheet (290166), 5.
 */
#include "devices/fdc.h"

enum { LAST_CYLINDER = 83, RECALIBRATE_STEPS = 79 };

static void drive_seeks(struct fdc *);
static void recalibrate(struct fdc *);
static void relative_seek(struct fdc *);
static void sense_interrupt(struct fdc *);
static void sense_drive(struct fdc *);
static void specify(struct fdc *);
static void configure(struct fdc *);
static void dump_registers(struct fdc *);
static void version(struct fdc *);
static void perpendicular(struct fdc *);
static void lock(struct fdc *);
static void invalid(struct fdc *);

/* Table 5-1: MT, MFM, SK and the like are the bits that a mask leaves out. */
static const struct command {
    u8 mask, opcode, parameters;
    void (*execute)(struct fdc *);
} commands[] = {
    { 0x9f, 0x02, 8, fdc_transfer_start }, /* READ TRACK */
    { 0xff, 0x03, 2, specify },
    { 0xff, 0x04, 1, sense_drive },
    { 0x3f, 0x05, 8, fdc_transfer_start }, /* WRITE DATA */
    { 0x1f, 0x06, 8, fdc_transfer_start }, /* READ DATA */
    { 0xff, 0x07, 1, recalibrate },
    { 0xff, 0x08, 0, sense_interrupt },
    { 0x3f, 0x09, 8, fdc_transfer_start }, /* WRITE DELETED DATA */
    { 0xbf, 0x0a, 1, fdc_transfer_start }, /* READ ID */
    { 0x1f, 0x0c, 8, fdc_transfer_start }, /* READ DELETED DATA */
    { 0xbf, 0x0d, 5, fdc_transfer_start }, /* FORMAT TRACK */
    { 0xff, 0x0e, 0, dump_registers },
    { 0xff, 0x0f, 2, drive_seeks },
    { 0xff, 0x10, 0, version },
    { 0x1f, 0x11, 8, fdc_transfer_start }, /* SCAN EQUAL */
    { 0xff, 0x12, 1, perpendicular },
    { 0xff, 0x13, 3, configure },
    { 0x7f, 0x14, 0, lock },
    { 0x1f, 0x16, 8, fdc_transfer_start }, /* VERIFY */
    { 0x1f, 0x19, 8, fdc_transfer_start }, /* SCAN LOW OR EQUAL */
    { 0x1f, 0x1d, 8, fdc_transfer_start }, /* SCAN HIGH OR EQUAL */
    { 0xbf, 0x8f, 2, relative_seek },
};

static const struct command *find(u8 opcode)
{
    static const struct command none = { 0, 0, 0, invalid };

    for (unsigned i = 0; i < ARRAY_LEN(commands); i++)
        if ((opcode & commands[i].mask) == commands[i].opcode)
            return &commands[i];
    return &none;
}

unsigned fdc_nr_parameters(u8 opcode)
{
    return find(opcode)->parameters;
}

void fdc_execute(struct fdc *f)
{
    TRACE(f->dev.env.trace, fdc_command, "fdc", (u64)f->fifo[0], (u64)f->fifo[1], (u64)f->fifo[2],
          (u64)f->fifo[3], (u64)f->fifo[4]);
    find(f->fifo[0])->execute(f);
}

static void result(struct fdc *f, u8 v)
{
    f->fifo[0] = v;
    fdc_results(f, 1, false);
}

static void invalid(struct fdc *f)
{
    guest_error(f->dev.env.log, "fdc: command %02x is none of an 82077AA's", f->fifo[0]);
    result(f, FDC_INVALID);
}

/* ---- seeks: over when the drive arrives, which an interrupt says ---- */

static void start_seek(struct fdc *f, unsigned unit, unsigned target, u8 st0)
{
    struct fdc_drive *d = &f->drive[unit];
    unsigned steps = target > d->cylinder ? target - d->cylinder : d->cylinder - target;

    d->target = (u8)target;
    d->st0 = (u8)(st0 | unit);
    d->seeking = 1;
    d->arrived = 0;
    timer_arm(&d->arrives, clock_now(f->dev.env.clk) + FDC_SETTLE_NS + (u64)steps * FDC_STEP_NS);
    fdc_idle(f);
}

void fdc_arrives(void *drive, u64 now_ns)
{
    struct fdc_drive *d = drive;

    (void)now_ns;
    if (d->disk) {
        if (d->cylinder != d->target)
            d->changed = 0; /* a step with a medium in the drive */
        d->cylinder = d->target;
    }
    d->seeking = 0;
    d->arrived = 1;
    fdc_set_irq(d->fdc, true);
}

static void drive_seeks(struct fdc *f)
{
    unsigned unit = f->fifo[1] & 3, c = f->fifo[2];

    start_seek(f, unit, c > LAST_CYLINDER ? LAST_CYLINDER : c, (u8)(FDC_SEEK_END | (f->fifo[1] & 4)));
}

static void relative_seek(struct fdc *f)
{
    unsigned unit = f->fifo[1] & 3;
    int to = f->drive[unit].cylinder + (f->fifo[0] & 0x40 ? f->fifo[2] : -(int)f->fifo[2]);

    to = to < 0 ? 0 : to > LAST_CYLINDER ? LAST_CYLINDER : to;
    start_seek(f, unit, (unsigned)to, (u8)(FDC_SEEK_END | (f->fifo[1] & 4)));
}

/* At most 79 steps outwards; a drive that is not there never says that it is at track 0. */
static void recalibrate(struct fdc *f)
{
    unsigned unit = f->fifo[1] & 3;
    const struct fdc_drive *d = fdc_drive_of(f, unit);

    if (!d)
        start_seek(f, unit, 0, FDC_SEEK_END | FDC_ABNORMAL | FDC_CHECK);
    else if (d->cylinder > RECALIBRATE_STEPS)
        start_seek(f, unit, d->cylinder - RECALIBRATE_STEPS, FDC_SEEK_END | FDC_ABNORMAL | FDC_CHECK);
    else
        start_seek(f, unit, 0, FDC_SEEK_END);
}

static void sense_interrupt(struct fdc *f)
{
    unsigned unit;

    if (f->polls) { /* after a reset: each drive's ready line has changed */
        unit = 4u - f->polls--;
        f->fifo[0] = (u8)(FDC_POLLED | unit);
    } else {
        for (unit = 0; unit < FDC_UNITS && !f->drive[unit].arrived; unit++)
            ;
        if (unit == FDC_UNITS) {
            result(f, FDC_INVALID);
            return;
        }
        f->drive[unit].arrived = 0;
        f->fifo[0] = f->drive[unit].st0;
    }
    f->fifo[1] = f->drive[unit].cylinder;
    fdc_results(f, 2, false);
    fdc_set_irq(f, false);
}

/* ---- modes and questions ---- */

static void sense_drive(struct fdc *f)
{
    const struct fdc_drive *d = fdc_drive_of(f, f->fifo[1] & 3);
    u8 st3 = 0x28 | (f->fifo[1] & 7); /* ready and two-sided are always said */

    if (d && d->cylinder == 0)
        st3 |= 0x10;
    if (d && d->disk->readonly)
        st3 |= 0x40;
    result(f, st3);
}

static void specify(struct fdc *f)
{
    f->srt_hut = f->fifo[1];
    f->hlt_nd = f->fifo[2];
    fdc_idle(f);
}

static void configure(struct fdc *f)
{
    f->config = f->fifo[2];
    f->pretrk = f->fifo[3];
    fdc_idle(f);
}

static void dump_registers(struct fdc *f)
{
    for (unsigned i = 0; i < FDC_UNITS; i++)
        f->fifo[i] = f->drive[i].cylinder;
    f->fifo[4] = f->srt_hut;
    f->fifo[5] = f->hlt_nd;
    f->fifo[6] = f->eot;
    f->fifo[7] = (u8)(f->locked << 7 | (f->perpendicular & 0x3f));
    f->fifo[8] = f->config & 0x7f;
    f->fifo[9] = f->pretrk;
    fdc_results(f, 10, false);
}

static void version(struct fdc *f)
{
    result(f, 0x90);
}

static void perpendicular(struct fdc *f)
{
    u8 v = f->fifo[1];

    /* OW: only then are the drives' bits written. */
    f->perpendicular = v & 0x80 ? v & 0x3f : (u8)((f->perpendicular & 0x3c) | (v & 3));
    fdc_idle(f);
}

static void lock(struct fdc *f)
{
    f->locked = f->fifo[0] >> 7;
    result(f, (u8)(f->locked << 4));
}
