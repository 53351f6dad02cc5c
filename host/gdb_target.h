/*
 * What gdb is told of the processor: register layouts and their descriptions (target.xml).
 *
 * A layout stays the same whatever mode the guest is in, since gdb asks for it once. Values are
 * little-endian, in the layout's order, without gaps.
 */
#ifndef HOST_GDB_TARGET_H
#define HOST_GDB_TARGET_H

#include "host/options.h"

struct machine;

struct gdb_target {
    struct machine *m;
    enum gdb_arch arch;
    bool linear_pc; /* rIP is shown with the base of CS */
};

enum { GDB_REGS_MAX_BYTES = 1024, GDB_REG_MAX_BYTES = 16 };

/* A whole file, to be freed. */
char *gdb_target_xml(const struct gdb_target *);

/* All registers of the 'g' packet; returns the number of bytes, at most GDB_REGS_MAX_BYTES. */
size_t gdb_target_get_all(const struct gdb_target *, u8 *bytes);
/* Changes those that differ; what cannot be changed stays. */
void gdb_target_set_all(const struct gdb_target *, const u8 *bytes);

/* One register; returns its size in bytes, 0: there is no such one. */
size_t gdb_target_get(const struct gdb_target *, u64 number, u8 *bytes);
size_t gdb_target_size(const struct gdb_target *, u64 number);
bool gdb_target_set(const struct gdb_target *, u64 number, const u8 *bytes);

/* Whether gdb sees the processor at the linear address where it is. */
bool gdb_target_pc_is_linear(const struct gdb_target *);

#endif
