/*
 * PS/2 keyboard and mouse, as the 8042 sees them: a byte in, bytes out.
 * IBM PS/2 Hardware Interface Technical Reference, keyboard and mouse sections.
 */
#ifndef DEVICES_PS2_H
#define DEVICES_PS2_H

#include "core/log.h"
#include "core/state.h"
#include "core/types.h"

enum { PS2_QUEUE = 32 };

/* Bytes on their way to the controller. */
struct ps2_queue {
    u8 bytes[PS2_QUEUE];
    u8 head, count;
};

bool ps2_queue_room(const struct ps2_queue *, unsigned n);
void ps2_queue_put(struct ps2_queue *, u8 byte);
u8 ps2_queue_get(struct ps2_queue *);
extern const struct state_field ps2_queue_fields[];

struct ps2_keyboard {
    struct ps2_queue out;
    u8 command;   /* awaiting the parameter of this command, or 0 */
    u8 scanning, set, leds, rate;
    u16 repeat;   /* key held down, as in core/input.h, or 0 */
};
void ps2_keyboard_reset(struct ps2_keyboard *);
void ps2_keyboard_write(struct ps2_keyboard *, u8 byte);
void ps2_keyboard_key(struct ps2_keyboard *, u16 code, bool down);
u64 ps2_keyboard_delay_ns(const struct ps2_keyboard *);  /* before typematic repeat starts */
u64 ps2_keyboard_period_ns(const struct ps2_keyboard *); /* between repeats */
extern const struct state_field ps2_keyboard_fields[];

struct ps2_mouse {
    struct ps2_queue out;
    u8 command, reporting, remote, wrap, scaling, resolution, rate;
    u8 id;       /* 0, 3 with a wheel, 4 with five buttons: packets of three or four bytes */
    u8 knock[2]; /* the sample rates before the last one */
    u8 buttons;
    i32 dx, dy, dz; /* movement that has not been reported; dz: wheel, positive towards the user */
};
void ps2_mouse_reset(struct ps2_mouse *);
void ps2_mouse_write(struct ps2_mouse *, u8 byte);
void ps2_mouse_move(struct ps2_mouse *, int dx, int dy, int dz, unsigned buttons);
bool ps2_mouse_plausible(const struct ps2_mouse *); /* a loaded state: could it have moved so far? */
extern const struct state_field ps2_mouse_fields[];

#endif
