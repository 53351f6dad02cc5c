/*
 * Ctrl-A as a prefix for commands to Kiln, on a terminal; the keys are QEMU's and screen's.
 */
#ifndef HOST_CTRL_A_H
#define HOST_CTRL_A_H

#include "core/types.h"

enum { CTRL_A = 1 };

enum ctrl_a_action {
    CTRL_A_PASS,    /* no command: the byte is the guest's */
    CTRL_A_SWALLOW, /* the prefix, or nothing that means anything */
    CTRL_A_SEND,    /* Ctrl-A itself is the guest's */
    CTRL_A_QUIT,
    CTRL_A_MONITOR,
    CTRL_A_SUSPEND,
    CTRL_A_HELP,
};

#define CTRL_A_HELP_TEXT                                                                           \
    "Ctrl-A x  quit\n"                                                                             \
    "Ctrl-A c  monitor, and back\n"                                                                \
    "Ctrl-A z  stop as a job of the shell\n"                                                       \
    "Ctrl-A Ctrl-A, Ctrl-A a  send Ctrl-A\n"                                                       \
    "Ctrl-A h  this help\n"

/* *prefixed: whether the byte before was Ctrl-A; kept between calls. */
static inline enum ctrl_a_action ctrl_a_take(bool *prefixed, u8 byte)
{
    if (!*prefixed) {
        *prefixed = byte == CTRL_A;
        return *prefixed ? CTRL_A_SWALLOW : CTRL_A_PASS;
    }
    *prefixed = false;
    switch (byte) {
    case 'x':
    case 'X': return CTRL_A_QUIT;
    case 'c':
    case 'C': return CTRL_A_MONITOR;
    case 'z':
    case 'Z':
    case 'Z' - '@': return CTRL_A_SUSPEND;
    case 'a':
    case CTRL_A: return CTRL_A_SEND;
    case 'h':
    case 'H':
    case '?': return CTRL_A_HELP;
    default: return CTRL_A_SWALLOW;
    }
}

#endif
