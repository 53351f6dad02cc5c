/*
 * The monitor: commands in lines of text that look into the run and steer it. Names and formats
 * are QEMU's; the tables of `info idt` and its like are in Bochs' manner.
 *
 * A user reaches it over a channel, in the terminal by Ctrl-A c, from gdb by `monitor COMMAND`,
 * and from QMP by human-monitor-command. The prompt is "(kiln) ".
 */
#ifndef HOST_MONITOR_H
#define HOST_MONITOR_H

#include "host/channel.h"
#include "host/control.h"
#include <stdio.h>

struct terminal;

/* A monitor on a channel, which it takes over; or the one behind Ctrl-A c. */
void monitor_open(struct control *, struct channel *);
void monitor_open_terminal(struct control *, struct terminal *);

/* Runs one line; what it says goes to out. */
void monitor_execute(struct control *, const char *line, FILE *out);

#endif
