/*
 * See profile.h. The handler runs on the emulator's own thread, so that nothing moves while it looks; it
 * finds its profile by the signal's value. The timer is the wall's: the processor's own clock ticks with
 * the host's scheduler, 250 times a second. Samples of a thread that waits for its turn come late and as
 * one, so on a loaded host there are fewer, and none is wrong.
 *
 * A thunk has stored no RIP yet when it is hit; whose it is, says the return address on the stack.
 */
#define _GNU_SOURCE /* SIGEV_THREAD_ID, REG_RIP */
#include "machine/profile.h"
#include "cpu/cpu.h"
#include "machine/symbols.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { NR_NOTES = 4096, STACK_WORDS = 8 };

struct note {
    u64 host, lin;
    u64 around[STACK_WORDS + 2]; /* R11, RDX, the stack: where a thunk's caller may be */
    bool thunk, running, real;
    u8 cpl;
};

/* A translation, by where it runs. */
struct piece {
    u64 runs_at, end, lin;
    u8 cpl;
    bool real;
};

struct profile {
    struct cpu *c;
    struct symbols *symbols;
    timer_t timer;
    bool timer_runs, handler_set;
    struct sigaction old_action;
    translated_fn *next; /* who else is told of translations */
    void *next_h;

    struct note note[NR_NOTES];
    volatile sig_atomic_t nr_notes, nr_lost;
    volatile u64 thunks, thunks_end;

    struct piece *piece; /* in the order of runs_at */
    size_t nr_pieces, cap_pieces;
    struct profile_function *function; /* in the order of their first sample, until they are asked for */
    unsigned nr_functions, cap_functions;
    u64 samples;
};

/* ---- the handler ---- */

static void note(int sig, siginfo_t *info, void *context)
{
    struct profile *p = info->si_value.sival_ptr;
    const greg_t *reg = ((const ucontext_t *)context)->uc_mcontext.gregs;
    const struct cpu *c;
    struct note *n;

    (void)sig;
    if (info->si_code != SI_TIMER || !p)
        return;
    if (p->nr_notes == NR_NOTES) {
        p->nr_lost = p->nr_lost + 1;
        return;
    }
    c = p->c;
    n = &p->note[p->nr_notes];
    n->host = (u64)reg[REG_RIP];
    n->lin = cpu_lin_rip(c);
    n->running = c->unwind != NULL;
    n->real = mode_real(c->mode);
    n->cpl = (u8)c->cpl;
    n->thunk = n->host >= p->thunks && n->host < p->thunks_end;
    if (n->thunk) {
        n->around[0] = (u64)reg[REG_R11];
        n->around[1] = (u64)reg[REG_RDX];
        memcpy(&n->around[2], (const void *)(uintptr_t)reg[REG_RSP], STACK_WORDS * sizeof(u64));
    }
    p->nr_notes = p->nr_notes + 1;
}

static bool start_timer(struct profile *p, char *err)
{
    struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART };
    struct itimerspec every = { { 0, (long)PROFILE_PERIOD_NS }, { 0, (long)PROFILE_PERIOD_NS } };
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF, .sigev_value.sival_ptr = p };

    event._sigev_un._tid = (pid_t)syscall(SYS_gettid); /* glibc has no name for the field before 2.38 */
    p->handler_set = sigaction(SIGPROF, &action, &p->old_action) == 0;
    if (p->handler_set && timer_create(CLOCK_MONOTONIC, &event, &p->timer) == 0) {
        p->timer_runs = true;
        if (timer_settime(p->timer, 0, &every, NULL) == 0)
            return true;
    }
    snprintf(err, MACHINE_ERR_LEN, "cannot take samples: no timer: %s", strerror(errno));
    return false;
}

/* A signal that is on its way is taken before the handler goes. */
void profile_stop(struct profile *p)
{
    struct timespec none = { 0, 0 };
    sigset_t set, old;

    if (p->timer_runs) {
        timer_delete(p->timer);
        sigemptyset(&set);
        sigaddset(&set, SIGPROF);
        sigprocmask(SIG_BLOCK, &set, &old);
        sigtimedwait(&set, NULL, &none);
        sigprocmask(SIG_SETMASK, &old, NULL);
    }
    p->timer_runs = false;
    if (p->handler_set)
        sigaction(SIGPROF, &p->old_action, NULL);
    p->handler_set = false;
}

/* ---- whose it is ---- */

static const struct piece *piece_at(const struct profile *p, u64 host)
{
    size_t low = 0, high = p->nr_pieces;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (p->piece[mid].end <= host)
            low = mid + 1;
        else
            high = mid;
    }
    return low < p->nr_pieces && p->piece[low].runs_at <= host ? &p->piece[low] : NULL;
}

