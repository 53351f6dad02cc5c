/*
 * Symbols of the ELF files that --sym names: names for addresses, and addresses of names.
 * Addresses are linear. Only code has names here: functions, and labels of assembly programs.
 */
#ifndef MACHINE_SYMBOLS_H
#define MACHINE_SYMBOLS_H

#include "core/types.h"
#include "machine/source_lines.h"
#include <stdio.h>

struct symbols;

/* Reads the files. NULL, with what, why and what to try in err. No files: an empty table. */
struct symbols *symbols_load(const char *const *paths, unsigned nr, char *err, size_t err_len);
void symbols_free(struct symbols *); /* NULL is allowed */

/* The function that holds lin, and how far into it; NULL when there is none. */
const char *symbols_at(const struct symbols *, u64 lin, u64 *offset);

/* The address and length of "name" or "name+0x12". false: not known. */
bool symbols_value(const struct symbols *, const char *name, u64 *lin, u64 *len);

/* Which source lines code comes from, if the files say so. */
struct source_lines *symbols_lines(const struct symbols *);

/* " <main+0x12> (main.c:34)", or as much of it as is known: for reports. */
void symbols_print(FILE *, const struct symbols *, u64 lin);

#endif
