/*
 * After a difference: back to a state that was kept, to find the block that makes it, and to write a
 * reproducer that has been seen to work.
 *
 * The machines go back by loading a saved state and running on with the events that came since; the
 * one under test gets a new engine, as `kiln lockstep` will have. A difference that needs what the old
 * engine had in its caches does not show then; so the search begins just before the block, and goes
 * back further until it does.
 */
#include "core/mem_view.h"
#include "machine/lockstep_state.h"
#include "machine/pc.h"
#include "machine/snapshot.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- states that are kept ---- */

static int make_folder(struct lockstep *ls)
{
    const char *tmp = getenv("TMPDIR");
    char path[512];

    if (ls->folder)
        return 0;
    snprintf(path, sizeof(path), "%s/kiln-lockstep-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(path)) {
        fprintf(stderr, "kiln: lock step: cannot make %s: %s; differences are not narrowed down\n", path,
                strerror(errno));
        return -1;
    }
    ls->folder = strdup(path);
    ASSERT(ls->folder);
    return 0;
}

int lockstep_remember(struct lockstep *ls, unsigned which)
{
    struct past *p = &ls->past[which];
    char err[MACHINE_ERR_LEN], name[600];

    p->there = false;
    if (make_folder(ls))
        return -1;
    if (!p->path) {
        snprintf(name, sizeof(name), "%s/%u.kiln", ls->folder, which);
        p->path = strdup(name);
        ASSERT(p->path);
    }
    if (snapshot_save(ls->reference, p->path, err)) {
        fprintf(stderr, "kiln: lock step: no state is kept: %s\n", err);
        return -1;
    }
    p->ticks = machine_ticks(ls->reference);
    p->icount = machine_icount(ls->reference);
    p->event = ls->event;
    p->there = true;
    ls->nr_pasts++;
    return 0;
}

static const struct past *past_before(const struct lockstep *ls, u64 ticks)
{
    const struct past *best = NULL;

    for (unsigned i = 0; i < NR_PASTS; i++) {
        const struct past *p = &ls->past[i];

        if (p->there && p->ticks <= ticks && (!best || p->ticks > best->ticks))
            best = p;
    }
    return best;
}

/* ---- running again ---- */

static u64 event_tick(const struct lockstep *ls)
{
    const struct input_event *e = &ls->events[ls->event];

    return ls->event < ls->nr_events ? e->icount + e->sub_tick : UINT64_MAX;
}

static void deliver_due(struct lockstep *ls, bool both)
{
    for (; event_tick(ls) <= machine_ticks(ls->reference); ls->event++) {
        input_replay(machine_input(ls->reference), &ls->events[ls->event]);
        if (both)
            input_replay(machine_input(ls->tested), &ls->events[ls->event]);
    }
}

static struct machine_limit limit_to(const struct lockstep *ls, u64 ticks)
{
    u64 event = event_tick(ls);

    return (struct machine_limit){ .max_ticks = event < ticks ? event : ticks, .max_icount = UINT64_MAX,
                                   .until_port = -1 };
}

static bool goes_on(enum machine_stop stop)
{
    return stop == MACHINE_SLICE_DONE || stop == MACHINE_RESET;
}

static int load(struct lockstep *ls, struct machine *m, const char *path)
{
    char err[MACHINE_ERR_LEN];

    if (snapshot_load(m, path, err) == 0) {
        machine_pc(m)->view.write_hash = 0;
        return 0;
    }
    fprintf(stderr, "kiln: lock step: cannot go back: %s\n", err);
    ls->past[PAST_SEARCH].there = false;
    return -1;
}

/* Both machines to the first border of the reference at or after the tick, in the same state, the one
 * under test with a new engine. What is left in PAST_SEARCH is that state. */
static int go_back(struct lockstep *ls, u64 ticks)
{
    const struct past *p = past_before(ls, ticks);

    if (!p || load(ls, ls->reference, p->path))
        return -1;
    ls->event = p->event;
    while (machine_ticks(ls->reference) < ticks) {
        struct machine_limit limit = limit_to(ls, ticks);

        deliver_due(ls, false);
        limit = limit_to(ls, ticks);
        if (!goes_on(machine_run(ls->reference, &limit)))
            break;
    }
    if (p != &ls->past[PAST_SEARCH] || machine_ticks(ls->reference) != p->ticks)
        if (lockstep_remember(ls, PAST_SEARCH))
            return -1;
    if (load(ls, ls->tested, ls->past[PAST_SEARCH].path) || load(ls, ls->reference, ls->past[PAST_SEARCH].path))
        return -1;
    if (!machine_renew_engine(ls->tested))
        return -1;
    ls->planted = machine_icount(ls->tested) >= ls->o.plant_icount && machine_icount(ls->tested);
    return 0;
}

