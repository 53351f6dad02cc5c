/*
 * The file of --nvram: the board's battery-backed memory between runs.
 */
#ifndef HOST_NVRAM_H
#define HOST_NVRAM_H

#include "machine/machine.h"

#define NVRAM_ERR_LEN 256

/* Reads the file; zeros, as a new board has them, where there is none yet. 0, or -1 with why in
 * err: not readable, or of another size. */
int nvram_load(const char *path, u8 cells[NVRAM_BYTES], char err[NVRAM_ERR_LEN]);

/* Replaces the file as a whole, by renaming: it is never half written. 0, or -1 with why in err. */
int nvram_save(const char *path, const u8 cells[NVRAM_BYTES], char err[NVRAM_ERR_LEN]);

#endif
