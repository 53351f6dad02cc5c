/*
 * init, the first process and the parent of all orphans. It mounts what /etc/fstab lists, does what
 * /etc/inittab says, collects the dead, starts again what should always run, and takes the machine
 * down on a signal: SIGTERM and SIGINT restart it, SIGUSR1 halts it, SIGUSR2 switches it off (what
 * busybox' reboot, halt and poweroff send).
 *
 * inittab's lines, in busybox' form: TERMINAL::WHEN:COMMAND, with WHEN one of sysinit, respawn and
 * shutdown, and TERMINAL empty for the console. The command is split at spaces; no shell reads it.
 */
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ENTRIES 16
#define MAX_WORDS   16
#define GRACE_MS    2000 /* what programs get between SIGTERM and SIGKILL */
#define POLL_MS     20
#define QUICK_S     2 /* who ends sooner than that waits so long before the next start */

enum when { SYSINIT, RESPAWN, SHUTDOWN, NR_WHEN };
static const char *const when_names[NR_WHEN] = {"sysinit", "respawn", "shutdown"};

struct entry {
    char terminal[16];
    enum when when;
    char command[128];
    pid_t pid; /* 0: does not run */
    time_t started;
    int too_quick;
};

static struct entry entries[MAX_ENTRIES];
static int nr_entries;
static volatile sig_atomic_t down_by; /* the signal that asked for the end */
static sigset_t old_mask;

static void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    dprintf(2, "init: ");
    vdprintf(2, format, args);
    dprintf(2, "\n");
    va_end(args);
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static time_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

static void on_signal(int signal)
{
    if (signal != SIGCHLD) {
        down_by = signal;
    }
}

/* ---- the table */

static bool parse(char *line, struct entry *e)
{
    char *terminal = strsep(&line, ":"), *levels = strsep(&line, ":"), *when = strsep(&line, ":");

    (void)levels; /* there are no run levels */
    if (!line || strlen(terminal) >= sizeof e->terminal || strlen(line) >= sizeof e->command) {
        return false;
    }
    strcpy(e->terminal, terminal);
    strcpy(e->command, line);
    for (e->when = 0; e->when < NR_WHEN; e->when++) {
        if (strcmp(when, when_names[e->when]) == 0) {
            return true;
        }
    }
    return false;
}

static void read_table(const char *path)
{
    FILE *f = fopen(path, "re");
    char line[256];

    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        if (!line[0] || line[0] == '#') {
            continue;
        }
        if (nr_entries == MAX_ENTRIES || !parse(line, &entries[nr_entries])) {
            say("%s: no room, or not TERMINAL::WHEN:COMMAND", path);
            continue;
        }
        nr_entries++;
    }
    if (f) {
        fclose(f);
        return;
    }
    say("%s: %s; a shell instead", path, strerror(errno));
    entries[nr_entries++] = (struct entry){.terminal = "console", .when = RESPAWN, .command = "/bin/sh"};
}

/* ---- children */

/* In the child: a session of its own on the terminal, so that job control works there. */
static void take_terminal(const char *name)
{
    char path[32];

    snprintf(path, sizeof path, "/dev/%s", name[0] ? name : "console");
    setsid();
    int fd = open(path, O_RDWR);
    if (fd < 0) {
        say("%s: %s", path, strerror(errno));
        sleep(QUICK_S);
        _exit(1);
    }
    if (name[0] && ioctl(fd, TIOCSCTTY, 1) < 0) {
        say("%s is not the terminal of this session: %s", path, strerror(errno));
    }
    for (int i = 0; i < 3; i++) {
        dup2(fd, i);
    }
    if (fd > 2) {
        close(fd);
    }
}

static void start(struct entry *e)
{
    char words[sizeof e->command], *argv[MAX_WORDS + 1], *rest = words;
    int argc = 0;

    e->started = now();
    e->pid = fork();
    if (e->pid < 0) {
        say("fork: %s", strerror(errno));
        e->pid = 0;
    }
    if (e->pid) {
        return;
    }
    for (int s = 1; s < NSIG; s++) {
        signal(s, SIG_DFL);
    }
    sigprocmask(SIG_SETMASK, &old_mask, NULL);
    if (e->too_quick) {
        sleep(QUICK_S);
    }
    take_terminal(e->terminal);
    strcpy(words, e->command);
    while (rest && argc < MAX_WORDS) {
        char *word = strsep(&rest, " ");
        if (word[0]) {
            argv[argc++] = word;
        }
    }
    argv[argc] = NULL;
    execvp(argv[0], argv);
    say("%s: %s", argv[0], strerror(errno));
    _exit(127);
}

