/*
 * A bus: one for ports (64 KiB), one for memory-mapped registers (64-bit addresses).
 *
 * It finds the region, splits or widens accesses to the sizes that a region takes, answers
 * unclaimed accesses with all ones, charges virtual time, counts, and traces each access with
 * the region's name, so that no device repeats that. RAM and ROM are not on it: see
 * core/mem_view.h.
 */
#ifndef CORE_BUS_H
#define CORE_BUS_H

#include "core/types.h"

struct clock;
struct log;
struct trace;

struct bus_ops {
    u64 (*read)(void *dev, u64 off, unsigned size);
    void (*write)(void *dev, u64 off, u64 val, unsigned size);
    u8 sizes; /* sum of the sizes taken: 1 | 2 | 4 | 8. Wider accesses are split, lowest address
                 first; a narrower read takes its bytes from the aligned wider one; a narrower
                 write is a guest error and dropped. */
};

/* Owned by the device that maps it; must outlive its place on the bus. */
struct bus_region {
    u64 base, len;
    const struct bus_ops *ops;
    void *dev;
    const char *name;
    bool on;
    int priority; /* where regions overlap, the highest answers; the later mapped among equals */
    u64 nr_reads, nr_writes;
};

struct bus {
    const char *name;          /* "io" or "mem" */
    u64 size;                  /* addresses are below; 0: all 64 bits */
    u64 charge_ns;             /* of one access, made once whatever the width */
    struct clock *clk;         /* may be NULL: no time passes */
    struct log *log;
    struct trace *trace;
    struct bus_region **regions; /* by priority, then base; only those that are on answer */
    u32 nr_regions, cap_regions;
    struct bus_found {
        u64 addr;
        struct bus_region *region; /* NULL: empty */
    } found[64];               /* where accesses went last; emptied when a region comes, moves or goes */
    u64 nr_accesses;           /* all, so that an engine can see that a device was reached */
    u64 nr_unclaimed;
    u64 unclaimed[16];         /* the first distinct unclaimed addresses, for --stats */
    u8 nr_unclaimed_kept;
    i64 watch;                 /* an address whose access calls watch_hit; negative: none */
    void (*watch_hit)(void *sink);
    void *watch_sink;
};

void bus_init(struct bus *, const char *name, u64 size, u64 charge_ns, struct clock *, struct log *,
              struct trace *);
void bus_fini(struct bus *);

/* Puts a region on the bus. Fails (-1) when it does not fit below size or len is 0. */
int bus_map(struct bus *, struct bus_region *);
void bus_unmap(struct bus *, struct bus_region *);

/* Moves a mapped region and switches it on or off: PCI BARs. A place that does not fit
 * switches it off. */
void bus_move(struct bus *, struct bus_region *, u64 new_base, bool on);

/* size is 1, 2, 4 or 8; any alignment; an access may span regions. */
u64 bus_read(struct bus *, u64 addr, unsigned size);
void bus_write(struct bus *, u64 addr, u64 val, unsigned size);

#endif
