/* What usertests does when a test executes it: `usertests @JOB ...`. */
#include "guestos/user/usertests/usertests.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* @args: arguments and environment, one a line, to the file "out". */
static int job_args(char **argv)
{
    FILE *f = fopen("out", "w");
    if (!f) {
        return 1;
    }
    for (int i = 0; argv[i]; i++) {
        fprintf(f, "%s\n", argv[i]);
    }
    for (char **e = environ; *e; e++) {
        fprintf(f, "env %s\n", *e);
    }
    return fclose(f) ? 1 : 0;
}

/* @open FD: is it open? */
static int job_open(char **argv)
{
    return fcntl(atoi(argv[1]), F_GETFD) >= 0 ? 0 : 1;
}

/* @signals SIGNAL: 0 default, 1 ignored, 2 blocked; more: something else */
static int job_signals(char **argv)
{
    int signal_number = atoi(argv[1]);
    struct sigaction a;
    sigset_t mask;

    if (sigaction(signal_number, NULL, &a) < 0 || sigprocmask(SIG_BLOCK, NULL, &mask) < 0) {
        return 3;
    }
    return sigismember(&mask, signal_number) ? 2 : a.sa_handler == SIG_IGN ? 1
           : a.sa_handler == SIG_DFL                                        ? 0
                                                                            : 4;
}

/* @ids: "uid euid gid egid" to standard output */
static int job_ids(char **argv)
{
    (void)argv;
    printf("%d %d %d %d\n", getuid(), geteuid(), getgid(), getegid());
    return 0;
}

static int job_exit(char **argv)
{
    return atoi(argv[1]);
}

static const struct {
    const char *name;
    int (*run)(char **argv);
} jobs[] = {
    {"@args", job_args}, {"@open", job_open}, {"@signals", job_signals},
    {"@ids", job_ids},   {"@exit", job_exit},
};

int do_job(char **argv)
{
    for (unsigned i = 0; i < sizeof jobs / sizeof jobs[0]; i++) {
        if (strcmp(jobs[i].name, argv[0]) == 0) {
            return jobs[i].run(argv);
        }
    }
    return 99;
}
