/*
 * Whose file is it? The common head of saved machines and input logs: plain text, so that `head`
 * shows it, that says what machine the file belongs to. A file goes on only in a machine that
 * is the same in all that the guest can tell, and a refusal names what differs.
 *
 *     Kiln saved machine 1
 *     definition 6
 *     host x86-64
 *     undefined-flags mul keeps, shift last, ...
 *     approximations 93d0c1...
 *     memory 128 MiB
 *     bios 131072 bytes, 8c1f02...
 *     ...
 *     sum 0123456789abcdef
 *
 * The number in the first line is the version of what follows the head. The engine is no part of
 * it: engines are interchangeable. Disks are digested, so making a head reads them.
 */
#ifndef MACHINE_IDENTITY_H
#define MACHINE_IDENTITY_H

#include "core/state.h"
#include "machine/machine.h"

/* The version of the machine's definition: to be raised whenever a charge, the rep rule or
 * anything else changes when things happen. Earlier files are then refused. */
#define MACHINE_DEFINITION 7

/* What a host must share for a run to go on there exactly: this, and what its processor makes of flags that
 * the manuals leave open, and of approximations (cpu/silicon.h), which are lines of their own. */
#define HOST_CLASS "x86-64"

enum identity_kind { IDENTITY_STATE, IDENTITY_LOG };
enum { IDENTITY_STATE_FORMAT = 1, IDENTITY_LOG_FORMAT = 1, IDENTITY_MAX = 16 << 10 };

/* Appends the head. A log's says also what only matters from power-on: the date, the battery-
 * backed memory, what a triple fault does. -1, with err: a disk could not be read. */
int identity_write(struct state_buf *, enum identity_kind, const struct machine *,
                   char err[MACHINE_ERR_LEN]);

/* Reads a head, compares it with the present machine, and leaves r->pos behind it. r must hold
 * the whole file or its first IDENTITY_MAX bytes. -1, with what differs and what to try in err:
 * not such a file, truncated, altered, another format, host or machine. */
int identity_read(struct state_reader *r, enum identity_kind, const struct machine *,
                  char err[MACHINE_ERR_LEN]);

/* Checks only that it is an unaltered head of this kind and format, without a machine, and leaves
 * r->pos behind it: for whoever makes a machine after a file. */
int identity_check(struct state_reader *r, enum identity_kind, char err[MACHINE_ERR_LEN]);

/* The value of the line of that name ("memory", "date") in the head that data begins with. false:
 * there is none. */
bool identity_find(const u8 *data, size_t len, const char *name, char *value, size_t cap);

#endif
