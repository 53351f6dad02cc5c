/*
 * The text screen as a UTF-8 file: what --screenshot FILE.txt saves.
 */
#ifndef HOST_TEXT_SCREENSHOT_H
#define HOST_TEXT_SCREENSHOT_H

#include "machine/machine.h"

/* Whether the name asks for text: it ends in .txt. */
bool text_screenshot_name(const char *path);

/* Saves the lines of the screen; says on stderr what went wrong, such as a graphics mode. 0 or -1. */
int text_save_machine(struct machine *, const char *path);

#endif
