/*
 * --record FILE: writes the input log of a run as it goes, so that a run whose emulator is killed
 * can be replayed up to half a second before that.
 */
#include "host/machine_args.h"
#include "host/session.h"
#include "host/tape.h"
#include "machine/record.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CUT_NS = 500000000 };

struct tape_record {
    struct tape tape;
    struct record *record;
    const char *path;
    int fd; /* -1: writing has failed, and it was said */
    u64 last_cut;
};

/* ---- the file ---- */

/* Only what was a log before is replaced: a slip must not cost a disk image. */
static int open_log_file(const char *path)
{
    static const char ours[] = "Kiln input log ";
    char begin[sizeof(ours) - 1];
    struct stat st;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);

    if (fd < 0 || fstat(fd, &st) < 0) {
        fprintf(stderr, "kiln: --record: cannot write %s: %s\n", path, strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        fprintf(stderr, "kiln: --record: %s is no plain file\n", path);
    } else if (st.st_size && (pread(fd, begin, sizeof(begin), 0) != sizeof(begin) ||
                              memcmp(begin, ours, sizeof(begin)))) {
        fprintf(stderr, "kiln: --record: %s is there already and no recording; name another file, "
                        "or remove it\n", path);
    } else if (ftruncate(fd, 0) < 0) {
        fprintf(stderr, "kiln: --record: cannot write %s: %s\n", path, strerror(errno));
    } else {
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

static void write_out(struct tape_record *t)
{
    struct state_buf *b = record_bytes(t->record);
    const u8 *p = b->data;
    size_t left = b->len;

    while (t->fd >= 0 && left) {
        ssize_t n = write(t->fd, p, left);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            fprintf(stderr, "kiln: --record: cannot write %s: %s; the run goes on, its recording "
                            "ends here\n", t->path, strerror(n ? errno : ENOSPC));
            close(t->fd);
            t->fd = -1;
            break;
        }
        p += n;
        left -= (size_t)n;
    }
    b->len = 0;
}

static void record_poll(struct tape *tape, u64 wall_ns)
{
    struct tape_record *t = (struct tape_record *)tape;

    if (wall_ns - t->last_cut < CUT_NS)
        return;
    t->last_cut = wall_ns;
    record_cut(t->record);
    write_out(t);
}

static int record_over(struct tape *tape, int status)
{
    struct tape_record *t = (struct tape_record *)tape;

    record_end(t->record, status);
    write_out(t);
    if (t->fd < 0)
        return status ? status : 1;
    fprintf(stderr, "kiln: recorded %llu events in %s; kiln replay %s repeats the run\n",
            (unsigned long long)record_nr_events(t->record), t->path, t->path);
    return status;
}

static void record_close(struct tape *tape)
{
    struct tape_record *t = (struct tape_record *)tape;

    record_free(t->record);
    if (t->fd >= 0)
        close(t->fd);
    free(t);
}

static const struct tape_class record_class = {
    .poll = record_poll,
    .end = record_over,
    .close = record_close,
};

struct tape *tape_record_open(struct session *s)
{
    struct tape_record *t = calloc(1, sizeof(*t));
    struct machine_args list;
    char err[MACHINE_ERR_LEN];

    if (!t)
        abort();
    t->tape.class = &record_class;
    t->path = s->o->record;
    t->fd = open_log_file(t->path);
    if (t->fd < 0) {
        free(t);
        return NULL;
    }
    machine_args_describe(&list, s->o);
    t->record = record_begin(s->m,
                             &(struct record_setup){(const char *const *)list.arg, list.nr,
                                                    s->o->nvram ? s->nvram : NULL},
                             err);
    machine_args_free(&list);
    if (!t->record) {
        fprintf(stderr, "kiln: --record: %s\n", err);
        close(t->fd);
        free(t);
        return NULL;
    }
    write_out(t);
    return &t->tape;
}
