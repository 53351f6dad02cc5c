/*
 * The floppy disk controller: registers, reset, phases, interrupts. See devices/fdc.h; 82077AA data
 * sheet (290166), 2 and 4. Commands are in fdc_command.c, transfers in fdc_transfer.c.
 *
 * DEVIATION: the motor, head load and write precompensation do not matter; times are fixed and
 * short; without DMA a sector's bytes are ready at once after one interrupt, whatever the FIFO's
 * threshold says.
 */
#include "devices/fdc.h"

enum port { DOR = 0, TDR = 1, MSR_DSR = 2, FIFO = 3 }; /* from 3F2h */
enum { DOR_SELECT = 3, DOR_RUN = 4, DOR_DMA = 8 };
enum { MSR_RQM = 0x80, MSR_DIO = 0x40, MSR_NON_DMA = 0x20, MSR_BUSY = 0x10 };
enum { DSR_RESET = 0x80, CONFIG_POLL_OFF = 0x10, CONFIG_DEFAULT = 0x20, RESET_NS = 20000 };

void fdc_set_irq(struct fdc *f, bool level)
{
    f->irq = level;
    irq_set(&f->cfg.irq6, level && (f->dor & DOR_DMA));
}

struct fdc_drive *fdc_drive_of(struct fdc *f, unsigned unit)
{
    return f->drive[unit].disk ? &f->drive[unit] : NULL;
}

/* ---- media ---- */

/* By size, smaller ones first; a truncated image is the 1.44M or 2.88M one that holds it. */
static const struct fdc_format formats[] = {
    { 720, 40, 2, 9, 1, 2 },   { 1440, 80, 2, 9, 2, 4 },  { 2400, 80, 2, 15, 0, 2 },
    { 2880, 80, 2, 18, 0, 4 }, { 3360, 80, 2, 21, 0, 4 }, { 5760, 80, 2, 36, 3, 5 },
};

const struct fdc_format *fdc_format_of(u64 n)
{
    for (unsigned i = 0; i < ARRAY_LEN(formats); i++)
        if (formats[i].sectors == n)
            return &formats[i];
    return n < 2880 ? &formats[3] : n < 5760 ? &formats[5] : NULL;
}

/* ---- phases ---- */

void fdc_idle(struct fdc *f)
{
    f->phase = FDC_COMMAND;
    f->fifo_pos = f->fifo_len = 0;
    f->waiting = 0;
}

void fdc_results(struct fdc *f, unsigned n, bool irq)
{
    f->phase = FDC_RESULT;
    f->fifo_pos = 0;
    f->fifo_len = (u8)n;
    f->waiting = 0;
    irq_set(&f->cfg.dreq, false);
    if (irq)
        fdc_set_irq(f, true);
}

static u8 read_msr(const struct fdc *f)
{
    u8 v = 0;

    if (!(f->dor & DOR_RUN) || f->resetting)
        return 0;
    for (unsigned i = 0; i < FDC_UNITS; i++)
        v |= (u8)((f->drive[i].seeking || f->drive[i].arrived) << i);
    switch (f->phase) {
    case FDC_COMMAND: return (u8)(v | MSR_RQM | (f->fifo_pos ? MSR_BUSY : 0));
    case FDC_RESULT: return v | MSR_RQM | MSR_DIO | MSR_BUSY;
    default:
        v |= MSR_BUSY;
        if (!fdc_is_dma(f))
            v |= (u8)(MSR_NON_DMA | (f->waiting ? MSR_RQM : 0) | (fdc_to_host(f) ? MSR_DIO : 0));
        return v;
    }
}

/* ---- reset ---- */

/* What both kinds of reset do; LOCK keeps the configuration through a software reset. */
static void reset_core(struct fdc *f, bool hard)
{
    timer_cancel(&f->next);
    for (unsigned i = 0; i < FDC_UNITS; i++) {
        struct fdc_drive *d = &f->drive[i];

        timer_cancel(&d->arrives);
        d->seeking = d->arrived = d->st0 = d->target = 0;
    }
    if (hard || !f->locked) {
        f->config = CONFIG_DEFAULT; /* FIFO off, polling on */
        f->pretrk = 0;
    }
    if (hard)
        f->locked = 0;
    f->perpendicular &= 0x3c; /* WGATE and GAP only: 5.2.9 */
    f->resetting = f->polls = 0;
    f->c = f->h = f->r = f->eot = f->unit = f->head = f->count = 0;
    f->st0 = f->st1 = f->st2 = f->terminal = 0;
    f->data_pos = f->data_len = 0;
    memset(f->fifo, 0, sizeof(f->fifo));
    memset(f->data, 0, sizeof(f->data));
    fdc_idle(f);
    irq_set(&f->cfg.dreq, false);
    fdc_set_irq(f, false);
}

/* Reset has ended: it takes a moment until drives are polled. */
static void leave_reset(struct fdc *f)
{
    f->resetting = 1;
    timer_arm(&f->next, clock_now(f->dev.env.clk) + RESET_NS);
}

