/*
 * Register layouts for gdb: gdb manual, appendix G.5.2 (i386 features). The numbers of the core
 * and SSE features are gdb's own of i386 and amd64, for clients that do not read descriptions;
 * ours follow.
 *
 * UNIMPL: x87 and SSE registers read as after a reset and do not change; gdb insists on them.
 */
#include "host/gdb_target.h"
#include "machine/debug.h"
#include <stdio.h>
#include <stdlib.h>

enum { FIXED = NR_DEBUG_REGS, ZERO = FIXED };

struct reg {
    const char *name;
    u16 bits;
    u8 reg;    /* enum debug_reg, or FIXED */
    u16 value; /* of FIXED */
    const char *type;
    const char *feature; /* of the first register of a feature */
};

#define CORE "org.gnu.gdb.i386.core"
#define SSE  "org.gnu.gdb.i386.sse"
#define SEGS "org.gnu.gdb.i386.segments"
#define OURS "org.kiln.system"

#define SELECTORS                                                                                  \
    {"cs", 32, DR_CS, 0, "int32", NULL}, {"ss", 32, DR_SS, 0, "int32", NULL},                      \
        {"ds", 32, DR_DS, 0, "int32", NULL}, {"es", 32, DR_ES, 0, "int32", NULL},                  \
        {"fs", 32, DR_FS, 0, "int32", NULL},                                                       \
    {                                                                                              \
        "gs", 32, DR_GS, 0, "int32", NULL                                                          \
    }
#define ST(n)                                                                                      \
    {                                                                                              \
        "st" #n, 80, FIXED, 0, "i387_ext", NULL                                                    \
    }
#define FCTL(name, value)                                                                          \
    {                                                                                              \
        name, 32, FIXED, value, "int", NULL                                                        \
    }
#define X87                                                                                        \
    ST(0), ST(1), ST(2), ST(3), ST(4), ST(5), ST(6), ST(7), FCTL("fctrl", 0x37f),                  \
        FCTL("fstat", 0), FCTL("ftag", 0xffff), FCTL("fiseg", 0), FCTL("fioff", 0),                \
        FCTL("foseg", 0), FCTL("fooff", 0), FCTL("fop", 0)
#define XMM(n)                                                                                     \
    {                                                                                              \
        "xmm" #n, 128, FIXED, 0, "vec128", NULL                                                    \
    }
#define MXCSR                                                                                      \
    {                                                                                              \
        "mxcsr", 32, FIXED, 0x1f80, "i386_mxcsr", NULL                                             \
    }
#define SYS(name, reg, bits)                                                                       \
    {                                                                                              \
        name, bits, reg, 0, bits == 64 ? "int64" : "int32", NULL                                   \
    }
#define SYSTEM(bits)                                                                               \
    SYS("cs_base", DR_CS_BASE, bits), SYS("ss_base", DR_SS_BASE, bits),                            \
        SYS("ds_base", DR_DS_BASE, bits), SYS("es_base", DR_ES_BASE, bits),                        \
        SYS("cr0", DR_CR0, bits), SYS("cr2", DR_CR2, bits), SYS("cr3", DR_CR3, bits),              \
        SYS("cr4", DR_CR4, bits), SYS("cr8", DR_CR8, bits), SYS("efer", DR_EFER, bits)

static const struct reg regs64[] = {
#define GPR(name, reg)                                                                             \
    {                                                                                              \
        name, 64, reg, 0, "int64", NULL                                                            \
    }
    {"rax", 64, DR_RAX, 0, "int64", CORE},
    GPR("rbx", DR_RBX),
    GPR("rcx", DR_RCX),
    GPR("rdx", DR_RDX),
    GPR("rsi", DR_RSI),
    GPR("rdi", DR_RDI),
    {"rbp", 64, DR_RBP, 0, "data_ptr", NULL},
    {"rsp", 64, DR_RSP, 0, "data_ptr", NULL},
    GPR("r8", DR_R8),
    GPR("r9", DR_R9),
    GPR("r10", DR_R10),
    GPR("r11", DR_R11),
    GPR("r12", DR_R12),
    GPR("r13", DR_R13),
    GPR("r14", DR_R14),
    GPR("r15", DR_R15),
#undef GPR
    {"rip", 64, DR_RIP, 0, "code_ptr", NULL},
    {"eflags", 32, DR_EFLAGS, 0, "i386_eflags", NULL},
    SELECTORS,
    X87,
    {"xmm0", 128, FIXED, 0, "vec128", SSE},
    XMM(1),
    XMM(2),
    XMM(3),
    XMM(4),
    XMM(5),
    XMM(6),
    XMM(7),
    XMM(8),
    XMM(9),
    XMM(10),
    XMM(11),
    XMM(12),
    XMM(13),
    XMM(14),
    XMM(15),
    MXCSR,
    {"fs_base", 64, DR_FS_BASE, 0, "int64", SEGS},
    {"gs_base", 64, DR_GS_BASE, 0, "int64", NULL},
    {"k_gs_base", 64, DR_K_GS_BASE, 0, "int64", OURS},
    SYSTEM(64),
};

