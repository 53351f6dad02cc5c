/*
 * --record FILE: writes the input log of a run as it goes, so that a run whose emulator is killed
 * can be replayed up to half a second before that.
 */
#include "host/option_parser.h"
#include "host/option_text.h"
#include "host/session.h"
#include "host/tape.h"
#include "machine/record.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CUT_NS = 500000000, MAX_ARGS = 64 };

struct tape_record {
    struct tape tape;
    struct record *record;
    const char *path;
    int fd; /* -1: writing has failed, and it was said */
    u64 last_cut;
};

/* ---- the command line that makes the same machine ---- */

struct arg_list {
    char *arg[MAX_ARGS];
    unsigned nr;
};

static void add(struct arg_list *l, const char *text)
{
    ASSERT(l->nr < MAX_ARGS);
    l->arg[l->nr++] = strdup(text);
}

static void add_pair(struct arg_list *l, const char *name, const char *text)
{
    if (!text)
        return;
    add(l, name);
    add(l, text);
}

/* From whatever directory it will be replayed. */
static void add_file(struct arg_list *l, const char *name, const char *path)
{
    char whole[PATH_MAX];

    if (path)
        add_pair(l, name, realpath(path, whole) ? whole : path);
}

static void add_drive(struct arg_list *l, const struct drive_options *d)
{
    static const char *const buses[] = {"ide", "ahci", "floppy"};
    char whole[PATH_MAX], text[2 * PATH_MAX + 64], *p = text;
    const char *path = d->file && realpath(d->file, whole) ? whole : d->file;

    if (!path) { /* a CD-ROM drive without a medium */
        snprintf(text, sizeof(text), d->bus == DRIVE_AHCI ? "ide-cd,bus=ahci.%d" : "ide-cd,bus=ide.%d,unit=%d",
                 d->bus == DRIVE_AHCI ? d->index : d->index / 2, d->index % 2);
        add_pair(l, "-device", text);
        return;
    }
    p += sprintf(p, "file=");
    for (; *path && p < text + 2 * PATH_MAX; path++) {
        if (*path == ',')
            *p++ = ',';
        *p++ = *path;
    }
    sprintf(p, ",format=raw,if=%s,index=%d,snapshot=on%s%s", buses[d->bus], d->index,
            d->cdrom ? ",media=cdrom" : "", d->readonly && !d->cdrom ? ",readonly=on" : "");
    add_pair(l, "-drive", text);
}

/* ORDER: every option that makes another machine: the rows of GROUP_DISKS, GROUP_MACHINE and
 * GROUP_BOOT in option_table.c, and the debug console. A -kernel and its modules stay as they
 * were written, since the guest can read their names; the date is in the log's head, the
 * battery-backed memory beside this list. */
static void describe_machine(struct arg_list *l, const struct options *o)
{
    char text[64];

    if (o->ahci)
        add_pair(l, "-device", "ahci,id=ahci");
    if (o->no_hpet)
        add(l, "-no-hpet");
    if (o->pc_testdev)
        add_pair(l, "-device", "pc-testdev");
    if (o->pci_testdev)
        add_pair(l, "-device", "pci-testdev");
    for (unsigned i = 0; i < MAX_DISKS; i++)
        if (o->drive[i].file || o->drive[i].cdrom)
            add_drive(l, &o->drive[i]);
    if (*o->boot_order)
        add_pair(l, "-boot", o->boot_order);
    if (o->ram_bytes) {
        snprintf(text, sizeof(text), "%llu", (unsigned long long)(o->ram_bytes >> 20));
        add_pair(l, "-m", text);
    }
    add_pair(l, "-cpu", o->cpu);
    if (o->seed) {
        snprintf(text, sizeof(text), "%llu", (unsigned long long)o->seed);
        add_pair(l, "-seed", text);
    }
    add_file(l, "-L", o->data_dir);
    add_file(l, "-bios", o->bios);
    if (o->vgabios && !strcmp(o->vgabios, "none"))
        add_pair(l, "-vgabios", "none");
    else
        add_file(l, "-vgabios", o->vgabios);
    add_pair(l, "-kernel", o->kernel);
    add_pair(l, "-initrd", o->initrd);
    add_pair(l, "-append", o->append);
    add_pair(l, "-break-device", o->break_device);
    if (o->exit_device) {
        snprintf(text, sizeof(text), "isa-debug-exit,iobase=%u,iosize=%u", o->exit_port,
                 o->exit_size);
        add_pair(l, "-device", text);
    }
    if (o->debugcon.kind != CHAR_UNSET)
        add_pair(l, "-debugcon", "null");
    if (o->debugcon_port) {
        snprintf(text, sizeof(text), "isa-debugcon.iobase=%u", o->debugcon_port);
        add_pair(l, "-global", text);
    }
    if (o->reset_on_triple_fault)
        add_pair(l, "-on-triple-fault", "reset");
}

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
    struct arg_list list = {0};
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
    describe_machine(&list, s->o);
    t->record = record_begin(s->m,
                             &(struct record_setup){(const char *const *)list.arg, list.nr,
                                                    s->o->nvram ? s->nvram : NULL},
                             err);
    for (unsigned i = 0; i < list.nr; i++)
        free(list.arg[i]);
    if (!t->record) {
        fprintf(stderr, "kiln: --record: %s\n", err);
        close(t->fd);
        free(t);
        return NULL;
    }
    write_out(t);
    return &t->tape;
}
