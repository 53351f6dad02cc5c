/*
 * Where Intel's silicon differs from the model, which follows AMD's: both manuals allow it, or each
 * vendor's own describes its own. Found and measured on an Ice Lake server (family 6, model 106).
 */
#include "tests/native/difference.h"

static unsigned bytes_that_differ(const struct difference *d)
{
    unsigned n = 0;

    for (u32 i = 0; i < IMAGE_BYTES; i++)
        n += d->v->image[i] != d->s->image_out[i];
    return n;
}

static bool has_feature(const struct difference *d, enum feature f)
{
    return isa_feature(&isa_rows[d->in->row]) == f;
}

static bool access_fault(u32 vector)
{
    return vector == EXC_SS || vector == EXC_GP || vector == EXC_PF || vector == EXC_AC;
}

static bool same_address(const struct difference *d)
{
    return d->ours != EXC_PF || d->v->end.cr2 == d->s->end.cr2;
}

static bool repeated(const struct difference *d)
{
    return (isa_rows[d->in->row].attr & A_REP) && (d->in->pfx & (PFX_REP | PFX_REPNE));
}

static bool flags_of_repetition(const struct difference *d)
{
    return repeated(d) && (isa_rows[d->in->row].attr & A_REPCC) && access_fault(d->ours) &&
           equal_but(d, F_ARITH, -1, false) && equal_fx(d);
}

/* Faults of either operand, whichever is accessed first. */
static bool other_operand_first(const struct difference *d)
{
    const struct nstate *a = &d->v->out, *b = &d->s->out;

    return from_to(d, ROW_CMPSB, ROW_CMPSV) && access_fault(d->ours) && access_fault(d->theirs) &&
           a->rip == b->rip && equal_registers(d, a, -1) && equal_fx(d);
}

/* rCX, rSI and rDI may have lost their upper halves; what else may differ is as above. */
static bool upper_halves_of_repetition(const struct difference *d)
{
    static const u8 counters[] = { RCX, RSI, RDI };
    struct nstate ours = d->v->out;
    u32 flags = isa_rows[d->in->row].attr & A_REPCC && d->ours != EXC_BP ? F_ARITH : 0;

    if (!repeated(d) || d->in->adsz != 4)
        return false;
    for (unsigned i = 0; i < ARRAY_LEN(counters); i++)
        if (d->s->out.gpr[counters[i]] == (u32)ours.gpr[counters[i]])
            ours.gpr[counters[i]] = d->s->out.gpr[counters[i]];
    return equal_state(d, &ours, flags, -1, false) &&
           (same_address(d) || from_to(d, ROW_CMPSB, ROW_CMPSV)) && equal_fx(d);
}

static bool trap_between_elements(const struct difference *d)
{
    return repeated(d) && d->ours == EXC_DB && d->s->out.rip == d->s->in.rip &&
           equal_but(d, F_RF | (isa_rows[d->in->row].attr & A_REPCC ? F_ARITH : 0), -1, false) &&
           equal_fx(d);
}

/* Only the bytes that are stored are looked at. */
static bool mask_store_address(const struct difference *d)
{
    u64 distance = d->s->end.cr2 - d->v->end.cr2;

    if ((!is(d, ROW_MASKMOVDQU) && !is(d, ROW_MASKMOVQ)) || !access_fault(d->ours) ||
        (d->theirs != EXC_PF && d->theirs != EXC_AC))
        return false;
    if (d->ours == EXC_PF && d->theirs == EXC_PF && (distance & size_mask(d->in->adsz)) >= 16) /* the bytes wrap around */
        return false;
    return d->v->out.rip == d->s->out.rip && bytes_that_differ(d) == 0 && equal_fx(d) &&
           equal_registers(d, &d->v->out, -1);
}

/* The registers by their numbers, not from the top of the stack on. */
static bool same_physical_registers(const u8 *a, const u8 *b)
{
    unsigned top_a = bits(load_le(a + FX_SW, 2), 13, 11), top_b = bits(load_le(b + FX_SW, 2), 13, 11);

    for (unsigned i = 0; i < 8; i++)
        if (memcmp(a + FX_ST + 16 * ((i - top_a) & 7), b + FX_ST + 16 * ((i - top_b) & 7), 10))
            return false;
    return true;
}

