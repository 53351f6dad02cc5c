/*
 * Where QEMU 7.2's TCG is wrong as a witness. Each was looked up in the manual before it came here.
 */
#include "tests/native/difference.h"

static u16 selector(const struct nstate *n, unsigned seg)
{
    const u16 sel[6] = {
        [ES] = n->es, [CS] = n->cs, [SS] = n->ss, [DS] = n->ds, [FS] = n->fs, [GS] = n->gs};

    return sel[seg];
}

/* Ours is #GP(0) or #SS(0), and a segment that may be the reason is not the flat one of the
 * kernel's; or the access is across 4 GiB, see across_4g(). */
static bool segment_check(const struct difference *d)
{
    const struct nstate *n = &d->s->in;
    bool string = isa_rows[d->in->row].attr & A_REP;
    bool memory = has_memory(d->in) || string;

    if ((d->ours != EXC_GP && d->ours != EXC_SS) || d->v->end.error)
        return false;
    return (memory && selector(n, d->in->seg) != d->facts->ss) ||
           (string && n->es != d->facts->ss) || n->ss != d->facts->ss ||
           n->cs == LDT_CODE16 * 8 + 7 || d->theirs == END_TIMEOUT;
}

static bool alignment_check(const struct difference *d)
{
    return d->ours == EXC_AC && (d->s->in.flags & F_AC);
}

static bool far_target(const struct difference *d)
{
    if (is(d, ROW_RETF) || is(d, ROW_RETF_Iw) || is(d, ROW_IRET))
        return d->ours == EXC_GP && d->v->end.error == 0 && d->s->out.cs == LDT_CODE16 * 8 + 7;
    return (is(d, ROW_CALLF_Ap) || is(d, ROW_CALLF_Mp) || is(d, ROW_JMPF_Ap) ||
            is(d, ROW_JMPF_Mp)) &&
           d->ours == EXC_GP && d->v->end.error == 0 && faulted_there(d, EXC_GP);
}

static bool lock_unchecked(const struct difference *d)
{
    bool locked;

    opcode_of(d, &locked);
    return locked && d->in->row == ROW_INVALID && d->ours == EXC_UD;
}

static bool read_before_write(const struct difference *d)
{
    return d->ours == EXC_PF && d->theirs == EXC_PF && d->v->end.cr2 == d->s->end.cr2 &&
           d->v->end.error == (d->s->end.error | 2) &&
           (d->in->kind[0] == K_MEM || d->v->out.rip != d->s->in.rip) && equal_but(d, 0, -1, false);
}

static bool push_selector(const struct difference *d)
{
    u8 other = 0;

    for (u32 i = 0; i < IMAGE_BYTES; i++)
        if (d->v->image[i] != d->s->image_out[i])
            other |= d->s->image_out[i];
    return d->in->opsz == 4 && other == 0 && equal_but(d, 0, -1, true) &&
           (is(d, ROW_PUSH_ES) || is(d, ROW_PUSH_CS) || is(d, ROW_PUSH_SS) || is(d, ROW_PUSH_DS) ||
            is(d, ROW_PUSH_FS) || is(d, ROW_PUSH_GS));
}

static bool group3_test(const struct difference *d)
{
    return (is(d, ROW_TEST_EbIb_1) || is(d, ROW_TEST_EvIz_1)) &&
           (faulted_there(d, EXC_UD) || faulted_there(d, EXC_PF));
}

static bool group16_register(const struct difference *d)
{
    return is(d, ROW_NOP_18) && faulted_there(d, EXC_UD);
}

static bool enter_unprobed(const struct difference *d)
{
    return is(d, ROW_ENTER) && d->ours == EXC_PF && (d->v->end.error & 2) &&
           !faulted_there(d, EXC_PF);
}

static bool int1_invalid(const struct difference *d)
{
    return is(d, ROW_INT1) && d->ours == EXC_DB && faulted_there(d, EXC_UD);
}