static const struct reg regs32[] = {
#define GPR(name, reg)                                                                             \
    {                                                                                              \
        name, 32, reg, 0, "int32", NULL                                                            \
    }
    {"eax", 32, DR_RAX, 0, "int32", CORE},
    GPR("ecx", DR_RCX),
    GPR("edx", DR_RDX),
    GPR("ebx", DR_RBX),
    {"esp", 32, DR_RSP, 0, "data_ptr", NULL},
    {"ebp", 32, DR_RBP, 0, "data_ptr", NULL},
    GPR("esi", DR_RSI),
    GPR("edi", DR_RDI),
#undef GPR
    {"eip", 32, DR_RIP, 0, "code_ptr", NULL},
    {"eflags", 32, DR_EFLAGS, 0, "i386_eflags", NULL},
    SELECTORS,
    X87,
    {"xmm0", 128, FIXED, 0, "vec128", SSE},
    XMM(1),
    XMM(2),
    XMM(3),
    XMM(4),
    XMM(5),
    XMM(6),
    XMM(7),
    MXCSR,
    {"fs_base", 32, DR_FS_BASE, 0, "int32", OURS},
    {"gs_base", 32, DR_GS_BASE, 0, "int32", NULL},
    SYSTEM(32),
};

static const struct reg *layout(const struct gdb_target *t, unsigned *nr)
{
    *nr = t->arch == GDB_X86_64 ? ARRAY_LEN(regs64) : ARRAY_LEN(regs32);
    return t->arch == GDB_X86_64 ? regs64 : regs32;
}

/* ---- the description ---- */

static void put_flags_type(FILE *f, const char *id, const char *names)
{
    fprintf(f, "<flags id=\"%s\" size=\"4\">\n", id);
    for (unsigned bit = 0; *names; bit++) { /* one name a bit; "-": none */
        size_t n = strcspn(names, " ");

        if (*names != '-')
            fprintf(f, "<field name=\"%.*s\" start=\"%u\" end=\"%u\"/>\n", (int)n, names, bit, bit);
        names += n + (names[n] == ' ');
    }
    fprintf(f, "</flags>\n");
}

static void put_vector_type(FILE *f)
{
    static const struct {
        const char *id, *type;
        unsigned count;
    } vectors[] = {{"v4f", "ieee_single", 4}, {"v2d", "ieee_double", 2}, {"v16i8", "int8", 16},
                   {"v8i16", "int16", 8},     {"v4i32", "int32", 4},     {"v2i64", "int64", 2}};
    static const char *const fields[] = {"v4_float", "v2_double", "v16_int8",
                                         "v8_int16", "v4_int32",  "v2_int64"};

    for (unsigned i = 0; i < ARRAY_LEN(vectors); i++)
        fprintf(f, "<vector id=\"%s\" type=\"%s\" count=\"%u\"/>\n", vectors[i].id, vectors[i].type,
                vectors[i].count);
    fprintf(f, "<union id=\"vec128\">\n");
    for (unsigned i = 0; i < ARRAY_LEN(vectors); i++)
        fprintf(f, "<field name=\"%s\" type=\"%s\"/>\n", fields[i], vectors[i].id);
    fprintf(f, "<field name=\"uint128\" type=\"uint128\"/>\n</union>\n");
    put_flags_type(f, "i386_mxcsr", "IE DE ZE OE UE PE DAZ IM DM ZM OM UM PM - - FZ");
}

