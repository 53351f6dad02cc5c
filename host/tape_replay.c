/*
 * kiln replay FILE: the machine that the log describes, driven by the log. Options of this command
 * line say how to look at it; those that name files may say where the files are now.
 */
#include "host/machine_args.h"
#include "host/session.h"
#include "host/tape.h"
#include "machine/replay.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATUS_DIVERGED = 72 };

/* ---- before the machine ---- */

static u8 *read_log(const char *path, size_t *len)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    u8 *bytes = NULL;

    *len = 0;
    if (fd < 0 || fstat(fd, &st) < 0) {
        fprintf(stderr, "kiln: replay: cannot read %s: %s\n", path, strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        fprintf(stderr, "kiln: replay: %s is no plain file\n", path);
    } else if ((u64)st.st_size > REPLAY_MAX_BYTES) {
        fprintf(stderr, "kiln: replay: %s is too long for an input log\n", path);
    } else if (!(bytes = malloc((size_t)st.st_size + 1))) {
        fprintf(stderr, "kiln: replay: the host has no memory for %s\n", path);
    } else {
        ssize_t n;

        while (*len < (size_t)st.st_size &&
               (n = read(fd, bytes + *len, (size_t)st.st_size - *len)) > 0)
            *len += (size_t)n;
    }
    if (fd >= 0)
        close(fd);
    return bytes;
}

struct replay *replay_load(struct options *o, int argc, char **argv)
{
    char err[MACHINE_ERR_LEN];
    const char *const *args;
    struct replay *r;
    unsigned nr;
    size_t len;
    u8 *bytes = read_log(o->replay, &len);

    if (!bytes)
        return NULL;
    r = replay_read(bytes, len, o->partial, err);
    free(bytes);
    if (!r) {
        fprintf(stderr, "kiln: replay %s: %s\n", o->replay, err);
        return NULL;
    }
    args = replay_args(r, &nr);
    if (!machine_args_parse(o, args, nr, argc, argv)) {
        replay_free(r);
        return NULL;
    }
    o->rtc = RTC_FIXED;
    o->rtc_seconds = replay_date(r);
    o->nvram_cells = replay_nvram(r);
    return r;
}

/* ---- beside the machine ---- */

struct tape_replay {
    struct tape tape;
    struct replay *replay;
    struct machine *m;
    enum replay_state state;
};

static u64 replay_tick(const struct tape *tape)
{
    return replay_next_tick(((const struct tape_replay *)tape)->replay);
}

static bool follow(struct tape *tape, enum machine_stop stop)
{
    struct tape_replay *t = (struct tape_replay *)tape;

    if (t->state == REPLAY_GOES_ON)
        t->state = replay_step(t->replay, t->m, stop);
    return t->state != REPLAY_GOES_ON;
}

static int replay_over(struct tape *tape, int status)
{
    struct tape_replay *t = (struct tape_replay *)tape;
    const struct replay *r = t->replay;
    const char *verdict = replay_is_partial(r) ? "as far as the recording goes" : "same state";

    switch (t->state) {
    case REPLAY_GOES_ON:
        fprintf(stderr, "kiln: the replay was ended before the recording's end\n");
        return status;
    case REPLAY_DIVERGED:
        fprintf(stderr, "kiln: the replay differs from the recording: %s\n", replay_trouble(r));
        return STATUS_DIVERGED;
    case REPLAY_DONE: break;
    }
    fprintf(stderr, "kiln: replayed: %s; %llu events, %llu instructions, %.3f s of virtual time",
            verdict, (unsigned long long)replay_nr_events(r),
            (unsigned long long)machine_icount(t->m), (double)machine_now_ns(t->m) / 1e9);
    if (!replay_is_partial(r) && replay_status(r))
        fprintf(stderr, "; that run ended with status %d", replay_status(r));
    fputc('\n', stderr);
    return 0;
}

static void replay_close(struct tape *tape)
{
    free(tape);
}

static const struct tape_class replay_class = {
    .replays = true,
    .next_tick = replay_tick,
    .follow = follow,
    .end = replay_over,
    .close = replay_close,
};

struct tape *tape_replay_open(struct session *s, struct replay *r)
{
    struct tape_replay *t = calloc(1, sizeof(*t));
    char err[MACHINE_ERR_LEN];

    if (!t)
        abort();
    *t = (struct tape_replay){{&replay_class}, r, s->m, REPLAY_GOES_ON};
    if (replay_begin(r, s->m, err) == 0)
        return &t->tape;
    fprintf(stderr, "kiln: replay %s: %s\n", s->o->replay, err);
    free(t);
    return NULL;
}