static bool top_before_fault(const struct difference *d)
{
    const u8 *ours = d->v->out.fx, *theirs = d->s->out.fx;
    const u64 top = 7 << 11;

    return (isa_rows[d->in->row].attr & A_X87) && has_memory(d->in) && access_fault(d->ours) &&
           equal_but(d, 0, -1, false) &&
           load_le(theirs + FX_SW, 2) == (load_le(ours + FX_SW, 2) & ~top) &&
           same_physical_registers(ours, theirs);
}

static bool far_call(const struct difference *d)
{
    return is(d, ROW_CALLF_Ap) || is(d, ROW_CALLF_Mp);
}

/* So a stack that is not there is found first. */
static bool call_pushes_first(const struct difference *d)
{
    bool call = far_call(d) || is(d, ROW_CALL_Jz) || is(d, ROW_CALL_Ev);

    if (!call || d->ours != EXC_GP || d->v->end.error)
        return false;
    if (d->theirs != EXC_GP)
        return faulted_there(d, EXC_SS) || faulted_there(d, EXC_PF) || faulted_there(d, EXC_AC);
    return d->s->end.error == 0 && equal_but(d, 0, -1, true) && bytes_that_differ(d) <= 16 && equal_fx(d);
}

/* Into or out of 64-bit code, seen by where one of the two has got; or both fault at the stack. */
static bool stack_of_new_mode(const struct difference *d)
{
    u16 code64 = d->facts->cs64;
    bool leaves = (d->v->out.cs == code64) != (d->s->in.cs == code64);
    bool leaves_there = (d->s->out.cs == code64) != (d->s->in.cs == code64);

    return far_call(d) && bytes_that_differ(d) <= 32 && equal_fx(d) &&
           (leaves || leaves_there || (access_fault(d->ours) && access_fault(d->theirs) &&
                                       equal_registers(d, &d->v->out, RSP)));
}

static bool m80_in_two_stores(const struct difference *d)
{
    return (is(d, ROW_FSTP_m80) || is(d, ROW_FBSTP)) && access_fault(d->ours) &&
           same_address(d) && equal_but(d, 0, -1, true) &&
           bytes_that_differ(d) <= 10 && equal_fx(d);
}

static bool exception_before_access(const struct difference *d)
{
    u16 op = isa_rows[d->in->row].opcode;
    u64 sw = load_le(d->s->out.fx + FX_SW, 2);

    return op >> 8 == MAP_1 && (op & 0xf8) == 0xd8 && has_memory(d->in) && access_fault(d->ours) &&
           d->s->out.rip != d->s->in.rip && (sw & 0x80) && bytes_that_differ(d) == 0;
}

static bool pop_of_two_bytes(const struct difference *d)
{
    return (is(d, ROW_POP_ES) || is(d, ROW_POP_SS) || is(d, ROW_POP_DS) || is(d, ROW_POP_FS) ||
            is(d, ROW_POP_GS)) &&
           access_fault(d->ours) && d->theirs != d->ours;
}

static bool frame_fault_before_alignment(const struct difference *d)
{
    return (is(d, ROW_RETF) || is(d, ROW_RETF_Iw) || is(d, ROW_IRET)) && d->ours == EXC_AC &&
           faulted_there(d, EXC_PF);
}

static bool fxrstor_alignment_first(const struct difference *d)
{
    return is(d, ROW_FXRSTOR) && access_fault(d->ours) && faulted_there(d, EXC_GP) &&
           d->s->end.error == 0;
}

static bool return_carries(const struct difference *d)
{
    return is(d, ROW_RETF_Iw) && d->s->in.ss == LDT_STACK16 * 8 + 7 &&
           (u16)d->v->out.gpr[RSP] == (u16)d->s->out.gpr[RSP] && equal_but(d, 0, RSP, false) &&
           same_address(d) && equal_fx(d);
}

