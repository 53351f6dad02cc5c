/*
 * The JIT against the interpreter on random code: see README.md.
 *
 *     jit_fuzz [--seed N] [--seconds N] [--cases N] [--from N] [--findings N] [--shrink no] [--case N [--keep LIST]]
 *
 * A case is made from the seed and its number, and runs slice by slice in two worlds that differ in
 * nothing but the engine; they are compared after every slice. Cases run in a child process, whose end by a
 * signal is a finding, too. A finding is shrunk, each attempt in a process and with engines of its own.
 */
#define _GNU_SOURCE
#include "core/state.h"
#include "jit/jit.h"
#include "machine/disasm.h"
#include "tests/jit/program.h"
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HANG_SECONDS = 10, ALONE_SECONDS = 2, CASES_OF_CHILD = 2000, MAX_SLICES = 400 };

struct fuzz_case {
    u64 number;
    unsigned variant;
    struct start start;
    struct program program;
    u32 code_off; /* from CODE */
    u64 slice_seed;
    u8 slice_style;  /* what the slices' lengths are like */
    u8 interrupts;   /* per cent of slices */
    u32 ticks;
    u8 resumes;      /* how often it goes on elsewhere when it has come to a halt */
};

/* What the child leaves for its parent. */
struct shared {
    u64 number;      /* of the case that runs */
    bool found;      /* a difference */
    u64 insns, cases, slices, events, vectors[64];
};

static struct shared *shared;
static u64 seed = 1;

/* ---- making a case ---- */

/* An offset that is worth having in a register, for the segment that it will mostly be used with. */
static u64 pointer(struct rng *g, const struct start *s, unsigned seg)
{
    u64 at;

    switch (below(g, 16)) {
    case 0: at = CODE + below(g, CODE_BYTES); break;
    case 1: at = STACK + below(g, STACK_BYTES); break;
    case 2: case 3: at = ODD_PAGES + below(g, 16 * 4096); break;
    case 4: at = TABLES + 0x3000 + 8 * below(g, 48); break;
    case 5: at = DATA + below(g, 8) * 4096 + 4096 - 8 * below(g, 20); break;
    case 6: at = DATA + below(g, 8) * 4096 + 4096 - below(g, 20); break;
    case 7: at = ROM + below(g, 4096); break;
    case 8:
        if (s->mode == LONG)
            return chance(g, 70) ? HIGH_DATA + below(g, 0x4000) : LOW_END + 4096 - below(g, 40);
        /* fallthrough */
    case 9: at = below(g, 20) ? DATA + below(g, 0x1000) : rng_next(g) & 0xfffff; break;
    default: at = DATA + below(g, DATA_BYTES); break;
    }
    if (chance(g, 60))
        at &= ~15ull;
    return at - start_seg_base(s, seg);
}

static u64 number(struct rng *g)
{
    static const u64 plain[] = { 0, 1, ~0ull, 0x7f, 0x80, 0x7fff, 0x8000, 0x7fffffff, 0x80000000, 0xffffffff, 1ull << 63,
                                 0x7fffffffffffffff, 0x100000000 };

    return chance(g, 50) ? plain[below(g, ARRAY_LEN(plain))] : rng_next(g) >> below(g, 60);
}

