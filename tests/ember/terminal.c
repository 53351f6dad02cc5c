/*
 * Ember's line discipline (guestos/tty/tty.c, output.c) beside the host kernel's: random settings,
 * keys, output and reads on a pseudo-terminal of the host and on ours must give the same echo, the
 * same bytes and the same counts. usage: terminal SESSIONS
 *
 * Left out, since Linux' echo is buffered and ours is not: stopped output, and signals that flush.
 * And erased tabs, whose width the host counts by its own rules.
 */
#define _GNU_SOURCE
#include "guestos/tty/tty.h"

#define SKIPPED 77

/* The host's side, declared by hand: its headers and the guest's both have a struct termios. */
int openpty(int *master, int *slave, char *name, const void *termios, const void *size);
int ioctl(int fd, unsigned long request, ...);
long read(int fd, void *to, unsigned long len);
long write(int fd, const void *from, unsigned long len);
int close(int fd);
int fcntl(int fd, int command, ...);
int atoi(const char *text);
int printf(const char *format, ...);
int memcmp(const void *a, const void *b, unsigned long len);
void *memset(void *to, int value, unsigned long len);
void *memcpy(void *to, const void *from, unsigned long len);
struct host_poll {
    int fd;
    short events, revents;
};
int poll(struct host_poll *fds, unsigned long nr, int timeout_ms);

#define F_SETFL         4
#define HOST_O_NONBLOCK 04000
#define HOST_POLLIN     1

/* ---- ours: what the two files call, and a device that keeps what is written */
static struct tty ours;
static char written[1 << 16];
static u32 nr_written;

void spin_lock(struct spinlock *lock)
{
    (void)lock;
}

void spin_unlock(struct spinlock *lock)
{
    (void)lock;
}

void wake_all(struct wait_queue *q)
{
    (void)q;
}

void tty_signal_foreground(struct tty *t, u32 signal)
{
    (void)t, (void)signal;
}

static u32 room(struct tty *t)
{
    (void)t;
    return sizeof written - nr_written;
}

static void put(struct tty *t, const char *text, u32 len)
{
    (void)t;
    memcpy(written + nr_written, text, len);
    nr_written += len;
}

static const struct tty_device device = {.room = room, .put = put};

/* ---- random numbers that are the same everywhere */
static u64 state;

static u32 below(u32 n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (u32)(state >> 20) % n;
}

static u32 some_of(const u32 *flags, u32 nr)
{
    u32 set = 0;

    for (u32 i = 0; i < nr; i++) {
        set |= below(2) ? flags[i] : 0;
    }
    return set;
}

static struct termios random_settings(void)
{
    static const u32 in[] = {ISTRIP, INLCR, IGNCR, ICRNL, IXON, IXANY, IMAXBEL, IUTF8};
    static const u32 out[] = {ONLCR, OCRNL, ONOCR, ONLRET, TABDLY};
    static const u32 local[] = {ISIG,  ICANON, ICANON,  ECHO,   ECHO,  ECHOE,
                                ECHOK, ECHONL, ECHOCTL, ECHOKE, IEXTEN};
    struct termios t = {
        .iflag = some_of(in, ARRAY_LEN(in)),
        .oflag = OPOST | some_of(out, ARRAY_LEN(out)),
        .cflag = B38400 | CS8 | CREAD | HUPCL,
        .lflag = NOFLSH | some_of(local, ARRAY_LEN(local)),
        .cc = {3, 28, 0x7F, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22},
    };
    return t;
}

static u32 random_text(char *to, const char *const *alphabet, u32 nr, u32 max)
{
    u32 len = 0;

    for (u32 i = 1 + below(max); i; i--) {
        for (const char *p = alphabet[below(nr)]; *p; p++) {
            to[len++] = *p;
        }
    }
    return len;
}

/* ---- a session */
static int wait_ms;

static u32 host_output(int master, char *to, u32 size)
{
    struct host_poll p = {master, HOST_POLLIN, 0};
    u32 len = 0;

    while (poll(&p, 1, wait_ms) == 1) {
        long n = read(master, to + len, size - len);
        if (n <= 0) {
            break;
        }
        len += (u32)n;
    }
    return len;
}

static bool same_output(int master)
{
    static char theirs[sizeof written];
    u32 len = host_output(master, theirs, sizeof theirs);
    bool same = len == nr_written && memcmp(theirs, written, len) == 0;

    nr_written = 0;
    return same;
}

static bool same_read(int slave)
{
    char a[128], b[128];
    u32 size = 1 + below(4) * 40;
    int theirs = 0;

    ioctl(slave, FIONREAD, &theirs);
    if ((u32)theirs != tty_nr_readable(&ours)) {
        return false;
    }
    long n = read(slave, a, size);
    long m = tty_take(&ours, b, size);
    return n < 0 ? m < 0 : n == m && memcmp(a, b, (unsigned long)n) == 0;
}

/* NULL: all was the same; else what was not. */
static const char *steps(int master, int slave)
{
    static const char *const keys[] = {"a",    "b",    "Z",    "1",    " ",        ".",
                                       "_",    "\n",   "\n",   "\r",   "\x7F",     "\x7F",
                                       "\x15", "\x17", "\x12", "\x16", "\x04",     "\x03",
                                       "\x1C", "\x1A", "\x01", "\x1B", "\xC3\xA9", "\xE2\x82\xAC"};
    static const char *const texts[] = {"x", "yz", "\n", "\r", "\b", "\t", "q"};
    char text[128];

    for (u32 step = 1 + below(4); step; step--) {
        u32 len = random_text(text, texts, ARRAY_LEN(texts), 9);
        if (write(slave, text, len) != (long)len || tty_output(&ours, text, len) != len ||
            !same_output(master)) {
            return "output";
        }
        len = random_text(text, keys, ARRAY_LEN(keys), 24);
        if (write(master, text, len) != (long)len) {
            return "typing";
        }
        for (u32 i = 0; i < len; i++) {
            tty_input(&ours, text[i]);
        }
        if (!same_output(master)) {
            return "echo";
        }
        for (u32 reads = below(4); reads; reads--) {
            if (!same_read(slave)) {
                return "what is read";
            }
        }
    }
    return NULL;
}

static const char *session(u64 seed)
{
    int master, slave;

    state = (seed + 1) * 0x9E3779B97F4A7C15ul;
    if (openpty(&master, &slave, NULL, NULL, NULL) < 0) {
        return "openpty";
    }
    struct termios settings = random_settings();
    memset(&ours, 0, sizeof ours);
    ours.device = &device;
    ours.termios = settings;
    nr_written = 0;
    ioctl(slave, TCSETS, &settings);
    fcntl(slave, F_SETFL, HOST_O_NONBLOCK);
    const char *result = steps(master, slave);
    close(master);
    close(slave);
    return result;
}

int main(int argc, char **argv)
{
    int nr = argc > 1 ? atoi(argv[1]) : 100;
    int failed = 0, master, slave;

    if (openpty(&master, &slave, NULL, NULL, NULL) < 0) {
        printf("the host has no pseudo-terminals\n");
        return SKIPPED;
    }
    for (int i = 0; i < nr; i++) {
        const char *what = "";
        for (wait_ms = 4; what && wait_ms < 500; wait_ms *= 5) { /* the host may be slow */
            what = session((u64)i);
        }
        if (what) {
            printf("session %d: %s differs\n", i, what);
            failed++;
        }
    }
    printf("%d of %d sessions are the same\n", nr - failed, nr);
    return failed != 0;
}