static bool cmps_order(const struct difference *d)
{
    u64 at = d->v->out.rip - d->s->in.rip; /* of a jump into itself: its target */
    bool cmps = from_to(d, ROW_CMPSB, ROW_CMPSV) ||
                (at && at < d->in->len && d->bytes[at] >> 1 == 0xa6 >> 1);

    return cmps && d->ours == EXC_PF && d->v->end.cr2 != d->s->end.cr2 &&
           equal_but(d, 0, -1, false);
}

static bool lar_limit(const struct difference *d)
{
    unsigned dst = d->in->reg[0] & 7;

    return is(d, ROW_LAR) && equal_but(d, 0, (int)dst, false) &&
           ((d->v->out.gpr[dst] ^ d->s->out.gpr[dst]) & ~0xf0000ull) == 0;
}

static bool int_error(const struct difference *d)
{
    return is(d, ROW_INT_Ib) && d->ours == EXC_GP &&
           d->v->end.error == (d->in->imm & 255) * 8 + 2 &&
           d->s->end.error == (d->in->imm & 255) * 16 + 2 && equal_but(d, 0, -1, false);
}

static bool clflush_unchecked(const struct difference *d)
{
    return (is(d, ROW_CLFLUSH) || is(d, ROW_CLFLUSHOPT) || is(d, ROW_CLWB)) && d->ours == EXC_PF &&
           !faulted_there(d, EXC_PF);
}

static bool near_of_16(const struct difference *d)
{
    return (isa_rows[d->in->row].attr & A_F64) && d->s->in.cs == d->facts->cs64 &&
           memchr(d->bytes, 0x66, d->in->len);
}

static bool rotate_through_fault(const struct difference *d)
{
    return from_to(d, ROW_RCL_EbIb, ROW_RCR_EvCL) && d->ours == EXC_PF &&
           equal_but(d, F_C | F_O, -1, false);
}

static bool return_signed(const struct difference *d)
{
    return (is(d, ROW_RET_Iw) || is(d, ROW_RETF_Iw)) && (d->in->imm & 0x8000) &&
           equal_but(d, 0, RSP, false);
}

static bool lss_shadow(const struct difference *d)
{
    return is(d, ROW_LSS) && (d->s->in.flags & F_T) && d->ours == EXC_DB;
}

static bool far_stack_fault(const struct difference *d)
{
    return (is(d, ROW_CALLF_Ap) || is(d, ROW_CALLF_Mp) || is(d, ROW_RETF) || is(d, ROW_RETF_Iw) ||
            is(d, ROW_IRET)) &&
           d->ours == EXC_PF && d->theirs == END_TIMEOUT;
}

static bool arpl_writes(const struct difference *d)
{
    return is(d, ROW_ARPL) && d->ours != EXC_PF && faulted_there(d, EXC_PF) &&
           (d->s->end.error & 2);
}

static bool pusha_order(const struct difference *d)
{
    return is(d, ROW_PUSHA) && d->ours == EXC_PF && equal_but(d, 0, -1, true);
}

static bool popa_loads(const struct difference *d)
{
    return is(d, ROW_POPA) && d->ours == EXC_PF && d->theirs == EXC_PF &&
           d->v->end.cr2 == d->s->end.cr2 && d->v->out.rip == d->s->out.rip;
}

static bool blsi_carry(const struct difference *d)
{
    return is(d, ROW_BLSI) && equal_but(d, F_C, -1, false);
}

static bool vex_in_16(const struct difference *d)
{
    bool locked;
    u8 op = *opcode_of(d, &locked);

    return (op == 0xc4 || op == 0xc5) && d->s->in.cs == LDT_CODE16 * 8 + 7 &&
           faulted_there(d, EXC_UD);
}

static bool size_of_66(const struct difference *d)
{
    return (is(d, ROW_MOVBE_GvMv) || is(d, ROW_MOVBE_MvGv) || is(d, ROW_CRC32_GyEv)) &&
           d->s->in.cs == LDT_CODE16 * 8 + 7;
}

static bool pause_untrapped(const struct difference *d)
{
    return is(d, ROW_NOP_90) && (d->s->in.flags & F_T) && d->ours == EXC_DB;
}

