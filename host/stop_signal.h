/*
 * SIGINT, SIGTERM and SIGHUP as a question that the run loop asks between slices.
 */
#ifndef HOST_STOP_SIGNAL_H
#define HOST_STOP_SIGNAL_H

#include "core/types.h"

void stop_signal_install(void);

/* The signal that asked us to end, or 0. */
int stop_signal_pending(void);

/* As if the signal had come: a pipe that nobody reads any more. */
void stop_signal_raise(int sig);

#endif
