/*
 * The US keyboard: which key, with or without shift, makes a character.
 */
#ifndef HOST_US_KEYBOARD_H
#define HOST_US_KEYBOARD_H

#include "core/types.h"

enum { KEY_CODE_SHIFT = 0x2a, KEY_CODE_CTRL = 0x1d, KEY_CODE_ALT = 0x38 };

/* The set-1 make code of c's key ('\n' Enter, '\t', '\b', 1Bh Escape); 0: there is none. */
u16 us_key_code(char c, bool *shift);

#endif
