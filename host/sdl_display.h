/*
 * The window: shows a machine's screen, turns the host's keyboard and mouse into input events.
 *
 *     struct sdl_display *d = sdl_display_open("Kiln", err);
 *     between slices: what = sdl_display_poll(d, machine_input(m)); sdl_display_show(d, m);
 *
 * Keys: Ctrl+Alt+G releases or takes the mouse, F full screen, S screenshot, Q quit. While the
 * banner is shown the guest has ended: keys are R, S and Q alone.
 */
#ifndef HOST_SDL_DISPLAY_H
#define HOST_SDL_DISPLAY_H

#include "machine/machine.h"

struct sdl_display;

/* What the user asked for; a sum. */
enum sdl_request { SDL_REQUEST_QUIT = 1, SDL_REQUEST_RESET = 2, SDL_REQUEST_SCREENSHOT = 4 };

/* NULL, with what, why and what to try in err, when there is no display. */
struct sdl_display *sdl_display_open(const char *title, char err[MACHINE_ERR_LEN]);
void sdl_display_close(struct sdl_display *);

/* Handles what has happened since the last time. */
unsigned sdl_display_poll(struct sdl_display *, struct input_log *);

/* Waits for something to happen, at most so long. */
void sdl_display_wait(struct sdl_display *, unsigned ms);

/* Draws the machine's screen if it has changed. Call it about 60 times a second. */
void sdl_display_show(struct sdl_display *, struct machine *);

void sdl_display_set_title(struct sdl_display *, const char *title);

/* Why the guest ended, over its last screen; NULL: it runs again. Lines are joined by '\n'. */
void sdl_display_set_banner(struct sdl_display *, const char *text);

#endif
