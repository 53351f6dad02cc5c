/*
 * The SDL2 window, a display. Keys: Ctrl+Alt+G releases or takes the mouse, F full screen,
 * S screenshot, Q quit.
 */
#ifndef HOST_SDL_DISPLAY_H
#define HOST_SDL_DISPLAY_H

#include "host/display.h"

/* NULL, with what, why and what to try in err, when there is no display. */
struct display *sdl_display_open(const char *title, char err[MACHINE_ERR_LEN]);

#endif
