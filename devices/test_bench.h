/*
 * A bench for device tests: clock, buses, a megabyte of RAM, a PCI bus, wires that remember what
 * they were driven to. One device or several are put on it; no processor, no board.
 */
#ifndef DEVICES_TEST_BENCH_H
#define DEVICES_TEST_BENCH_H

#include "core/backend.h"
#include "devices/pci.h"

enum { BENCH_RAM = 1 << 20, BENCH_WIRES = 32 };

struct bench {
    struct log log;
    struct trace trace;
    struct clock clk;
    struct bus io, mem;
    struct mem_view view;
    struct dma dma;
    struct dev_env env;
    struct pci_bus pci;
    FILE *quiet;                 /* /dev/null: what the log says */
    bool level[BENCH_WIRES];
    unsigned rises[BENCH_WIRES]; /* edges from low to high */
    unsigned nr_power;           /* power requests */
    enum power_request power;    /* the last one */
    u32 power_code;
    u64 apic_base;               /* what a local APIC has shown its processor */
    u8 cr8;
    unsigned nr_inits;
    u64 tsc_offset;
};

void bench_init(struct bench *);
void bench_fini(struct bench *);

/* Initialises and resets a device on the bench; the test fails when that fails. */
void bench_attach(struct bench *, struct dev *, const struct dev_class *, const void *cfg);

struct irq_line bench_wire(struct bench *, unsigned n);
struct power_switch bench_power(struct bench *);

/* The processor of a local APIC: its TSC is the clock's ticks plus tsc_offset. */
struct apic_cpu bench_cpu(struct bench *);

/* Port accesses. Each takes a microsecond of virtual time, after which timers fire. */
u32 bench_in(struct bench *, u16 port, unsigned size);
void bench_out(struct bench *, u16 port, u32 value, unsigned size);
/* Writes an index, then reads or writes the data register behind it. */
u8 bench_get(struct bench *, u16 index_port, u8 index);
void bench_put(struct bench *, u16 index_port, u8 index, u8 value);

/* Lets virtual time pass, timer by timer. */
void bench_pass(struct bench *, u64 ns);

/* A disk in memory that aborts the test when it is asked for a sector that it does not have. */
struct bench_disk {
    struct blockdev dev;
    u8 *sectors;
    unsigned nr_flushes;
    int fail; /* what transfers return */
};
void bench_disk_init(struct bench_disk *, u64 nr_sectors);
void bench_disk_fini(struct bench_disk *);

#endif