static void poll_drives(struct fdc *f)
{
    f->resetting = 0;
    if (f->config & CONFIG_POLL_OFF)
        return;
    f->polls = 4;
    fdc_set_irq(f, true);
}

static void next(void *dev, u64 now_ns)
{
    struct fdc *f = dev;

    (void)now_ns;
    if (f->resetting)
        poll_drives(f);
    else if (f->phase == FDC_EXECUTION)
        fdc_transfer_next(f);
}

/* ---- ports ---- */

static void write_dor(struct fdc *f, u8 v)
{
    u8 was = f->dor;

    f->dor = v;
    if (!(v & DOR_RUN)) {
        if (was & DOR_RUN)
            reset_core(f, false);
    } else if (!(was & DOR_RUN)) {
        leave_reset(f);
    }
    fdc_set_irq(f, f->irq); /* the gate may have changed */
}

static void write_dsr(struct fdc *f, u8 v)
{
    f->rate = v & 3;
    if (!(v & DSR_RESET) || !(f->dor & DOR_RUN))
        return;
    reset_core(f, false);
    leave_reset(f);
}

static u8 read_fifo(struct fdc *f)
{
    u8 v;

    if (!(f->dor & DOR_RUN) || f->resetting)
        return 0;
    if (f->phase == FDC_EXECUTION) {
        if (fdc_is_dma(f) || !f->waiting || !fdc_to_host(f) || f->data_pos >= f->data_len)
            return 0;
        fdc_set_irq(f, false);
        v = f->data[f->data_pos++];
        if (f->data_pos == f->data_len)
            fdc_transfer_moved(f);
        return v;
    }
    if (f->phase != FDC_RESULT)
        return 0;
    fdc_set_irq(f, false);
    v = f->fifo[f->fifo_pos++];
    if (f->fifo_pos < f->fifo_len)
        return v;
    fdc_idle(f);
    for (unsigned i = 0; i < FDC_UNITS; i++)
        if (f->drive[i].arrived) /* a seek's end is still to be sensed */
            fdc_set_irq(f, true);
    return v;
}

static void write_fifo(struct fdc *f, u8 v)
{
    if (!(f->dor & DOR_RUN) || f->resetting)
        return;
    if (f->phase == FDC_EXECUTION) {
        if (fdc_is_dma(f) || !f->waiting || fdc_to_host(f) || f->data_pos >= f->data_len)
            return;
        fdc_set_irq(f, false);
        f->data[f->data_pos++] = v;
        if (f->data_pos == f->data_len)
            fdc_transfer_moved(f);
        return;
    }
    if (f->phase != FDC_COMMAND) {
        guest_error(f->dev.env.log, "fdc: a byte is written while results wait");
        return;
    }
    f->fifo[f->fifo_pos++] = v;
    if (f->fifo_pos > fdc_nr_parameters(f->fifo[0]))
        fdc_execute(f);
}

static u64 ports_read(void *dev, u64 off, unsigned size)
{
    struct fdc *f = dev;

    (void)size;
    switch (off) {
    case DOR: return f->dor;
    case TDR: return f->tdr | 0xfc;
    case MSR_DSR: return read_msr(f);
    default: return read_fifo(f);
    }
}

static void ports_write(void *dev, u64 off, u64 val, unsigned size)
{
    struct fdc *f = dev;
    u8 v = (u8)val;

    (void)size;
    switch (off) {
    case DOR: write_dor(f, v); break;
    case TDR: f->tdr = v & 3; break;
    case MSR_DSR: write_dsr(f, v); break;
    default: write_fifo(f, v); break;
    }
}

static u64 dir_read(void *dev, u64 off, unsigned size)
{
    struct fdc *f = dev;
    const struct fdc_drive *d = fdc_drive_of(f, f->dor & DOR_SELECT);

    (void)off;
    (void)size;
    return !d || d->changed ? 0x80 : 0;
}

static void ccr_write(void *dev, u64 off, u64 v, unsigned size)
{
    (void)off;
    (void)size;
    ((struct fdc *)dev)->rate = v & 3;
}

void fdc_dack(void *sink, unsigned pin, bool level)
{
    struct fdc *f = sink;

    (void)pin;
    if (level && f->phase == FDC_EXECUTION && f->waiting && !timer_armed(&f->next))
        timer_arm(&f->next, clock_now(f->dev.env.clk)); /* not within who opened the channel */
}

/* ---- the class ---- */