static void pick_segments(struct start *s, struct rng *g)
{
    static const u16 data[] = { SEL_FLAT, SEL_FLAT, SEL_SMALL, SEL_ODD, SEL_DOWN, SEL_READ_ONLY, SEL_STACK16, SEL_WIDE };
    u16 user = s->user ? SEL_USER | 3 : 0;

    for (unsigned i = 0; i < NR_SEGS; i++) {
        if (s->mode <= V86)
            s->sel[i] = (u16)(chance(g, 70) ? 0x1000 : 0x1000 - below(g, 0x40));
        else if (i == SS && !s->user)
            s->sel[i] = chance(g, 75) || s->mode == LONG ? SEL_KERNEL : SEL_KERNEL16;
        else
            s->sel[i] = (u16)((chance(g, 50) ? data[0] : data[below(g, ARRAY_LEN(data))]) | 3);
        if (i == SS && s->user && s->mode > V86) {
            static const u16 stacks[] = { SEL_FLAT, SEL_FLAT, SEL_STACK16, SEL_ODD, SEL_SMALL };

            s->sel[i] = stacks[below(g, ARRAY_LEN(stacks))] | 3;
        }
    }
    switch (s->mode) {
    case REAL: case V86: s->sel[CS] = (u16)(chance(g, 60) ? 0x1000 : 0xff0 + below(g, 16)); break;
    case LONG: s->sel[CS] = SEL_CODE64 + user; break;
    case PROT32: case COMPAT32: s->sel[CS] = (chance(g, 60) ? SEL_CODE32 : SEL_CODE32_ODD) + user; break;
    default: s->sel[CS] = (chance(g, 60) ? SEL_CODE16 : SEL_CODE16_ODD) + user; break;
    }
}

static void pick_start(struct start *s, struct rng *g)
{
    static const u8 modes[] = { REAL, V86, PROT16, PROT32, PROT32, PROT32, COMPAT16, COMPAT32, LONG, LONG, LONG, LONG, LONG };
    u64 mask;

    *s = (struct start){ .mode = modes[below(g, sizeof(modes))] };
    s->paging = s->mode >= V86 && s->mode < COMPAT16 ? (u8)below(g, 3) : PAGING_NONE;
    s->user = s->mode == V86 || (s->mode != REAL && chance(g, 50));
    pick_segments(s, g);
    for (unsigned i = 0; i < 2; i++)
        s->base[i] = chance(g, 70) ? 0 : chance(g, 50) ? DATA + below(g, 0x1000) : HIGH_DATA + below(g, 64);
    mask = s->mode == LONG ? ~0ull : s->mode == PROT32 || s->mode == COMPAT32 || chance(g, 50) ? 0xffffffff : 0xffff;
    for (unsigned i = 0; i < 16; i++) {
        bool ptr = i == RBX || i == RBP || i == RSI || i == RDI || i >= R8;

        s->gpr[i] = ptr && chance(g, 80) ? pointer(g, s, i == RBP ? SS : DS) : i == RCX || i == RDX ? (chance(g, 70) ? below(g, 70) : number(g)) : number(g);
        s->gpr[i] &= mask;
        if (s->mode != LONG && i >= 8)
            s->gpr[i] = 0;
    }
    s->gpr[RDI] = chance(g, 60) ? (pointer(g, s, ES) & mask) : s->gpr[RDI];
    s->gpr[RSP] = (STACK + 0x400 + below(g, 0xc00) - (chance(g, 70) ? 0 : below(g, 0x400)) - start_seg_base(s, SS)) & mask;
    if (chance(g, 70))
        s->gpr[RSP] &= ~7ull;
    if (chance(g, s->sel[SS] == SEL_KERNEL16 ? 40 : 4)) /* where a stack of 16 bits wraps */
        s->gpr[RSP] = (STACK & 0xfff00000) + (u16)(below(g, 32) - 16);
    s->flags = (u32)rng_next(g) & (F_ARITH | F_I);
    s->flags |= chance(g, 10) ? F_D : 0;
    s->flags |= chance(g, 3) ? F_T : 0;
    s->flags |= chance(g, 10) ? F_AC : 0;
    s->flags |= chance(g, 2) ? F_RF : 0;
    s->flags |= chance(g, 40) ? F_IOPL : (u32)below(g, 4) << 12;
    s->flags |= chance(g, 3) ? F_NT : 0;
    s->cr0 = CR0_MP | (chance(g, 80) ? CR0_WP : 0) | (chance(g, 30) ? CR0_AM : 0) | (chance(g, 5) ? CR0_TS : 0) | (chance(g, 2) ? CR0_EM : 0);
    s->cr4 = chance(g, 95) ? CR4_OSFXSR | CR4_OSXMMEXCPT : 0;
    s->cr4 |= CR4_FSGSBASE | CR4_OSXSAVE | (chance(g, 20) ? CR4_PGE : 0) | (chance(g, 10) ? CR4_SMEP : 0) | (chance(g, 10) ? CR4_SMAP : 0) |
              (chance(g, 10) ? CR4_VME | CR4_PVI : 0) | (chance(g, 5) ? CR4_TSD : 0) | (chance(g, 5) ? CR4_UMIP : 0);
    if (s->mode == LONG && chance(g, 10))
        s->cr4 |= CR4_PCIDE;
    s->fpu_cw = chance(g, 80) ? 0x37f : (u16)(0x340 | (below(g, 0xc40) & ~0x80u));
    s->mxcsr = chance(g, 70) ? 0x1f80 : chance(g, 70) ? 0x1f80 | (u32)(below(g, 0x10000) & 0xe07f) : (u32)below(g, 0x10000);
    s->vec_seed = rng_next(g) | 1;
    s->data_seed = chance(g, 50) ? rng_next(g) : 0;
}

