/*
 * Probing the host: see silicon.h.
 *
 * An experiment is one instruction of the 64-bit mode, all operands in RAX, RCX and RDX. It runs on the
 * host and, decoded as ever, in the interpreter's function, with a few operands and with all flags clear
 * and set before; registers and flags must be equal after it. The whole takes 0.2 ms.
 */
#include "cpu/silicon.h"
#include "cpu/cpu_model.h"
#include "cpu/flags.h"
#include <cpuid.h>
#include <stdio.h>

struct operands {
    u64 rax, rcx, rdx, flags;
};

/* Every instruction is an assembly of its own. The stack is left alone below RSP: red zone. */
#define ON_HOST(name, trait, ...)                                                                  \
    static void name##_on_host(struct operands *o)                                                 \
    {                                                                                              \
        __asm__ volatile("lea -128(%%rsp), %%rsp\n\tpush %3\n\tpopfq\n\t.byte " #__VA_ARGS__        \
                         "\n\tpushfq\n\tpop %3\n\tlea 128(%%rsp), %%rsp"                            \
                         : "+a"(o->rax), "+c"(o->rcx), "+d"(o->rdx), "+r"(o->flags)                \
                         :                                                                         \
                         : "cc", "memory");                                                        \
    }
#define IN_TABLE(name, trait, ...) { SILICON_##trait, name##_on_host, { __VA_ARGS__ } },

