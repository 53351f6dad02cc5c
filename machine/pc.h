/*
 * The motherboard: every part of one PC, and how its memory lies in the backing.
 *
 *     backing   0 ........ ram_bytes            RAM
 *               bios_off .. + bios_len          the BIOS image
 *
 *     physical  00000000 - 0009FFFF   RAM
 *               000A0000 - 000BFFFF   VGA window (memory bus)
 *               000C0000 - 000FFFFF   13 segments of PAM: option ROM space and the BIOS, or RAM
 *               00100000 - low_ram    RAM, up to the hole for PCI
 *               FFFC0000 - FFFFFFFF   BIOS (its size decides)
 *               100000000 -           the rest of RAM
 */
#ifndef MACHINE_PC_H
#define MACHINE_PC_H

#include "core/dev.h"
#include "core/input.h"
#include "cpu/cpu.h"
#include "cpu/debug.h"
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
#include "devices/test_devices.h"
#include "devices/uart.h"
#include "devices/vga.h"
#include "machine/bad_ram.h"
#include "machine/machine.h"

#define PAM_SEGMENTS 13
#define MAX_DEVICES  32

struct pc {
    struct log log;
    struct trace trace;
    struct clock clk;
    struct bus io, mem;
    struct mem_view view;
    struct dma dma;
    struct dev_env env;
    struct input_log input;
    struct cpu cpu;

    struct apic_bus apic_bus;
    struct lapic lapic;
    struct ioapic ioapic;
    struct hpet hpet;
    struct pic_pair pic;
    struct pit pit;
    struct rtc rtc;
    struct i8042 kbc;
    struct uart uart[2];
    struct i440fx host_bridge;
    struct piix3 isa_bridge;
    struct piix4_pm pm;
    struct ide ide;
    struct ahci ahci;
    struct i8237 dma8237;
    struct fdc fdc;
    struct vga vga;
    struct fw_cfg fw_cfg;
    struct debugcon debugcon;
    struct exit_port exit_port;
    struct post_port post;
    struct pc_testdev pc_testdev;
    struct pci_testdev pci_testdev;
    struct bad_ram bad_ram;

    struct dev *devices[MAX_DEVICES]; /* all that are attached, in order */
    unsigned nr_devices;
    struct mem_overlay *pam[PAM_SEGMENTS], *frame_buffer;
    u64 low_ram, high_ram; /* bytes below the PCI hole and above 4 GiB */
    u64 bios_off, bios_len;
    u64 vram_off; /* in the backing, at its end */
    void *vga_rom;
    size_t vga_rom_len;

    /* Requests that the run loop honours between instructions. */
    enum power_request power;
    u32 power_code;

    struct cpu_debug debug; /* what machine/debug.h was asked to look for */
};

/* The board inside a machine: for what looks into it. */
struct pc *machine_pc(struct machine *);

/* For who saves and loads: brings the engine's state into the processor; tells engine and observers
 * that the machine has become another. */
void machine_sync(struct machine *);
void machine_replaced(struct machine *);

/* Builds the board; the processor is there but not reset. 0, or -1 with err. */
int pc_init(struct pc *, const struct machine_config *, char err[MACHINE_ERR_LEN]);
void pc_fini(struct pc *);
void pc_reset(struct pc *, enum reset_kind);
void pc_input(struct pc *, const struct input_event *); /* to its device */

#endif