static void case_make(struct fuzz_case *k, u64 nr)
{
    struct rng g = { mix(mix(seed, 0x5eed), nr) };
    u8 code[MAX_ITEMS * ITEM_BYTES + 1];
    u32 len;

    *k = (struct fuzz_case){ .number = nr, .variant = (unsigned)(nr % nr_variants) };
    pick_start(&k->start, &g);
    program_make(&k->program, &g, start_code_size(&k->start));
    len = program_bytes(&k->program, k->start.rip, code, sizeof(code));
    switch (below(&g, 4)) {
    case 0: k->code_off = 4096 - (u32)below(&g, len < 4000 ? len + 4 : 4000); break; /* over the border of two pages */
    case 1: k->code_off = CODE_BYTES - len - (u32)below(&g, 2); break;
    default: k->code_off = 0x40 + (u32)below(&g, 0x2f00); break;
    }
    k->start.rip = CODE + k->code_off - start_cs_base(&k->start);
    k->slice_seed = rng_next(&g);
    k->slice_style = (u8)below(&g, 5);
    k->interrupts = chance(&g, 40) ? (u8)below(&g, 60) : 0;
    k->resumes = (u8)below(&g, 10);
    k->ticks = 200 + (u32)below(&g, 1800);
}

/* ---- running it ---- */

static u64 slice_length(struct rng *g, const struct fuzz_case *k, unsigned nr)
{
    switch (k->slice_style) {
    case 0: return k->ticks;
    case 1: return 1 + below(g, 8);
    case 2: return 1 + below(g, 100);
    case 3: return nr < 100 ? 1 : k->ticks;
    default: return 1 + below(g, k->ticks);
    }
}

static void raise_lines(struct world *w, u64 what)
{
    if (what & 1)
        cpu_set_intr(&w->c, 0, true);
    if ((what & 14) == 14) {
        cpu_set_nmi(&w->c, 0, true);
        cpu_set_nmi(&w->c, 0, false);
    }
}

/* Runs each world to the end of its slice, or to the next stop of both at one tick. */
static void run_behind(struct world *w[2], enum stop_reason why[2])
{
    bool step[2] = { why[0] == STOP_REQUEST, why[1] == STOP_REQUEST };

    while (step[0] || step[1]) {
        u64 ticks[2];

        for (unsigned i = 0; i < 2; i++) {
            if (step[i])
                why[i] = w[i]->engine->run(w[i]->e);
            ticks[i] = clock_ticks(&w[i]->clk);
        }
        for (unsigned i = 0; i < 2; i++)
            step[i] = why[i] == STOP_REQUEST && (why[1 - i] != STOP_REQUEST || ticks[i] < ticks[1 - i]);
    }
}