#define EXPERIMENTS(X)                                                                             \
    X(and_rax_rdx, LOGIC, 0x48, 0x21, 0xd0)                                                        \
    X(or_al_dl, LOGIC, 0x08, 0xd0)                                                                 \
    X(xor_eax_edx, LOGIC, 0x31, 0xd0)                                                              \
    X(test_ax_dx, LOGIC, 0x66, 0x85, 0xd0)                                                         \
    X(mul_dl, MULTIPLY, 0xf6, 0xe2)                                                                \
    X(mul_dx, MULTIPLY, 0x66, 0xf7, 0xe2)                                                          \
    X(mul_edx, MULTIPLY, 0xf7, 0xe2)                                                               \
    X(mul_rdx, MULTIPLY, 0x48, 0xf7, 0xe2)                                                         \
    X(imul_dl, MULTIPLY, 0xf6, 0xea)                                                               \
    X(imul_rdx, MULTIPLY, 0x48, 0xf7, 0xea)                                                        \
    X(imul_ax_dx, MULTIPLY, 0x66, 0x0f, 0xaf, 0xc2)                                                \
    X(imul_eax_edx, MULTIPLY, 0x0f, 0xaf, 0xc2)                                                    \
    X(imul_rax_rdx_11, MULTIPLY, 0x48, 0x6b, 0xc2, 0x0b)                                           \
    X(imul_eax_edx_imm, MULTIPLY, 0x69, 0xc2, 0x78, 0x56, 0x34, 0x92)                              \
    X(div_ecx, DIVIDE, 0xf7, 0xf1)                                                                 \
    X(idiv_rcx, DIVIDE, 0x48, 0xf7, 0xf9)                                                          \
    X(shl_al_cl, SHIFT, 0xd2, 0xe0)                                                                \
    X(shl_ax_cl, SHIFT, 0x66, 0xd3, 0xe0)                                                          \
    X(shl_rax_cl, SHIFT, 0x48, 0xd3, 0xe0)                                                         \
    X(shl_eax_5, SHIFT, 0xc1, 0xe0, 0x05)                                                          \
    X(shr_al_cl, SHIFT, 0xd2, 0xe8)                                                                \
    X(shr_eax_cl, SHIFT, 0xd3, 0xe8)                                                               \
    X(shr_rax_9, SHIFT, 0x48, 0xc1, 0xe8, 0x09)                                                    \
    X(sar_ax_cl, SHIFT, 0x66, 0xd3, 0xf8)                                                          \
    X(sar_eax_3, SHIFT, 0xc1, 0xf8, 0x03)                                                          \
    X(rol_al_cl, ROTATE, 0xd2, 0xc0)                                                               \
    X(rol_eax_cl, ROTATE, 0xd3, 0xc0)                                                              \
    X(rol_rax_7, ROTATE, 0x48, 0xc1, 0xc0, 0x07)                                                   \
    X(ror_al_8, ROTATE, 0xc0, 0xc8, 0x08)                                                          \
    X(rol_eax_33, ROTATE, 0xc1, 0xc0, 0x21)                                                        \
    X(ror_ax_cl, ROTATE, 0x66, 0xd3, 0xc8)                                                         \
    X(ror_rax_cl, ROTATE, 0x48, 0xd3, 0xc8)                                                        \
    X(rcl_al_cl, ROTATE_CARRY, 0xd2, 0xd0)                                                         \
    X(rcl_al_9, ROTATE_CARRY, 0xc0, 0xd0, 0x09)                                                    \
    X(rcl_eax_cl, ROTATE_CARRY, 0xd3, 0xd0)                                                        \
    X(rcr_ax_cl, ROTATE_CARRY, 0x66, 0xd3, 0xd8)                                                   \
    X(rcr_ax_17, ROTATE_CARRY, 0x66, 0xc1, 0xd8, 0x11)                                             \
    X(rcr_rax_cl, ROTATE_CARRY, 0x48, 0xd3, 0xd8)                                                  \
    X(shld_ax_dx_11, DOUBLE_SHIFT, 0x66, 0x0f, 0xa4, 0xd0, 0x0b)                                   \
    X(shld_eax_edx_cl, DOUBLE_SHIFT, 0x0f, 0xa5, 0xd0)                                             \
    X(shld_rax_rdx_40, DOUBLE_SHIFT, 0x48, 0x0f, 0xa4, 0xd0, 0x28)                                 \
    X(shrd_ax_dx_16, DOUBLE_SHIFT, 0x66, 0x0f, 0xac, 0xd0, 0x10)                                   \
    X(shrd_eax_edx_cl, DOUBLE_SHIFT, 0x0f, 0xad, 0xd0)                                             \
    X(shrd_rax_rdx_cl, DOUBLE_SHIFT, 0x48, 0x0f, 0xad, 0xd0)                                       \
    X(shld_ax_dx_17, DOUBLE_BEYOND, 0x66, 0x0f, 0xa4, 0xd0, 0x11)                                  \
    X(shld_ax_dx_cl, DOUBLE_BEYOND, 0x66, 0x0f, 0xa5, 0xd0)                                        \
    X(shrd_ax_dx_29, DOUBLE_BEYOND, 0x66, 0x0f, 0xac, 0xd0, 0x1d)                                  \
    X(shrd_ax_dx_cl, DOUBLE_BEYOND, 0x66, 0x0f, 0xad, 0xd0)                                        \
    X(bt_eax_edx, BIT_TEST, 0x0f, 0xa3, 0xd0)                                                      \
    X(bts_rax_rdx, BIT_TEST, 0x48, 0x0f, 0xab, 0xd0)                                               \
    X(btr_ax_dx, BIT_TEST, 0x66, 0x0f, 0xb3, 0xd0)                                                 \
    X(btc_eax_7, BIT_TEST, 0x0f, 0xba, 0xf8, 0x07)                                                 \
    X(bsf_ax_dx, BIT_SCAN, 0x66, 0x0f, 0xbc, 0xc2)                                                 \
    X(bsf_eax_edx, BIT_SCAN, 0x0f, 0xbc, 0xc2)                                                     \
    X(bsf_rax_rdx, BIT_SCAN, 0x48, 0x0f, 0xbc, 0xc2)                                               \
    X(bsr_ax_dx, BIT_SCAN, 0x66, 0x0f, 0xbd, 0xc2)                                                 \
    X(bsr_eax_edx, BIT_SCAN, 0x0f, 0xbd, 0xc2)                                                     \
    X(bsr_rax_rdx, BIT_SCAN, 0x48, 0x0f, 0xbd, 0xc2)                                               \
    X(bswap_ax, BSWAP, 0x66, 0x0f, 0xc8)                                                           \
    X(cmpxchg_ecx_edx, CMPXCHG, 0x0f, 0xb1, 0xd1)                                                  \
    X(cmpxchg_cx_dx, CMPXCHG, 0x66, 0x0f, 0xb1, 0xd1)                                              \
    X(popcnt_eax_edx, POPCNT, 0xf3, 0x0f, 0xb8, 0xc2)                                              \
    X(popcnt_rax_rdx, POPCNT, 0xf3, 0x48, 0x0f, 0xb8, 0xc2)                                        \
    X(tzcnt_ax_dx, COUNT, 0x66, 0xf3, 0x0f, 0xbc, 0xc2)                                            \
    X(tzcnt_rax_rdx, COUNT, 0xf3, 0x48, 0x0f, 0xbc, 0xc2)                                          \
    X(lzcnt_eax_edx, COUNT, 0xf3, 0x0f, 0xbd, 0xc2)                                                \
    X(lzcnt_rax_rdx, COUNT, 0xf3, 0x48, 0x0f, 0xbd, 0xc2)                                          \
    X(bextr_eax_edx_ecx, BEXTR, 0xc4, 0xe2, 0x70, 0xf7, 0xc2)                                      \
    X(bextr_rax_rdx_rcx, BEXTR, 0xc4, 0xe2, 0xf0, 0xf7, 0xc2)                                      \
    X(andn_eax_ecx_edx, BMI, 0xc4, 0xe2, 0x70, 0xf2, 0xc2)                                         \
    X(andn_rax_rcx_rdx, BMI, 0xc4, 0xe2, 0xf0, 0xf2, 0xc2)                                         \
    X(blsr_eax_edx, BMI, 0xc4, 0xe2, 0x78, 0xf3, 0xca)                                             \
    X(blsmsk_rax_rdx, BMI, 0xc4, 0xe2, 0xf8, 0xf3, 0xd2)                                           \
    X(blsi_eax_edx, BMI, 0xc4, 0xe2, 0x78, 0xf3, 0xda)                                             \
    X(bzhi_rax_rdx_rcx, BMI, 0xc4, 0xe2, 0xf0, 0xf5, 0xc2)

