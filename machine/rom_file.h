/* Reading a ROM image from a file. */
#ifndef MACHINE_ROM_FILE_H
#define MACHINE_ROM_FILE_H

#include "core/types.h"

/* The file's bytes, to be freed by the caller; NULL with a message in err when it cannot be read,
 * is empty, or is longer than max. */
void *rom_file_read(const char *path, size_t max, size_t *len, char *err, size_t err_len);

#endif
