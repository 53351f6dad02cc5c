/* See tests/fuzz/talk.h. */
#define _GNU_SOURCE /* memmem */
#include "tests/fuzz/talk.h"
#include "machine/debug.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rig.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char dir[40];

static void leave(void)
{
    if (chdir("/") == 0)
        rmdir(dir);
}

void talk_setup(const char *only)
{
    (void)only;
    strcpy(dir, "/tmp/fuzz_talk.XXXXXX");
    ASSERT(mkdtemp(dir));
    atexit(leave);
    signal(SIGPIPE, SIG_IGN);
}

static int connect_to(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(a.sun_path, path);
    ASSERT(fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
    ASSERT(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    return fd;
}

void talk_start(struct talk *t, enum gdb_arch arch, struct channel **ch)
{
    /* A loop with a call, pushes, a port and memory: something to stop in. */
    static const u8 code[] = { 0xe8, 0x04, 0, 0, 0, 0xeb, 0xf9, 0x90, 0x90, 0x50, 0xff, 0x00, 0xe6,
                               0x80, 0x58, 0xc3 };
    char path[64], err[CHANNEL_ERR_LEN];

    memset(t, 0, sizeof(*t));
    t->o.gdb_arch = arch;
    t->o.start_stopped = true;
    t->s.o = &t->o;
    t->s.m = rig_create(code, sizeof(code), RIG_PROTECTED, NULL);
    t->fd = -1;
    control_init(&t->s.control, &t->s);
    if (!ch)
        return;
    snprintf(path, sizeof(path), "%s/socket", dir);
    *ch = channel_open(&(struct channel_options){ .kind = CHANNEL_UNIX, .path = path }, "fuzz", err);
    ASSERT(*ch);
    t->fd = connect_to(path);
}

void talk_end(struct talk *t)
{
    if (t->fd >= 0)
        close(t->fd);
    control_poll(&t->s.control);
    control_close(&t->s.control);
    machine_destroy(t->s.m);
}

/* The part of the run loop that controllers see. */
static void run_a_little(struct control *ctl)
{
    enum machine_stop stop;

    if (ctl->stopped || ctl->quit)
        return;
    if (rig_run(ctl->m, 300, &stop))
        return;
    control_stop(ctl, stop == MACHINE_DEBUG          ? STOPPED_BY_POINT
                      : stop == MACHINE_TRIPLE_FAULT ? STOPPED_BY_FAULT
                                                     : STOPPED_FOR_GOOD);
}

static void hear(struct talk *t)
{
    char answer[4096];
    ssize_t n;

    while ((n = read(t->fd, answer, sizeof(answer))) > 0)
        t->answered += (u64)n;
}

void talk_say(struct talk *t, const u8 *bytes, size_t len)
{
    for (unsigned polls = 0; polls < 20 && !t->s.control.quit; polls++) {
        size_t n = len < 1500 ? len : 1500;
        ssize_t sent = n ? write(t->fd, bytes, n) : 0;

        if (sent > 0) {
            bytes += sent;
            len -= (size_t)sent;
            polls = 0;
        }
        control_poll(&t->s.control);
        key_sender_poll(&t->s.control.keys, t->s.m);
        run_a_little(&t->s.control);
        hear(t);
    }
}

bool talk_is_harmless(const u8 *bytes, size_t len)
{
    static const char *const words[] = { "screendump", "savevm", "loadvm", "delvm", "memsave", "\\u" };

    for (unsigned i = 0; i < ARRAY_LEN(words); i++)
        if (memmem(bytes, len, words[i], strlen(words[i])))
            return false;
    return true;
}
