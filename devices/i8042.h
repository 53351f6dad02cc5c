/* The 8042 keyboard controller with keyboard and mouse, and port 92h. */
#ifndef DEVICES_I8042_H
#define DEVICES_I8042_H

#include "core/dev.h"
#include "devices/ps2.h"

struct i8042_cfg {
    struct irq_line irq1, irq12;
    struct irq_line a20;
    struct power_switch power;
    bool broken; /* the self test fails */
};

struct i8042 {
    struct dev dev;
    struct i8042_cfg cfg;
    struct bus_region data, command_port, port92;
    struct timer transfer;  /* the next byte from a device is through */
    struct timer typematic; /* the held key repeats */
    struct ps2_keyboard kbd;
    struct ps2_mouse mouse;
    u8 status, mode, out, command; /* command: awaiting its parameter on port 60h */
    u8 from_mouse;  /* the output buffer holds a mouse byte */
    u8 outport;     /* bit 1: A20; bit 0: not reset */
    u8 fast_a20;    /* port 92h bit 1 */
    u8 ram[32];
    u8 f0_prefix;   /* translation: a break prefix of set 2 was taken */
    u8 reply[4], nr_replies; /* the controller's own answers, before any device's byte */
};

extern const struct dev_class i8042_class;

/* A key as in core/input.h goes down or up. */
void i8042_key(struct i8042 *, u16 code, bool down);
void i8042_mouse(struct i8042 *, int dx, int dy, int dz, unsigned buttons);
/* Whether a key would find all buffers empty. */
bool i8042_keyboard_idle(const struct i8042 *);

#endif
