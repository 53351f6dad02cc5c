/*
 * Forms: see cpu/forms.h.
 *
 * Each is the row's own text (cpu/alu.h, cpu/operand.h) with constants for what the decoder knows,
 * so there is no second semantics. The table below is laid out as function, form, size.
 *
 * PERF: kinds and sizes are tested at run time in the general functions: about 20 of their 40
 * cycles. A register form comes to less than 10.
 */
#include "cpu/forms.h"
#include "cpu/alu.h"

/* Operands 0 and 1: register, register or immediate or memory; memory, register or immediate. */
enum form { FORM_RR, FORM_RI, FORM_RM, FORM_MR, FORM_MI, NR_FORMS };
enum { NR_FORM_SIZES = 4 }; /* 1, 2, 4, 8 */

#define SIZES(MAKE, name, op, form, k0, k1)                                                        \
    MAKE(name, op, form, k0, k1, 1)                                                                \
    MAKE(name, op, form, k0, k1, 2)                                                                \
    MAKE(name, op, form, k0, k1, 4)                                                                \
    MAKE(name, op, form, k0, k1, 8)
#define FORMS(MAKE, name, op)                                                                      \
    SIZES(MAKE, name, op, rr, K_REG, K_REG)                                                        \
    SIZES(MAKE, name, op, ri, K_REG, K_IMM)                                                        \
    SIZES(MAKE, name, op, rm, K_REG, K_MEM)                                                        \
    SIZES(MAKE, name, op, mr, K_MEM, K_REG)                                                        \
    SIZES(MAKE, name, op, mi, K_MEM, K_IMM)

#define MAKE_ALU(name, op, form, k0, k1, size)                                                     \
    static void name##_##form##size(struct cpu *c, const struct insn *in)                          \
    {                                                                                              \
        alu(c, in, op, k0, k1, size);                                                              \
    }
#define MAKE_FLAGS(name, op, form, k0, k1, size)                                                   \
    static void name##_##form##size(struct cpu *c, const struct insn *in)                          \
    {                                                                                              \
        alu_flags(c, in, op, k0, k1, size);                                                        \
    }
#define MAKE_MOV(name, op, form, k0, k1, size)                                                     \
    static void name##_##form##size(struct cpu *c, const struct insn *in)                          \
    {                                                                                              \
        opnd_store_as(c, in, 0, opnd_load_as(c, in, 1, k1, size), k0, size);                       \
    }
FORMS(MAKE_ALU, add, op_add)
FORMS(MAKE_ALU, adc, op_adc)
FORMS(MAKE_ALU, sub, op_sub)
FORMS(MAKE_ALU, sbb, op_sbb)
FORMS(MAKE_ALU, and, op_and)
FORMS(MAKE_ALU, or, op_or)
FORMS(MAKE_ALU, xor, op_xor)
FORMS(MAKE_FLAGS, cmp, op_sub)
FORMS(MAKE_FLAGS, test, op_and)
FORMS(MAKE_MOV, mov, )

#define ROW_OF_SIZES(name, form) { name##_##form##1, name##_##form##2, name##_##form##4, name##_##form##8 }
#define TWO_OPERANDS(name)                                                                         \
    {                                                                                              \
        x_##name, {                                                                                \
            [FORM_RR] = ROW_OF_SIZES(name, rr), [FORM_RI] = ROW_OF_SIZES(name, ri),                \
            [FORM_RM] = ROW_OF_SIZES(name, rm), [FORM_MR] = ROW_OF_SIZES(name, mr),                \
            [FORM_MI] = ROW_OF_SIZES(name, mi),                                                    \
        }                                                                                          \
    }
exec_fn x_add, x_adc, x_sub, x_sbb, x_and, x_or, x_xor, x_cmp, x_test, x_mov, x_jcc, x_push, x_pop, x_call,
    x_jmp, x_ret, x_movs, x_stos;

static const struct {
    exec_fn *general;
    exec_fn *form[NR_FORMS][NR_FORM_SIZES];
} two_operands[] = {
    TWO_OPERANDS(add), TWO_OPERANDS(adc), TWO_OPERANDS(sub), TWO_OPERANDS(sbb), TWO_OPERANDS(and),
    TWO_OPERANDS(or),  TWO_OPERANDS(xor), TWO_OPERANDS(cmp), TWO_OPERANDS(test), TWO_OPERANDS(mov),
};

