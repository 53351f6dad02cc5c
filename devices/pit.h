/* The 8254 interval timer and port 61h: Intel 8254 data sheet (231164). */
#ifndef DEVICES_PIT_H
#define DEVICES_PIT_H

#include "core/dev.h"

struct pit_cfg {
    struct irq_line irq0;
    struct irq_line speaker; /* OUT 2 and the data bit of port 61h */
    bool broken;             /* counters do not count */
};

/* Everything is reckoned from the clock when it is looked at. */
struct pit_channel {
    u64 start;     /* PIT clock at which counting (re)started: CLK cycles since power-on */
    u32 count;     /* reload value: 1 to 65536, or 10000 in BCD */
    u16 latched;   /* value for reading, while latch_bytes is not 0 */
    u16 written;   /* bytes of a count under way */
    u16 frozen;    /* the value while the gate holds counting (modes 0, 2, 3, 4) */
    u8 mode, bcd, access; /* access: 1 LSB, 2 MSB, 3 LSB then MSB */
    u8 gate;
    u8 running;    /* a count has been loaded and counting is not suspended */
    u8 null_count; /* a control word came and no count yet */
    u8 write_high, read_high; /* the next byte is the MSB */
    u8 latch_bytes;           /* bytes left of a latched count */
    u8 status_latched, status;
    u8 out;        /* level last driven */
    u8 expired;    /* modes 0, 1, 4, 5: terminal count has passed */
};

struct pit {
    struct dev dev;
    struct pit_cfg cfg;
    struct bus_region region, port61;
    struct timer edge; /* the next change of OUT 0 */
    struct pit_channel ch[3];
    u8 speaker_data;
};

extern const struct dev_class pit_class;

#endif
