/*
 * Keys by position: SDL's scan codes (USB usages) to the PC keyboard's set 1.
 */
#ifndef HOST_SDL_KEYS_H
#define HOST_SDL_KEYS_H

#include "core/types.h"

/* The make code as INPUT_KEY wants it (E0xxh for extended keys, E11Dh for Pause); 0: a key that
 * a PC keyboard lacks. */
u16 sdl_key_code(unsigned scancode);

#endif
