/*
 * Names of translated code for a gdb that is attached to the emulator itself, by gdb's JIT interface
 * ("JIT Interface" in its manual): -accel jit,gdb=on.
 *
 *     struct gdb_jit *g = gdb_jit_create();
 *     gdb_jit_add(g, runs_at, bytes, "kiln:main+0x12");   as code is made
 *     gdb_jit_destroy(g);                                 before the code goes
 */
#ifndef JIT_GDB_JIT_H
#define JIT_GDB_JIT_H

#include "core/types.h"

struct gdb_jit;

struct gdb_jit *gdb_jit_create(void); /* NULL: no memory */
void gdb_jit_destroy(struct gdb_jit *); /* NULL is allowed */

/* Code that runs at an address which is not above the last one's end: the cache has begun anew, and what was
 * named from there on is forgotten. */
void gdb_jit_add(struct gdb_jit *, u64 runs_at, u32 bytes, const char *name);

#endif