enum outcome { SAME, BLOCK_DIFFERS, STATE_DIFFERS };

/* From where they are to the tick, border by border; then all is compared. */
static enum outcome run_both(struct lockstep *ls, u64 ticks)
{
    enum machine_stop stop = MACHINE_SLICE_DONE;

    while (machine_ticks(ls->reference) < ticks && goes_on(stop)) {
        struct machine_limit limit;

        deliver_due(ls, true);
        limit = limit_to(ls, ticks);
        if (!lockstep_step(ls, &limit, &stop))
            return BLOCK_DIFFERS;
    }
    return lockstep_same_state(ls) ? SAME : STATE_DIFFERS;
}

/* ---- narrowing down ---- */

struct span {
    u64 same, differs; /* ticks */
    enum outcome how;
};

/* Runs from the span's begin to a tick in it, and makes the span smaller. false: it is one step. */
static bool probe(struct lockstep *ls, struct span *s, u64 *middle)
{
    u64 end;

    if (go_back(ls, s->same))
        return false;
    s->how = run_both(ls, *middle);
    end = machine_ticks(ls->tested);
    if (s->how == SAME && end < s->differs) {
        s->same = end;
        lockstep_remember(ls, PAST_SEARCH);
        *middle = end + (s->differs - end) / 2;
    } else if (s->how != STATE_DIFFERS || ls->last.ticks <= s->same) {
        s->differs = end;
        return false;
    } else if (end < s->differs) {
        s->differs = end;
        *middle = s->same + (end - s->same) / 2;
    } else { /* the last step has crossed the middle in one instruction: to where it began */
        *middle = ls->last.ticks;
    }
    return true;
}

/* Halves the span until one step leads from its begin to its end. false: it does not show again. */
static bool narrow_down(struct lockstep *ls, struct span *s)
{
    u64 middle;

    if (go_back(ls, s->same))
        return false;
    s->how = run_both(ls, s->differs);
    if (s->how == STATE_DIFFERS) {
        middle = s->same + (s->differs - s->same) / 2;
        while (probe(ls, s, &middle))
            ;
    }
    if (s->how == BLOCK_DIFFERS) {
        s->same = ls->last.ticks;
        s->differs = machine_ticks(ls->tested);
    }
    return s->how != SAME;
}

/* The same with blocks linked: always from the begin, in one go, to an earlier and earlier end. */
static bool narrow_down_linked(struct lockstep *ls, struct span *s)
{
    u64 low = s->same, high = s->differs, middle = high;

    do {
        if (go_back(ls, s->same))
            return false;
        if (run_both(ls, middle) == SAME)
            low = machine_ticks(ls->reference);
        else
            high = middle;
        if (low >= s->differs)
            return false;
        middle = low + (high - low) / 2;
    } while (low < middle);
    /* Once more, with a look just before; without it where it takes that for the end of a run. */
    s->differs = high;
    if (go_back(ls, s->same) || run_both(ls, low) != SAME)
        return false;
    s->how = run_both(ls, high);
    if (s->how == SAME && !go_back(ls, s->same))
        s->how = run_both(ls, high);
    return s->how != SAME;
}

/* Border by border, which tells the step; or else, as the engine runs in earnest: what it does to links
 * between blocks may be what is wrong. */
static void find_step(struct lockstep *ls, struct span *s)
{
    struct span whole = *s;

    fprintf(stderr, "kiln: lock step: they were the same at tick %" PRIu64 "; looking for the step ...\n", s->same);
    ls->linked = false;
    if (!narrow_down(ls, s)) {
        fprintf(stderr, "kiln: lock step: border by border they do not differ; looking with blocks linked ...\n");
        *s = whole;
        ls->linked = true;
        if (!narrow_down_linked(ls, s)) {
            fprintf(stderr, "kiln: lock step: it does not show again from there\n");
            *s = whole;
            return;
        }
    }
    fprintf(stderr, "kiln: lock step: the first difference:\n");
    lockstep_report(ls, stderr, MACHINE_SLICE_DONE, MACHINE_SLICE_DONE);
}

/* ---- the reproducer ---- */