/* Whether the mode is still that of the beginning, so that its registers can be loaded again. */
static bool mode_of_start(const struct fuzz_case *k, const struct world *w)
{
    const struct cpu *c = &w->c;

    return !((c->cr0 ^ (k->start.mode == REAL ? 0 : CR0_PE)) & CR0_PE) && !(c->msr.efer & EFER_LMA) == !start_long(&k->start) &&
           !(c->cr0 & CR0_PG) == (!k->start.paging && !start_long(&k->start));
}

/* Returns whether they differ; says how into out. */
static bool case_run(const struct fuzz_case *k, struct world *w[2], FILE *out)
{
    struct rng g = { k->slice_seed };
    u8 code[MAX_ITEMS * ITEM_BYTES + 1];
    u32 starts[MAX_ITEMS + 1], len = program_layout(&k->program, k->start.rip, code, sizeof(code), starts);
    enum stop_reason why[2] = { STOP_SLICE, STOP_SLICE };
    unsigned nr, resumes = 0;

    for (unsigned i = 0; i < 2; i++)
        world_start(w[i], &k->start, code, k->code_off, len);
    for (nr = 0; nr < MAX_SLICES && clock_ticks(&w[0]->clk) < k->ticks; nr++) {
        u64 length = slice_length(&g, k, nr), lines = below(&g, 100) < k->interrupts ? rng_next(&g) : 0;
        bool sync = below(&g, 4) == 0;

        for (unsigned i = 0; i < 2; i++) {
            raise_lines(w[i], lines);
            clock_open_slice(&w[i]->clk, clock_ticks(&w[i]->clk) + length);
            why[i] = STOP_REQUEST;
        }
        while (why[0] == STOP_REQUEST || why[1] == STOP_REQUEST) {
            run_behind(w, why);
            if (world_diff(w[0], w[1], sync, NULL) || why[0] != why[1]) {
                if (out) {
                    fprintf(out, "  in slice %u, of %" PRIu64 " ticks (stopped for reason %d, %d; left %" PRId64 ", %" PRId64 "):\n", nr, length,
                            (int)why[0], (int)why[1], w[0]->c.budget, w[1]->c.budget);
                    world_diff(w[0], w[1], true, out);
                }
                return true;
            }
        }
        if (why[0] == STOP_SLICE || why[0] == STOP_HALT)
            for (unsigned i = 0; i < 2; i++)
                clock_fire_due(&w[i]->clk);
        if (why[0] == STOP_HALT && cpu_can_wake(&w[0]->c))
            continue;
        if (why[0] == STOP_TRIPLE || (why[0] == STOP_HALT && (resumes++ >= k->resumes || !mode_of_start(k, w[0]))))
            break;
        if (why[0] == STOP_HALT) { /* an instruction has faulted: another one is next */
            u64 rip = k->start.rip + starts[below(&g, k->program.nr)];

            world_resume(w[0], &k->start, rip);
            world_resume(w[1], &k->start, rip);
        }
    }
    shared->slices += nr;
    shared->cases++;
    shared->insns += clock_icount(&w[0]->clk);
    shared->events += w[0]->c.nr_events;
    for (unsigned i = 0; i < EVENT_RING && i < w[0]->c.nr_events; i++)
        shared->vectors[w[0]->c.events[i].vector & 63]++;
    if (world_diff(w[0], w[1], true, NULL)) {
        if (out) {
            fprintf(out, "  at the end:\n");
            world_diff(w[0], w[1], true, out);
        }
        return true;
    }
    return false;
}

struct pair {
    struct world *w[2];
};

static void pair_create(struct pair *p, unsigned variant)
{
    p->w[0] = world_create(&interp_engine, &variants[variant]);
    p->w[1] = world_create(&jit_engine, &variants[variant]);
}

/* ---- children ---- */

enum outcome { SAME, DIFFERENT, CRASHED };

