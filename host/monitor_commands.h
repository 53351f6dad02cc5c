/*
 * Inside the monitor: what a command gets, and the tables of commands by family.
 */
#ifndef HOST_MONITOR_COMMANDS_H
#define HOST_MONITOR_COMMANDS_H

#include "host/control.h"
#include "machine/machine.h"
#include <stdio.h>

struct monitor_call {
    struct control *ctl;
    struct machine *m;
    FILE *out;
    const char *args; /* behind the name, without leading blanks; "/fmt" stands at its beginning */
};

struct monitor_command {
    const char *names; /* "quit|q" */
    const char *args;  /* for the help */
    const char *help;
    void (*run)(const struct monitor_call *);
};

/* Each ends with an entry without names. */
extern const struct monitor_command monitor_run_commands[];
extern const struct monitor_command monitor_memory_commands[];
extern const struct monitor_command monitor_info_commands[]; /* behind "info" */

/* The next word of *args, cut to cap, and moves on; false at the end. */
bool monitor_word(const char **args, char *word, size_t cap);

/* An expression of numbers, $registers, + - * / % & | ^ ~ and parentheses, as long as it goes.
 * false: *why says what is wrong. */
bool monitor_expression(struct machine *, const char **args, u64 *value, const char **why);

#endif
