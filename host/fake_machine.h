/*
 * For tests of the run loop only: a machine that follows a script instead of running code.
 */
#ifndef HOST_FAKE_MACHINE_H
#define HOST_FAKE_MACHINE_H

#include "machine/machine.h"

struct fake_plan {
    u64 stop_tick; /* at this tick it stops with `stop` */
    enum machine_stop stop;
    int exit_code;
    const char *serial_text; /* sent on COM1, one byte each serial_every ticks */
    u64 serial_every;
    const char *screen_text;
    u64 halted_from; /* from this tick on it sits in HLT, woken every timer_every ticks */
    u64 timer_every;
    /* what happened */
    u16 keys[256];
    u64 key_ticks[256];
    unsigned nr_keys;
    u8 input[256];
    unsigned nr_input;
    unsigned nr_idle, nr_resets;
};

struct machine *fake_machine_create(struct fake_plan *, struct chardev *com1);

#endif
