/*
 * What a terminal sends, as keys of a PC keyboard.
 */
#ifndef HOST_CURSES_KEYS_H
#define HOST_CURSES_KEYS_H

#include "core/types.h"

enum { CURSES_CHORD_MAX = 4 };

/* A character that a terminal sends for a key, control characters included: the make codes of the
 * keys that are held together, modifiers first. Returns how many; 0: no key makes it. */
unsigned curses_char_keys(unsigned c, bool alt, u16 codes[CURSES_CHORD_MAX]);

/* The same for a function key: curses' KEY_ number, and the name that keyname() has for it. */
unsigned curses_function_keys(int key, const char *name, bool alt, u16 codes[CURSES_CHORD_MAX]);

#endif
