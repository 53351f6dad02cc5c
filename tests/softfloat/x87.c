/*
 * softfloat_x87: x87 arithmetic against Berkeley SoftFloat's results, as testfloat_gen prints them.
 *
 * softfloat_x87 FUNCTION ROUNDING PRECISION < vectors: FUNCTION is TestFloat's name (extF80_add),
 * ROUNDING its option (near_even, minMag, min, max), PRECISION 32, 64 or 80. Each vector runs in the
 * interpreter with all exceptions masked; results and flags but DE must be equal. NaNs are equal
 * when both are quiet NaNs: which one a pair of them yields is the processor's affair.
 */
#include "tests/softfloat/bench.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Memory operands: rbx points to the first, the second lies 10h and the result 20h behind it. */
#define FLD_A    "\xdb\x2b"             /* fld tbyte [rbx] */
#define FLD_B    "\xdb\x6b\x10"         /* fld tbyte [rbx + 10h] */
#define FSTP_80  "\xdb\x7b\x20"         /* fstp tbyte [rbx + 20h] */
#define POP      "\xdd\xd8"             /* fstp st(0) */
#define STATUS   "\xdf\xe0\xf4"         /* fnstsw ax; hlt */
#define COMPARED "\x9f\x88\x63\x20" POP POP /* lahf; mov [rbx + 20h], ah */

enum format { F80, F64, F32, I64, I32, BOOL };
static const u8 format_bytes[] = { 10, 8, 4, 8, 4, 1 };

struct function {
    const char *name, *code; /* ends in a HLT */
    enum format from, to;
    u8 operands;
};

#define CODE(bytes) bytes STATUS
static const struct function functions[] = {
    { "extF80_add", CODE(FLD_A FLD_B "\xde\xc1" FSTP_80), F80, F80, 2 },
    { "extF80_sub", CODE(FLD_A FLD_B "\xde\xe9" FSTP_80), F80, F80, 2 },
    { "extF80_mul", CODE(FLD_A FLD_B "\xde\xc9" FSTP_80), F80, F80, 2 },
    { "extF80_div", CODE(FLD_A FLD_B "\xde\xf9" FSTP_80), F80, F80, 2 },
    { "extF80_sqrt", CODE(FLD_A "\xd9\xfa" FSTP_80), F80, F80, 1 },
    /* fprem1; fnstsw ax; test ah, 4 (C2: not done yet); jnz to fprem1 */
    { "extF80_rem", CODE(FLD_B FLD_A "\xd9\xf5\xdf\xe0\xf6\xc4\x04\x75\xf7" FSTP_80 POP), F80, F80, 2 },
    { "extF80_roundToInt", CODE(FLD_A "\xd9\xfc" FSTP_80), F80, F80, 1 },
    { "extF80_eq", CODE(FLD_B FLD_A "\xdb\xe9" COMPARED), F80, BOOL, 2 }, /* fucomi */
    { "extF80_lt", CODE(FLD_B FLD_A "\xdb\xf1" COMPARED), F80, BOOL, 2 }, /* fcomi: invalid on any NaN */
    { "extF80_le", CODE(FLD_B FLD_A "\xdb\xf1" COMPARED), F80, BOOL, 2 },
    { "extF80_to_i32", CODE(FLD_A "\xdb\x5b\x20"), F80, I32, 1 },         /* fistp */
    { "extF80_to_i64", CODE(FLD_A "\xdf\x7b\x20"), F80, I64, 1 },
    { "extF80_to_i32_r_minMag", CODE(FLD_A "\xdb\x4b\x20"), F80, I32, 1 }, /* fisttp */
    { "extF80_to_i64_r_minMag", CODE(FLD_A "\xdd\x4b\x20"), F80, I64, 1 },
    { "extF80_to_f32", CODE(FLD_A "\xd9\x5b\x20"), F80, F32, 1 },
    { "extF80_to_f64", CODE(FLD_A "\xdd\x5b\x20"), F80, F64, 1 },
    { "f32_to_extF80", CODE("\xd9\x03" FSTP_80), F32, F80, 1 },
    { "f64_to_extF80", CODE("\xdd\x03" FSTP_80), F64, F80, 1 },
    { "i32_to_extF80", CODE("\xdb\x03" FSTP_80), I32, F80, 1 }, /* fild */
    { "i64_to_extF80", CODE("\xdf\x2b" FSTP_80), I64, F80, 1 },
};

struct value {
    u64 low; /* the significand of 80 bits, or all */
    u16 high;
};

struct sample {
    struct value a, b, result;
    u32 flags;
};

static bool read_value(FILE *f, enum format format, struct value *v)
{
    char text[32];
    size_t n;

    if (fscanf(f, "%31s", text) != 1)
        return false;
    n = strlen(text);
    *v = (struct value){ 0 };
    if (format == F80 && n == 20) {
        v->low = strtoull(text + 4, NULL, 16);
        text[4] = 0;
        v->high = (u16)strtoul(text, NULL, 16);
        return true;
    }
    v->low = strtoull(text, NULL, 16);
    return format != F80;
}