/* A child that runs for so long is ended: by its own time, since the host may have others to run. */
static void end_after(time_t seconds)
{
    setitimer(ITIMER_PROF, &(struct itimerval){ .it_value = { .tv_sec = seconds } }, NULL);
}

/* Runs cases [from, to) in a child, all with the engines that the first began with; *nr is where it ended. */
static enum outcome run_range(u64 from, u64 to, u64 *nr, double until, int *status)
{
    struct pair pair[16] = { 0 };
    pid_t pid = fork();

    if (pid == 0) {
        struct fuzz_case k;

        for (u64 i = from; i < to; i++) {
            shared->number = i;
            if ((i & 15) == 0) {
                struct timespec t;

                end_after(HANG_SECONDS);
                clock_gettime(CLOCK_MONOTONIC, &t);
                if (until && (double)t.tv_sec + (double)t.tv_nsec / 1e9 > until)
                    _exit(0);
            }
            case_make(&k, i);
            if (!pair[k.variant].w[0])
                pair_create(&pair[k.variant], k.variant);
            if (case_run(&k, pair[k.variant].w, NULL)) {
                shared->found = true;
                _exit(1);
            }
        }
        shared->number = to;
        _exit(0);
    }
    waitpid(pid, status, 0);
    *nr = shared->number;
    if (WIFSIGNALED(*status) || (WIFEXITED(*status) && WEXITSTATUS(*status) > 1))
        return CRASHED;
    return WEXITSTATUS(*status) ? DIFFERENT : SAME;
}

/* One case with engines of its own, in a child. */
static enum outcome run_alone(const struct fuzz_case *k, FILE *out)
{
    int status;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        struct pair p;

        end_after(ALONE_SECONDS);
        if (!out && !freopen("/dev/null", "w", stderr))
            _exit(2);
        pair_create(&p, k->variant);
        status = case_run(k, p.w, out);
        fflush(NULL);
        _exit(status);
    }
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) <= 1)
        return WEXITSTATUS(status) ? DIFFERENT : SAME;
    if (out && WIFSIGNALED(status))
        fprintf(out, "  ended by signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
    return CRASHED;
}

/* ---- shrinking ---- */

static bool still(struct fuzz_case *k, const struct fuzz_case *smaller, enum outcome want)
{
    if (run_alone(smaller, NULL) != want)
        return false;
    *k = *smaller;
    return true;
}

static void shrink_program(struct fuzz_case *k, enum outcome want)
{
    for (unsigned len = MAX_ITEMS / 2; len; len /= 2)
        for (unsigned from = 0; from < k->program.nr; from += len) {
            struct fuzz_case s = *k;
            bool any = false;

            for (unsigned i = from; i < from + len && i < s.program.nr; i++) {
                any |= !s.program.item[i].gone;
                s.program.item[i].gone = true;
            }
            if (any)
                still(k, &s, want);
        }
}

/* Each simplification that keeps the finding is kept. */
static void shrink_start(struct fuzz_case *k, enum outcome want)
{
    struct fuzz_case s;

#define TRY(change)                                                                                \
    do {                                                                                           \
        s = *k;                                                                                    \
        change;                                                                                    \
        if (memcmp(&s, k, sizeof(s)))                                                              \
            still(k, &s, want);                                                                    \
    } while (0)
    TRY(s.resumes = 0);
    TRY(s.interrupts = 0);
    TRY(s.slice_style = 0);
    TRY(s.variant = 0);
    TRY(s.code_off = 0x100; s.start.rip = CODE + 0x100 - start_cs_base(&s.start));
    for (unsigned i = 0; i < 16; i++)
        TRY(s.start.gpr[i] = 0);
    TRY(s.start.flags = 0);
    TRY(s.start.flags &= ~(u32)F_ARITH);
    TRY(s.start.flags &= (u32)F_ARITH);
    TRY(s.start.data_seed = 0);
    TRY(s.start.vec_seed = 0);
    TRY(s.start.mxcsr = 0x1f80);
    TRY(s.start.fpu_cw = 0x37f);
    TRY(s.start.cr0 = CR0_MP);
    TRY(s.start.cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT);
    TRY(s.start.base[0] = s.start.base[1] = 0);
    for (u32 t = 10; t < s.ticks; t *= 3)
        TRY(s.ticks = t);
#undef TRY
}