/* Collects all that have died, our own children and orphans. */
static void reap(void)
{
    pid_t pid;

    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
        for (int i = 0; i < nr_entries; i++) {
            struct entry *e = &entries[i];
            if (e->pid == pid) {
                e->pid = 0;
                e->too_quick = now() - e->started < QUICK_S;
            }
        }
    }
}

/* Starts all entries of a kind, one after the other, and waits for each. */
static void run_all(enum when when)
{
    sigset_t wait_mask = old_mask;

    for (int i = 0; i < nr_entries; i++) {
        if (entries[i].when != when) {
            continue;
        }
        start(&entries[i]);
        for (reap(); entries[i].pid; reap()) {
            sigsuspend(&wait_mask);
        }
    }
}

/* ---- the beginning */

static void mount_all(void)
{
    FILE *f = setmntent("/etc/fstab", "re");
    struct mntent *m;

    while (f && (m = getmntent(f))) {
        bool is_root = strcmp(m->mnt_dir, "/") == 0; /* the kernel did that */
        if (!is_root && mount(m->mnt_fsname, m->mnt_dir, m->mnt_type, 0, NULL) < 0 &&
            errno != EBUSY) {
            say("mount %s: %s", m->mnt_dir, strerror(errno));
        }
    }
    if (f) {
        endmntent(f);
    }
}

/* The kernel gives us no open files, or the console. */
static void open_console(void)
{
    for (int i = 0; i < 3; i++) {
        if (fcntl(i, F_GETFD) < 0 && open("/dev/console", O_RDWR) != i) {
            break;
        }
    }
}

/* ---- the end */

static void end_processes(void)
{
    bool some = kill(-1, SIGTERM) == 0;

    kill(-1, SIGCONT); /* who is stopped cannot end itself */
    for (int ms = 0; some && ms < GRACE_MS; ms += POLL_MS) {
        reap();
        some = kill(-1, 0) == 0;
        if (some) {
            sleep_ms(POLL_MS);
        }
    }
    for (int ms = 0; ms < GRACE_MS && kill(-1, SIGKILL) == 0; ms += POLL_MS) {
        sleep_ms(POLL_MS);
        reap();
    }
}

/* Takes file systems away, the last mounted first; what is in use, as the root is, is made
 * read-only, so that all of it is on the disk. */
static void unmount_all(void)
{
    char *dirs[64];
    int n = 0;
    FILE *f = setmntent("/proc/mounts", "re");
    struct mntent *m;

    while (f && n < 64 && (m = getmntent(f))) {
        dirs[n++] = strdup(m->mnt_dir);
    }
    if (f) {
        endmntent(f);
    }
    while (n--) {
        if (strcmp(dirs[n], "/") != 0 && umount(dirs[n]) < 0 && errno != EBUSY && errno != EINVAL) {
            say("umount %s: %s", dirs[n], strerror(errno));
        }
    }
    sync();
    if (mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0) {
        say("the root stays writable: %s", strerror(errno));
    }
    sync();
}

static void go_down(int by)
{
    for (int i = 0; i < nr_entries; i++) {
        entries[i].pid = 0; /* not again */
    }
    run_all(SHUTDOWN);
    end_processes();
    unmount_all();
    reboot(by == SIGUSR2 ? RB_POWER_OFF : by == SIGUSR1 ? RB_HALT_SYSTEM : RB_AUTOBOOT);
    say("reboot: %s", strerror(errno));
    for (;;) {
        pause();
    }
}

int main(void)
{
    static const int signals[] = {SIGCHLD, SIGTERM, SIGINT, SIGUSR1, SIGUSR2};
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t mask;

    if (getpid() != 1) {
        fprintf(stderr, "init is the first process; there is one\n");
        return 1;
    }
    sigemptyset(&mask);
    sigemptyset(&old_mask);
    for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        sigaddset(&mask, signals[i]);
        sigaction(signals[i], &action, NULL);
    }
    sigprocmask(SIG_BLOCK, &mask, NULL); /* they come only while we wait */
    open_console();
    setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1);
    chdir("/");
    mount_all();
    read_table("/etc/inittab");
    run_all(SYSINIT);
    while (!down_by) {
        reap();
        for (int i = 0; i < nr_entries; i++) {
            if (entries[i].when == RESPAWN && !entries[i].pid) {
                start(&entries[i]);
            }
        }
        sigsuspend(&old_mask);
    }
    go_down(down_by);
}
