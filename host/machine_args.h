/*
 * The command line that makes the same machine again, for files that a machine is made from: input
 * logs and reproducers of lock step.
 */
#ifndef HOST_MACHINE_ARGS_H
#define HOST_MACHINE_ARGS_H

#include "host/options.h"

enum { MACHINE_MAX_ARGS = 64 };

struct machine_args {
    char *arg[MACHINE_MAX_ARGS]; /* option and argument in turn */
    unsigned nr;
};

void machine_args_describe(struct machine_args *, const struct options *);
void machine_args_pair(struct machine_args *, const char *name, const char *text); /* text NULL: nothing */
void machine_args_free(struct machine_args *);

/* Parses the command line anew, and behind it such arguments, in pairs, but for what the user has said
 * himself. false: it cannot be, which has been said. */
bool machine_args_parse(struct options *, const char *const *args, unsigned nr, int argc, char **argv);

#endif
