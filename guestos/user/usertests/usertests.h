/*
 * usertests: what a Unix promises to its programs, one function a promise. They are Linux programs:
 * what they expect is what Linux does (its manual pages say it), and each passes there, too.
 *
 * A test runs in a process of its own, in an empty folder of its own, under a time limit. It ends by
 * returning (passed), by a CHECK that does not hold (failed), or by skip().
 */
#ifndef GUESTOS_USER_USERTESTS_H
#define GUESTOS_USER_USERTESTS_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct test {
    const char *name;
    void (*run)(void);
};
struct test_group {
    const char *name;
    const struct test *tests;
};
/* Ends with an empty row. */
#define TEST(name)                                                                                 \
    {                                                                                              \
        #name, test_##name                                                                         \
    }
extern const struct test process_tests[], exec_tests[], pipe_tests[], poll_tests[], signal_tests[],
    fault_tests[], tty_tests[], thread_tests[], memory_tests[], file_tests[], name_tests[],
    permission_tests[], lock_tests[], time_tests[], proc_tests[], hostile_tests[];

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            check_failed(__FILE__, __LINE__, #condition);                                          \
        }                                                                                          \
    } while (0)
/* A call that must fail like that. */
#define CHECK_FAILS(call, error)                                                                   \
    do {                                                                                           \
        errno = 0;                                                                                 \
        if ((long)(call) != -1 || errno != (error)) {                                              \
            check_failed(__FILE__, __LINE__, #call " fails with " #error);                         \
        }                                                                                          \
    } while (0)

_Noreturn void check_failed(const char *file, int line, const char *what);
_Noreturn void skip(const char *why);
void need_root(void); /* else skips */
bool on_ember(void);  /* for what Linux does not count, or must not be done to */
int rounds(int normal); /* how often something random is tried: -r multiplies it */

/* Waits for a child: its exit status, or 128 + the signal that ended it. */
int status_of(pid_t pid);
/* Runs a function in a child; its status. */
int in_child(void (*function)(void));
void become(uid_t uid, gid_t gid); /* really, for good, no supplementary groups */
void sleep_ms(long ms);
uint64_t now_ms(void);
uint32_t random32(uint32_t *state);

void write_file(const char *path, const void *data, size_t len_bytes, mode_t mode);
void write_text(const char *path, const char *text);
size_t read_file(const char *path, void *to, size_t size); /* as a string: with a 0 at its end */
bool file_is(const char *path, const char *text);

/* Our own executable, for exec: `usertests @JOB ...` does the job (jobs.c). */
extern const char *self_path;
int do_job(char **argv);

#endif
