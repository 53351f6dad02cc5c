/*
 * What lock step says about a difference: where, after which instructions, and what was expected
 * (from the reference) and got (from the machine under test).
 */
#include "core/mem_view.h"
#include "cpu/event.h"
#include "machine/disasm.h"
#include "machine/event_words.h"
#include "machine/lin_peek.h"
#include "machine/lockstep_state.h"
#include "machine/pc.h"
#include "mmu/mmu.h"
#include <inttypes.h>
#include <stdlib.h>

enum { MOST_INSNS = 40, MOST_LINES = 40, MOST_MEMORY = 12 };

/* ---- the code ---- */

/* One instruction; its length, or 0. */
static unsigned print_insn(struct lockstep *ls, FILE *f, struct disasm *d, const char *when, u64 lin, u64 rip, u32 mode,
                           bool *jumps)
{
    unsigned bits = 16u << (mode & MODE_CODE_MASK), got;
    u8 bytes[15];
    char hex[3 * sizeof(bytes) + 1] = "";
    struct disasm_insn in;

    got = lin_peek(machine_cpu(ls->reference), lin, bytes, sizeof(bytes));
    if (!got) {
        fprintf(f, "%5s %0*" PRIx64 "  (is not mapped now)\n", when, bits == 64 ? 16 : 8, lin);
        return 0;
    }
    in = disasm_at(d, bytes, got, bits, rip);
    for (unsigned k = 0; k < in.len; k++)
        sprintf(hex + 3 * k, "%02x ", bytes[k]);
    fprintf(f, "%5s %0*" PRIx64 "  %-24s %s\n", when, bits == 64 ? 16 : 8, lin, hex, in.text);
    *jumps = in.is_branch || strstr(in.text, "ret") || !strncmp(in.text, "jmp", 3) || !strncmp(in.text, "call", 4);
    return in.len;
}

/* From the last border on, up to a jump, what has retired since; then where the reference is now: what
 * stands there may have raised an exception. */
static void print_code(struct lockstep *ls, FILE *f)
{
    struct cpu *c = machine_cpu(ls->reference);
    struct disasm *d = disasm_create();
    u64 lin = ls->last.lin_rip, rip = ls->last.rip, retired = machine_icount(ls->reference) - ls->last.icount, n;
    bool jumps = false;

    if (!d)
        return;
    for (n = 0; n < retired && n < MOST_INSNS && !jumps; n++) {
        unsigned len = print_insn(ls, f, d, "", lin, rip, ls->last.mode, &jumps);

        if (!len)
            break;
        lin += len;
        rip += len;
    }
    if (n < retired)
        fprintf(f, "      ... and %" PRIu64 " more\n", retired - n);
    print_insn(ls, f, d, "now", cpu_lin_rip(c), c->rip, c->mode, &jumps);
    disasm_destroy(d);
}

static void print_events(FILE *f, const char *who, const struct cpu *c, u64 since)
{
    if (c->nr_events - since > EVENT_RING)
        since = c->nr_events - EVENT_RING;
    for (u64 i = since; i < c->nr_events; i++) {
        const struct event_record *e = &c->events[i % EVENT_RING];

        fprintf(f, "  %s took vector %02xh (%s)", who, e->vector, vector_short_name(e->vector));
        if (e->has_error)
            fprintf(f, ", error code %x", e->error);
        fprintf(f, " at %04x:%" PRIx64 "\n", e->cs, e->rip);
    }
}

static const char *const gpr_names[] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                         "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };

static void print_before(FILE *f, const struct border *b)
{
    unsigned nr = (b->mode & MODE_CODE_MASK) == MODE_CODE64 ? 16 : 8;

    for (unsigned i = 0; i < nr; i++)
        fprintf(f, "%s%s=%0*" PRIx64 "%s", i % 4 ? " " : "  ", gpr_names[i], nr == 16 ? 16 : 8, b->gpr[i],
                i % 4 == 3 ? "\n" : "");
    fprintf(f, "  rflags=%x, CPL %u\n", b->flags, b->mode >> MODE_CPL_SHIFT & 3);
}

