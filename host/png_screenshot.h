/*
 * The screen as a PNG file, by libpng.
 */
#ifndef HOST_PNG_SCREENSHOT_H
#define HOST_PNG_SCREENSHOT_H

#include "machine/machine.h"

/* 0, or -1 with the reason in err. The file appears whole or not at all. */
int png_write_screen(const struct screen *, const char *path, char *err, size_t err_len);

/* Renders the machine's screen and saves it; says on stderr what went wrong. */
int png_save_machine(struct machine *, const char *path);

/* A name that is free in the current directory: kiln-20240229-235950.png */
void png_new_name(char *out, size_t cap);

#endif
