/*
 * The whole machine in a file, at any point between two slices: also inside a repeated string
 * instruction, in the shadow of an STI, before an interrupt. A run that goes on from the file is
 * exactly the run that was saved. docs/decisions/006-saved-machines.md says what is in it.
 */
#ifndef MACHINE_SNAPSHOT_H
#define MACHINE_SNAPSHOT_H

#include "machine/machine.h"

/* Disks must be read only or keep their writes apart (-snapshot): those are in the file. The file
 * at path is replaced as a whole or not at all. -1, with what, why and what to try in err. */
int snapshot_save(struct machine *, const char *path, char err[MACHINE_ERR_LEN]);

/* Into a machine of the same configuration, fresh or under way. -1 with err; the machine is then
 * as it was, or, when the file could not be read to its end a second time, reset, which err
 * says. */
int snapshot_load(struct machine *, const char *path, char err[MACHINE_ERR_LEN]);

#endif
