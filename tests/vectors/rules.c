/*
 * See rules.h. What a 286 does is what the recordings show.
 */
#include "tests/vectors/rules.h"
#include "cpu/isa.h"

const struct rule rules[NR_VECTOR_RULES] = {
    { "x87", WITHOUT_ALL, 13,
      "an operand of x87 whose second word lies behind FFFFh: #GP (SDM 3A 6.15); a 286 without a 287 "
      "reads the first word only" },
    { "x87 ss", WITHOUT_ALL, 12, "the same in SS: #SS" },
    { "length", WITHOUT_ALL, -1,
      "longer than 10 bytes, a 286's limit; it is 15 today (SDM 3A 6.15, #GP)" },
    { "lock", WITHOUT_ALL, 6,
      "LOCK where it is illegal today: #UD (SDM 2A LOCK); a 286 takes it everywhere" },
    { "fs gs", WITHOUT_ALL, -1,
      "MOV to or from FS and GS: a 286 has no such registers" },
    { "frame", WITHOUT_ALL, -1,
      "the recorded frame holds SS where CS is pushed (SDM 2A INT n): a slip of the recording" },
    { "idiv", WITHOUT_ALL, 0,
      "IDIV whose recorded quotient of 80h belongs to no divisor: it overflowed, which is #DE (SDM "
      "2A IDIV); a 286 misses some" },
    { "stack", WITHOUT_CS_IP, 12,
      "a word at offset FFFFh of SS: #SS today (SDM 3A 6.15, #SS); interrupt 13 on a 286" },
    { "string", WITHOUT_CX_SI_DI, 13,
      "a string instruction that faults leaves CX, SI, DI as before the element (SDM 2B REP); a 286 "
      "has moved them on" },
    { "string ss", WITHOUT_CX_SI_DI | WITHOUT_CS_IP, 12, "both of these: SI comes to FFFFh of SS" },
    { "pop", WITHOUT_SP_AND_MEMORY, 13,
      "POP to memory that faults leaves SP as it was (SDM 3A 6.5, faults); a 286 has moved it" },
    { "pop ss", WITHOUT_SP_AND_MEMORY | WITHOUT_CS_IP, 12, "both of these: POP to FFFFh of SS" },
    { "aam", WITHOUT_ARITHMETIC_FLAGS, 0,
      "AAM 0 leaves the flags as they were (SDM 3A 6.5, faults); a 286 has changed them" },
    { "iopl", WITHOUT_IOPL_NT, -1,
      "POPF and IRET set IOPL and NT in real mode (SDM 2B POPF, 2A IRET); a 286 cannot" },
};
enum {
    R_X87, R_X87_SS, R_LENGTH, R_LOCK, R_FS_GS, R_FRAME, R_IDIV, R_STACK, R_STRING, R_STRING_SS,
    R_POP, R_POP_SS, R_AAM, R_IOPL
};

static bool is_prefix(u8 b)
{
    return (b & 0xe7) == 0x26 || b == 0xf0 || b == 0xf2 || b == 0xf3;
}

/* The opcode byte behind the prefixes, and its ModRM if there is one. */
static const u8 *opcode_of(const struct moo_test *t, bool *lock)
{
    u32 i = 0;

    *lock = false;
    while (i + 2 < t->nr_bytes && is_prefix(t->bytes[i]))
        *lock |= t->bytes[i++] == 0xf0;
    return t->bytes + i;
}

/* The suite leaves the rest of an instruction out that is not valid. */
static u32 length_of(const struct moo_test *t, const u8 *op)
{
    u32 prefixes = (u32)(op - t->bytes), mod = op[1] >> 6;

    if (op[0] == 0xc6 || op[0] == 0xc7)
        return prefixes + 2 + (mod == 3 || (mod == 0 && (op[1] & 7) != 6) ? 0 : mod == 1 ? 1 : 2) +
               (op[0] == 0xc7 ? 2 : 1);
    return t->nr_bytes - 1;
}

/* SDM 2A LOCK: these, when they write memory. Those of map 0Fh are not on a 286. */
static bool may_be_locked(const u8 *op)
{
    unsigned reg = op[1] >> 3 & 7;

    if (op[1] >= 0xc0)
        return false;
    if (op[0] < 0x38)
        return (op[0] & 7) < 2;
    switch (op[0]) {
    case 0x80: case 0x81: case 0x82: case 0x83: return reg != 7;
    case 0x86: case 0x87: return true;
    case 0xf6: case 0xf7: return reg == 2 || reg == 3;
    case 0xfe: case 0xff: return reg < 2;
    }
    return false;
}

/* The word at addr when the test has ended. */
static u32 final_word(const struct moo_test *t, u32 addr)
{
    u32 v = 0;

    for (u32 i = 0; i < t->initial.nr_ram; i++)
        if (t->initial.ram[i].addr - addr < 2)
            v = (v & ~(0xffu << 8 * (t->initial.ram[i].addr - addr))) |
                (u32)t->initial.ram[i].value << 8 * (t->initial.ram[i].addr - addr);
    for (u32 i = 0; i < t->final.nr_ram; i++)
        if (t->final.ram[i].addr - addr < 2)
            v = (v & ~(0xffu << 8 * (t->final.ram[i].addr - addr))) |
                (u32)t->final.ram[i].value << 8 * (t->final.ram[i].addr - addr);
    return v;
}

