/*
 * -d int, exec, in_asm, cpu, cpu_reset; pcall and mmu are in debug_log_system.c.
 *
 * A block here is what QEMU's translator would make: it begins where control arrives and ends
 * behind a branch, behind an instruction that changes the mode or what can interrupt, or at the
 * end of a page. exec and cpu write for each block that is entered; in_asm for each that was not
 * seen before with the same bytes.
 *
 * DEVIATION: in place of a host address, "Trace" lines carry a number of the block's text. The
 * last field is our own mode word and 0, not QEMU's flags.
 */
#include "machine/debug_log.h"
#include "cpu/isa.h"
#include "machine/cpu_dump.h"
#include "machine/debug_log_system.h"
#include "machine/lin_peek.h"
#include <inttypes.h>
#include <stdlib.h>

enum {
    MAX_INSNS = 512, /* of a block */
    MAX_BYTES = 15,
    BYTES_PER_LINE = 8,
    PAGE = 4096,
    FNV_PRIME = 0x01b3,
};

struct debug_log {
    struct log *log;
    struct cpu *c;
    struct disasm *disasm;
    const struct symbols *symbols;
    u64 nr_ints;
    bool at_start;   /* the next instruction begins a block */
    unsigned length; /* instructions of the present block so far */
    u64 page;        /* of the present block's first byte */
    u64 *seen;       /* hashes of the blocks that in_asm has written; 0: empty */
    unsigned nr_seen, cap_seen;
    struct control_seen control;
};

struct debug_log *debug_log_create(struct log *log, struct cpu *c, struct disasm *disasm,
                                   const struct symbols *symbols)
{
    struct debug_log *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    *d = (struct debug_log){
        .log = log, .c = c, .disasm = disasm, .symbols = symbols, .at_start = true};
    debug_log_control_start(&d->control, c);
    d->cap_seen = 1 << 12;
    d->seen = calloc(d->cap_seen, sizeof(*d->seen));
    if (!d->seen) {
        free(d);
        return NULL;
    }
    return d;
}

void debug_log_destroy(struct debug_log *d)
{
    if (!d)
        return;
    free(d->seen);
    free(d);
}

/* ---- the set of blocks that were written ---- */

static u64 *slot_of(u64 *table, unsigned cap, u64 hash)
{
    unsigned i = (unsigned)(hash >> 20) & (cap - 1);

    while (table[i] && table[i] != hash)
        i = (i + 1) & (cap - 1);
    return &table[i];
}

/* Returns whether the block is new. */
static bool remember(struct debug_log *d, u64 hash)
{
    u64 *slot;

    hash |= 1; /* never 0 */
    slot = slot_of(d->seen, d->cap_seen, hash);
    if (*slot == hash)
        return false;
    if (2 * ++d->nr_seen > d->cap_seen) {
        u64 *more = calloc(2 * d->cap_seen, sizeof(*more));

        if (!more)
            return true;
        for (unsigned i = 0; i < d->cap_seen; i++)
            if (d->seen[i])
                *slot_of(more, 2 * d->cap_seen, d->seen[i]) = d->seen[i];
        free(d->seen);
        d->seen = more;
        d->cap_seen *= 2;
        slot = slot_of(d->seen, d->cap_seen, hash);
    }
    *slot = hash;
    return true;
}

/* ---- blocks ---- */

static bool ends_block(const struct insn *in, u64 lin, u64 page)
{
    return (isa_rows[in->row].attr & (A_BR | A_ENDS)) || (lin + in->len) / PAGE != page;
}

/* Eight bytes to a line, what is left on a line of its own. */
void debug_log_insn(FILE *f, u64 lin, const u8 *bytes, unsigned len, const char *text)
{
    int mnemonic = (int)strcspn(text, " ");

    for (unsigned from = 0; from < len; from += BYTES_PER_LINE) {
        unsigned n = len - from < BYTES_PER_LINE ? len - from : BYTES_PER_LINE;

        fprintf(f, "0x%08" PRIx64 ": ", lin + from);
        for (unsigned i = 0; i < n; i++)
            fprintf(f, " %02x", bytes[from + i]);
        if (from == 0)
            fprintf(f, "%*s  %-8.*s %s", (int)(3 * (BYTES_PER_LINE - n)), "", mnemonic, text,
                    text + mnemonic + (text[mnemonic] == ' '));
        fputc('\n', f);
    }
}