static bool popa_loads(const struct difference *d)
{
    struct nstate a = d->v->out, b = d->s->out;

    return is(d, ROW_POPA) && access_fault(d->ours) && d->ours == d->theirs &&
           same_address(d) && a.rip == b.rip && a.gpr[RSP] == b.gpr[RSP] &&
           bytes_that_differ(d) == 0 && equal_fx(d);
}

static bool ud_with_modrm(const struct difference *d)
{
    return (is(d, ROW_UD0) || is(d, ROW_UD1)) && d->ours == EXC_UD &&
           (faulted_there(d, EXC_GP) || (faulted_there(d, EXC_PF) && (d->s->end.error & 16)));
}

static bool stack_judged_first(const struct difference *d)
{
    return is(d, ROW_IRET) && d->ours == EXC_GP && d->v->end.error == 0 && d->s->end.error > 3 &&
           (faulted_there(d, EXC_GP) || faulted_there(d, EXC_SS) || faulted_there(d, EXC_NP));
}

static bool lower_bound_first(const struct difference *d)
{
    return is(d, ROW_BOUND) && access_fault(d->ours) && faulted_there(d, EXC_BR);
}

/* An access that is not aligned and ends beyond the canonical addresses. */
static bool alignment_before_canonical(const struct difference *d)
{
    return d->ours == EXC_GP && d->v->end.error == 0 && faulted_there(d, EXC_AC) &&
           (d->s->in.flags & F_AC) && has_memory(d->in) && d->s->in.cs == d->facts->cs64;
}

/* The frame of an exception in compatibility mode. */
static bool upper_half_of_rsp(const struct difference *d)
{
    return d->v->out.cs != d->facts->cs64 && d->s->out.gpr[RSP] == (u32)d->v->out.gpr[RSP] &&
           same_address(d) && equal_but(d, 0, RSP, false) && equal_fx(d);
}

static bool no_alignment_check(const struct difference *d)
{
    static const u16 rows[] = {
        ROW_MOVUPS_VxWx, ROW_MOVUPS_WxVx, ROW_MOVUPD_VxWx, ROW_MOVUPD_WxVx, ROW_MOVDQU_VxWx,
        ROW_MOVDQU_WxVx, ROW_LDDQU,       ROW_PCMPESTRI,   ROW_PCMPESTRM,   ROW_PCMPISTRI,
        ROW_PCMPISTRM,
    };

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        if (is(d, rows[i]))
            return d->ours == EXC_AC && d->theirs != EXC_AC;
    return false;
}

static bool sha_aligned(const struct difference *d)
{
    return has_feature(d, FEAT_SHA) && has_memory(d->in) && faulted_there(d, EXC_GP) &&
           d->s->end.error == 0;
}

