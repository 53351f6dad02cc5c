/*
 * The terminal as a display: the guest's text screen in its colours, and the keyboard.
 *
 * Ctrl-A is a prefix (host/ctrl_a.h), Ctrl-A and an arrow key moves the view where the terminal is
 * smaller than the screen; all else goes to the guest. Our messages are shown below the screen and
 * written when the terminal is given back.
 */
#ifndef HOST_CURSES_DISPLAY_H
#define HOST_CURSES_DISPLAY_H

#include "host/display.h"

struct terminal;

/* NULL, with what, why and what to try in err, when this is no terminal that could do it. *term is
 * opened with it, and is to be closed after it. */
struct display *curses_display_open(struct terminal **term, char err[MACHINE_ERR_LEN]);

#endif