/* ---- differences ---- */

static unsigned print_value(FILE *f, const char *name, u64 expected, u64 got)
{
    if (expected == got)
        return 0;
    fprintf(f, "  %-20s %016" PRIx64 "  %016" PRIx64 "\n", name, expected, got);
    return 1;
}

static unsigned print_flags(FILE *f, u32 expected, u32 got)
{
    static const struct {
        u32 bit;
        const char *name;
    } flags[] = { { F_C, "CF" }, { F_P, "PF" }, { F_A, "AF" }, { F_Z, "ZF" }, { F_S, "SF" }, { F_T, "TF" },
                  { F_I, "IF" }, { F_D, "DF" }, { F_O, "OF" }, { F_RF, "RF" }, { F_AC, "AC" } };

    if (expected == got)
        return 0;
    fprintf(f, "  %-20s %016x  %016x ", "rflags", expected, got);
    for (unsigned i = 0; i < ARRAY_LEN(flags); i++)
        if ((expected ^ got) & flags[i].bit)
            fprintf(f, " %s", flags[i].name);
    fputc('\n', f);
    return 1;
}

/* The table's lines, but for what has been printed by name. */
static unsigned print_table(FILE *f, const char *prefix, const struct state_desc *d, const void *expected,
                            const void *got)
{
    char *text = NULL, *rest;
    size_t len;
    FILE *lines = open_memstream(&text, &len);
    unsigned nr = 0;

    ASSERT(lines);
    state_diff(lines, prefix, d, expected, got);
    fclose(lines);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (!strncmp(line, "cpu.gpr[", 8) || !strncmp(line, "cpu.rip:", 8) || !strncmp(line, "cpu.eflags:", 11))
            continue;
        if (nr++ < MOST_LINES)
            fprintf(f, "  %s\n", line);
    }
    free(text);
    return nr;
}

static unsigned print_cpu(FILE *f, struct lockstep *ls)
{
    struct machine *t = ls->tested, *r = ls->reference;
    struct cpu *a = machine_cpu(r), *b = machine_cpu(t);
    unsigned nr = print_flags(f, cpu_flags(a), cpu_flags(b));

    for (unsigned i = 0; i < ARRAY_LEN(gpr_names); i++)
        nr += print_value(f, gpr_names[i], a->gpr[i], b->gpr[i]);
    nr += print_value(f, "rip", a->rip, b->rip);
    nr += print_value(f, "ticks", machine_ticks(r), machine_ticks(t));
    nr += print_value(f, "instructions", machine_icount(r), machine_icount(t));
    nr += print_value(f, "mode word", a->mode, b->mode);
    nr += print_value(f, "events taken", a->nr_events, b->nr_events);
    machine_sync(r);
    machine_sync(t);
    return nr + print_table(f, "cpu", &cpu_state, a, b);
}

static unsigned print_devices(FILE *f, struct lockstep *ls)
{
    struct pc *r = machine_pc(ls->reference), *t = machine_pc(ls->tested);
    unsigned nr = 0;

    for (unsigned i = 0; i < r->nr_devices; i++) {
        const struct state_desc *d = r->devices[i]->class->state;

        if (d && state_hash(0, d, r->devices[i]) != state_hash(0, d, t->devices[i]))
            nr += print_table(f, d->name, d, r->devices[i], t->devices[i]);
    }
    return nr;
}

static const struct tlb_entry *entry_like(const struct tlb_entry *list, u32 nr, const struct tlb_entry *e)
{
    for (u32 i = 0; i < nr; i++)
        if (list[i].key == e->key && list[i].pa == e->pa && list[i].flags == e->flags && list[i].level == e->level)
            return &list[i];
    return NULL;
}

