/*
 * Inside QMP: the table of commands, and how one answers.
 */
#ifndef HOST_QMP_COMMANDS_H
#define HOST_QMP_COMMANDS_H

#include "host/control.h"
#include <jansson.h>

struct qmp_call {
    struct control *ctl;
    json_t *args; /* an object whose members have been checked against the command's */
    char error[512];
};

/* One argument: its name and JSON type. */
struct qmp_arg {
    const char *name;
    json_type type;
    bool optional;
};

enum { QMP_MAX_ARGS = 4 };

struct qmp_command {
    const char *name;
    /* The answer, a new reference; NULL: call->error says why not. */
    json_t *(*run)(struct qmp_call *);
    struct qmp_arg args[QMP_MAX_ARGS];
};

/* Ends with an entry without a name. */
extern const struct qmp_command qmp_commands[];

/* What the greeting and query-version tell. */
json_t *qmp_version(void);

#endif
