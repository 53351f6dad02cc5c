/* High precision event timers: IA-PC HPET specification 1.0a. Three timers at 100 MHz. */
#ifndef DEVICES_HPET_H
#define DEVICES_HPET_H

#include "core/dev.h"

struct hpet_cfg {
    struct irq_line irq0, irq8; /* to the interrupt controllers, through the legacy switch */
    struct irq_line pin;        /* the I/O APIC's input that timers can choose: HPET_PIN */
};

enum { HPET_TIMERS = 3, HPET_LEGACY = 2, HPET_PIN = 2 };

struct hpet_timer {
    u32 config;         /* the bits that can be written */
    u64 compare, period;
    struct timer match; /* the next one */
};

struct hpet {
    struct dev dev;
    struct hpet_cfg cfg;
    struct bus_region region;
    u8 general;         /* configuration: bit 0 counts, bit 1 legacy replacement */
    u32 status;         /* level-triggered interrupts that stand */
    u64 count;          /* the main counter at start_ns while it counts, else now */
    u64 start_ns;
    struct hpet_timer timer[HPET_TIMERS];
    u8 input;           /* bit 0, 1: level of the 8254's, the RTC's output */
    u8 held;            /* the same: the line still shows an edge of ours */
};

extern const struct dev_class hpet_class;

/* An irq_line.set: 0 the 8254's output, 1 the RTC's. Legacy replacement cuts them off. */
void hpet_set_legacy(void *hpet, unsigned pin, bool level);

#endif
