/*
 * A text screen as a display adapter holds it: characters with attributes, and the cursor. For
 * displays that are made of text themselves.
 */
#ifndef CORE_TEXT_SCREEN_H
#define CORE_TEXT_SCREEN_H

#include "core/types.h"

enum { TEXT_MAX_CELLS = 16384 };

enum screen_kind { SCREEN_OFF, SCREEN_GRAPHICS, SCREEN_TEXT };

struct text_cell {
    u16 unicode;
    u8 attr; /* 0-3 foreground, 4-7 background: bits blue, green, red, bright (IBM's order) */
};

struct text_screen {
    enum screen_kind kind;
    unsigned w, h; /* of the picture, in dots */
    /* Of SCREEN_TEXT. cols * rows is at most TEXT_MAX_CELLS: rows beyond are left out. */
    unsigned cols, rows;
    bool blink;     /* bit 7 of an attribute blinks, and is no bright background */
    bool cursor_on; /* and on the screen; its blinking is left to the display */
    unsigned cursor_col, cursor_row;
    unsigned cursor_first, cursor_last, cell_lines; /* lines of a cell that the cursor covers */
    struct text_cell cells[TEXT_MAX_CELLS];         /* row by row */
};

#endif
