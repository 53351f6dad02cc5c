/* execve: arguments, scripts, descriptors, signals, errors. */
#include "guestos/user/usertests/usertests.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char *no_environment[] = {NULL};

/* Executes a file in a child: its status; 200 + errno if it could not be. */
static int execute(const char *path, char *const argv[], char *const envp[])
{
    pid_t pid = fork();
    if (pid == 0) {
        execve(path, argv, envp);
        _exit(errno < 55 ? 200 + errno : 255);
    }
    return status_of(pid);
}

static void copy_self(const char *to, mode_t mode)
{
    static char data[1 << 20];
    size_t len = read_file(self_path, data, sizeof data);
    CHECK(len < sizeof data - 1);
    write_file(to, data, len, mode);
}

static void test_exec_arguments(void)
{
    char *argv[] = {"name", "@args", "", "two words", "\xff\x01", NULL};
    char *envp[] = {"A=1", "EMPTY=", "odd", NULL};

    CHECK(execute(self_path, argv, envp) == 0);
    CHECK(file_is("out", "@args\n\ntwo words\n\xff\x01\nenv A=1\nenv EMPTY=\nenv odd\n"));
}

static void test_exec_auxv(void)
{
    const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
    unsigned sum = 0;

    CHECK(getauxval(AT_PAGESZ) == 4096);
    CHECK(getauxval(AT_UID) == getuid() && getauxval(AT_EGID) == getegid());
    CHECK(getauxval(AT_SECURE) == 0);
    CHECK(getauxval(AT_PHDR) && getauxval(AT_ENTRY) && getauxval(AT_PHNUM) > 1);
    CHECK(random);
    for (int i = 0; i < 16; i++) {
        sum += random[i];
    }
    CHECK(sum != 0);
}

static void test_exec_errors(void)
{
    char *argv[] = {"x", NULL};

    CHECK(mkdir("dir", 0755) == 0);
    write_file("not_executable", "#!/bin/sh\n", 10, 0644);
    write_file("no_program", "hello, world\n", 13, 0755);
    write_file("empty", "", 0, 0755);
    write_file("half", "\177ELF\2\1\1", 7, 0755);
    CHECK(symlink("loop", "loop") == 0);
    CHECK(execute("none", argv, no_environment) == 200 + ENOENT);
    CHECK(execute("", argv, no_environment) == 200 + ENOENT);
    CHECK(execute("dir", argv, no_environment) == 200 + EACCES);
    CHECK(execute("not_executable", argv, no_environment) == 200 + EACCES);
    CHECK(execute("not_executable/x", argv, no_environment) == 200 + ENOTDIR);
    CHECK(execute("no_program", argv, no_environment) == 200 + ENOEXEC);
    CHECK(execute("empty", argv, no_environment) == 200 + ENOEXEC);
    CHECK(execute("half", argv, no_environment) == 200 + ENOEXEC);
    CHECK(execute("loop", argv, no_environment) == 200 + ELOOP);
    CHECK(execute((const char *)8, argv, no_environment) == 200 + EFAULT);
    CHECK(execute(self_path, (char *const *)8, no_environment) == 200 + EFAULT);
    char *bad[] = {"x", (char *)8, NULL};
    CHECK(execute(self_path, bad, no_environment) == 200 + EFAULT);
}

static void test_exec_busy_text(void)
{
    char *argv[] = {"copy", "@exit", "5", NULL};

    copy_self("copy", 0755);
    int fd = open("copy", O_WRONLY);
    CHECK(fd >= 0 && execute("copy", argv, no_environment) == 200 + ETXTBSY);
    close(fd);
    CHECK(execute("copy", argv, no_environment) == 5);
}

static void test_exec_scripts(void)
{
    char line[400], *argv[] = {"name", "one", "two words", NULL};

    snprintf(line, sizeof line, "#! %s @args   a b  \nrest is ignored\n", self_path);
    write_file("script", line, strlen(line), 0755);
    CHECK(execute("./script", argv, no_environment) == 99); /* "@args   a b", one word: no job */
    /* the interpreter, its argument, the script's path, our arguments */
    snprintf(line, sizeof line, "#!%s @args\n", self_path);
    write_file("script", line, strlen(line), 0755);
    CHECK(execute("./script", argv, no_environment) == 0);
    CHECK(file_is("out", "@args\n./script\none\ntwo words\n"));
    write_file("nested", "#!./script\n", 11, 0755);
    CHECK(execute("nested", argv, no_environment) == 0);
    CHECK(file_is("out", "@args\n./script\nnested\none\ntwo words\n"));
    write_file("none", "#!/no/such/program\n", 19, 0755);
    CHECK(execute("none", argv, no_environment) == 200 + ENOENT);
    write_file("bare", "#!\n", 3, 0755);
    CHECK(execute("bare", argv, no_environment) == 200 + ENOEXEC);
    write_file("itself", "#!./itself\n", 11, 0755);
    CHECK(execute("itself", argv, no_environment) == 200 + ELOOP);
    write_file("shell", "#!/bin/sh\nexit $#\n", 18, 0755);
    CHECK(execute("shell", argv, no_environment) == 2);
}