static bool no_such_cr(const struct difference *d)
{
    bool locked;
    const u8 *op = opcode_of(d, &locked);

    return d->in->row == ROW_INVALID && op[0] == 0x0f && (op[1] == 0x20 || op[1] == 0x22) &&
           d->ours == EXC_UD && faulted_there(d, EXC_GP);
}

/* The kernel's IRET leaves bits in RSP that are none to 32-bit code, see judge_compare(). */
static bool high_rsp(const struct difference *d)
{
    if (is(d, ROW_ADCX) || is(d, ROW_ADOX))
        return (d->in->reg[0] == RSP || d->in->reg[1] == RSP) && d->s->in.ss == LDT_STACK16 * 8 + 7;
    return (is(d, ROW_CALL_Ev) || is(d, ROW_JMP_Ev)) && d->in->kind[0] == K_REG &&
           d->in->reg[0] == RSP && d->s->in.ss == LDT_STACK16 * 8 + 7 &&
           (u32)d->s->out.rip == d->v->out.rip;
}

static bool privilege_before_fetch(const struct difference *d)
{
    return (isa_rows[d->in->row].attr & (A_CPL0 | A_IOPL)) && d->ours == EXC_PF &&
           (d->v->end.error & 16) && faulted_there(d, EXC_GP);
}

/* Whole cases: the flags that an earlier instruction left are worked out by one that reads them,
 * and lost when that faults. */
static bool flags_of_fault(const struct difference *d)
{
    return flags_read(&isa_rows[d->in->row], d->in) &&
           ((d->v->out.flags ^ d->s->out.flags) & F_ARITH) && d->v->out.rip == d->s->out.rip &&
           d->ours != EXC_BP && (d->ours == d->theirs) &&
           (d->v->end.error | 2) == (d->s->end.error | 2) && equal_but(d, F_ARITH, -1, false);
}

static const struct deviation list[] = {
    {"#GP(0) or #SS(0) through another segment than the flat one",
     "limits and types are not checked; SDM 3A 5.3 to 5.5", segment_check, false},
    {"#AC", "there is none; SDM 3A 6.15", alignment_check, false},
    {"far transfer beyond the new segment's limit",
     "none, or #GP(selector), CALL after pushing; #GP(0), 2A CALL, IRET, JMP, RET", far_target,
     false},
    {"LOCK where it is illegal", "mostly not checked; #UD, 2A LOCK", lock_unchecked, false},
    {"#PF of read-modify-write", "reported as a read; one access with W/R set, 3A 4.7",
     read_before_write, false},
    {"PUSH of a segment register, 32 bits",
     "writes four bytes; the manual allows either, 2B PUSH", push_selector, false},
    {"F6 /1, F7 /1",
     "#UD; reserved in 2D table A-6, TEST in APM 3 table A-6 and in silicon", group3_test, false},
    {"0F 18 of a register", "#UD; a reserved NOP, 2D table A-6, APM 3 table A-6",
     group16_register, false},
    {"ENTER into a page that is not writable",
     "no #PF; a write by the final stack pointer is probed, 2A ENTER", enter_unprobed, false},
    {"INT1", "#UD; #DB, 2A INT", int1_invalid, false},
    {"CMPS with both addresses faulting",
     "reads ES:rDI first; the manual does not say, 2A CMPS", cmps_order, false},
    {"LAR, bits 19 to 16", "those of the limit; undefined, 2A LAR", lar_limit, false},
    {"INT n of a closed gate", "error code 16n + 2; an index of 8 each, 3A 6.13", int_error,
     false},
    {"CLFLUSH, CLFLUSHOPT, CLWB", "no #PF; checked as a load, 2A CLFLUSH",
     clflush_unchecked, false},
    {"66 before a near branch in 64-bit mode",
     "ignored, as Intel does; AMD does not, APM 3 CALL, Jcc, JMP, LOOP", near_of_16, false},
    {"RCL, RCR in a page that is not writable", "changes CF and OF before #PF; 3A 6.5",
     rotate_through_fault, false},
    {"RET of 8000h bytes and more", "taken for negative; unsigned, 2B RET", return_signed,
     false},
    {"LSS under TF", "delays #DB as MOV SS does; only MOV and POP do, 3A 6.8.3", lss_shadow,
     false},
    {"#PF of the stack in far CALL, RET, IRET",
     "reported as the supervisor's, the kernel ends the child; "
     "an access at CPL 3, 3A 4.6",
     far_stack_fault, false},
    {"ARPL with nothing to change", "writes all the same; 2A ARPL", arpl_writes, false},
    {"PUSHA that faults",
     "other words are written first; the manual does not say, 2B PUSHA", pusha_order, false},
    {"POPA that faults", "has loaded registers; 3A 6.5", popa_loads, false},
    {"far RET to another level with a part of its frame not there",
     "judges CS first, 2B RET; AMD reads all first, APM 3 RET (Far)", far_return_frame, false},
    {"BLSI", "CF is not that the source is other than 0; 2A BLSI", blsi_carry, false},
    {"VEX in 16-bit protected mode", "#UD; only in real and virtual-8086 mode, 2A 2.6",
     vex_in_16, false},
    {"MOVBE, CRC32 in 16-bit code", "take 66 for 16 bits; 32 bits there, 1 3.6.1",
     size_of_66, false},
    {"PAUSE under TF", "no #DB; 3B 17.3.1.4", pause_untrapped, false},
    {"CALL, JMP, ADCX, ADOX with ESP on a 16-bit stack",
     "take RSP; ESP, 2A CALL, JMP, ADCX", high_rsp, false},
    {"privileged instruction with its end in a page that is not there",
     "#GP(0); #PF of the fetch comes first, 3A 6.9", privilege_before_fetch, false},
    {"flags after a fault of an instruction that reads flags",
     "are not those before it; 3A 6.5", flags_of_fault, true},
    {"MOV to or from a CR that is not there, CPL 3",
     "#GP(0); #UD of decoding comes first, 3A 6.9", no_such_cr, false},
};

