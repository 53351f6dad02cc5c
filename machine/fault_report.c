/*
 * The report of a triple fault. SDM 3A 6.15 (double fault), 6.13 (error codes).
 *
 * The chain is read backwards from the last event in the processor's ring: each was raised while
 * the one before it was being delivered. Then fault_cause.c says what it can derive.
 */
#include "machine/fault_report.h"
#include "machine/cpu_dump.h"
#include "machine/event_words.h"
#include "machine/fault_cause.h"
#include "machine/lin_peek.h"
#include <inttypes.h>

enum { MAX_INSN = 15, BAD_BYTES_SHOWN = 8 };

/* ---- the chain ---- */

static const struct event_record *event(const struct cpu *c, u64 n)
{
    return &c->events[n % EVENT_RING];
}

/* Whether event n was raised while event n - 1 was being delivered. A fault in the delivery of
 * INT n is a fault of that instruction, so the processor does not tell; but nothing has retired
 * and the stack has not moved. */
static bool follows(const struct cpu *c, u64 n)
{
    const struct event_record *e = event(c, n), *p;

    if (n == 0 || n - 1 + EVENT_RING < c->nr_events)
        return false;
    if (e->during != DELIVER_NONE)
        return true;
    p = event(c, n - 1);
    return e->kind == EVENT_FAULT && p->kind == EVENT_SOFT && p->icount == e->icount &&
           p->cs == e->cs && p->rsp == e->rsp && p->rip - e->rip - 1 < MAX_INSN;
}

static u64 first_of_chain(const struct cpu *c)
{
    u64 n = c->nr_events - 1;

    while (follows(c, n))
        n--;
    return n;
}

static void put_event(const struct fault_view *v, const struct event_record *e)
{
    char words[80];

    if (e->kind == EVENT_EXT)
        fprintf(v->f, "hardware interrupt, vector %02Xh", e->vector);
    else if (e->kind == EVENT_SOFT)
        fprintf(v->f, "software interrupt, INT %02Xh", e->vector);
    else
        fprintf(v->f, "%s (vector %u, %s)", vector_short_name(e->vector), e->vector,
                vector_long_name(e->vector));
    if (e->has_error) {
        error_code_words(words, sizeof(words), e->vector, e->error, ", ");
        fprintf(v->f, ", error code %04x%s%s", e->error, *words ? ": " : "", words);
    }
    if (e->vector == EXC_PF && e->kind == EVENT_FAULT) {
        fprintf(v->f, ", CR2=%0*" PRIx64, v->w, e->cr2);
        symbols_print(v->f, v->symbols, e->cr2);
    }
    fputc('\n', v->f);
}

/* Where it happened, once for the whole chain: nothing has moved since. */
static void put_place(const struct fault_view *v)
{
    struct cpu *c = v->c;
    u64 lin = cpu_lin_rip(c);
    u8 bytes[MAX_INSN];
    unsigned n = lin_peek(v->c, lin, bytes, sizeof(bytes));
    struct disasm_insn d = disasm_at(v->disasm, bytes, n, 8 * code_size(c->mode), c->rip);

    fprintf(v->f, "  at %04x:%0*" PRIx64, c->seg[CS].sel, (int)code_size(c->mode) * 2, c->rip);
    symbols_print(v->f, v->symbols, lin);
    fprintf(v->f, ", linear %0*" PRIx64 ", CPL %u, mode %s, after %" PRIu64 " instructions\n", v->w,
            lin, cpu_cpl(c), mode_name(c->mode), event(c, c->nr_events - 1)->icount);
    if (!n) {
        fprintf(v->f, "     its bytes are not mapped\n");
        return;
    }
    fputs("    ", v->f);
    for (unsigned i = 0; i < (d.len ? d.len : BAD_BYTES_SHOWN) && i < n; i++)
        fprintf(v->f, " %02x", bytes[i]);
    fprintf(v->f, "  %s\n", d.text);
}

static void put_chain(const struct fault_view *v, u64 first, u64 last)
{
    u64 line = 1;

    for (u64 n = first; n <= last; n++) {
        const struct event_record *e = event(v->c, n);

        fprintf(v->f, "  %" PRIu64 ". ", line++);
        if (n > first)
            fputs(e->kind == EVENT_ABORT ? "this makes it a " : "delivering that raised ", v->f);
        put_event(v, e);
    }
    fprintf(v->f, "  %" PRIu64 ". a double fault that cannot be delivered: shutdown\n", line);
}

/* ---- the report ---- */

void fault_report(FILE *f, struct cpu *c, struct disasm *disasm, const struct symbols *symbols)
{
    bool lma = c->mode & MODE_LMA;
    struct fault_view v = {f, c, disasm, symbols, lma, lma ? 16 : 8};

    fprintf(f, "kiln: triple fault: the processor has shut down\n");
    if (c->nr_events) {
        u64 first = first_of_chain(c), last = c->nr_events - 1;

        put_place(&v);
        put_chain(&v, first, last);
        fault_cause_first(&v, event(c, first));
        for (u64 n = first + 1; n <= last; n++)
            if (event(c, n)->kind == EVENT_FAULT &&
                fault_cause_delivery(&v, event(c, n - 1), event(c, n)))
                break; /* the others fail in the same way, or because of it */
    }
    cpu_dump(f, c, DUMP_CC);
}