char *gdb_target_xml(const struct gdb_target *t)
{
    static const char *const names[] = {"i386:x86-64", "i386", "i8086"}; /* ORDER: gdb_arch */
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    unsigned nr;
    const struct reg *r = layout(t, &nr);

    if (!f)
        abort();
    fprintf(f,
            "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
            "<target>\n<architecture>%s</architecture>\n",
            names[t->arch]);
    for (unsigned i = 0; i < nr; i++) {
        if (r[i].feature) {
            fprintf(f, "%s<feature name=\"%s\">\n", i ? "</feature>\n" : "", r[i].feature);
            if (!strcmp(r[i].feature, CORE))
                put_flags_type(f, "i386_eflags",
                               "CF - PF - AF - ZF SF TF IF DF OF - - NT - RF VM AC VIF VIP ID");
            if (!strcmp(r[i].feature, SSE))
                put_vector_type(f);
        }
        fprintf(f, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" regnum=\"%u\"/>\n", r[i].name,
                r[i].bits, r[i].type, i);
    }
    fprintf(f, "</feature>\n</target>\n");
    fclose(f);
    return text;
}

/* ---- values ---- */

/* What is added to rIP so that gdb's program counter means a place in memory. */
static u64 pc_base(const struct gdb_target *t)
{
    return t->linear_pc ? machine_reg(t->m, DR_PC) - machine_reg(t->m, DR_RIP) : 0;
}

bool gdb_target_pc_is_linear(const struct gdb_target *t)
{
    return t->linear_pc || machine_reg(t->m, DR_PC) == machine_reg(t->m, DR_RIP);
}

static u64 value_of(const struct gdb_target *t, const struct reg *r)
{
    if (r->reg == FIXED)
        return r->value;
    return machine_reg(t->m, (enum debug_reg)r->reg) + (r->reg == DR_RIP ? pc_base(t) : 0);
}

static bool change(const struct gdb_target *t, const struct reg *r, u64 value)
{
    u64 old = r->reg == FIXED ? r->value : machine_reg(t->m, (enum debug_reg)r->reg);

    if (r->reg == DR_RIP) {
        value -= pc_base(t);
        if (machine_code_bits(t->m) != 64)
            value = (u32)value;
    }
    if (r->bits < 64 && r->reg != FIXED && (old ^ value) << (64 - r->bits) == 0)
        return true; /* the upper half, which this layout does not show, is kept */
    if (r->reg == FIXED)
        return old == value;
    return machine_set_reg(t->m, (enum debug_reg)r->reg, value);
}

static size_t put(const struct gdb_target *t, const struct reg *r, u8 *bytes)
{
    size_t n = r->bits / 8;

    memset(bytes, 0, n);
    store_le(bytes, value_of(t, r), n < 8 ? 4 : 8);
    return n;
}

size_t gdb_target_get_all(const struct gdb_target *t, u8 *bytes)
{
    unsigned nr;
    const struct reg *r = layout(t, &nr);
    size_t n = 0;

    for (unsigned i = 0; i < nr; i++)
        n += put(t, &r[i], bytes + n);
    ASSERT(n <= GDB_REGS_MAX_BYTES);
    return n;
}

void gdb_target_set_all(const struct gdb_target *t, const u8 *bytes)
{
    unsigned nr;
    const struct reg *r = layout(t, &nr);

    for (unsigned i = 0; i < nr; bytes += r[i++].bits / 8)
        if (r[i].reg != FIXED)
            change(t, &r[i], load_le(bytes, r[i].bits / 8));
}

size_t gdb_target_size(const struct gdb_target *t, u64 number)
{
    unsigned nr;
    const struct reg *r = layout(t, &nr);

    return number < nr ? r[number].bits / 8u : 0;
}

size_t gdb_target_get(const struct gdb_target *t, u64 number, u8 *bytes)
{
    unsigned nr;
    const struct reg *r = layout(t, &nr);

    return number < nr ? put(t, &r[number], bytes) : 0;
}

bool gdb_target_set(const struct gdb_target *t, u64 number, const u8 *bytes)
{
    unsigned nr;
    const struct reg *r = layout(t, &nr);

    if (number >= nr)
        return false;
    return change(t, &r[number], load_le(bytes, r[number].bits >= 64 ? 8 : 4));
}
