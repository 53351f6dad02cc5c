/*
 * The words of a reproducer: what machine, from where to where, and what came from outside.
 *
 *     Kiln lock step 1
 *     from TICK ICOUNT
 *     until TICK
 *     option NAME ARGUMENT
 *     event ICOUNT SUB_TICK KIND CODE EXTRA VALUE
 */
#include "core/input.h"
#include "machine/lockstep.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define HEAD "Kiln lock step 1\n"

static FILE *open_words(const char *folder, const char *mode, char err[MACHINE_ERR_LEN])
{
    char path[1200];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, LOCKSTEP_WORDS);
    f = fopen(path, mode);
    if (!f)
        snprintf(err, MACHINE_ERR_LEN, "cannot %s %.300s: %s", *mode == 'r' ? "read" : "write", path, strerror(errno));
    return f;
}

int lockstep_case_write(const struct lockstep_case *c, const char *folder, char err[MACHINE_ERR_LEN])
{
    FILE *f = open_words(folder, "w", err);

    if (!f)
        return -1;
    fprintf(f, HEAD "from %" PRIu64 " %" PRIu64 "\nuntil %" PRIu64 "\n", c->from, c->icount, c->until);
    for (unsigned i = 0; i + 1 < c->nr_args; i += 2)
        fprintf(f, "option %s %s\n", c->args[i], c->args[i + 1]);
    for (unsigned i = 0; i < c->nr_events; i++) {
        const struct input_event *e = &c->events[i];

        fprintf(f, "event %" PRIu64 " %" PRIu64 " %u %u %d %" PRId64 "\n", e->icount, e->sub_tick, e->kind, e->code,
                e->extra, e->value);
    }
    if (fclose(f)) {
        snprintf(err, MACHINE_ERR_LEN, "cannot write %.300s: %s", folder, strerror(errno));
        return -1;
    }
    return 0;
}

static void add_option(struct lockstep_case *c, const char *name, const char *arg)
{
    c->args = realloc(c->args, (c->nr_args + 2) * sizeof(*c->args));
    ASSERT(c->args);
    c->args[c->nr_args++] = strdup(name);
    c->args[c->nr_args++] = strdup(arg);
    ASSERT(c->args[c->nr_args - 2] && c->args[c->nr_args - 1]);
}

static void add_event(struct lockstep_case *c, const struct input_event *e)
{
    c->events = realloc(c->events, (c->nr_events + 1) * sizeof(*c->events));
    ASSERT(c->events);
    c->events[c->nr_events++] = *e;
}

static bool read_line(struct lockstep_case *c, char *line)
{
    struct input_event e = { 0 };
    unsigned kind, code;
    char *arg;

    line[strcspn(line, "\n")] = 0;
    if (sscanf(line, "from %" SCNu64 " %" SCNu64, &c->from, &c->icount) == 2)
        return true;
    if (sscanf(line, "until %" SCNu64, &c->until) == 1)
        return true;
    if (!strncmp(line, "option ", 7) && (arg = strchr(line + 7, ' '))) {
        *arg++ = 0;
        add_option(c, line + 7, arg);
        return true;
    }
    if (sscanf(line, "event %" SCNu64 " %" SCNu64 " %u %u %d %" SCNd64, &e.icount, &e.sub_tick, &kind, &code, &e.extra,
               &e.value) != 6 || kind > INPUT_NMI || code > UINT16_MAX)
        return false;
    e.kind = (u16)kind;
    e.code = (u16)code;
    add_event(c, &e);
    return true;
}

int lockstep_case_read(struct lockstep_case *c, const char *folder, char err[MACHINE_ERR_LEN])
{
    FILE *f = open_words(folder, "r", err);
    char *line = NULL;
    size_t cap = 0;
    unsigned nr = 1;
    bool good;

    *c = (struct lockstep_case){ 0 };
    if (!f)
        return -1;
    good = getline(&line, &cap, f) > 0 && !strcmp(line, HEAD);
    while (good && getline(&line, &cap, f) > 0) {
        nr++;
        good = read_line(c, line);
    }
    good &= c->until > c->from || nr == 1;
    free(line);
    fclose(f);
    if (good && nr > 1)
        return 0;
    snprintf(err, MACHINE_ERR_LEN, "%.300s/%s: line %u makes no sense", folder, LOCKSTEP_WORDS, nr);
    lockstep_case_free(c);
    return -1;
}

void lockstep_case_free(struct lockstep_case *c)
{
    for (unsigned i = 0; i < c->nr_args; i++)
        free(c->args[i]);
    free(c->args);
    free(c->events);
    *c = (struct lockstep_case){ 0 };
}
