/*
 * Why the processor shut down. SDM 3A 6.15 (double fault), 6.13 (error codes), 6.12 (delivery).
 *
 * The chain is read backwards from the last event: each was raised while the one before it was
 * being delivered. A delivery that fails changes nothing but stack memory, so the tables and
 * registers that made it fail can still be looked at; every statement here is derived from them,
 * and where nothing can be derived nothing is said.
 */
#include "machine/fault_report.h"
#include "core/mem_view.h"
#include "cpu/segment.h"
#include "machine/cpu_dump.h"
#include "machine/event_words.h"
#include <inttypes.h>
#include <stdarg.h>

struct report {
    FILE *f;
    struct cpu *c;
    struct disasm *disasm;
    const struct symbols *symbols;
    bool lma;
};

static void say(const struct report *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void say(const struct report *r, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vfprintf(r->f, format, ap);
    va_end(ap);
}

/* ---- looking into the guest ---- */

/* Reads linear memory without side effects. false: something of it is not mapped or no memory. */
static bool peek(const struct report *r, u64 lin, void *out, unsigned len)
{
    u64 pa;

    for (unsigned i = 0; i < len; i++)
        if (!cpu_peek_translate(r->c, r->lma ? lin + i : (u32)(lin + i), &pa) ||
            mem_view_read_bytes(r->c->cfg.view, pa, (u8 *)out + i, 1) != 1)
            return false;
    return true;
}

static void put_name(const struct report *r, u64 lin)
{
    u64 offset;
    const char *name = symbols_at(r->symbols, lin, &offset);

    if (name && offset)
        say(r, " <%s+0x%" PRIx64 ">", name, offset);
    else if (name)
        say(r, " <%s>", name);
}

/* ---- the chain ---- */

static const struct event_record *event(const struct cpu *c, u64 n)
{
    return &c->events[n % EVENT_RING];
}

static bool kept(const struct cpu *c, u64 n)
{
    return n < c->nr_events && n + EVENT_RING >= c->nr_events;
}

/* Whether event n was raised while event n - 1 was being delivered. A fault in the delivery of
 * INT n is a fault of that instruction, so the processor does not tell; but nothing has retired
 * and the stack has not moved. */
static bool follows(const struct cpu *c, u64 n)
{
    const struct event_record *e = event(c, n), *p;

    if (n == 0 || !kept(c, n - 1))
        return false;
    if (e->during != DELIVER_NONE)
        return true;
    p = event(c, n - 1);
    return e->kind == EVENT_FAULT && p->kind == EVENT_SOFT && p->icount == e->icount &&
           p->cs == e->cs && p->rsp == e->rsp && p->rip - e->rip - 1 < 15;
}

/* The event that the chain began with. */
static u64 first_of_chain(const struct cpu *c)
{
    u64 n = c->nr_events - 1;

    while (follows(c, n))
        n--;
    return n;
}

static void put_event(const struct report *r, const struct event_record *e)
{
    const char *name = vector_short_name(e->vector), *full = vector_long_name(e->vector);
    char words[80];

    if (e->kind == EVENT_EXT)
        say(r, "hardware interrupt, vector %02Xh", e->vector);
    else if (e->kind == EVENT_SOFT)
        say(r, "software interrupt, vector %02Xh", e->vector);
    else
        say(r, "%s (vector %u, %s)", name, e->vector, full);
    if (e->has_error) {
        error_code_words(words, sizeof(words), e->vector, e->error, ", ");
        say(r, ", error code %04x%s%s", e->error, *words ? ": " : "", words);
    }
    if (e->vector == EXC_PF && e->kind == EVENT_FAULT) {
        say(r, ", CR2=%0*" PRIx64, r->lma ? 16 : 8, e->cr2);
        put_name(r, e->cr2);
    }
    say(r, "\n");
}

/* Where it happened, once for the whole chain: nothing has moved since. */
static void put_place(const struct report *r)
{
    const struct cpu *c = r->c;
    u64 lin = cpu_lin_rip(c);
    u8 bytes[15];
    unsigned n = 0;

    say(r, "  at %04x:%0*" PRIx64, c->seg[CS].sel, (int)code_size(c->mode) * 2, c->rip);
    put_name(r, lin);
    say(r, ", linear %0*" PRIx64 ", CPL %u, mode %s, instruction %" PRIu64 "\n", r->lma ? 16 : 8,
        lin, cpu_cpl(c), mode_name(c->mode), event(c, c->nr_events - 1)->icount);
    while (n < sizeof(bytes) && peek(r, lin + n, &bytes[n], 1))
        n++;
    if (n) {
        struct disasm_insn d = disasm_at(r->disasm, bytes, n, 8 * code_size(c->mode), c->rip);

        say(r, "     ");
        for (unsigned i = 0; i < (d.len ? d.len : 8u) && i < n; i++)
            say(r, " %02x", bytes[i]);
        say(r, "  %s\n", d.text);
    } else {
        say(r, "      the instruction's bytes are not mapped\n");
    }
}

/* ---- the cause ---- */

static const char *gate_type(unsigned type, bool system)
{
    static const char *const names[16] = {
        [SYS_TSS16] = "a 16-bit TSS", [SYS_LDT] = "an LDT", [SYS_TSS16_BUSY] = "a busy 16-bit TSS",
        [SYS_CALL16] = "a 16-bit call gate", [SYS_TASK_GATE] = "a task gate",
        [SYS_INT16] = "a 16-bit interrupt gate", [SYS_TRAP16] = "a 16-bit trap gate",
        [SYS_TSS] = "a TSS", [SYS_TSS_BUSY] = "a busy TSS", [SYS_CALL] = "a call gate",
        [SYS_INT] = "an interrupt gate", [SYS_TRAP] = "a trap gate",
    };

    if (!system)
        return "a code or data segment";
    return names[type] ? names[type] : "of a reserved type";
}

static bool is_gate(const struct report *r, unsigned type)
{
    return type == SYS_INT || type == SYS_TRAP ||
           (!r->lma && (type == SYS_INT16 || type == SYS_TRAP16 || type == SYS_TASK_GATE));
}

/* Why the vector's gate in the IDT cannot be used. Returns whether anything was said. */
static bool explain_gate(const struct report *r, unsigned vector, bool software)
{
    const struct cpu *c = r->c;
    unsigned size = mode_real(c->mode) ? 4 : r->lma ? 16 : 8, type;
    u64 at = c->idtr.base + (u64)vector * size, gate;
    int w = r->lma ? 16 : 8;

    if (!mode_real(c->mode) && c->idtr.base == 0 &&
        (c->idtr.limit == 0x3ff || c->idtr.limit == 0xffff || c->idtr.limit == 0)) {
        say(r, "No IDT has been loaded for this mode: IDTR still has base 0 and limit %04x, as %s. "
               "Load one with LIDT before interrupts or exceptions can happen.\n",
            c->idtr.limit, c->idtr.limit == 0xffff ? "after a reset"
                           : c->idtr.limit ? "in real mode" : "without a table");
        return true;
    }
    if (vector * size + size - 1 > c->idtr.limit) {
        say(r, "The IDT is too short for vector %u: its limit is %04x, and that entry needs %04x "
               "to %04x. IDTR: base %0*" PRIx64 ".\n",
            vector, c->idtr.limit, vector * size, vector * size + size - 1, w, c->idtr.base);
        return true;
    }
    if (mode_real(c->mode))
        return false;
    if (!peek(r, at, &gate, 8)) {
        say(r, "The IDT is not mapped: entry %u is at linear %0*" PRIx64 ".\n", vector, w, at);
        return true;
    }
    type = desc_type(gate);
    if (gate == 0) {
        say(r, "IDT entry %u, at linear %0*" PRIx64 ", is empty (all zeros): there is no handler "
               "for this vector.\n", vector, w, at);
        return true;
    }
    if (desc_s(gate) || !is_gate(r, type)) {
        say(r, "IDT entry %u, at linear %0*" PRIx64 ", is no gate: its value %016" PRIx64
               " describes %s.\n", vector, w, at, gate, gate_type(type, !desc_s(gate)));
        return true;
    }
    if (software && desc_dpl(gate) < cpu_cpl(c)) {
        say(r, "IDT entry %u has DPL %u, so INT %02Xh is not allowed at CPL %u.\n", vector,
            desc_dpl(gate), vector, cpu_cpl(c));
        return true;
    }
    if (!desc_present(gate)) {
        say(r, "IDT entry %u, at linear %0*" PRIx64 ", is marked not present (bit 47 of %016" PRIx64
               ").\n", vector, w, at, gate);
        return true;
    }
    return false;
}

/* Why the code segment that the vector's gate names cannot be used. */
static bool explain_gate_segment(const struct report *r, unsigned vector)
{
    const struct cpu *c = r->c;
    u64 gate, lin, d;
    u16 sel;

    if (!peek(r, c->idtr.base + (u64)vector * (r->lma ? 16 : 8), &gate, 8))
        return false;
    sel = (u16)(gate >> 16);
    if ((sel & ~3u) == 0)
        say(r, "IDT entry %u names the null selector as its code segment.\n", vector);
    else if (!desc_address(c, sel, &lin))
        say(r, "IDT entry %u names selector %04x, which lies outside of the %s (limit %04x).\n",
            vector, sel, sel & 4 ? "LDT" : "GDT", sel & 4 ? c->ldtr.limit : c->gdtr.limit);
    else if (!peek(r, lin, &d, 8))
        say(r, "IDT entry %u names selector %04x, whose descriptor at linear %08" PRIx64
               " is not mapped.\n", vector, sel, lin);
    else if (!desc_is_code(d))
        say(r, "IDT entry %u names selector %04x, which is no code segment: its descriptor is "
               "%016" PRIx64 ".\n", vector, sel, d);
    else if (r->lma && bits(d, 54, 53) != 1)
        say(r, "IDT entry %u names selector %04x, which is no 64-bit code segment (bit L of %016"
               PRIx64 "); handlers of long mode must be 64-bit code.\n", vector, sel, d);
    else if (!desc_present(d))
        say(r, "IDT entry %u names selector %04x, whose descriptor is marked not present.\n",
            vector, sel);
    else
        return false;
    return true;
}

/* A page fault in a delivery: the stack, the IDT, the GDT or the TSS is not there. */
static bool explain_page_fault(const struct report *r, const struct event_record *e)
{
    const struct cpu *c = r->c;
    u64 sp = (mode_real(c->mode) || !r->lma ? (u32)c->seg[SS].base + c->gpr[RSP] : c->gpr[RSP]);
    int w = r->lma ? 16 : 8;

    if (e->cr2 - c->idtr.base <= c->idtr.limit)
        say(r, "The IDT is not mapped: CR2=%0*" PRIx64 " lies in it (base %0*" PRIx64
               ", limit %04x).\n", w, e->cr2, w, c->idtr.base, c->idtr.limit);
    else if (e->cr2 - c->gdtr.base <= c->gdtr.limit)
        say(r, "The GDT is not mapped: CR2=%0*" PRIx64 " lies in it (base %0*" PRIx64
               ", limit %04x).\n", w, e->cr2, w, c->gdtr.base, c->gdtr.limit);
    else if (e->cr2 - c->tr.base <= c->tr.limit)
        say(r, "The TSS is not mapped: CR2=%0*" PRIx64 " lies in it (base %0*" PRIx64 ").\n", w,
            e->cr2, w, c->tr.base);
    else if (sp - e->cr2 - 1 < 64)
        say(r, "The stack is not mapped or not writable: CR2=%0*" PRIx64 " is just below "
               "%sSP=%0*" PRIx64 ", where the exception's frame was to be pushed. A stack overflow, "
               "or a stack that the page tables do not map.\n",
            w, e->cr2, r->lma ? "R" : "E", w, c->gpr[RSP]);
    else
        return false;
    return true;
}

/* What made the delivery of event `victim` fail with event e. */
static bool explain(const struct report *r, const struct event_record *victim,
                    const struct event_record *e)
{
    switch (e->vector) {
    case EXC_PF: return explain_page_fault(r, e);
    case EXC_SS:
        say(r, "The stack cannot take the frame: SS=%04x, limit %08x, %sSP=%0*" PRIx64 ".\n",
            r->c->seg[SS].sel, r->c->seg[SS].limit, r->lma ? "R" : "E", r->lma ? 16 : 8,
            r->c->gpr[RSP]);
        return true;
    case EXC_GP:
    case EXC_NP:
        return explain_gate(r, victim->vector, victim->kind == EVENT_SOFT) ||
               (!mode_real(r->c->mode) && explain_gate_segment(r, victim->vector));
    default: return false;
    }
}

/* What raised the first exception, where the instruction does not say it by itself. */
static void explain_first(const struct report *r, const struct event_record *e)
{
    const struct cpu *c = r->c;
    u64 lin = cpu_lin_rip(c);

    if (e->kind != EVENT_FAULT)
        return;
    if (e->vector == EXC_PF && e->cr2 == lin)
        say(r, "The first fault is the fetch of the instruction itself: the page tables do not map "
               "the code that runs%s.\n", e->error & 1 ? " for this use" : "");
    else if (e->vector == EXC_PF && e->cr2 < 4096 && !(e->error & 1))
        say(r, "The first fault is an access through a null pointer, or near it.\n");
}

/* ---- the report ---- */

void fault_report(FILE *f, struct cpu *c, struct disasm *disasm, const struct symbols *symbols)
{
    struct report r = { f, c, disasm, symbols, c->mode & MODE_LMA };
    u64 first, last = c->nr_events - 1;
    bool explained = false;

    say(&r, "kiln: triple fault: the processor has shut down\n");
    if (c->nr_events) {
        put_place(&r);
        first = first_of_chain(c);
        for (u64 n = first; n <= last; n++) {
            const struct event_record *e = event(c, n);

            say(&r, "  %" PRIu64 ". ", n - first + 1);
            if (n > first)
                say(&r, e->kind == EVENT_ABORT ? "so " : "delivering that raised ");
            put_event(&r, e);
        }
        say(&r, "  %" PRIu64 ". a fault in the delivery of a double fault: shutdown\n",
            last - first + 2);
        explain_first(&r, event(c, first));
        for (u64 n = first + 1; n <= last && !explained; n++)
            if (event(c, n)->kind == EVENT_FAULT) {
                explained = explain(&r, event(c, n - 1), event(c, n));
                if (explained)
                    break;
            }
    }
    cpu_dump(f, c);
}
