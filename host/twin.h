/*
 * -accel lockstep: the second machine, made from the configuration of the session's own, with its own
 * view of the same disks. It has no consoles and no screen: what the guest says appears once.
 */
#ifndef HOST_TWIN_H
#define HOST_TWIN_H

#include "machine/lockstep.h"

struct session;
struct twin;

/* Fills session.twin. 0, or -1 when it is not to be had, which has been said on stderr. */
int twin_open(struct session *);
void twin_close(struct twin *); /* NULL is allowed */
struct lockstep *twin_lockstep(const struct twin *);

#endif
