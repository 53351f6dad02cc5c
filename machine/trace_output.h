/*
 * Where a trace is written: a file, one compressed by zstd where its name ends in .zst, or stdout.
 *
 * Each write becomes a zstd frame of its own. So a reader finds whole frames whenever it looks,
 * and what a killed process has left can be read up to its last write (zstdcat).
 */
#ifndef MACHINE_TRACE_OUTPUT_H
#define MACHINE_TRACE_OUTPUT_H

#include "core/types.h"

struct trace_output;

/* path NULL: stdout. NULL, with what, why and what to try in err. */
struct trace_output *trace_output_open(const char *path, char *err, size_t err_len);

/* 0, or the errno of what failed. */
int trace_output_write(struct trace_output *, const char *, size_t);
int trace_output_close(struct trace_output *); /* frees it in any case; NULL is allowed */

/* Whether somebody watches the lines as they come. */
bool trace_output_is_tty(const struct trace_output *);

#endif
