/*
 * QMP, QEMU's machine protocol: JSON commands, answers and events over a channel.
 */
#ifndef HOST_QMP_H
#define HOST_QMP_H

#include "host/channel.h"
#include "host/control.h"

/* Takes the channel over. */
void qmp_open(struct control *, struct channel *);

#endif