static void count(struct profile *p, const char *name, bool translated)
{
    unsigned i = 0;

    while (i < p->nr_functions && strcmp(p->function[i].name, name))
        i++;
    if (i == p->nr_functions) {
        if (i == p->cap_functions) {
            p->cap_functions = i ? 2 * i : 256;
            p->function = realloc(p->function, p->cap_functions * sizeof(*p->function));
            ASSERT(p->function);
        }
        p->function[i] = (struct profile_function){ .name = strdup(name) };
        ASSERT(p->function[i].name);
        p->nr_functions++;
    }
    p->function[i].samples++;
    p->function[i].translated += translated;
    p->samples++;
}

static const char *nameless(bool real, u8 cpl)
{
    if (real)
        return "(no symbol, real mode)";
    return cpl == 3 ? "(no symbol, ring 3)" : "(no symbol, ring 0)";
}

static void resolve(struct profile *p, const struct note *n)
{
    const struct piece *t = piece_at(p, n->host);
    u64 lin = n->lin, offset;
    bool real = n->real;
    u8 cpl = n->cpl;
    const char *name;

    for (unsigned i = 0; !t && n->thunk && i < ARRAY_LEN(n->around); i++)
        t = piece_at(p, n->around[i] - 1);
    if (t) {
        lin = t->lin;
        cpl = t->cpl;
        real = t->real;
    } else if (!n->running) {
        count(p, "(outside the engine)", false);
        return;
    }
    name = symbols_at(p->symbols, lin, &offset);
    count(p, name ? name : nameless(real, cpl), t != NULL);
}

/* The slot that is being read is below nr_notes, where the handler writes nothing. */
void profile_collect(struct profile *p)
{
    sig_atomic_t done = 0;

    while (done < p->nr_notes)
        resolve(p, &p->note[done++]);
    p->nr_notes = 0; /* one that came in between, if any, is dropped: a few instructions in a millisecond */
}

/* ---- translations ---- */

static void told(void *h, struct cpu *c, const struct translated *t)
{
    struct profile *p = h;

    if (p->next)
        p->next(p->next_h, c, t);
    if (t->kind == TRANSLATED_THUNK) {
        p->thunks = p->thunks && p->thunks < t->runs_at ? p->thunks : t->runs_at;
        p->thunks_end = p->thunks_end > t->runs_at + t->host_bytes ? p->thunks_end : t->runs_at + t->host_bytes;
        return;
    }
    if (p->nr_pieces && t->runs_at < p->piece[p->nr_pieces - 1].end) { /* the cache begins anew */
        profile_collect(p);
        while (p->nr_pieces && p->piece[p->nr_pieces - 1].end > t->runs_at)
            p->nr_pieces--;
    }
    if (p->nr_pieces == p->cap_pieces) {
        p->cap_pieces = p->cap_pieces ? 2 * p->cap_pieces : 4096;
        p->piece = realloc(p->piece, p->cap_pieces * sizeof(*p->piece));
        ASSERT(p->piece);
    }
    p->piece[p->nr_pieces++] = (struct piece){ .runs_at = t->runs_at, .end = t->runs_at + t->host_bytes, .lin = t->lin,
                                               .cpl = (t->mode & MODE_CPL_MASK) >> MODE_CPL_SHIFT, .real = mode_real(t->mode) };
}

/* ---- life ---- */

struct profile *profile_create(struct machine *m, char err[MACHINE_ERR_LEN])
{
    const struct machine_config *cfg = machine_config_of(m);
    struct profile *p = calloc(1, sizeof(*p));

    if (!p) {
        snprintf(err, MACHINE_ERR_LEN, "the host has no memory for samples");
        return NULL;
    }
    p->c = machine_cpu(m);
    p->symbols = symbols_load(cfg->symbol_files, cfg->nr_symbol_files, err, MACHINE_ERR_LEN);
    if (p->symbols) {
        p->next = p->c->cfg.translated;
        p->next_h = p->c->cfg.translated_h;
        p->c->cfg.translated = told;
        p->c->cfg.translated_h = p;
        if (start_timer(p, err))
            return p;
    }
    profile_destroy(p);
    return NULL;
}

void profile_destroy(struct profile *p)
{
    if (!p)
        return;
    profile_stop(p);
    if (p->c->cfg.translated_h == p) {
        p->c->cfg.translated = p->next;
        p->c->cfg.translated_h = p->next_h;
    }
    for (unsigned i = 0; i < p->nr_functions; i++)
        free(p->function[i].name);
    free(p->function);
    free(p->piece);
    symbols_free(p->symbols);
    free(p);
}

static int by_samples(const void *a, const void *b)
{
    const struct profile_function *x = a, *y = b;

    if (x->samples != y->samples)
        return x->samples > y->samples ? -1 : 1;
    return strcmp(x->name, y->name);
}

const struct profile_function *profile_functions(struct profile *p, unsigned *nr)
{
    profile_collect(p);
    qsort(p->function, p->nr_functions, sizeof(*p->function), by_samples);
    *nr = p->nr_functions;
    return p->function;
}

u64 profile_samples(const struct profile *p) { return p->samples; }
u64 profile_lost(const struct profile *p) { return (u64)p->nr_lost; }