static void shrink(struct fuzz_case *k, enum outcome want)
{
    for (unsigned round = 0; round < 2; round++) {
        shrink_program(k, want);
        shrink_start(k, want);
    }
    shrink_program(k, want);
}

/* ---- reports ---- */

static void print_program(const struct fuzz_case *k)
{
    struct disasm *d = disasm_create();
    u8 code[MAX_ITEMS * ITEM_BYTES + 1 + 16] = { 0 };
    u32 len = program_bytes(&k->program, k->start.rip, code, MAX_ITEMS * ITEM_BYTES + 1);

    for (u32 at = 0; at < len;) {
        struct disasm_insn i = disasm_at(d, code + at, len - at, start_code_size(&k->start) * 8, k->start.rip + at);
        u32 n = i.len ? i.len : 1;

        printf("  %8" PRIx64 "  ", k->start.rip + at);
        for (u32 b = 0; b < 15; b++)
            if (b < n)
                printf("%02x", code[at + b]);
            else
                printf("  ");
        printf("  %s\n", i.text);
        at += n;
    }
    disasm_destroy(d);
}

static void print_case(const struct fuzz_case *k)
{
    static const char *const modes[] = { "real mode", "virtual-8086 mode", "protected mode, 16 bits", "protected mode, 32 bits",
                                         "compatibility mode, 16 bits", "compatibility mode, 32 bits", "64-bit mode" };
    const struct start *s = &k->start;

    printf("  %s, CPL %d, paging %d, CR0 %08x, CR4 %08x, flags %06x\n", modes[s->mode], s->user ? 3 : 0, s->paging, s->cr0, s->cr4, s->flags);
    printf("  engine: %s; slices of style %u, interrupts %u%%, %u ticks; mxcsr %04x, cw %04x%s\n", variants[k->variant].name, k->slice_style,
           k->interrupts, k->ticks, s->mxcsr, s->fpu_cw, s->vec_seed ? "" : ", vectors 0");
    printf("  ES CS SS DS FS GS:");
    for (unsigned i = 0; i < NR_SEGS; i++)
        printf(" %04x (%" PRIx64 ")", s->sel[i], start_seg_base(s, i));
    printf("\n");
    for (unsigned i = 0; i < 16; i++)
        printf("%s%-2u %016" PRIx64 "%s", i % 4 ? "  " : "  gpr ", i, s->gpr[i], i % 4 == 3 ? "\n" : "");
    print_program(k);
}

static void print_again(const struct fuzz_case *k)
{
    unsigned n = 0;

    printf("  again: jit_fuzz --seed %" PRIu64 " --case %" PRIu64, seed, k->number);
    for (unsigned i = 0; i < k->program.nr; i++)
        if (!k->program.item[i].gone)
            printf("%s%u", n++ ? "," : " --keep ", i);
    printf("\n");
}

/* Shrinks the case and says what it is. False: alone it does not show anything. */
static bool report(u64 nr, const char *keep)
{
    struct fuzz_case k;
    enum outcome what;

    case_make(&k, nr);
    if (keep) {
        for (unsigned i = 0; i < k.program.nr; i++)
            k.program.item[i].gone = true;
        for (char *end; *keep; keep = *end ? end + 1 : end) {
            unsigned long i = strtoul(keep, &end, 0);

            if (end == keep)
                break;
            if (i < k.program.nr)
                k.program.item[i].gone = false;
        }
    }
    what = run_alone(&k, NULL);
    if (what == SAME && keep) { /* what was shrunk had a simpler start: look for it again */
        printf("case %" PRIu64 ": the same in both engines\n", nr);
        return false;
    }
    if (what == SAME)
        return false;
    shrink(&k, what);
    printf("%s, seed %" PRIu64 ", case %" PRIu64 ":\n", what == CRASHED ? "CRASH" : "DIFFERENCE", seed, nr);
    print_case(&k);
    run_alone(&k, stdout);
    print_again(&k);
    fflush(stdout);
    return true;
}

