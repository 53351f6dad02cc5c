/*
 * A whole machine for fuzz targets: no files, no firmware, its RAM and processor put into a mode
 * by hand, the input as its code. Whatever vector comes, the handler lies within the code too.
 */
#ifndef TESTS_FUZZ_RIG_H
#define TESTS_FUZZ_RIG_H

#include "core/backend.h"
#include "machine/machine.h"

enum rig_mode { RIG_REAL, RIG_PROTECTED, RIG_USER, RIG_PAGED, RIG_LONG, RIG_LONG_USER, NR_RIG_MODES };
enum { RIG_CODE = 0x8000, RIG_CODE_MAX = 0x4000, RIG_RAM = 4 << 20 };

/* The disk may be NULL. */
struct machine *rig_create(const u8 *code, size_t len, enum rig_mode, struct blockdev *disk);

/* Runs up to this many instructions more; false when the machine has come to its end. */
bool rig_run(struct machine *, u64 instructions, enum machine_stop *);

#endif
