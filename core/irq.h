/*
 * Wires. The board hands a device its wires; the device never learns who listens.
 * A wire with set == NULL is not connected.
 */
#ifndef CORE_IRQ_H
#define CORE_IRQ_H

#include "core/types.h"

struct irq_line {
    void (*set)(void *sink, unsigned pin, bool level);
    void *sink;
    unsigned pin;
};

static inline void irq_set(const struct irq_line *line, bool level)
{
    if (line->set)
        line->set(line->sink, line->pin, level);
}

/* How a processor asks its interrupt controller for the vector (the INTA cycle). */
struct irq_ack {
    u8 (*vector)(void *source);
    void *source;
};

/* What a processor asks of its local APIC; a processor without one has apic == NULL. The registers
 * that both show, CR8 and IA32_APIC_BASE, are the APIC's: it tells the processor of each change. */
struct apic_port {
    bool (*read_msr)(void *apic, u32 msr, u64 *value);
    bool (*write_msr)(void *apic, u32 msr, u64 value); /* false, either: there is none: #GP(0) */
    void (*set_cr8)(void *apic, u8 class);
    void (*tsc_moved)(void *apic); /* the time stamp counter was written */
    void *apic;
};

/* And what a local APIC asks of its processor. */
struct apic_cpu {
    void (*show)(void *cpu, u64 apic_base, u8 cr8);
    u64 (*tsc)(const void *cpu);
    void (*init)(void *cpu); /* the INIT pin */
    void *cpu;
};

/* Power, reset and exit: requests that the run loop honours between instructions. */
enum power_request {
    POWER_NONE,
    POWER_OFF,        /* ACPI S5 */
    POWER_RESET,      /* keyboard controller, port 92h, CF9h: the whole board's INIT or RESET */
    POWER_EXIT,       /* isa-debug-exit: code is the process's exit status */
};

struct power_switch {
    void (*request)(void *sink, enum power_request, u32 code);
    void *sink;
};

#endif