EXPERIMENTS(ON_HOST)

static const struct experiment {
    enum silicon_trait trait;
    void (*on_host)(struct operands *);
    u8 bytes[8];
} experiments[] = { EXPERIMENTS(IN_TABLE) };

/* RAX, RCX (counts, controls), RDX. */
static const u64 values[][3] = {
    { 0, 1, 0 },
    { 0x0000000000000001, 2, 0x8000000000000000 },
    { 0x8000000080008080, 3, 0x0000000000000003 },
    { 0x4000000040004040, 4, 0xfffffffffffffffd },
    { 0xc123456789ab7f81, 7, 0x00000000ffff0000 },
    { 0xfffffffffffffffe, 9, 0x7edcba9876543210 },
    { 0x5555555555555555, 17, 0xaaaaaaaaaaaaaaaa },
    { 0x123456785a5ac3c3, 18, 0x0000000000010203 },
    { 0x00ff00ff00ff00ff, 23, 0xf00000000000000f },
    { 0x8000000000000000, 31, 0x0000000100000000 },
    { 0x7fffffff7fff7f7f, 0x0810, 0x9e3779b97f4a7c15 },
    { 0xa5a5a5a5a5a55a5a, 0x203f, 0x0000000080000001 },
    { 0x0f0f0f0f0f0f8001, 0x4000, 0xfedcba9880000001 },
};

/* ORDER: enum silicon_trait. Behaviours have names where there are several; rows are ranges. */
static const struct trait {
    const char *name, *behaviours[2];
    struct {
        u16 first, last;
    } rows[4];
    enum feature needs[2];
} traits[NR_SILICON_TRAITS] = {
    [SILICON_LOGIC] = { "logic", { "" },
                        { { ROW_OR_EbGb, ROW_OR_EvIb }, { ROW_AND_EbGb, ROW_AND_EvIb },
                          { ROW_XOR_EbGb, ROW_XOR_EvIb }, { ROW_TEST_EbGb, ROW_TEST_EvIz_1 } }, { 0 } },
    [SILICON_MULTIPLY] = { "mul", { "keeps", "result" },
                           { { ROW_MUL_Eb, ROW_IMUL_Ev }, { ROW_IMUL_GvEv, ROW_IMUL_GvEvIb } }, { 0 } },
    [SILICON_DIVIDE] = { "div", { "sets-af", "keeps" },
                         { { ROW_DIV_Eb, ROW_IDIV_Ev } }, { 0 } },
    [SILICON_SHIFT] = { "shift", { "last", "first" }, { { ROW_SHL_EbIb, ROW_SAR_EvCL } }, { 0 } },
    [SILICON_ROTATE] = { "rotate", { "last", "one" }, { { ROW_ROL_EbIb, ROW_ROR_EvCL } }, { 0 } },
    [SILICON_ROTATE_CARRY] = { "rotate-carry", { "last", "first" },
                               { { ROW_RCL_EbIb, ROW_RCR_EvCL } }, { 0 } },
    [SILICON_DOUBLE_SHIFT] = { "double-shift", { "last", "first" },
                               { { ROW_SHLD_EvGvIb, ROW_SHRD_EvGvCL } }, { 0 } },
    [SILICON_DOUBLE_BEYOND] = { "double-beyond", { "source", "destination" },
                                { { ROW_SHLD_EvGvIb, ROW_SHRD_EvGvCL } }, { 0 } },
    [SILICON_BIT_TEST] = { "bit-test", { "" }, { { ROW_BT_EvGv, ROW_BTC_EvIb } }, { 0 } },
    [SILICON_BIT_SCAN] = { "bit-scan", { "" },
                           { { ROW_BSF_GvEv, ROW_BSF_GvEv }, { ROW_BSR_GvEv, ROW_BSR_GvEv } }, { 0 } },
    [SILICON_BSWAP] = { "bswap", { "" }, { { ROW_BSWAP_Zv, ROW_BSWAP_Zv } }, { 0 } },
    [SILICON_CMPXCHG] = { "cmpxchg", { "" }, { { ROW_CMPXCHG_EbGb, ROW_CMPXCHG_EvGv } }, { 0 } },
    [SILICON_POPCNT] = { "popcnt", { "" }, { { ROW_POPCNT, ROW_POPCNT } }, { FEAT_POPCNT } },
    [SILICON_COUNT] = { "count", { "keeps", "clears" },
                        { { ROW_TZCNT, ROW_TZCNT }, { ROW_LZCNT, ROW_LZCNT } },
                        { FEAT_BMI1, FEAT_LZCNT } },
    [SILICON_BEXTR] = { "bextr", { "result", "clears" }, { { ROW_BEXTR, ROW_BEXTR } }, { FEAT_BMI1 } },
    [SILICON_BMI] = { "bmi", { "result", "clears" },
                      { { ROW_ANDN, ROW_ANDN }, { ROW_BLSR, ROW_BZHI } }, { FEAT_BMI1, FEAT_BMI2 } },
};