static bool frame_has_ss(const struct moo_test *t)
{
    u16 ss = t->initial.reg[MOO_SS], sp;

    if (!t->exception || !(t->final.present >> MOO_SP & 1) || t->initial.reg[MOO_CS] == ss)
        return false;
    sp = (u16)(t->final.reg[MOO_SP] + 2);
    return final_word(t, ss * 16u + sp) == ss;
}

/* AX was divided into AL = -128 and AH: by (AH - AX) / 128, if that is a signed byte. */
static bool quotient_impossible(const struct moo_test *t)
{
    u16 ax = t->final.present >> MOO_AX & 1 ? t->final.reg[MOO_AX] : t->initial.reg[MOO_AX];
    int rest = (i8)(ax >> 8), product = rest - (i16)t->initial.reg[MOO_AX];

    return (u8)ax == 0x80 && (product % 128 != 0 || product / 128 != (i8)(product / 128));
}

static bool has_memory_operand(const struct insn *in)
{
    for (int i = 0; i < 3; i++)
        if (in->kind[i] == K_MEM)
            return true;
    return false;
}

/* Whether what it reads or writes, and may find at FFFFh, lies in the stack segment. */
static bool uses_stack_segment(const struct insn *in)
{
    if (has_memory_operand(in) && in->row != ROW_POP_Ev)
        return in->seg == SS;
    switch (in->row) {
    case ROW_PUSH_Zv: case ROW_PUSH_Iz: case ROW_PUSH_Ib: case ROW_PUSH_Ev: case ROW_PUSHF:
    case ROW_PUSH_ES: case ROW_PUSH_CS: case ROW_PUSH_SS: case ROW_PUSH_DS: case ROW_POP_Zv:
    case ROW_POP_Ev: case ROW_POP_ES: case ROW_POP_SS: case ROW_POP_DS: case ROW_POPF:
    case ROW_POPA: case ROW_CALL_Jz: case ROW_CALL_Ev: case ROW_CALLF_Ap: case ROW_RET:
    case ROW_RET_Iw: case ROW_RETF: case ROW_RETF_Iw: case ROW_IRET: case ROW_ENTER:
    case ROW_LEAVE:
        return true;
    }
    return false; /* PUSHA says #GP (SDM 2B PUSHA, real-address mode) */
}

/* Elements until a word at index would lie at FFFFh. */
static u32 elements_to_end(u16 index, bool down)
{
    u16 distance = down ? (u16)(index - 0xffff) : (u16)(0xffff - index);

    return distance & 1 ? ~0u : distance / 2;
}

/* Of a string instruction that overran: was it at its source, in SS? Sources come first. */
static bool source_overran_ss(const struct moo_test *t, const struct insn *in)
{
    bool down = t->initial.reg[MOO_FLAGS] & F_D;
    u32 source = elements_to_end(t->initial.reg[MOO_SI], down);
    u32 destination = elements_to_end(t->initial.reg[MOO_DI], down);

    switch (in->row) {
    case ROW_LODSV: case ROW_OUTSZ: return in->seg == SS;
    case ROW_MOVSV: case ROW_CMPSV: return in->seg == SS && source <= destination;
    }
    return false;
}

/* SDM 1 3.7.5, with 16-bit addresses */
static u16 offset_of(const struct moo_test *t, const struct insn *in)
{
    static const enum moo_reg of[] = { [RBX] = MOO_BX, [RBP] = MOO_BP, [RSI] = MOO_SI, [RDI] = MOO_DI };
    u32 base = in->base == NO_REG ? 0 : t->initial.reg[of[in->base]];
    u32 index = in->index == NO_REG ? 0 : t->initial.reg[of[in->index]];

    return (u16)(base + index + (u32)in->disp);
}

int rule_of(const struct moo_test *t, const struct insn *in)
{
    bool lock;
    const u8 *op = opcode_of(t, &lock);
    bool overrun = t->exception && t->vector == 13;

    if (overrun && length_of(t, op) > 10)
        return R_LENGTH;
    if (lock && !may_be_locked(op) && !(t->exception && t->vector == 6 && op[0] != 0xcd))
        return R_LOCK;
    if (op[0] == 0xd8 && !t->exception && has_memory_operand(in) && offset_of(t, in) > 0xffff - 3)
        return in->seg == SS ? R_X87_SS : R_X87;
    if ((op[0] == 0x8c || op[0] == 0x8e) && (op[1] & 0x30) == 0x20)
        return R_FS_GS;
    if (frame_has_ss(t))
        return R_FRAME;
    if (in->row == ROW_IDIV_Eb && !t->exception && quotient_impossible(t))
        return R_IDIV;
    if (overrun && (isa_rows[in->row].attr & A_REP))
        return source_overran_ss(t, in) ? R_STRING_SS : R_STRING;
    if (overrun && in->row == ROW_POP_Ev && t->initial.reg[MOO_SP] != 0xffff)
        return in->seg == SS ? R_POP_SS : R_POP;
    if (overrun && uses_stack_segment(in))
        return R_STACK;
    if (t->exception && in->row == ROW_AAM)
        return R_AAM;
    if (in->row == ROW_POPF || in->row == ROW_IRET)
        return R_IOPL;
    return -1;
}
