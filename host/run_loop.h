/*
 * The loop around machine_run(): slices, the host polled between them, limits, the end.
 */
#ifndef HOST_RUN_LOOP_H
#define HOST_RUN_LOOP_H

#include "host/session.h"

/* Runs until the guest, the user or a limit ends it. Returns the process's exit status. */
int run_loop(struct session *);

#endif
