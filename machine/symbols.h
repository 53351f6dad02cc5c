/*
 * Symbols of the ELF files that --sym names: names for addresses, and addresses of names.
 * Addresses are linear. Only code has names here: functions, and labels of assembly programs.
 */
#ifndef MACHINE_SYMBOLS_H
#define MACHINE_SYMBOLS_H

#include "core/types.h"

struct symbols;

/* Reads the files. NULL, with what, why and what to try in err. No files: an empty table. */
struct symbols *symbols_load(const char *const *paths, unsigned nr, char *err, size_t err_len);
void symbols_free(struct symbols *); /* NULL is allowed */

/* The function that holds lin, and how far into it; NULL when there is none. */
const char *symbols_at(const struct symbols *, u64 lin, u64 *offset);

/* The address and length of "name" or "name+0x12". false: not known. */
bool symbols_value(const struct symbols *, const char *name, u64 *lin, u64 *len);

#endif
