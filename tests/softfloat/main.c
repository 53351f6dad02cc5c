/*
 * softfloat_test: SSE arithmetic against Berkeley SoftFloat's results, as testfloat_gen prints them.
 *
 * softfloat_test FUNCTION ROUNDING < vectors: each line holds the operands, the result and the
 * exception flags in hexadecimal. FUNCTION is TestFloat's name (f64_add), ROUNDING its option
 * (near_even, minMag, min, max). Each vector runs in the interpreter, masked, as a scalar and, where
 * there is one, in each element of the packed row; results and MXCSR's flags must be equal. NaNs
 * are equal when both are NaNs that are quiet: which one a pair of them yields is the processor's affair.
 */
#include "tests/softfloat/bench.h"
#include "cpu/vec.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum kind { ARITH, ROOT, CONVERT, TO_INT, FROM_INT, COMPARE };

/* What a function of TestFloat's is here. Sizes in bytes; row2 is the packed form, 0: none. */
struct function {
    const char *name;
    enum kind kind;
    u16 row, row2;
    u8 from, to, operands;
    u8 predicate; /* of COMPARE: CMPxS's immediate */
};

#define BOTH(fn, kind, ROW, n)                                                                     \
    { "f32_" fn, kind, ROW_##ROW##SS, ROW_##ROW##PS, 4, 4, n, 0 },                                 \
    { "f64_" fn, kind, ROW_##ROW##SD, ROW_##ROW##PD, 8, 8, n, 0 }
#define CMP(fn, predicate)                                                                         \
    { "f32_" fn, COMPARE, ROW_CMPSS, ROW_CMPPS, 4, 4, 2, predicate },                              \
    { "f64_" fn, COMPARE, ROW_CMPSD, ROW_CMPPD, 8, 8, 2, predicate }
static const struct function functions[] = {
    BOTH("add", ARITH, ADD, 2), BOTH("sub", ARITH, SUB, 2), BOTH("mul", ARITH, MUL, 2),
    BOTH("div", ARITH, DIV, 2), BOTH("sqrt", ROOT, SQRT, 1),
    CMP("eq", 0), CMP("lt", 1), CMP("le", 2), /* EQ is quiet, LT and LE are not: as TestFloat's */
    { "f32_to_f64", CONVERT, ROW_CVTSS2SD, ROW_CVTPS2PD, 4, 8, 1, 0 },
    { "f64_to_f32", CONVERT, ROW_CVTSD2SS, ROW_CVTPD2PS, 8, 4, 1, 0 },
    { "f32_to_i32", TO_INT, ROW_CVTSS2SI, ROW_CVTPS2DQ, 4, 4, 1, 0 },
    { "f32_to_i64", TO_INT, ROW_CVTSS2SI, 0, 4, 8, 1, 0 },
    { "f64_to_i32", TO_INT, ROW_CVTSD2SI, ROW_CVTPD2DQ, 8, 4, 1, 0 },
    { "f64_to_i64", TO_INT, ROW_CVTSD2SI, 0, 8, 8, 1, 0 },
    { "f32_to_i32_r_minMag", TO_INT, ROW_CVTTSS2SI, ROW_CVTTPS2DQ, 4, 4, 1, 0 },
    { "f64_to_i32_r_minMag", TO_INT, ROW_CVTTSD2SI, ROW_CVTTPD2DQ, 8, 4, 1, 0 },
    { "f32_to_i64_r_minMag", TO_INT, ROW_CVTTSS2SI, 0, 4, 8, 1, 0 },
    { "f64_to_i64_r_minMag", TO_INT, ROW_CVTTSD2SI, 0, 8, 8, 1, 0 },
    { "i32_to_f32", FROM_INT, ROW_CVTSI2SS, ROW_CVTDQ2PS, 4, 4, 1, 0 },
    { "i32_to_f64", FROM_INT, ROW_CVTSI2SD, ROW_CVTDQ2PD, 4, 8, 1, 0 },
    { "i64_to_f32", FROM_INT, ROW_CVTSI2SS, 0, 8, 4, 1, 0 },
    { "i64_to_f64", FROM_INT, ROW_CVTSI2SD, 0, 8, 8, 1, 0 },
    { "f32_roundToInt", ROOT, ROW_ROUNDSS, ROW_ROUNDPS, 4, 4, 1, 0 },
    { "f64_roundToInt", ROOT, ROW_ROUNDSD, ROW_ROUNDPD, 8, 8, 1, 0 },
};

struct sample {
    u64 a, b, result;
    u32 flags; /* as MXCSR has them */
};

/* The row with registers 1 (destination) and 2, general ones where it has such, then HLT. */
static bool put_code(struct bench *b, const struct function *f, u16 row, u64 imm)
{
    const struct isa_row *d = &isa_rows[row];
    struct insn in = { .row = row, .adsz = 8, .seg = DS, .base = NO_REG, .index = NO_REG, .imm = imm };
    u8 code[16];
    int n;

    for (int i = 0; i < 3; i++) {
        u8 l = d->op[i].letter;

        in.kind[i] = l == OP_I ? K_IMM : l == OP_G || l == OP_E ? K_REG : l ? K_XMM : K_NONE;
        in.reg[i] = (u8)(i + 1);
    }
    in.opsz = d->op[0].letter == OP_G ? f->to : 16;
    in.srcsz = d->op[1].letter == OP_E ? f->from : 16;
    n = insn_encode(&in, b->c.mode, code);
    if (n <= 0)
        return false;
    code[n] = 0xf4;
    bench_put_code(b, code, (size_t)n + 1);
    return true;
}

static bool is_nan(u64 v, unsigned size)
{
    return size == 4 ? (v & 0x7fffffff) > 0x7f800000 : (v & ~(1ull << 63)) > 0x7ff0000000000000;
}

static bool is_quiet(u64 v, unsigned size)
{
    return v >> (size == 4 ? 22 : 51) & 1;
}

/* The result that the page of the row asks for, where TestFloat's convention is another. */
static u64 expected(const struct function *f, const struct sample *v)
{
    if (f->kind == COMPARE)
        return v->result ? size_mask(f->to) : 0;
    if (f->kind == TO_INT && (v->flags & MXCSR_IE))
        return 1ull << (8 * f->to - 1); /* the integer indefinite (SDM 1, table 4-1) */
    return v->result;
}

static bool equal(const struct function *f, u64 got, u64 want)
{
    if ((f->kind == ARITH || f->kind == ROOT || f->kind == CONVERT) && is_nan(want, f->to))
        return is_nan(got, f->to) && is_quiet(got, f->to);
    return got == want;
}

static u64 run(struct bench *b, const struct function *f, u16 row, const struct sample *v, u32 mxcsr, bool packed)
{
    struct cpu *c = &b->c;
    struct xmm x = { { v->a, 0 } }, y = { { f->operands == 2 ? v->b : v->a, 0 } };

    if (packed && f->from == 4) {
        x.q[0] |= x.q[0] << 32;
        y.q[0] |= y.q[0] << 32;
    }
    if (packed) {
        x.q[1] = x.q[0];
        y.q[1] = y.q[0];
    }
    c->fpu.xmm[1] = x;
    c->fpu.xmm[2] = y;
    c->gpr[RDX] = v->a; /* register 2 */
    c->fpu.mxcsr = mxcsr;
    bench_run(b);
    if (isa_rows[row].op[0].letter == OP_G)
        return c->gpr[RCX] & size_mask(f->to);
    return c->fpu.xmm[1].q[0] & size_mask(f->to);
}

/* The elements that a packed row fills are all alike. */
static bool elements_alike(const struct bench *b, const struct function *f)
{
    const struct xmm *x = &b->c.fpu.xmm[1];

    if (f->to == 4 && (u32)x->q[0] != x->q[0] >> 32)
        return false;
    return f->to < f->from ? x->q[1] == 0 : x->q[1] == x->q[0];
}

static bool read_sample(const struct function *f, struct sample *v)
{
    char line[128];
    unsigned flags;
    int n;

    if (!fgets(line, sizeof(line), stdin))
        return false;
    if (f->operands == 2)
        n = sscanf(line, "%" SCNx64 " %" SCNx64 " %" SCNx64 " %x", &v->a, &v->b, &v->result, &flags) - 1;
    else
        n = sscanf(line, "%" SCNx64 " %" SCNx64 " %x", &v->a, &v->result, &flags);
    if (n != 3) {
        fprintf(stderr, "softfloat_test: not a vector of %s: %s", f->name, line);
        exit(1);
    }
    v->flags = bench_flags(flags);
    return true;
}

int main(int argc, char **argv)
{
    static struct bench b;
    const struct function *f = NULL;
    unsigned rc = argc == 3 ? bench_rounding(argv[2]) : 4, failures = 0;
    u64 count = 0;
    struct sample v;

    for (unsigned i = 0; argc == 3 && i < ARRAY_LEN(functions); i++)
        if (!strcmp(functions[i].name, argv[1]))
            f = &functions[i];
    if (!f || rc == 4) {
        fprintf(stderr, "softfloat_test FUNCTION near_even|min|max|minMag < vectors\nfunctions:");
        for (unsigned i = 0; i < ARRAY_LEN(functions); i++)
            fprintf(stderr, " %s", functions[i].name);
        fprintf(stderr, "\n");
        return 1;
    }
    if (!bench_init(&b)) {
        perror("softfloat_test");
        return 1;
    }
    for (int packed = 0; packed < 2; packed++) {
        u16 row = packed ? f->row2 : f->row;

        if (!row)
            break;
        if (packed && fseek(stdin, 0, SEEK_SET)) {
            fprintf(stderr, "softfloat_test: the vectors must be in a file\n");
            return 1;
        }
        if (!put_code(&b, f, row, f->kind == COMPARE ? f->predicate : 4 /* ROUNDxx: MXCSR.RC */))
            return 1;
        while (read_sample(f, &v)) {
            u64 got = run(&b, f, row, &v, 0x1f80 | rc << 13, packed), want = expected(f, &v);
            /* Silicon tells of denormal operands, too; SoftFloat does not know that flag. */
            u32 flags = b.c.fpu.mxcsr & MXCSR_FLAGS & ~(u32)MXCSR_DE;

            count++;
            if (equal(f, got, want) && flags == v.flags && (!packed || elements_alike(&b, f)))
                continue;
            if (failures++ < MAX_SHOWN)
                printf("%s %s: %" PRIx64 " %" PRIx64 ": %" PRIx64 " flags %02x, softfloat %" PRIx64 " flags %02x\n",
                       isa_rows[row].id, argv[2], v.a, v.b, got, flags, want, v.flags);
        }
    }
    printf("%s %s: %" PRIu64 " vectors, %u differ\n", f->name, argv[2], count, failures);
    return failures || !count;
}