/* Conditional jumps by condition. */
#define JCC(cc)                                                                                    \
    static void jcc_##cc(struct cpu *c, const struct insn *in)                                     \
    {                                                                                              \
        if (condition(c, cc))                                                                      \
            jump_near(c, c->next_rip + in->imm, in->opsz);                                         \
    }
JCC(0) JCC(1) JCC(2) JCC(3) JCC(4) JCC(5) JCC(6) JCC(7)
JCC(8) JCC(9) JCC(10) JCC(11) JCC(12) JCC(13) JCC(14) JCC(15)
static exec_fn *const jcc[16] = {
    jcc_0, jcc_1, jcc_2, jcc_3, jcc_4, jcc_5, jcc_6, jcc_7,
    jcc_8, jcc_9, jcc_10, jcc_11, jcc_12, jcc_13, jcc_14, jcc_15,
};

/* Pushes and pops of registers, near calls, returns and jumps. */
#define STACK(size)                                                                                \
    static void push_r##size(struct cpu *c, const struct insn *in)                                 \
    {                                                                                              \
        push(c, reg_read(c, in->reg[0], size), size);                                              \
    }                                                                                              \
    static void pop_r##size(struct cpu *c, const struct insn *in)                                  \
    {                                                                                              \
        u64 v = stack_peek(c, 0, size);                                                            \
                                                                                                   \
        set_sp(c, c->gpr[RSP] + size);                                                             \
        reg_write(c, in->reg[0], v, size);                                                         \
    }                                                                                              \
    static void call_rel##size(struct cpu *c, const struct insn *in)                               \
    {                                                                                              \
        call_near(c, c->next_rip + in->imm, size);                                                 \
    }                                                                                              \
    static void jmp_rel##size(struct cpu *c, const struct insn *in)                                \
    {                                                                                              \
        jump_near(c, c->next_rip + in->imm, size);                                                 \
    }                                                                                              \
    static void ret##size(struct cpu *c, const struct insn *in)                                    \
    {                                                                                              \
        (void)in;                                                                                  \
        jump_near(c, stack_peek(c, 0, size), size);                                                \
        set_sp(c, c->gpr[RSP] + size);                                                             \
    }
STACK(2) STACK(4) STACK(8)
static const struct {
    exec_fn *general, *form[NR_FORM_SIZES];
    u8 kind; /* of operand 0 */
} sized_forms[] = {
    { x_push, { NULL, push_r2, push_r4, push_r8 }, K_REG },
    { x_pop, { NULL, pop_r2, pop_r4, pop_r8 }, K_REG },
    { x_call, { NULL, call_rel2, call_rel4, call_rel8 }, K_REL },
    { x_jmp, { NULL, jmp_rel2, jmp_rel4, jmp_rel8 }, K_REL },
    { x_ret, { NULL, ret2, ret4, ret8 }, K_NONE },
    { x_movs, { movs_1, movs_2, movs_4, movs_8 }, K_STR },
    { x_stos, { stos_1, stos_2, stos_4, stos_8 }, K_STR },
};

static int form_kind(const struct insn *in)
{
    static const struct { u8 kind0, kind1; } kinds[NR_FORMS] = {
        [FORM_RR] = { K_REG, K_REG }, [FORM_RI] = { K_REG, K_IMM }, [FORM_RM] = { K_REG, K_MEM },
        [FORM_MR] = { K_MEM, K_REG }, [FORM_MI] = { K_MEM, K_IMM },
    };

    for (int f = 0; f < NR_FORMS; f++)
        if (in->kind[0] == kinds[f].kind0 && in->kind[1] == kinds[f].kind1)
            return f;
    return -1;
}

exec_fn *form_of(const struct insn *in)
{
    exec_fn *general = isa_rows[in->row].exec;
    int size = __builtin_ctz(in->opsz | 16), form = form_kind(in);

    if (general == x_jcc)
        return jcc[in->cc];
    if (size >= NR_FORM_SIZES)
        return general;
    for (unsigned i = 0; i < ARRAY_LEN(sized_forms); i++)
        if (sized_forms[i].general == general && sized_forms[i].kind == in->kind[0] &&
            sized_forms[i].form[size])
            return sized_forms[i].form[size];
    /* MOV's operands are of one size; where a row says otherwise the general function is right. */
    if (form < 0 || (in->kind[1] != K_IMM && in->srcsz != in->opsz))
        return general;
    for (unsigned i = 0; i < ARRAY_LEN(two_operands); i++)
        if (two_operands[i].general == general)
            return two_operands[i].form[form][size];
    return general;
}