static unsigned print_tlb(FILE *f, struct lockstep *ls)
{
    struct cpu *c[2] = { machine_cpu(ls->reference), machine_cpu(ls->tested) };
    struct tlb_entry *list[2];
    unsigned nr = 0;
    u32 len[2];

    for (unsigned i = 0; i < 2; i++) {
        list[i] = tlb_list(c[i]->tlb, &len[i]);
        ASSERT(list[i]);
    }
    for (unsigned i = 0; i < 2; i++)
        for (u32 k = 0; k < len[i]; k++) {
            const struct tlb_entry *e = &list[i][k];

            if (entry_like(list[!i], len[!i], e) || nr++ >= MOST_LINES)
                continue;
            fprintf(f, "  TLB: %s has the entry %016" PRIx64 " -> %" PRIx64 ", flags %x, level %u\n",
                    i ? "only the tested" : "only the reference", e->key, e->pa, e->flags, e->level);
        }
    free(list[0]);
    free(list[1]);
    return nr;
}

/* Eight bytes at a time; addresses are of the backing, which for RAM below the PCI hole are physical. */
static unsigned print_memory(FILE *f, struct lockstep *ls)
{
    const struct mem_view *r = &machine_pc(ls->reference)->view, *t = &machine_pc(ls->tested)->view;
    unsigned nr = 0;

    for (u64 p = 0; p < r->backing_size; p += PAGE_SIZE) {
        if (!memcmp(r->backing + p, t->backing + p, PAGE_SIZE))
            continue;
        for (u64 off = p; off < p + PAGE_SIZE; off += 8) {
            u64 expected = load_le(r->backing + off, 8), got = load_le(t->backing + off, 8);

            if (expected == got || nr++ >= MOST_MEMORY)
                continue;
            fprintf(f, "  memory %08" PRIx64 "      %016" PRIx64 "  %016" PRIx64 "\n", off, expected, got);
        }
    }
    if (nr > MOST_MEMORY)
        fprintf(f, "  and %u more words of memory\n", nr - MOST_MEMORY);
    return nr;
}

static const char *stop_word(enum machine_stop stop)
{
    switch (stop) {
    case MACHINE_SLICE_DONE: return "goes on";
    case MACHINE_IDLE: return "waits in HLT";
    case MACHINE_POWER_OFF: return "powers off";
    case MACHINE_RESET: return "is reset";
    case MACHINE_EXIT: return "ends through its exit port";
    case MACHINE_TRIPLE_FAULT: return "meets a triple fault";
    case MACHINE_HALTED: return "halts for good";
    case MACHINE_BREAK: return "reaches the port of --until";
    case MACHINE_DEBUG: return "meets a breakpoint";
    case MACHINE_DIVERGED:
    case MACHINE_ERROR: break;
    }
    return "cannot go on";
}

void lockstep_report(struct lockstep *ls, FILE *f, enum machine_stop tested, enum machine_stop reference)
{
    struct machine *t = ls->tested, *r = ls->reference;
    unsigned nr;

    fprintf(f, "kiln: lock step: %s differs from %s after %" PRIu64 " instructions (tick %" PRIu64 ")\n",
            machine_engine_name(t), machine_engine_name(r), machine_icount(r), machine_ticks(r));
    fprintf(f, "  they were the same after %" PRIu64 " (tick %" PRIu64 "), in %s at rip %" PRIx64 "; since then:\n",
            ls->last.icount, ls->last.ticks, mode_name(ls->last.mode), ls->last.rip);
    print_before(f, &ls->last);
    print_code(ls, f);
    print_events(f, "the reference", machine_cpu(r), ls->last.nr_events);
    print_events(f, "the tested one", machine_cpu(t), ls->last.nr_events);
    if (tested != reference)
        fprintf(f, "  the reference %s, the tested one %s\n", stop_word(reference), stop_word(tested));
    fprintf(f, "  %-20s %-16s  %s\n", "", "expected", "got");
    nr = print_cpu(f, ls) + print_memory(f, ls) + print_tlb(f, ls) + print_devices(f, ls);
    if (!nr)
        fputs(machine_pc(t)->view.write_hash == machine_pc(r)->view.write_hash
                  ? "  nothing that has a name\n"
                  : "  only the order or the number of writes to memory: their hash\n", f);
}
