/*
 * forkbomb [LIMIT]: a fork bomb under a limit. It becomes somebody who may have LIMIT processes
 * (RLIMIT_NPROC; root would be above it), and each of them forks for as long as it can. The machine
 * stays usable; after two seconds the bomb is ended and counted.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SOMEBODY 31337

struct counts {
    int made, refused;
};

static void bomb(struct counts *c)
{
    for (;;) {
        pid_t pid = fork();
        if (pid > 0) {
            __atomic_fetch_add(&c->made, 1, __ATOMIC_RELAXED);
        } else if (pid < 0) {
            __atomic_fetch_add(&c->refused, 1, __ATOMIC_RELAXED);
            usleep(20000);
        }
    }
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 50;
    struct rlimit limit = {(rlim_t)n, (rlim_t)n};
    struct counts *c = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct timespec begin, end;

    if (geteuid() != 0 || n < 1 || c == MAP_FAILED) {
        fprintf(stderr, "usage: forkbomb [LIMIT], as root (it becomes user %d)\n", SOMEBODY);
        return 2;
    }
    pid_t first = fork();
    if (first == 0) {
        setpgid(0, 0);
        if (setrlimit(RLIMIT_NPROC, &limit) < 0 || setgid(SOMEBODY) < 0 || setuid(SOMEBODY) < 0) {
            perror("forkbomb");
            _exit(1);
        }
        bomb(c);
    }
    setpgid(first, first);
    sleep(1);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    pid_t mine = fork(); /* and we? */
    if (mine == 0) {
        _exit(0);
    }
    waitpid(mine, NULL, 0);
    clock_gettime(CLOCK_MONOTONIC, &end);
    sleep(1);
    kill(-first, SIGKILL);
    waitpid(first, NULL, 0);
    printf("%d forks, then %d refused (%s). Beside them a fork and wait of ours took %ld ms%s.\n",
           c->made, c->refused, strerror(EAGAIN),
           (end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000,
           mine < 0 ? ", and failed" : "");
    return c->made == n - 1 && mine > 0 ? 0 : 1;
}
