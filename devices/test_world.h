/*
 * Worlds for tests that hold every device to the same promises: a bench with one device on it, or
 * with a board of all of them, and random steps in it.
 *
 * A step is a port, memory or configuration access with a value that is random or likely to mean
 * something, what a driver does, an input from outside, memory filled with what a descriptor may
 * look like, or time. Its decisions are drawn from a generator, or from bytes that a fuzzer made.
 */
#ifndef DEVICES_TEST_WORLD_H
#define DEVICES_TEST_WORLD_H

#include "devices/ahci.h"
#include "devices/debug_ports.h"
#include "devices/fdc.h"
#include "devices/fw_cfg.h"
#include "devices/hpet.h"
#include "devices/i440fx.h"
#include "devices/i8042.h"
#include "devices/i8237.h"
#include "devices/ide.h"
#include "devices/ioapic.h"
#include "devices/lapic.h"
#include "devices/pic.h"
#include "devices/piix3.h"
#include "devices/piix4_pm.h"
#include "devices/pit.h"
#include "devices/rtc.h"
#include "devices/test_bench.h"
#include "devices/test_devices.h"
#include "devices/uart.h"
#include "devices/vga.h"

enum { WORLD_MAX_DEVS = 24, WORLD_DISK_SECTORS = 300 };

struct world {
    struct bench b;
    struct bench_disk disk[2];
    struct apic_bus apic_bus;
    struct lapic lapic;
    struct ioapic ioapic;
    struct hpet hpet;
    struct pic_pair pic;
    struct pit pit;
    struct rtc rtc;
    struct i8042 kbc;
    struct uart uart;
    struct i440fx host;
    struct piix3 isa;
    struct piix4_pm pm;
    struct ide ide;
    struct ahci ahci;
    struct i8237 dma;
    struct fdc fdc;
    struct vga vga;
    struct fw_cfg fw_cfg;
    struct debugcon debugcon;
    struct exit_port exit_port;
    struct post_port post;
    struct pc_testdev pc_testdev;
    struct pci_testdev pci_testdev;
    struct dev *devs[WORLD_MAX_DEVS];
    unsigned nr_devs;
    struct pci_bus *pci;
    bool with_pic; /* interrupts go to it, and not to the bench */
    u64 digest;    /* of everything that was read */
};

struct world_row {
    const char *name;
    void (*make)(struct world *);
    bool keeps; /* something over power-off: a battery's, or the level of its inputs */
    bool large; /* dear to copy */
};
extern const struct world_row world_rows[]; /* ends with a row without a name */

struct world *world_new(const struct world_row *);
void world_free(struct world *);

/* Where decisions come from. */
struct draw {
    u64 state;           /* of the generator, while p is NULL */
    const u8 *p, *end;   /* else the bytes that are left */
    bool dry;            /* they were not enough: zeros are drawn */
};
struct draw draw_seed(u64 seed);
struct draw draw_bytes(const u8 *, size_t len);
u32 draw_below(struct draw *, u32 n); /* 0 to n - 1 */
u32 draw_any(struct draw *);          /* all 32 bits */

void world_step(struct world *, struct draw *);

#endif