static const struct deviation list[] = {
    {"REP CMPS, SCAS that fault", "the flags are those before the instruction, SDM 2A REP; AMD's are "
     "those of the last element", flags_of_repetition, false},
    {"the same, begun before", "the flags are those of an earlier element", flags_of_repetition, true},
    {"#DB between the elements of a repetition", "RF is 1, SDM 3B 17.3.1.1; 0 on AMD's silicon",
     trap_between_elements, false},
    {"REP with 32-bit addresses that does nothing, or faults", "bits 63 to 32 of rCX, rSI and rDI are "
     "cleared; the manuals do not say", upper_halves_of_repetition, false},
    {"CMPS with both addresses faulting", "reads ES:rDI first; the manuals do not say",
     other_operand_first, false},
    {"MASKMOVDQU, MASKMOVQ", "CR2 is that of a byte that is stored; of the operand on AMD's silicon",
     mask_store_address, false},
    {"MMX stores that fault", "have reset TOP; SDM 3A 12.2 does not say", top_before_fault, false},
    {"CALL to a target that is #GP(0)", "the return address has been pushed; SDM 2A CALL checks first",
     call_pushes_first, false},
    {"far CALL into and out of 64-bit code", "pushes by the new mode's rules for stacks; by the old one's on AMD's "
     "silicon, the manuals do not say", stack_of_new_mode, false},
    {"FSTP m80, FBSTP over a page border", "what lies before the fault has been stored; the manuals "
     "do not say", m80_in_two_stores, false},
    {"x87 stores with an exception that is not masked", "do not access memory, so do not fault; the "
     "manuals do not say", exception_before_access, false},
    {"RETF imm16 on a 16-bit stack", "the sum carries into bit 16 of ESP; SP alone, SDM 2B RET",
     return_carries, false},
    {"far RET, IRET from a stack that is neither aligned nor there", "#PF; #AC on AMD's silicon, both orders by "
     "SDM 3A 6.9", frame_fault_before_alignment, false},
    {"FXRSTOR that is not aligned and beyond a limit", "#GP(0); #SS(0) by its segment on AMD's silicon",
     fxrstor_alignment_first, false},
    {"POP of a segment register", "two bytes are read and checked; SDM 2B POP does not say",
     pop_of_two_bytes, false},
    {"POPA that faults", "has loaded registers; the manuals do not say", popa_loads, false},
    {"UD0, UD1", "have a ModRM byte, which must be there, SDM 2B UD; not on AMD, APM 3 UD0", ud_with_modrm,
     false},
    {"IRET to an address and a stack that are both bad", "the stack's selector is judged first, SDM 2A "
     "IRET; the address, APM 3 IRET", stack_judged_first, false},
    {"BOUND", "the lower bound is compared before the upper is read; the manuals do not say",
     lower_bound_first, false},
    {"access that is not aligned and not canonical", "#AC; #GP(0) on AMD's silicon, both orders by SDM 3A 6.9",
     alignment_before_canonical, false},
    {"exceptions in compatibility mode", "push 32 bits of RSP; all 64 on AMD's silicon",
     upper_half_of_rsp, false},
    {"#AC of 16 bytes that need not be aligned", "there is none; SDM 3A 6.15 leaves it open",
     no_alignment_check, false},
    {"SHA instructions", "#GP(0) where memory is not aligned, SDM 2B; AMD's silicon takes it",
     sha_aligned, false},
    {"far RET to another level with a part of its frame not there",
     "judges CS first, SDM 2B RET; AMD reads all first, APM 3 RET (Far)", far_return_frame, false},
};
_Static_assert(ARRAY_LEN(list) <= MAX_DEVIATIONS, "MAX_DEVIATIONS");

/* What differs by the vendors' manuals for good: 66 before near branches in 64-bit code (ignored:
 * SDM 2A 2.2.1.7; APM 3 1.2.4), far pointers with a 64-bit offset (not on AMD: APM 3 LFS, JMP, CALL),
 * MOVSXD with 66 (two bytes of source, SDM 2B; four, APM 3), SYSRET outside of 64-bit code (#UD). */
static bool forbids(unsigned code, const struct isa_row *r, unsigned bytes)
{
    u16 row = (u16)(r - isa_rows);

    if (code != 8)
        return row == ROW_SYSRET;
    return ((r->attr & A_F64) && bytes == 2) || (row == ROW_MOVSXD_GvEd && bytes == 2) ||
           ((row == ROW_LSS || row == ROW_LFS || row == ROW_LGS || row == ROW_JMPF_Mp ||
             row == ROW_CALLF_Mp) && bytes == 8);
}

static bool breaks_out(const struct rig *r, const struct step *st, unsigned before)
{
    (void)before;
    /* IRET that pops AC from a stack that is not aligned is #AC before AC is set, which Linux takes
     * for a split lock and tries again. */
    if ((iret_flags(r, st) & F_AC) && r->c.gpr[RSP] % st->in.opsz)
        return true;
    /* A far CALL into 64-bit code that pushes to the top of the address space: Linux tries again, too. */
    if ((st->in.row == ROW_CALLF_Ap || st->in.row == ROW_CALLF_Mp) && r->c.gpr[RSP] < 16)
        return true;
    return across_4g(r, st) || forbids(code_size(r->c.mode), &isa_rows[st->in.row], st->in.opsz);
}

const struct deviations intel_deviations = {"Intel's silicon", list, ARRAY_LEN(list), breaks_out, forbids};