unsigned silicon_nr_behaviours(enum silicon_trait t)
{
    return traits[t].behaviours[1] ? 2 : 1;
}

static bool in_trait(unsigned row, const struct trait *t)
{
    for (unsigned i = 0; i < ARRAY_LEN(t->rows); i++)
        if (t->rows[i].first && row >= t->rows[i].first && row <= t->rows[i].last)
            return true;
    return false;
}

bool silicon_exact(const struct silicon *s, unsigned row)
{
    for (unsigned t = 0; t < NR_SILICON_TRAITS; t++)
        if ((s->unknown >> t & 1) && in_trait(row, &traits[t]))
            return false;
    return true;
}

void silicon_text(const struct silicon *s, char *out, size_t cap)
{
    size_t n = 0;

    *out = 0;
    for (unsigned t = 0; t < NR_SILICON_TRAITS; t++) {
        if (!traits[t].behaviours[1] || n >= cap)
            continue;
        n += (size_t)snprintf(out + n, cap - n, "%s%s %s", n ? ", " : "", traits[t].name,
                              traits[t].behaviours[s->behaviour[t]]);
    }
}

/* ---- experiments ---- */

static void in_interpreter(struct cpu *c, const struct insn *in, struct operands *o)
{
    c->gpr[RAX] = o->rax;
    c->gpr[RCX] = o->rcx;
    c->gpr[RDX] = o->rdx;
    flags_set(c, F_ARITH, (u32)o->flags);
    isa_rows[in->row].exec(c, in);
    *o = (struct operands){ c->gpr[RAX], c->gpr[RCX], c->gpr[RDX], flags_arith(c) };
}

static bool agrees(struct cpu *c, const struct experiment *e)
{
    struct insn in;

    ASSERT(insn_decode(&in, e->bytes, sizeof(e->bytes), MODE_CODE64 | MODE_PE) == DECODE_OK);
    ASSERT(in_trait(in.row, &traits[e->trait]));
    for (unsigned i = 0; i < 2 * ARRAY_LEN(values); i++) {
        const u64 *v = values[i / 2];
        struct operands ours = { v[0], v[1], v[2], i & 1 ? F_ARITH : 0 }, hosts;

        if (e->trait == SILICON_DIVIDE) { /* nothing that ends in an exception */
            ours.rax &= 0x7fffffff7fffffff;
            ours.rdx = 0;
        }
        hosts = ours;
        in_interpreter(c, &in, &ours);
        e->on_host(&hosts);
        if (ours.rax != hosts.rax || ours.rcx != hosts.rcx || ours.rdx != hosts.rdx ||
            ours.flags != (hosts.flags & F_ARITH))
            return false;
    }
    return true;
}

bool silicon_agrees(struct cpu *c, enum silicon_trait t)
{
    for (unsigned i = 0; i < ARRAY_LEN(experiments); i++)
        if (experiments[i].trait == t && !agrees(c, &experiments[i]))
            return false;
    return true;
}

/* cpu_host_features() would ask for all. */
static bool host_has(enum feature f)
{
    const struct cpu_feature_place *p = &cpu_feature_places[f];
    u32 r[4];

    return f == FEAT_NONE || (__get_cpuid_count(p->leaf, 0, &r[0], &r[1], &r[2], &r[3]) &&
                              (r[p->reg] >> p->bit & 1));
}

void silicon_probe(struct cpu *c)
{
    struct silicon *s = &c->silicon;

    *s = (struct silicon){ .unknown = 0 };
    for (enum silicon_trait t = 0; t < NR_SILICON_TRAITS; t++) {
        bool can = host_has(traits[t].needs[0]) && host_has(traits[t].needs[1]), known = false;
        unsigned nr = can ? silicon_nr_behaviours(t) : 0;

        for (unsigned b = 0; b < nr && !known; b++) {
            s->behaviour[t] = (u8)b;
            known = silicon_agrees(c, t);
        }
        if (!known) {
            s->behaviour[t] = 0;
            s->unknown |= (u32)BIT(t);
        }
    }
}