/* Walks the block that starts at RIP. With write, its lines; returns a hash of it. */
static u64 walk_block(struct debug_log *d, bool write)
{
    struct cpu *c = d->c;
    u64 lin = cpu_lin_rip(c), rip = c->rip, page = lin / PAGE, hash = lin ^ c->mode;

    for (unsigned i = 0; i < MAX_INSNS; i++) {
        u8 bytes[MAX_BYTES];
        unsigned n = lin_peek(c, lin, bytes, sizeof(bytes));
        struct insn in = {0};
        enum decode_status s = insn_decode(&in, bytes, n, c->mode);
        struct disasm_insn text = disasm_at(d->disasm, bytes, n, 8 * code_size(c->mode), rip);

        if (s == DECODE_OK)
            n = in.len;
        else if (text.len)
            n = text.len;
        for (unsigned b = 0; b < n; b++)
            hash = (hash ^ bytes[b]) * (0x10000000000ull + FNV_PRIME);
        if (write)
            debug_log_insn(d->log->out, lin, bytes, n, text.text);
        if (s != DECODE_OK || ends_block(&in, lin, page))
            break;
        lin += n;
        rip += n;
    }
    return hash;
}

static const char *name_at(struct debug_log *d, u64 lin)
{
    u64 offset;
    const char *name = symbols_at(d->symbols, lin, &offset);

    return name ? name : "";
}

static void block_entered(struct debug_log *d)
{
    struct cpu *c = d->c;
    struct log *l = d->log;
    u64 hash = 0, lin = cpu_lin_rip(c);

    if (!log_on(l, LOG_IN_ASM | LOG_EXEC | LOG_CPU) || !log_covers(l, lin))
        return;
    if (log_on(l, LOG_IN_ASM | LOG_EXEC))
        hash = walk_block(d, false);
    if (log_on(l, LOG_IN_ASM) && remember(d, hash)) {
        fprintf(l->out, "----------------\nIN: %s\n", name_at(d, lin));
        walk_block(d, true);
        fputc('\n', l->out);
    }
    if (log_on(l, LOG_EXEC))
        fprintf(l->out,
                "Trace 0: 0x%012" PRIx64 " [%016" PRIx64 "/%016" PRIx64 "/%08x/00000000] %s\n",
                hash & 0xffffffffffff, c->seg[CS].base, lin, c->mode, name_at(d, lin));
    if (log_on(l, LOG_CPU))
        cpu_dump(l->out, c, DUMP_CC);
}

void debug_log_before(struct debug_log *d, const struct insn *in)
{
    u64 lin = cpu_lin_rip(d->c);

    if (log_on(d->log, LOG_PCALL))
        debug_log_far(d->log->out, d->c, in);
    if (d->at_start || d->length == MAX_INSNS || lin / PAGE != d->page) {
        d->page = lin / PAGE;
        d->length = 0;
        block_entered(d);
    }
    d->length++;
    d->at_start = isa_rows[in->row].attr & (A_BR | A_ENDS);
}

void debug_log_after(struct debug_log *d, const struct insn *in)
{
    if (log_on(d->log, LOG_MMU))
        debug_log_control(d->log->out, d->c, in, &d->control);
}

/* ---- events ---- */

/* Whether a fault in the delivery of the vector is a double fault or worse (SDM 3A table 6-5). */
static bool can_double(int vector)
{
    return vector == EXC_DE || vector == EXC_DF || (vector >= EXC_TS && vector <= EXC_PF);
}

void debug_log_event(struct debug_log *d, const struct event_record *e)
{
    struct cpu *c = d->c;
    struct log *l = d->log;

    d->at_start = true;
    if (!log_on(l, LOG_INT))
        return;
    if (e->kind == EVENT_EXT)
        fprintf(l->out, "Servicing hardware INT=0x%02x\n", e->vector);
    else if (e->kind == EVENT_FAULT || e->kind == EVENT_TRAP)
        fprintf(l->out, "check_exception old: 0x%x new 0x%x\n",
                can_double(e->during) ? (u32)e->during : UINT32_MAX, e->vector);
    if (e->lost || !(c->mode & MODE_PE)) /* as QEMU: nothing in real mode */
        return;
    fprintf(l->out,
            "%6" PRIu64 ": v=%02x e=%04x i=%d cpl=%u IP=%04x:%016" PRIx64 " pc=%016" PRIx64
            " SP=%04x:%016" PRIx64,
            d->nr_ints++, e->vector, e->has_error ? e->error : 0, e->kind == EVENT_SOFT, e->cpl,
            e->cs, c->rip, c->seg[CS].base + c->rip, e->ss, e->rsp);
    if (e->vector == EXC_PF)
        fprintf(l->out, " CR2=%016" PRIx64 "\n", e->cr2);
    else
        fprintf(l->out, " env->regs[R_EAX]=%016" PRIx64 "\n", e->rax);
    cpu_dump(l->out, c, DUMP_CC);
}

void debug_log_reset(struct debug_log *d)
{
    d->at_start = true;
    if (log_on(d->log, LOG_CPU_RESET)) {
        fprintf(d->log->out, "CPU Reset (CPU 0)\n");
        cpu_dump(d->log->out, d->c, DUMP_CC | DUMP_FLOATING);
    }
}

void debug_log_triple_fault(struct debug_log *d)
{
    if (log_on(d->log, LOG_CPU_RESET))
        fprintf(d->log->out, "Triple fault\n");
}