/* Which cases before it does it need? */
static void report_with_history(u64 from, u64 nr)
{
    u64 lo = from, end;
    int status;

    for (u64 back = 1; back < nr - from; back *= 2)
        if (run_range(nr - back, nr + 1, &end, 0, &status) != SAME && end == nr) {
            lo = nr - back;
            break;
        }
    printf("FOUND, seed %" PRIu64 ", case %" PRIu64 ", but only behind others: jit_fuzz --seed %" PRIu64 " --from %" PRIu64 " --cases %" PRIu64 "\n",
           seed, nr, seed, lo, nr + 1 - lo);
    fflush(stdout);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    u64 from = 0, cases = 0, most = 1, found = 0, nr, one = UINT64_MAX;
    double seconds = 0, begin = now();
    const char *keep = NULL;
    bool shrinks = true;

    for (int i = 1; i + 1 < argc; i += 2) {
        const char *o = argv[i], *v = argv[i + 1];

        if (!strcmp(o, "--seed"))
            seed = strtoull(v, NULL, 0);
        else if (!strcmp(o, "--seconds"))
            seconds = strcmp(v, "hour") ? strtod(v, NULL) : getenv("KILN_FUZZ_SECONDS") ? strtod(getenv("KILN_FUZZ_SECONDS"), NULL) : 3600;
        else if (!strcmp(o, "--cases"))
            cases = strtoull(v, NULL, 0);
        else if (!strcmp(o, "--from"))
            from = strtoull(v, NULL, 0);
        else if (!strcmp(o, "--case"))
            one = strtoull(v, NULL, 0);
        else if (!strcmp(o, "--shrink"))
            shrinks = strcmp(v, "no");
        else if (!strcmp(o, "--keep"))
            keep = v;
        else if (!strcmp(o, "--findings"))
            most = strtoull(v, NULL, 0);
        else {
            fprintf(stderr, "jit_fuzz: what is %s?\n", o);
            return 2;
        }
    }
    if (seed == 0)
        seed = (u64)time(NULL);
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (one != UINT64_MAX)
        return report(one, keep);
    printf("jit_fuzz --seed %" PRIu64 "\n", seed);
    fflush(stdout);
    for (nr = from; found < most && (!cases || nr < from + cases) && (!seconds || now() - begin < seconds);) {
        u64 first = nr, to = nr + CASES_OF_CHILD;
        int status;
        enum outcome o;

        if (cases && to > from + cases)
            to = from + cases;
        o = run_range(first, to, &nr, seconds ? begin + seconds : 0, &status);
        if (o == SAME)
            continue;
        found++;
        if (!shrinks)
            printf("%s, seed %" PRIu64 ", case %" PRIu64 "\n", o == CRASHED ? "CRASH" : "DIFFERENCE", seed, nr);
        else if (!report(nr, NULL))
            report_with_history(first, nr);
        nr++;
    }
    printf("%" PRIu64 " cases with %" PRIu64 " events, %" PRIu64 " instructions, %" PRIu64 " slices, %.0f cases a second; %" PRIu64 " findings\n",
           shared->cases, shared->events, shared->insns, shared->slices, (double)shared->cases / (now() - begin), found);
    printf("events by vector:");
    for (unsigned i = 0; i < 64; i++)
        if (shared->vectors[i] > shared->events / 1000)
            printf(" %u: %" PRIu64, i, shared->vectors[i]);
    printf("\n");
    return found != 0;
}
