/*
 * Words over the guest's last screen: why it ended, and what the keys do.
 */
#ifndef HOST_BANNER_H
#define HOST_BANNER_H

#include <SDL_render.h>

/* Darkens the picture and draws the lines of text in a box in the middle of w x h pixels. */
void banner_draw(SDL_Renderer *, const char *text, int w, int h);

#endif