static const char *case_folder(const struct lockstep *ls, u64 icount, char *name, size_t cap)
{
    if (ls->o.save)
        return ls->o.save;
    snprintf(name, cap, "lockstep-%" PRIu64, icount);
    return name;
}

static int copy_file(const char *from, const char *to)
{
    char buf[65536];
    size_t n;
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    bool bad = !in || !out;

    while (!bad && (n = fread(buf, 1, sizeof(buf), in)) > 0)
        bad = fwrite(buf, 1, n, out) != n;
    bad |= in && ferror(in);
    if (in)
        fclose(in);
    if (out)
        bad |= fclose(out) != 0;
    return bad ? -1 : 0;
}

/* The machine as it is in PAST_SEARCH, and what comes then. The last argument is -accel's. */
static void write_case(struct lockstep *ls, u64 until, bool works)
{
    const struct past *p = &ls->past[PAST_SEARCH];
    char name[64], path[1200], err[MACHINE_ERR_LEN], accel[1200];
    const char *folder = case_folder(ls, p->icount, name, sizeof(name));
    struct lockstep_case c = { .from = p->ticks, .icount = p->icount, .until = until, .args = ls->args,
                               .nr_args = ls->nr_args };
    unsigned event = p->event;

    while (event < ls->nr_events && ls->events[event].icount + ls->events[event].sub_tick <= until)
        event++;
    if (ls->nr_args) {
        snprintf(accel, sizeof(accel), "%s,blocks=%s", ls->args[ls->nr_args - 1], ls->linked ? "0" : "2G");
        free(ls->args[ls->nr_args - 1]);
        ls->args[ls->nr_args - 1] = strdup(accel);
        ASSERT(ls->args[ls->nr_args - 1]);
    }
    c.events = ls->events + p->event;
    c.nr_events = event - p->event;
    snprintf(path, sizeof(path), "%s/%s", folder, LOCKSTEP_STATE);
    if (mkdir(folder, 0777) && errno != EEXIST)
        fprintf(stderr, "kiln: lock step: cannot make %s: %s\n", folder, strerror(errno));
    else if (copy_file(p->path, path))
        fprintf(stderr, "kiln: lock step: cannot write %s: %s\n", path, strerror(errno));
    else if (lockstep_case_write(&c, folder, err))
        fprintf(stderr, "kiln: lock step: %s\n", err);
    else if (works)
        fprintf(stderr, "kiln: lock step: kiln lockstep %s shows it again, from %" PRIu64 " instructions on\n",
                folder, p->icount);
    else
        fprintf(stderr, "kiln: lock step: %s has the machine before it, but from there it does not show again: it "
                        "needs what the engine had kept from before\n", folder);
}

/* Begins just before the block, then further and further back. */
static void find_case(struct lockstep *ls, const struct span *s)
{
    static const u64 back[] = { 0, 300, 10000, 300000, 10000000, 300000000, UINT64_MAX };
    u64 first = ls->past[PAST_START].ticks, until = s->differs + (s->how == BLOCK_DIFFERS ? 2000 : 0);

    for (unsigned i = 0; i < ARRAY_LEN(back); i++) {
        u64 begin = s->same - first > back[i] ? s->same - back[i] : first;

        ls->past[PAST_SEARCH].there = i == 0 && ls->past[PAST_SEARCH].there;
        if (go_back(ls, begin))
            return;
        if (run_both(ls, until) != SAME) {
            write_case(ls, until, true);
            return;
        }
        if (begin == first)
            break;
    }
    if (!go_back(ls, s->same))
        write_case(ls, until, false);
}

void lockstep_search(struct lockstep *ls, u64 same, bool block_known)
{
    struct span s = { same, machine_ticks(ls->tested), BLOCK_DIFFERS };

    if (ls->o.save && !*ls->o.save)
        return;
    ls->searching = true;
    if (!block_known)
        find_step(ls, &s);
    find_case(ls, &s);
}

void lockstep_destroy(struct lockstep *ls)
{
    if (!ls)
        return;
    machine_input(ls->tested)->follower = NULL;
    for (unsigned i = 0; i < NR_PASTS; i++) {
        if (ls->past[i].path)
            unlink(ls->past[i].path);
        free(ls->past[i].path);
    }
    if (ls->folder)
        rmdir(ls->folder);
    free(ls->folder);
    for (unsigned i = 0; i < ls->nr_args; i++)
        free(ls->args[i]);
    free(ls->args);
    free(ls->events);
    free(ls);
}
