/*
 * A terminal's screen: cells in memory, a cursor, a region that scrolls, and lines that have left
 * at the top. What changed goes to the adapter by screen_refresh(). Rows and columns count from 0.
 * The caller (vt.c) serialises.
 */
#ifndef GUESTOS_TTY_SCREEN_H
#define GUESTOS_TTY_SCREEN_H

#include "guestos/drivers/vga_text.h"

#define SCREEN_HISTORY 200u /* lines */

struct screen {
    u16 cells[VGA_ROWS][VGA_COLUMNS];
    u32 row, column;
    bool wrap_pending; /* the last column is written: the next character begins a line */
    u8 attribute;      /* of what is written */
    u8 blank;          /* of what is cleared */
    u32 top, bottom;   /* the region's first row, and the one after its last */
    bool cursor_visible, autowrap, insert;
    u8 dirty_from[VGA_ROWS], dirty_to[VGA_ROWS]; /* columns [from, to) differ from the adapter's */
    u16 history[SCREEN_HISTORY][VGA_COLUMNS];
    u32 nr_history; /* ever; modulo SCREEN_HISTORY: the next place */
    u32 look_back;  /* lines that the view is scrolled back by */
};

void screen_init(struct screen *); /* goes on where the firmware's cursor stands */
void screen_reset(struct screen *);
void screen_refresh(struct screen *);
void screen_look_back(struct screen *, i32 lines); /* Shift-PgUp: up, negative: down */

void screen_put(struct screen *, u8 glyph);
void screen_move(struct screen *, i32 row, i32 column); /* kept on the screen */
void screen_line_feed(struct screen *);
void screen_line_feed_back(struct screen *);
void screen_scroll(struct screen *, u32 top, i32 lines); /* [top, bottom): up; negative: down */
void screen_shift(struct screen *, i32 columns); /* the row from the cursor on: to the right */
void screen_clear(struct screen *, u32 row, u32 from, u32 to); /* columns [from, to) */
void screen_clear_rows(struct screen *, u32 from, u32 to);

#endif