static void test_exec_too_big(void)
{
    enum { LEN = 131072 }; /* MAX_ARG_STRLEN: with the 0 at its end */
    struct rlimit limit = {8 << 20, 8 << 20};
    static char text[LEN + 1], *argv[64] = {"x", "@exit"};

    CHECK(setrlimit(RLIMIT_STACK, &limit) == 0);
    memset(text, '0', LEN);
    argv[2] = text;
    CHECK(execute(self_path, argv, no_environment) == 200 + E2BIG);
    text[LEN - 1] = 0;
    CHECK(execute(self_path, argv, no_environment) == 0);
    for (int i = 3; i < 20; i++) { /* 17 * 128 KiB: more than a quarter of the stack's limit */
        argv[i] = text;
    }
    CHECK(execute(self_path, argv, no_environment) == 200 + E2BIG);
    argv[12] = NULL;
    CHECK(execute(self_path, argv, no_environment) == 0);
}

static void test_exec_closes(void)
{
    char number[16], *argv[] = {"x", "@open", number, NULL};
    int keep = open("/dev/null", O_RDONLY), lose = open("/dev/null", O_RDONLY | O_CLOEXEC);

    snprintf(number, sizeof number, "%d", keep);
    CHECK(execute(self_path, argv, no_environment) == 0);
    snprintf(number, sizeof number, "%d", lose);
    CHECK(execute(self_path, argv, no_environment) == 1);
    CHECK(fcntl(lose, F_GETFD) == FD_CLOEXEC); /* of the parent's table nothing went */
    CHECK(fcntl(lose, F_SETFD, 0) == 0 && execute(self_path, argv, no_environment) == 0);
    int copy = fcntl(lose, F_DUPFD_CLOEXEC, 50);
    CHECK(copy == 50 && fcntl(copy, F_GETFD) == FD_CLOEXEC && fcntl(dup(copy), F_GETFD) == 0);
}

static void on_signal(int signal)
{
    (void)signal;
}

static void test_exec_and_signals(void)
{
    char number[16], *argv[] = {"x", "@signals", number, NULL};
    sigset_t mask;

    signal(SIGUSR1, on_signal);
    signal(SIGUSR2, SIG_IGN);
    sigemptyset(&mask);
    sigaddset(&mask, SIGHUP);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    snprintf(number, sizeof number, "%d", SIGUSR1);
    CHECK(execute(self_path, argv, no_environment) == 0);
    snprintf(number, sizeof number, "%d", SIGUSR2);
    CHECK(execute(self_path, argv, no_environment) == 1);
    snprintf(number, sizeof number, "%d", SIGHUP);
    CHECK(execute(self_path, argv, no_environment) == 2);
}

static void *wait_forever(void *unused)
{
    for (;;) {
        pause();
    }
    return unused;
}

static void *exec_here(void *unused)
{
    execl(self_path, self_path, "@exit", "9", NULL);
    _exit(1);
    return unused;
}

static void test_exec_ends_threads(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t t;
        CHECK(pthread_create(&t, NULL, wait_forever, NULL) == 0);
        CHECK(pthread_create(&t, NULL, exec_here, NULL) == 0); /* not by the first thread */
        wait_forever(NULL);
    }
    CHECK(status_of(pid) == 9);
}

static void test_exec_by_descriptor(void)
{
    char *argv[] = {"x", "@exit", "6", NULL};
    int fd = open(self_path, O_RDONLY);

    CHECK(fd >= 0);
    pid_t pid = fork();
    if (pid == 0) {
        fexecve(fd, argv, no_environment);
        _exit(200 + errno);
    }
    CHECK(status_of(pid) == 6);
}

const struct test exec_tests[] = {
    TEST(exec_arguments),  TEST(exec_auxv),       TEST(exec_errors),
    TEST(exec_busy_text),  TEST(exec_scripts),    TEST(exec_too_big),
    TEST(exec_closes),     TEST(exec_and_signals), TEST(exec_ends_threads),
    TEST(exec_by_descriptor), {0},
};