/* QEMU 7.2: LOCK BT, BTS, BTR or BTC of a register writes to memory of another instruction's, or
 * aborts QEMU. SDM 2A LOCK: #UD. */
static bool locked_bit_of_register(const struct step *st)
{
    const u8 *b = st->bytes;
    bool locked = false;
    unsigned i = 0;

    for (; i < 12; i++) {
        static const u8 prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
                                      0x66, 0x67, 0xf0, 0xf2, 0xf3};

        if (!memchr(prefixes, b[i], sizeof(prefixes)))
            break;
        locked = locked || b[i] == 0xf0;
    }
    return locked && b[i] == 0x0f && memchr("\xa3\xab\xb3\xba\xbb", b[i + 1], 5) &&
           b[i + 2] >= 0xc0;
}

/* QEMU 7.2: CMPXCHG8B takes the flags that an earlier instruction of its block left for others, so
 * that even IF and IOPL may change. SDM 2A CMPXCHG8B: ZF alone. */
static bool cmpxchg8b_after_flags(const struct step *st, unsigned before)
{
    for (unsigned i = 1; i <= before && st->in.row == ROW_CMPXCHG8B; i++)
        if (isa_rows[st[-(int)i].in.row].writes)
            return true;
    return false;
}

static bool breaks_out(const struct rig *r, const struct step *st, unsigned before)
{
    /* IRETD enters virtual-8086 mode whenever VM is set in the flags that it pops, at CPL 3 and in
     * long mode, too (SDM 2A IRET: VM counts only at CPL 0, and not in IA-32e mode). An access across
     * 4 GiB faults for ever. */
    return (st->in.opsz == 4 && (iret_flags(r, st) & F_VM)) || locked_bit_of_register(st) || across_4g(r, st) ||
           cmpxchg8b_after_flags(st, before);
}

_Static_assert(ARRAY_LEN(list) <= MAX_DEVIATIONS, "MAX_DEVIATIONS");

const struct deviations qemu_deviations = {"qemu", list, ARRAY_LEN(list), breaks_out, NULL};