static int fdc_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops ports = { ports_read, ports_write, 1 }, dir = { dir_read, ccr_write, 1 };
    struct fdc *f = CONTAINER_OF(dev, struct fdc, dev);

    f->cfg = *(const struct fdc_cfg *)cfg;
    timer_init(&f->next, dev->env.clk, next, f);
    for (unsigned i = 0; i < FDC_UNITS; i++) {
        struct fdc_drive *d = &f->drive[i];

        d->fdc = f;
        timer_init(&d->arrives, dev->env.clk, fdc_arrives, d);
        d->disk = i < FDC_DRIVES ? f->cfg.disk[i] : NULL;
        if (!d->disk)
            continue;
        if (!fdc_format_of(d->disk->nr_sectors)) {
            snprintf(err, 160, "the image in floppy drive %c has %llu sectors; a floppy has at most 5760 (2.88 MB); "
                               "is it a hard disk's, for -hda?", 'A' + (int)i, (unsigned long long)d->disk->nr_sectors);
            return -1;
        }
        d->format = *fdc_format_of(d->disk->nr_sectors);
    }
    f->ports = (struct bus_region){ .base = 0x3f2, .len = 4, .ops = &ports, .dev = f, .name = "fdc" };
    f->dir_port = (struct bus_region){ .base = 0x3f7, .len = 1, .ops = &dir, .dev = f, .name = "fdc rate" };
    return bus_map(dev->env.io, &f->ports) | bus_map(dev->env.io, &f->dir_port);
}

static void fdc_reset(struct dev *dev, enum reset_kind kind)
{
    struct fdc *f = CONTAINER_OF(dev, struct fdc, dev);

    (void)kind;
    f->dor = f->tdr = f->srt_hut = f->hlt_nd = f->perpendicular = 0;
    f->rate = 2; /* 250 kbit/s */
    for (unsigned i = 0; i < FDC_UNITS; i++) {
        f->drive[i].cylinder = 0;
        f->drive[i].changed = 1;
    }
    reset_core(f, true);
}

static void fdc_loaded(struct dev *dev)
{
    struct fdc *f = CONTAINER_OF(dev, struct fdc, dev);

    fdc_set_irq(f, f->irq); /* the request for DMA is in the 8237's state */
}

static int fdc_check(const struct dev *dev, char err[160])
{
    const struct fdc *f = CONTAINER_OF(dev, struct fdc, dev);
    const char *why = NULL;

    if (f->fifo_pos > f->fifo_len && f->phase == FDC_RESULT)
        why = "more results are taken than there are";
    else if (f->phase == FDC_COMMAND && f->fifo_pos > fdc_nr_parameters(f->fifo[0]))
        why = "a command is longer than it can be";
    else if (f->data_pos > f->data_len)
        why = "a transfer is beyond its sector";
    if (why)
        snprintf(err, 160, "fdc: %s", why);
    return why ? -1 : 0;
}

static void fdc_fini(struct dev *dev)
{
    struct fdc *f = CONTAINER_OF(dev, struct fdc, dev);

    timer_cancel(&f->next);
    for (unsigned i = 0; i < FDC_UNITS; i++)
        timer_cancel(&f->drive[i].arrives);
}

#define D(field) STATE(struct fdc_drive, field)
#define F(field) STATE(struct fdc, field)
static const struct state_field drive_fields[] = {
    STATE_TIMER(struct fdc_drive, arrives), D(cylinder), D(target),
    STATE_UPTO(struct fdc_drive, changed, 1), STATE_UPTO(struct fdc_drive, seeking, 1),
    STATE_UPTO(struct fdc_drive, arrived, 1), D(st0), STATE_END,
};
static const struct state_field fdc_fields[] = {
    STATE_TIMER(struct fdc, next), STATE_STRUCTS(struct fdc, drive, drive_fields),
    F(dor), STATE_UPTO(struct fdc, tdr, 3), STATE_UPTO(struct fdc, rate, 3), F(srt_hut), F(hlt_nd),
    F(config), F(pretrk), STATE_UPTO(struct fdc, locked, 1), F(perpendicular), STATE_UPTO(struct fdc, irq, 1),
    STATE_UPTO(struct fdc, resetting, 1), STATE_UPTO(struct fdc, polls, 4),
    STATE_UPTO(struct fdc, phase, FDC_RESULT), STATE_BYTES(struct fdc, fifo),
    STATE_UPTO(struct fdc, fifo_pos, FDC_FIFO - 1), STATE_UPTO(struct fdc, fifo_len, FDC_FIFO),
    STATE_UPTO(struct fdc, unit, 3), STATE_UPTO(struct fdc, head, 1), F(c), F(h), F(r), F(eot),
    F(count), F(st0), F(st1), F(st2), STATE_UPTO(struct fdc, waiting, 1), STATE_UPTO(struct fdc, terminal, 1),
    STATE_UPTO(struct fdc, data_pos, SECTOR_SIZE), STATE_UPTO(struct fdc, data_len, SECTOR_SIZE),
    STATE_BYTES(struct fdc, data), STATE_END,
};
static const struct state_desc fdc_state = { "fdc", 1, fdc_fields };
const struct dev_class fdc_class = { "fdc", fdc_init, fdc_reset, fdc_loaded, fdc_fini, &fdc_state, fdc_check };