static bool read_sample(const struct function *f, struct sample *v)
{
    unsigned flags;

    if (!read_value(stdin, f->from, &v->a))
        return false;
    if ((f->operands == 2 && !read_value(stdin, f->from, &v->b)) || !read_value(stdin, f->to, &v->result) ||
        scanf("%x", &flags) != 1) {
        fprintf(stderr, "softfloat_x87: not a vector of %s\n", f->name);
        exit(1);
    }
    v->flags = bench_flags(flags);
    return true;
}

static void store(struct bench *b, unsigned off, const struct value *v)
{
    store_le(b->view.backing + BENCH_DATA + off, v->low, 8);
    store_le(b->view.backing + BENCH_DATA + off + 8, v->high, 2);
}

static bool is_nan(const struct value *v, enum format f)
{
    switch (f) {
    case F80: return (v->high & 0x7fff) == 0x7fff && v->low << 1;
    case F64: return (v->low & ~(1ull << 63)) > 0x7ff0000000000000;
    case F32: return (v->low & 0x7fffffff) > 0x7f800000;
    default: return false;
    }
}

static bool is_quiet(const struct value *v, enum format f)
{
    return v->low >> (f == F80 ? 62 : f == F64 ? 51 : 22) & 1;
}

/* CF, PF and ZF of FCOMI as LAHF stores them: less is C alone, equal Z alone. */
static bool comparison(const struct function *f, u64 ah)
{
    bool less = (ah & 5) == 1, equal = (ah & 0x44) == 0x40;

    return f->name[7] == 'e' ? equal : f->name[8] == 't' ? less : less || equal;
}

static bool equal(const struct function *f, const struct sample *v, const struct value *got)
{
    struct value want = v->result;

    if (f->to == BOOL)
        return comparison(f, got->low) == want.low;
    if ((f->to == I32 || f->to == I64) && (v->flags & 1)) /* the integer indefinite (SDM 1, table 4-1) */
        want.low = 1ull << (8 * format_bytes[f->to] - 1);
    if (is_nan(&want, f->to))
        return is_nan(got, f->to) && is_quiet(got, f->to);
    return got->low == want.low && got->high == want.high;
}

static struct value run(struct bench *b, const struct function *f, const struct sample *v, u16 cw, u32 *flags)
{
    struct cpu *c = &b->c;
    const u8 *result = b->view.backing + BENCH_DATA + 0x20;
    unsigned bytes = format_bytes[f->to];

    store(b, 0, &v->a);
    store(b, 0x10, &v->b);
    c->fpu = (struct fpu){ .cw = cw, .mxcsr = 0x1f80 };
    c->gpr[RBX] = BENCH_DATA;
    bench_run(b);
    *flags = (u32)c->gpr[RAX] & 0x3d; /* silicon tells of denormal operands, too; SoftFloat does not */
    return (struct value){ load_le(result, bytes < 8 ? bytes : 8), f->to == F80 ? (u16)load_le(result + 8, 2) : 0 };
}

int main(int argc, char **argv)
{
    static struct bench b;
    const struct function *f = NULL;
    unsigned rc = argc == 4 ? bench_rounding(argv[2]) : 4, pc = 0, failures = 0;
    u64 count = 0;
    struct sample v = { 0 };

    for (unsigned i = 0; argc == 4 && i < ARRAY_LEN(functions); i++)
        if (!strcmp(functions[i].name, argv[1]))
            f = &functions[i];
    if (f)
        pc = !strcmp(argv[3], "32") ? 0 : !strcmp(argv[3], "64") ? 2 : 3; /* SDM 1, table 8-2 */
    if (!f || rc == 4) {
        fprintf(stderr, "softfloat_x87 FUNCTION near_even|min|max|minMag 32|64|80 < vectors\nfunctions:");
        for (unsigned i = 0; i < ARRAY_LEN(functions); i++)
            fprintf(stderr, " %s", functions[i].name);
        fprintf(stderr, "\n");
        return 1;
    }
    if (!bench_init(&b)) {
        perror("softfloat_x87");
        return 1;
    }
    bench_put_code(&b, f->code, strlen(f->code) + 1);
    while (read_sample(f, &v)) {
        u32 flags;
        struct value got = run(&b, f, &v, (u16)(0x7f | pc << 8 | rc << 10), &flags);

        count++;
        if (equal(f, &v, &got) && flags == v.flags)
            continue;
        if (failures++ < MAX_SHOWN)
            printf("%s %s %s: %04x%016" PRIx64 " %04x%016" PRIx64 ": %04x%016" PRIx64 " flags %02x, softfloat %04x%016" PRIx64
                   " flags %02x\n", f->name, argv[2], argv[3], v.a.high, v.a.low, v.b.high, v.b.low, got.high, got.low, flags,
                   v.result.high, v.result.low, v.flags);
    }
    printf("%s %s %s: %" PRIu64 " vectors, %u differ\n", f->name, argv[2], argv[3], count, failures);
    return failures || !count;
}
