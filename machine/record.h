/*
 * Writing an input log: every event that reached a machine, with the point in virtual time at
 * which it did, so that machine/replay.h can repeat the run.
 *
 *     struct record *r = record_begin(m, &setup, err);      puts head and setup into bytes
 *     ... the run; its events are heard by themselves ...
 *     record_cut(r);                 now and then, between slices: ends a block
 *     write out record_bytes(r), empty it
 *     record_end(r, status);         the last block, with the final state's hash
 *     record_free(r);
 *
 * The format is in docs/decisions/007-input-log.md. Blocks are self-contained and chained by
 * their sums, so a log whose writer was killed is good up to its last whole block.
 */
#ifndef MACHINE_RECORD_H
#define MACHINE_RECORD_H

#include "core/state.h"
#include "machine/machine.h"

/* What a replay must know to build the same machine. */
struct record_setup {
    const char *const *args; /* of the command line, those that describe the machine */
    unsigned nr_args;
    const u8 *nvram; /* NVRAM_BYTES as they are at the start; NULL: none is kept */
};

struct record;

/* The machine has not run yet. NULL, with why in err: a disk could not be read. */
struct record *record_begin(struct machine *, const struct record_setup *,
                            char err[MACHINE_ERR_LEN]);
void record_cut(struct record *);
void record_end(struct record *, int status);
void record_free(struct record *); /* the machine goes on without it */

/* Bytes to be written; the caller takes them away by setting len to 0. */
struct state_buf *record_bytes(struct record *);
u64 record_nr_events(const struct record *);

#endif
