/*
 * The monitor: commands in lines of text that look into the run and steer it.
 */
#ifndef HOST_MONITOR_H
#define HOST_MONITOR_H

#include "host/channel.h"
#include "host/control.h"
#include <stdio.h>

/* Runs one line; what it says goes to out. */
void monitor_execute(struct control *, const char *line, FILE *out);

#endif
