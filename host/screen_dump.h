/*
 * The screen to a file, in the format that its name or the caller asks for.
 */
#ifndef HOST_SCREEN_DUMP_H
#define HOST_SCREEN_DUMP_H

#include "machine/machine.h"

/* format: "ppm", "png", "txt", or NULL: by the name's ending, else ppm. 0, or -1 with err. */
int screen_dump(struct machine *, const char *path, const char *format, char *err, size_t err_len);

#endif
