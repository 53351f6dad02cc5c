/*
 * Register layouts for gdb: gdb manual, appendix G.5.2 (i386 features). The numbers of the core
 * and SSE features are gdb's own of i386 and amd64, for clients that do not read descriptions;
 * ours follow.
 */
#include "host/gdb_target.h"
#include "machine/debug.h"
#include <stdio.h>
#include <stdlib.h>

#define CORE "org.gnu.gdb.i386.core"
#define SSE  "org.gnu.gdb.i386.sse"
#define SEGS "org.gnu.gdb.i386.segments"
#define OURS "org.kiln.system"

enum { WORD = 0 }; /* as wide as the layout: 64 or 32 bits */
enum { WIDE = 1, NARROW = 2, BOTH = WIDE | NARROW };

struct reg {
    const char *name;
    u8 reg; /* enum debug_reg */
    u8 bits;
    u8 layouts;
    const char *type;    /* NULL: an integer */
    const char *feature; /* of the first register of a feature */
};

/* clang-format off */
/* All layouts' registers: those of a layout have numbers in this order. */
static const struct reg regs[] = {
    {"rax", DR_RAX, WORD, WIDE, NULL, CORE},
    {"rbx", DR_RBX, WORD, WIDE, NULL, NULL},
    {"rcx", DR_RCX, WORD, WIDE, NULL, NULL},
    {"rdx", DR_RDX, WORD, WIDE, NULL, NULL},
    {"rsi", DR_RSI, WORD, WIDE, NULL, NULL},
    {"rdi", DR_RDI, WORD, WIDE, NULL, NULL},
    {"rbp", DR_RBP, WORD, WIDE, "data_ptr", NULL},
    {"rsp", DR_RSP, WORD, WIDE, "data_ptr", NULL},
#define R(n) {"r" #n, DR_R##n, WORD, WIDE, NULL, NULL}
    R(8), R(9), R(10), R(11), R(12), R(13), R(14), R(15),
#undef R
    {"rip", DR_RIP, WORD, WIDE, "code_ptr", NULL},

    {"eax", DR_RAX, WORD, NARROW, NULL, CORE},
    {"ecx", DR_RCX, WORD, NARROW, NULL, NULL},
    {"edx", DR_RDX, WORD, NARROW, NULL, NULL},
    {"ebx", DR_RBX, WORD, NARROW, NULL, NULL},
    {"esp", DR_RSP, WORD, NARROW, "data_ptr", NULL},
    {"ebp", DR_RBP, WORD, NARROW, "data_ptr", NULL},
    {"esi", DR_RSI, WORD, NARROW, NULL, NULL},
    {"edi", DR_RDI, WORD, NARROW, NULL, NULL},
    {"eip", DR_RIP, WORD, NARROW, "code_ptr", NULL},

    {"eflags", DR_EFLAGS, 32, BOTH, "i386_eflags", NULL},
    {"cs", DR_CS, 32, BOTH, NULL, NULL},
    {"ss", DR_SS, 32, BOTH, NULL, NULL},
    {"ds", DR_DS, 32, BOTH, NULL, NULL},
    {"es", DR_ES, 32, BOTH, NULL, NULL},
    {"fs", DR_FS, 32, BOTH, NULL, NULL},
    {"gs", DR_GS, 32, BOTH, NULL, NULL},
#define ST(n) {"st" #n, DR_ST0 + n, 80, BOTH, "i387_ext", NULL}
    ST(0), ST(1), ST(2), ST(3), ST(4), ST(5), ST(6), ST(7),
#undef ST
    {"fctrl", DR_FCTRL, 32, BOTH, "int", NULL},
    {"fstat", DR_FSTAT, 32, BOTH, "int", NULL},
    {"ftag", DR_FTAG, 32, BOTH, "int", NULL},
    {"fiseg", DR_FISEG, 32, BOTH, "int", NULL},
    {"fioff", DR_FIOFF, 32, BOTH, "int", NULL},
    {"foseg", DR_FOSEG, 32, BOTH, "int", NULL},
    {"fooff", DR_FOOFF, 32, BOTH, "int", NULL},
    {"fop", DR_FOP, 32, BOTH, "int", NULL},

#define XMM(n, layouts, feature) {"xmm" #n, DR_XMM0 + n, 128, layouts, "vec128", feature}
    XMM(0, BOTH, SSE),
    XMM(1, BOTH, NULL), XMM(2, BOTH, NULL), XMM(3, BOTH, NULL), XMM(4, BOTH, NULL),
    XMM(5, BOTH, NULL), XMM(6, BOTH, NULL), XMM(7, BOTH, NULL),
    XMM(8, WIDE, NULL), XMM(9, WIDE, NULL), XMM(10, WIDE, NULL), XMM(11, WIDE, NULL),
    XMM(12, WIDE, NULL), XMM(13, WIDE, NULL), XMM(14, WIDE, NULL), XMM(15, WIDE, NULL),
#undef XMM
    {"mxcsr", DR_MXCSR, 32, BOTH, "i386_mxcsr", NULL},

    {"fs_base", DR_FS_BASE, WORD, WIDE, NULL, SEGS},
    {"gs_base", DR_GS_BASE, WORD, WIDE, NULL, NULL},

    {"k_gs_base", DR_K_GS_BASE, WORD, WIDE, NULL, OURS},
    {"fs_base", DR_FS_BASE, WORD, NARROW, NULL, OURS},
    {"gs_base", DR_GS_BASE, WORD, NARROW, NULL, NULL},
    {"cs_base", DR_CS_BASE, WORD, BOTH, NULL, NULL},
    {"ss_base", DR_SS_BASE, WORD, BOTH, NULL, NULL},
    {"ds_base", DR_DS_BASE, WORD, BOTH, NULL, NULL},
    {"es_base", DR_ES_BASE, WORD, BOTH, NULL, NULL},
    {"cr0", DR_CR0, WORD, BOTH, NULL, NULL},
    {"cr2", DR_CR2, WORD, BOTH, NULL, NULL},
    {"cr3", DR_CR3, WORD, BOTH, NULL, NULL},
    {"cr4", DR_CR4, WORD, BOTH, NULL, NULL},
    {"cr8", DR_CR8, WORD, BOTH, NULL, NULL},
    {"efer", DR_EFER, WORD, BOTH, NULL, NULL},
};
/* clang-format on */

