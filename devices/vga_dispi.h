/*
 * VGA: the Bochs display interface, an index and a data port for linear modes of up to 32 bits a
 * pixel. Part of devices/vga.h's device.
 */
#ifndef DEVICES_VGA_DISPI_H
#define DEVICES_VGA_DISPI_H

#include "devices/vga.h"

enum dispi_enable {
    DISPI_ENABLED = 1, DISPI_GETCAPS = 2, DISPI_8BIT_DAC = 0x20, DISPI_LFB = 0x40,
    DISPI_NOCLEARMEM = 0x80,
};

/* Registers its ports and the PCI function's page of registers (BAR 2). 0, or -1. */
int dispi_init(struct vga *);
void dispi_reset(struct vga *);
bool dispi_plausible(const struct vga *);

static inline bool dispi_on(const struct vga *v)
{
    return v->dispi[DISPI_ENABLE] & DISPI_ENABLED;
}

/* Bytes from a line of the picture to the next; of one plane at 4 bits a pixel. */
unsigned dispi_pitch(const struct vga *);

#endif
