/*
 * For tests that boot a disk image in their own process: a machine with that disk, and random
 * numbers from a seed.
 */
#ifndef TESTS_BOOT_RIG_H
#define TESTS_BOOT_RIG_H

#include "machine/machine.h"

struct disk;

struct boot_rig {
    struct machine *m;
    struct disk *disk;
};

/* files: SPARK.bin, VGABIOS.bin and the image, which stays as it is; cfg: what else the machine
 * shall have. Ends the program with status 1 and the reason when there is no such machine. */
void boot_rig_start(struct boot_rig *, char *const files[3], const struct machine_config *cfg);
void boot_rig_end(struct boot_rig *);

/* xorshift64: a state from a test's seed, which is never 0 for small ones; 0 to n - 1. */
u64 random_state(u64 seed);
u64 random_below(u64 *state, u64 n);

#endif