static bool in_layout(const struct gdb_target *t, const struct reg *r)
{
    return r->layouts & (t->arch == GDB_X86_64 ? WIDE : NARROW);
}

static unsigned bits_of(const struct gdb_target *t, const struct reg *r)
{
    return r->bits != WORD ? r->bits : t->arch == GDB_X86_64 ? 64 : 32;
}

/* The layout's register of this number; NULL: it has none. */
static const struct reg *by_number(const struct gdb_target *t, u64 number)
{
    for (unsigned i = 0; i < ARRAY_LEN(regs); i++)
        if (in_layout(t, &regs[i]) && number-- == 0)
            return &regs[i];
    return NULL;
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
    const struct reg *r;

    if (!f)
        abort();
    fprintf(f,
            "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
            "<target>\n<architecture>%s</architecture>\n",
            names[t->arch]);
    for (unsigned i = 0; (r = by_number(t, i)) != NULL; i++) {
        unsigned bits = bits_of(t, r);

        if (r->feature) {
            fprintf(f, "%s<feature name=\"%s\">\n", i ? "</feature>\n" : "", r->feature);
            if (!strcmp(r->feature, CORE))
                put_flags_type(f, "i386_eflags",
                               "CF - PF - AF - ZF SF TF IF DF OF - - NT - RF VM AC VIF VIP ID");
            if (!strcmp(r->feature, SSE))
                put_vector_type(f);
        }
        fprintf(f, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" regnum=\"%u\"/>\n", r->name, bits,
                r->type      ? r->type
                : bits == 64 ? "int64"
                             : "int32",
                i);
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

static bool change(const struct gdb_target *t, const struct reg *r, const u8 *bytes)
{
    unsigned bits = bits_of(t, r);
    u64 old[2], value[2] = {load_le(bytes, bits < 64 ? 4 : 8),
                            bits > 64 ? load_le(bytes + 8, bits / 8 - 8) : 0};

    if (r->reg == DR_RIP) {
        value[0] -= pc_base(t);
        if (machine_code_bits(t->m) != 64)
            value[0] = (u32)value[0];
    }
    machine_wide_reg(t->m, (enum debug_reg)r->reg, old);
    if (bits < 64 && (u32)old[0] == (u32)value[0])
        return true; /* the upper half, which this layout does not show, is kept */
    return machine_set_wide_reg(t->m, (enum debug_reg)r->reg, value);
}

static size_t put(const struct gdb_target *t, const struct reg *r, u8 *bytes)
{
    unsigned n = bits_of(t, r) / 8;
    u64 value[2];

    machine_wide_reg(t->m, (enum debug_reg)r->reg, value);
    if (r->reg == DR_RIP)
        value[0] += pc_base(t);
    store_le(bytes, value[0], n < 8 ? 4 : 8);
    if (n > 8)
        store_le(bytes + 8, value[1], n - 8);
    return n;
}

size_t gdb_target_get_all(const struct gdb_target *t, u8 *bytes)
{
    const struct reg *r;
    size_t n = 0;

    for (unsigned i = 0; (r = by_number(t, i)) != NULL; i++)
        n += put(t, r, bytes + n);
    ASSERT(n <= GDB_REGS_MAX_BYTES);
    return n;
}

/* From the last one on: ST(n) is where FSTAT says, and rIP is shown with the base of CS. */
void gdb_target_set_all(const struct gdb_target *t, const u8 *bytes)
{
    const u8 *end = bytes;

    for (unsigned i = 0; i < ARRAY_LEN(regs); i++)
        if (in_layout(t, &regs[i]))
            end += bits_of(t, &regs[i]) / 8;
    for (unsigned i = ARRAY_LEN(regs); i-- > 0;)
        if (in_layout(t, &regs[i])) {
            end -= bits_of(t, &regs[i]) / 8;
            change(t, &regs[i], end);
        }
}

size_t gdb_target_size(const struct gdb_target *t, u64 number)
{
    const struct reg *r = by_number(t, number);

    return r ? bits_of(t, r) / 8 : 0;
}

size_t gdb_target_get(const struct gdb_target *t, u64 number, u8 *bytes)
{
    const struct reg *r = by_number(t, number);

    return r ? put(t, r, bytes) : 0;
}

bool gdb_target_set(const struct gdb_target *t, u64 number, const u8 *bytes)
{
    const struct reg *r = by_number(t, number);

    return r && change(t, r, bytes);
}
