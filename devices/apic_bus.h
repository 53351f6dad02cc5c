/*
 * What local APICs and I/O APICs say to each other: interrupt messages one way, the end of a
 * level-triggered one the other. SDM 3A 10.6 and 10.11.
 *
 * One bus per machine; local APICs and the I/O APIC put themselves on it in their init. It has no
 * state of its own: a message has arrived when the call returns.
 */
#ifndef DEVICES_APIC_BUS_H
#define DEVICES_APIC_BUS_H

#include "core/types.h"

struct lapic;

/* SDM 3A figure 10-12; the same numbers in an I/O APIC's redirection entries and in MSIs. */
enum apic_mode {
    APIC_FIXED, APIC_LOWEST, APIC_SMI, APIC_NMI = 4, APIC_INIT, APIC_STARTUP, APIC_EXTINT,
};
#define APIC_EVERYBODY 0xffffffffu /* as a destination; FFh of eight bits becomes this */

struct apic_message {
    u32 dest;
    u8 vector, mode; /* enum apic_mode */
    bool logical, level;
};

enum { APIC_BUS_CPUS = 8 };

struct apic_bus {
    struct lapic *cpu[APIC_BUS_CPUS];
    unsigned nr_cpus;
    void (*eoi)(void *io_apic, u8 vector);
    void *io_apic;
};

/* Delivers to all that are meant but one (NULL: to all). false: nobody took it. */
bool apic_bus_send(const struct apic_bus *, const struct apic_message *, const struct lapic *except);

/* A device's write into FEExxxxxh: a message, too (SDM 3A 10.11). */
bool apic_bus_msi(const struct apic_bus *, u64 address, u32 data);

/* A processor is done with a level-triggered interrupt. */
void apic_bus_eoi(const struct apic_bus *, u8 vector);

/* An eight-bit destination field. */
static inline u32 apic_dest8(u8 dest)
{
    return dest == 0xff ? APIC_EVERYBODY : dest;
}

#endif
