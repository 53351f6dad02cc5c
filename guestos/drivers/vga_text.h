/* The adapter's text screen, 80 x 25: cells (character, attribute << 8) and the hardware's cursor.
 * What a terminal does with them is tty/'s business. */
#ifndef GUESTOS_DRIVERS_VGA_TEXT_H
#define GUESTOS_DRIVERS_VGA_TEXT_H

#include "guestos/kernel/types.h"

#define VGA_COLUMNS 80u
#define VGA_ROWS    25u

/* Takes the screen over as the firmware left it: its cells, and where its cursor stands. */
void vga_text_init(u16 cells[VGA_ROWS][VGA_COLUMNS], u32 *row, u32 *column);
void vga_text_write(u32 row, u32 column, const u16 *cells, u32 nr_cells);
void vga_text_cursor(u32 row, u32 column, bool visible);

#endif
