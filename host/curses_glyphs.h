/*
 * A character cell of the guest on a terminal: which character can stand for it, in which colours.
 */
#ifndef HOST_CURSES_GLYPHS_H
#define HOST_CURSES_GLYPHS_H

#include "core/text_screen.h"

/* After curses has started: colours as this terminal has them. */
void curses_glyphs_start(void);

/* Draws cells of one row at the window's place (y, x). */
void curses_glyphs_draw(int y, int x, const struct text_cell *cells, unsigned nr, bool blink);

#endif
