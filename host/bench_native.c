/* See bench_native.h. */
#include "host/bench_native.h"
#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct bench_native {
    pid_t pid;
    int fd;
    FILE *from;
};

/* A socket rather than pipes: one descriptor, and a program that has ended is no signal. */
static int start(struct bench_native *n, const char *path)
{
    posix_spawn_file_actions_t actions;
    char *const argv[] = {"bench-native", NULL};
    int fd[2], error;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0)
        return errno;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fd[1], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fd[1], STDOUT_FILENO);
    error = posix_spawn(&n->pid, path, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(fd[1]);
    if (error) {
        n->pid = 0;
        close(fd[0]);
        return error;
    }
    n->fd = fd[0];
    n->from = fdopen(fd[0], "r");
    return n->from ? 0 : errno;
}

struct bench_native *bench_native_open(const char *path, char *err, size_t err_len)
{
    struct bench_native *n = calloc(1, sizeof(*n));
    int error = n ? start(n, path) : ENOMEM;
    if (!error)
        return n;
    snprintf(err, err_len, "cannot run %s: %s", path, strerror(error));
    bench_native_close(n);
    return NULL;
}

void bench_native_close(struct bench_native *n)
{
    if (!n)
        return;
    if (n->from)
        fclose(n->from);
    if (n->pid)
        waitpid(n->pid, NULL, 0);
    free(n);
}

enum bench_step bench_native_run(struct bench_native *n, const char *name, u64 iterations,
                                 struct bench_sample *s)
{
    char line[256];
    int len = snprintf(line, sizeof(line), "%s %" PRIu64 "\n", name, iterations);

    memset(s, 0, sizeof(*s));
    if (send(n->fd, line, (size_t)len, MSG_NOSIGNAL) != len || !fgets(line, sizeof(line), n->from))
        return BENCH_FAILED;
    if (sscanf(line, "%23s %" SCNx64 " %" SCNu64 " %" SCNu64, s->name, &s->checksum, &s->cpu_ns,
               &s->wall_ns) == 4)
        return BENCH_RAN;
    return BENCH_LEFT_OUT;
}
