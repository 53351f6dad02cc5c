/* VESA BIOS extension on the Bochs display interface (index and data at 1CEh and 1CFh, 16 bits wide). */
#ifndef VGABIOS_VBE_H
#define VGABIOS_VBE_H

#include "vga.h"

enum dispi {
    DISPI_ID,
    DISPI_XRES,
    DISPI_YRES,
    DISPI_BPP,
    DISPI_ENABLE,
    DISPI_BANK,
    DISPI_VIRT_WIDTH,
    DISPI_VIRT_HEIGHT,
    DISPI_X_OFFSET,
    DISPI_Y_OFFSET,
    DISPI_MEMORY_64K,
    NR_DISPI
};
enum { ENABLED = 0x01, DAC_8BIT = 0x20, LINEAR_BUFFER = 0x40, NO_CLEAR = 0x80 };

u16 dispi_read(u16 index);
void dispi_write(u16 index, u16 v);
bool vbe_active(void); /* a mode of VBE's is on */
u32 vbe_memory(void);  /* bytes */
u32 vbe_pitch(void);   /* bytes from line to line of the mode that is on */

void vbe_services(struct regs *r); /* AH=4Fh */
/* vbe_control.c: 05h to 0Ah, 15h; AH's status. */
enum vbe_status { VBE_OK = 0, VBE_FAILED = 1, VBE_INVALID = 3 };
u8 vbe_control(struct regs *r);
/* state.c: 04h, and AH=1Ch */
u8 state_services(struct regs *r);

#endif
