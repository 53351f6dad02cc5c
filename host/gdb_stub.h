/*
 * gdb's remote serial protocol: a controller that lets one gdb in.
 */
#ifndef HOST_GDB_STUB_H
#define HOST_GDB_STUB_H

#include "host/channel.h"
#include "host/control.h"

/* Takes the channel over. The guest is stopped as long as gdb says so, from its arrival on. */
void gdb_stub_open(struct control *, struct channel *);

#endif
