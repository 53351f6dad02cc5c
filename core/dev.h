/*
 * A device: one const class, one state struct whose first member is struct dev, one config.
 *
 * init  wires the device: keeps its config, maps its regions, prepares timers. It may fail with
 *       -1 after writing why into err. It does not reset; the board does, after all are there.
 * reset brings the registers to the data sheet's values; calling it twice changes nothing more.
 * check, after a load into all devices: refuses, with -1 and why in err, a state that no machine
 *       can be in and that the table's limits cannot tell; changes nothing.
 * loaded, after all checks: re-drive lines, re-place BARs. Timers are re-armed by the state table.
 * fini  frees what init allocated. NULL where there is nothing to do.
 */
#ifndef CORE_DEV_H
#define CORE_DEV_H

#include "core/bus.h"
#include "core/clock.h"
#include "core/irq.h"
#include "core/log.h"
#include "core/mem_view.h"
#include "core/state.h"
#include "core/trace.h"
#include "core/types.h"

struct dev;

enum reset_kind {
    RESET_POWER_ON, /* everything, battery-backed memory excepted */
    RESET_HARD,     /* RESET line: as power-on, but memory keeps its content */
};

/* What every device of a machine shares. */
struct dev_env {
    struct bus *io, *mem;
    struct dma *dma;
    struct clock *clk;
    struct log *log;
    struct trace *trace;
};

struct dev_class {
    const char *name;
    int (*init)(struct dev *, const void *cfg, char err[160]);
    void (*reset)(struct dev *, enum reset_kind);
    void (*loaded)(struct dev *);
    void (*fini)(struct dev *);
    const struct state_desc *state;
    int (*check)(const struct dev *, char err[160]);
};

struct dev {
    const struct dev_class *class;
    struct dev_env env;
};

/* Fills in dev, then calls the class's init. */
int dev_init(struct dev *, const struct dev_class *, const struct dev_env *, const void *cfg,
             char err[160]);
void dev_reset(struct dev *, enum reset_kind);
int dev_check(const struct dev *, char err[160]);
void dev_loaded(struct dev *);
void dev_fini(struct dev *);

#endif
