/*
 * Causes of faults, derived. A delivery that fails changes nothing but stack memory, so what made
 * it fail can still be looked at: the checks are those of SDM 3A 6.12 to 6.14, in their order.
 * Where nothing can be derived nothing is said.
 */
#include "machine/fault_cause.h"
#include "cpu/segment.h"
#include "machine/lin_peek.h"
#include <inttypes.h>
#include <stdarg.h>

enum {
    FRAME_MAX = 64, /* bytes that a delivery pushes at most, alignment included */
    PAGE = 4096,
    MAX_INSN = 15,
};

static void say(const struct fault_view *v, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void say(const struct fault_view *v, const char *format, ...)
{
    va_list ap;

    fputs("  ", v->f);
    va_start(ap, format);
    vfprintf(v->f, format, ap);
    va_end(ap);
    fputc('\n', v->f);
}

static bool peek_u64(const struct fault_view *v, u64 lin, u64 *out)
{
    u8 bytes[8];

    if (lin_peek(v->c, lin, bytes, sizeof(bytes)) != sizeof(bytes))
        return false;
    *out = load_le(bytes, 8);
    return true;
}

/* Virtual-8086 mode has one, too: only real mode's table is another. */
static bool has_idt(const struct cpu *c)
{
    return c->mode & MODE_PE;
}

/* ---- descriptors ---- */

static const char *descriptor_kind(u64 d)
{
    /* SDM 3A table 3-2 */
    static const char *const names[16] = {
        [SYS_TSS16] = "a 16-bit TSS",           [SYS_LDT] = "an LDT",
        [SYS_TSS16_BUSY] = "a busy 16-bit TSS", [SYS_CALL16] = "a 16-bit call gate",
        [SYS_TASK_GATE] = "a task gate",        [SYS_INT16] = "a 16-bit interrupt gate",
        [SYS_TRAP16] = "a 16-bit trap gate",    [SYS_TSS] = "a TSS",
        [SYS_TSS_BUSY] = "a busy TSS",          [SYS_CALL] = "a call gate",
        [SYS_INT] = "an interrupt gate",        [SYS_TRAP] = "a trap gate",
    };

    if (desc_s(d))
        return desc_is_code(d) ? "a code segment" : "a data segment";
    return names[desc_type(d)] ? names[desc_type(d)] : "of a reserved type";
}

/* Says that the selector names no descriptor, or stores it. what begins the sentence. */
static bool find_descriptor(const struct fault_view *v, const char *what, u16 sel, u64 *d)
{
    const struct cpu *c = v->c;
    const char *table = sel & 4 ? "LDT" : "GDT";
    u64 lin;

    if ((sel & ~3u) == 0)
        say(v, "%s the null selector.", what);
    else if (sel & 4 && !c->ldtr.usable)
        say(v, "%s selector %04x, but no LDT is loaded.", what, sel);
    else if (!desc_address(c, sel, &lin))
        say(v, "%s selector %04x, which lies beyond the %s's limit %04x.", what, sel, table,
            sel & 4 ? c->ldtr.limit : c->gdtr.limit);
    else if (!peek_u64(v, lin, d))
        say(v, "%s selector %04x, whose descriptor at linear %0*" PRIx64 " is not mapped.", what,
            sel, v->w, lin);
    else
        return true;
    return false;
}

/* ---- the gate ---- */

static bool is_gate(const struct fault_view *v, u64 d)
{
    unsigned type = desc_type(d);

    return !desc_s(d) && (type == SYS_INT || type == SYS_TRAP ||
                          (!v->lma && (type == SYS_INT16 || type == SYS_TRAP16 ||
                                       type == SYS_TASK_GATE)));
}

static unsigned gate_size(const struct fault_view *v)
{
    return !has_idt(v->c) ? 4 : v->lma ? 16 : 8;
}

/* IDTR is what reset or real mode left, and protected mode runs. */
static bool explain_no_idt(const struct fault_view *v)
{
    const struct dtable *idt = &v->c->idtr;
    const char *whose = idt->limit == 0xffff  ? "as after a reset"
                        : idt->limit == 0x3ff ? "which is real mode's table"
                                              : "which is no table";

    if (!has_idt(v->c) || idt->base ||
        (idt->limit && idt->limit != 0x3ff && idt->limit != 0xffff))
        return false;
    say(v,
        "No IDT has been loaded: IDTR has base 0 and limit %04x, %s. Until LIDT has loaded one, "
        "every interrupt and exception ends like this.",
        idt->limit, whose);
    return true;
}

/* Why the vector's entry in the IDT cannot be used; false when it can. */
static bool explain_gate(const struct fault_view *v, unsigned vector, bool software)
{
    const struct cpu *c = v->c;
    unsigned size = gate_size(v);
    u64 at = c->idtr.base + (u64)vector * size, gate;

    if (explain_no_idt(v))
        return true;
    if (vector * size + size - 1 > c->idtr.limit) {
        say(v,
            "The IDT is too short for vector %u: its limit is %04x, and that entry needs %04x to "
            "%04x. Its base is %0*" PRIx64 ".",
            vector, c->idtr.limit, vector * size, vector * size + size - 1, v->w, c->idtr.base);
        return true;
    }
    if (!has_idt(c))
        return false;
    if (!peek_u64(v, at, &gate))
        say(v, "IDT entry %u, at linear %0*" PRIx64 ", is not mapped.", vector, v->w, at);
    else if (gate == 0)
        say(v,
            "IDT entry %u, at linear %0*" PRIx64 ", is all zeros: there is no handler for this "
            "vector.",
            vector, v->w, at);
    else if (!is_gate(v, gate))
        say(v,
            "IDT entry %u, at linear %0*" PRIx64 ", is no interrupt or trap gate: %016" PRIx64
            " is %s.",
            vector, v->w, at, gate, descriptor_kind(gate));
    else if (software && desc_dpl(gate) < cpu_cpl(c))
        say(v, "IDT entry %u has DPL %u, so INT %02Xh is not allowed at CPL %u.", vector,
            desc_dpl(gate), vector, cpu_cpl(c));
    else if (!desc_present(gate))
        say(v, "IDT entry %u, at linear %0*" PRIx64 ", is marked not present: %016" PRIx64 ".",
            vector, v->w, at, gate);
    else
        return false;
    return true;
}

/* Why the task that a task gate names cannot be switched to; false when it can (SDM 3A 7.2.5). */
static bool explain_task_gate(const struct fault_view *v, const char *what, u16 sel)
{
    u64 d;
    unsigned type;

    if (sel & 4) {
        say(v, "%s selector %04x, but a TSS must be in the GDT.", what, sel);
        return true;
    }
    if (!find_descriptor(v, what, sel, &d))
        return true;
    type = desc_type(d);
    if (!desc_s(d) && (type == SYS_TSS_BUSY || type == SYS_TSS16_BUSY))
        say(v, "%s selector %04x, whose task is busy: a task gate cannot enter it again.", what, sel);
    else if (desc_s(d) || (type != SYS_TSS && type != SYS_TSS16))
        say(v, "%s selector %04x, which is no TSS: %016" PRIx64 " is %s.", what, sel, d,
            descriptor_kind(d));
    else if (!desc_present(d))
        say(v, "%s selector %04x, which is marked not present: %016" PRIx64 ".", what, sel, d);
    else if (seg_from_desc(sel, d).limit < (type == SYS_TSS ? 0x67 : 0x2b))
        say(v, "%s selector %04x, whose TSS is too short: its limit is %04x.", what, sel,
            seg_from_desc(sel, d).limit);
    else
        return false;
    return true;
}

/* Why the code segment that the vector's gate names cannot be used; false when it can. */
static bool explain_gate_segment(const struct fault_view *v, unsigned vector)
{
    u64 gate, d;
    char what[48];
    u16 sel;

    if (!has_idt(v->c) || !peek_u64(v, v->c->idtr.base + vector * gate_size(v), &gate))
        return false;
    sel = (u16)(gate >> 16);
    snprintf(what, sizeof(what), "IDT entry %u names", vector);
    if (desc_type(gate) == SYS_TASK_GATE)
        return explain_task_gate(v, what, sel);
    if (!find_descriptor(v, what, sel, &d))
        return true;
    if (!desc_is_code(d))
        say(v, "%s selector %04x, which is no code segment: %016" PRIx64 " is %s.", what, sel, d,
            descriptor_kind(d));
    else if (v->lma && bits(d, 54, 53) != 1)
        say(v,
            "%s selector %04x, which is not 64-bit code (%016" PRIx64 ": bit L, 53, must be 1 and "
            "D, 54, must be 0), as handlers in long mode must be.",
            what, sel, d);
    else if (desc_dpl(d) > cpu_cpl(v->c))
        say(v,
            "%s selector %04x with DPL %u, less privileged than the CPL %u that was interrupted.",
            what, sel, desc_dpl(d), cpu_cpl(v->c));
    else if (!desc_present(d))
        say(v, "%s selector %04x, which is marked not present: %016" PRIx64 ".", what, sel, d);
    else if ((v->c->mode & MODE_VM) && (desc_conforming(d) || desc_dpl(d)))
        say(v,
            "%s selector %04x, %s with DPL %u: virtual-8086 mode can be left for nonconforming code "
            "of level 0 alone.",
            what, sel, desc_conforming(d) ? "conforming code" : "code", desc_dpl(d));
    else
        return false;
    return true;
}

/* ---- the stack of the handler ---- */

struct handler_stack {
    u64 sp;
    u16 ss;
    bool from_tss;
    char name[16];    /* "RSP", "RSP0 of the TSS" ... */
    unsigned tss_off; /* where it stands in the TSS */
};

static u64 present_stack(const struct fault_view *v)
{
    const struct cpu *c = v->c;
    u64 sp = c->gpr[RSP];

    if (v->lma)
        return sp;
    return (u32)(c->seg[SS].base + (c->seg[SS].attr & SEG_DB ? (u32)sp : (u16)sp));
}

/* Which stack the handler of vector would have got. */
static struct handler_stack handler_stack(const struct fault_view *v, unsigned vector)
{
    const struct cpu *c = v->c;
    struct handler_stack s = {.sp = present_stack(v), .ss = c->seg[SS].sel};
    u64 gate, d, lin, word;
    unsigned ist, cpl;

    snprintf(s.name, sizeof(s.name), "%sSP", v->lma ? "R" : "E");
    if (!has_idt(c) || !peek_u64(v, c->idtr.base + vector * gate_size(v), &gate) ||
        desc_type(gate) == SYS_TASK_GATE || !desc_address(c, (u16)(gate >> 16), &lin) || !peek_u64(v, lin, &d))
        return s;
    ist = v->lma ? (gate >> 32) & 7 : 0;
    cpl = desc_conforming(d) ? cpu_cpl(c) : desc_dpl(d);
    if (!ist && cpl >= cpu_cpl(c))
        return s;
    s.from_tss = true;
    snprintf(s.name, sizeof(s.name), ist ? "IST%u" : v->lma ? "RSP%u" : "ESP%u", ist ? ist : cpl);
    s.tss_off = ist ? 28 + 8 * ist : 4 + 8 * cpl;
    if (!peek_u64(v, c->tr.base + s.tss_off, &word))
        return s;
    s.sp = v->lma ? word : (u32)word;
    s.ss = v->lma ? (u16)cpl : (u16)(word >> 32);
    return s;
}

static bool explain_tss(const struct fault_view *v, unsigned vector)
{
    const struct cpu *c = v->c;
    struct handler_stack s = handler_stack(v, vector);

    if (!s.from_tss)
        return false;
    if ((c->tr.sel & ~3u) == 0)
        say(v,
            "No TSS is loaded (TR is null), but the handler needs %s from it. Load one with LTR.",
            s.name);
    else if (s.tss_off + 7 > c->tr.limit)
        say(v, "The TSS is too short for %s: its limit is %04x.", s.name, c->tr.limit);
    else
        say(v, "The handler's stack from the TSS cannot be used: SS=%04x, %s=%0*" PRIx64 ".", s.ss,
            s.name, v->w, s.sp);
    return true;
}

static bool explain_page_fault(const struct fault_view *v, unsigned vector,
                               const struct event_record *e)
{
    const struct cpu *c = v->c;
    struct handler_stack s = handler_stack(v, vector);
    const char *state = e->error & 1 ? "not writable" : "not mapped";

    if (e->cr2 - c->idtr.base <= c->idtr.limit)
        say(v, "The IDT is not mapped: CR2 lies in it (base %0*" PRIx64 ", limit %04x).", v->w,
            c->idtr.base, c->idtr.limit);
    else if (e->cr2 - c->gdtr.base <= c->gdtr.limit)
        say(v, "The GDT is %s: CR2 lies in it (base %0*" PRIx64 ", limit %04x).", state, v->w,
            c->gdtr.base, c->gdtr.limit);
    else if (c->tr.usable && e->cr2 - c->tr.base <= c->tr.limit)
        say(v, "The TSS is not mapped: CR2 lies in it (base %0*" PRIx64 ", limit %04x).", v->w,
            c->tr.base, c->tr.limit);
    else if (s.sp - e->cr2 - 1 < FRAME_MAX)
        say(v,
            "The handler's stack is %s: CR2 is just below %s%s=%0*" PRIx64
            ", where the exception's "
            "frame was to be pushed. %s",
            state, s.name, s.from_tss ? " of the TSS" : "", v->w, s.sp,
            s.from_tss ? "Map it in every address space."
                       : "Either it has overflowed, or the page tables do not map it.");
    else
        return false;
    return true;
}

bool fault_cause_delivery(const struct fault_view *v, const struct event_record *victim,
                          const struct event_record *e)
{
    unsigned vector = victim->vector;

    switch (e->vector) {
    case EXC_PF: return explain_page_fault(v, vector, e);
    case EXC_TS: return explain_tss(v, vector) || explain_gate_segment(v, vector);
    case EXC_SS: {
        struct handler_stack s = handler_stack(v, vector);

        say(v, "The handler's stack cannot take the frame: SS=%04x, limit %08x, %s=%0*" PRIx64 ".",
            s.ss, v->c->seg[SS].limit, s.name, v->w, s.sp);
        return true;
    }
    case EXC_GP:
    case EXC_NP:
        return explain_gate(v, vector, victim->kind == EVENT_SOFT) ||
               explain_gate_segment(v, vector);
    default: return false;
    }
}

/* ---- the first event ---- */

static void explain_undefined(const struct fault_view *v)
{
    const struct cpu *c = v->c;
    char mnemonic[32], feature[32];
    struct insn in = {0};
    u8 bytes[MAX_INSN];
    unsigned n = lin_peek(v->c, cpu_lin_rip(c), bytes, sizeof(bytes));

    if (!disasm_name(v->disasm, bytes, n, 8 * code_size(c->mode), mnemonic, feature) ||
        !strncmp(mnemonic, "ud", 2))
        return;
    if (insn_decode(&in, bytes, n, c->mode) != DECODE_OK || (isa_rows[in.row].attr & A_MISSING))
        say(v, "%s%s%s%s is an instruction that kiln does not have yet, or that is not legal here.",
            mnemonic, *feature ? " (" : "", feature, *feature ? ")" : "");
}

/* The selector in an error code. */
static void explain_selector(const struct fault_view *v, const struct event_record *e)
{
    u16 sel = (u16)e->error;
    u64 d;

    if ((e->error & 2) || !(e->error & 0xfffc) || !has_idt(v->c) ||
        !find_descriptor(v, e->vector == EXC_TS ? "The TSS names" : "The instruction names",
                         sel & 0xfffc, &d))
        return;
    say(v, "Selector %04x is %s, DPL %u, %s: %016" PRIx64 ".", sel & 0xfffc, descriptor_kind(d),
        desc_dpl(d), desc_present(d) ? "present" : "marked not present", d);
}

void fault_cause_first(const struct fault_view *v, const struct event_record *e)
{
    u64 lin = cpu_lin_rip(v->c);
    u8 byte;

    if (e->kind != EVENT_FAULT)
        return;
    switch (e->vector) {
    case EXC_UD: explain_undefined(v); break;
    case EXC_TS:
    case EXC_NP:
    case EXC_SS:
    case EXC_GP:
        if (e->has_error)
            explain_selector(v, e);
        break;
    case EXC_PF:
        if (e->cr2 - lin < MAX_INSN && !lin_peek(v->c, e->cr2, &byte, 1))
            say(v, "The code that runs is not mapped: CR2 is where the instruction is fetched.");
        else if (e->cr2 < PAGE && !(e->error & 1))
            say(v, "It is an access through a null pointer, or near it.");
        else if (present_stack(v) - e->cr2 - 1 < FRAME_MAX && (e->error & 2))
            say(v,
                "It is a push: CR2 is just below %sSP=%0*" PRIx64 ". The stack has overflowed, "
                "or the page tables do not map it.",
                v->lma ? "R" : "E", v->w, v->c->gpr[RSP]);
        break;
    default: break;
    }
}
