/*
 * Opens what the options ask for of -gdb, -monitor and -qmp, and connects it to a session.
 */
#ifndef HOST_CONTROLLERS_H
#define HOST_CONTROLLERS_H

#include "host/session.h"

/* 0, or -1 when one is not to be had, which has been said on stderr. They are closed with the
 * session. */
int controllers_open(struct session *);

#endif
