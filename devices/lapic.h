/* A processor's local APIC: Intel SDM 3A chapter 10, xAPIC and x2APIC. One per processor. */
#ifndef DEVICES_LAPIC_H
#define DEVICES_LAPIC_H

#include "core/dev.h"
#include "devices/apic_bus.h"

struct lapic_cfg {
    u32 id;                    /* initial APIC ID, as CPUID gives it */
    bool bsp;                  /* of the processor that boots */
    struct apic_bus *bus;
    struct irq_line intr, nmi; /* to its processor */
    struct irq_ack pic;        /* who has the vector of an ExtINT */
    struct apic_cpu cpu;
};

enum lapic_lvt { LVT_TIMER, LVT_THERMAL, LVT_PERFORMANCE, LVT_LINT0, LVT_LINT1, LVT_ERROR, NR_LVTS };
enum lapic_timer_mode { TIMER_ONE_SHOT, TIMER_PERIODIC, TIMER_TSC_DEADLINE };
enum {
    LVT_MASKED = 1 << 16, LVT_LEVEL = 1 << 15, LVT_REMOTE_IRR = 1 << 14, LVT_ACTIVE_LOW = 1 << 13,
    LVT_STATUS = LVT_REMOTE_IRR | 1 << 12, LVT_MODE_SHIFT = 8, LVT_TIMER_SHIFT = 17,
    APIC_BASE_BSP = 1 << 8, APIC_BASE_X2APIC = 1 << 10, APIC_BASE_ENABLE = 1 << 11,
    APIC_SOFTWARE_ENABLE = 1 << 8, /* in svr */
};

struct lapic {
    struct dev dev;
    struct lapic_cfg cfg;
    struct bus_region region;
    bool intr; /* what the processor's pin is driven to */

    u64 base;  /* IA32_APIC_BASE */
    u32 id;    /* xAPIC mode lets the guest change it */
    u32 ldr, dfr, svr, tpr;
    u32 isr[8], tmr[8], irr[8]; /* by vector */
    u32 esr, errors;            /* what the guest sees, and what its next write to ESR shows it */
    u64 icr;
    u32 lvt[NR_LVTS];
    u8 lint; /* levels of the two pins: bit 0 LINT0, the 8259's INTR; bit 1 LINT1, NMI */

    /* The timer's count was `count` at start_ns; behind its end follow periods of `initial`. */
    u32 initial, count, divide;
    u64 start_ns;
    u64 deadline; /* of the TSC; 0: none */
    struct timer expiry;
};

extern const struct dev_class lapic_class;

/* Wires and ports: a local interrupt pin (an irq_line.set), the INTA cycle, the processor's side. */
void lapic_set_lint(void *lapic, unsigned pin, bool level);
u8 lapic_ack(void *lapic);
struct apic_port lapic_port(struct lapic *);

/* The bus's side: whether a message is for it, whether it takes fixed interrupts, taking one
 * (false: it does not), and its present processor priority. */
bool lapic_is_meant(const struct lapic *, const struct apic_message *);
bool lapic_takes(const struct lapic *);
bool lapic_accept(struct lapic *, const struct apic_message *);
u8 lapic_priority(const struct lapic *);

/* The current count and the divisor, for the monitor too. */
u32 lapic_timer_count(const struct lapic *);
unsigned lapic_timer_divisor(const struct lapic *);

/* ---- between lapic.c and lapic_timer.c ---- */

enum lapic_timer_mode lapic_timer_mode(const struct lapic *);
void lapic_local_interrupt(struct lapic *, enum lapic_lvt); /* what its LVT entry says */
bool lapic_is_requested(const struct lapic *, u8 vector);   /* and has not been taken yet */
void lapic_timer_init(struct lapic *);
void lapic_timer_reset(struct lapic *);
void lapic_timer_lvt(struct lapic *, u32 old); /* its LVT entry has changed */
void lapic_timer_start(struct lapic *, u32 initial);
void lapic_timer_divide(struct lapic *, u32 divide);
void lapic_timer_deadline(struct lapic *, u64 tsc);
void lapic_timer_arm(struct lapic *); /* for the next moment that can be seen, if there is one */

#endif
