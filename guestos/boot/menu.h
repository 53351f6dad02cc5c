/* The choice of what to start, on the screen and on COM1. */
#ifndef GUESTOS_BOOT_MENU_H
#define GUESTOS_BOOT_MENU_H

#include "guestos/boot/config.h"

struct menu {
    const struct config *config;
    uint32_t chosen;     /* entry */
    char line[MAX_LINE]; /* its kernel and command line, perhaps edited */
};

/*
 * Returns when something is to be started. message: shown, and then there is no countdown; empty:
 * none. The same menu can be run again: it comes back to the entry that was chosen last.
 */
void menu_init(struct menu *menu, const struct config *config);
void menu_run(struct menu *menu, const char *message);

#endif
