/*
 * Source lines of code: the line tables of DWARF (chapter 6.2), read with libdw.
 */
#ifndef MACHINE_SOURCE_LINES_H
#define MACHINE_SOURCE_LINES_H

#include "core/types.h"
#include <libelf.h>

struct source_lines;

/* Where code comes from. from and to hold for no line, too: nothing is known of [from, to). */
struct source_line {
    u64 from, to;     /* linear addresses that say the same */
    const char *path; /* NULL: not known */
    const char *file; /* its last part */
    u32 line, index;  /* index: of the path, for source_lines_text() */
};

/* NULL: no memory. */
struct source_lines *source_lines_create(void);
void source_lines_free(struct source_lines *); /* NULL is allowed */

/* Adds the tables of a file; it need not have any. false: no memory. */
bool source_lines_add(struct source_lines *, Elf *);

/* After the last file, before the first question. */
void source_lines_sort(struct source_lines *);

bool source_lines_any(const struct source_lines *);
struct source_line source_lines_at(const struct source_lines *, u64 lin);

/* The text of a line, not ended by a 0; its length in *len. NULL: the source cannot be read. */
const char *source_lines_text(struct source_lines *, const struct source_line *, size_t *len);

#endif
