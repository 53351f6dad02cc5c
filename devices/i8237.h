/*
 * The two 8237A DMA controllers of an AT with their page registers. Intel 8237A data sheet; channels 0
 * to 3 move bytes, 5 to 7 words, 4 connects the first controller to the second.
 *
 * A device drives its request line (i8237_set_dreq), is told by its dack line that the channel is its
 * own, and then moves what it has with i8237_move().
 */
#ifndef DEVICES_I8237_H
#define DEVICES_I8237_H

#include "core/dev.h"

enum { I8237_CHANNELS = 8 };

struct i8237_cfg {
    struct irq_line dack[I8237_CHANNELS];
};

struct i8237_channel {
    u16 base_addr, base_count, addr, count;
    u8 mode;
};

struct i8237_chip {
    u8 command, mask, request, status, flip_flop; /* status: terminal counts reached */
    struct i8237_channel ch[4];
};

struct i8237 {
    struct dev dev;
    struct i8237_cfg cfg;
    struct bus_region chip_ports[2], page_ports;
    struct i8237_chip chip[2];
    u8 page[16];  /* as the ports lie, from 80h */
    u8 dreq;      /* levels of the request lines */
    u8 granted;   /* levels of dack; saved, since a device acts on their edges */
};

extern const struct dev_class i8237_class;

/* irq_line: pin is the channel. */
void i8237_set_dreq(void *i8237, unsigned channel, bool level);

/* Moves up to len bytes between the device and memory, from the channel's present address, in the
 * channel's direction only. Returns how many; fewer than len when the channel is not granted or
 * its count ends, which *tc says. */
u32 i8237_move(struct i8237 *, unsigned channel, u8 *bytes, u32 len, bool to_memory, bool *tc);

#endif
