/*
 * Keys from the keyboard (INT 16h) and from a terminal on COM1, which sends control sequences of
 * ECMA-48 for the keys that have no character.
 */
#ifndef GUESTOS_BOOT_KEYS_H
#define GUESTOS_BOOT_KEYS_H

#include <stdint.h>

enum key {
    KEY_NONE = 0,
    /* 1 to 255: characters */
    KEY_BACKSPACE = 8,
    KEY_ENTER = 13,
    KEY_CTRL_U = 21,
    KEY_ESC = 27,
    KEY_UP = 256,
    KEY_DOWN,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_HOME,
    KEY_END,
    KEY_DELETE,
};

#define TICKS_PER_HOUR 65543u /* the BIOS clock: 18.2065 per second */
#define FOREVER        0xFFFFFFFFu

uint32_t clock_ticks(void); /* since midnight; use clock_since() */
uint32_t clock_since(uint32_t then);

/* Waits at most that many ticks; KEY_NONE if no key came. */
uint32_t key_wait(uint32_t ticks);

#endif
