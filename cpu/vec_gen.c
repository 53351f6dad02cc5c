/*
 * Build-time program: makes vec_stubs.S, for each row whose function is named vec_... a stub that
 * runs that very instruction on the host. What a stub is called with: cpu/vec.h.
 *
 * Operand i of the row is register i of its kind: XMMi or MMi, RAX and RCX for general registers;
 * rows that take XMM0 besides, and string compares, have XMM1 and XMM2. A stub loads from memory just
 * what the row reads there. Rows with an immediate have 256 instructions, each 8 bytes with
 * its RET.
 */
#include "cpu/isa.h"
#include <stdio.h>
#include <stdlib.h>

struct stub_row {
    struct isa_row r;
    const char *function;
};

static const struct stub_row rows[NR_ROWS] = {
#define ROW(id, mn, oc, r, ops, at, rd, wr, un, jit, fn, man)                                      \
    [ROW_##id] = { { #id, mn, oc, r, -1, ops, at, rd, wr, un, JIT_##jit, NULL, man }, #fn },
#include "cpu/isa_rows.def"
#undef ROW
};

enum file { NO_FILE, XMM_FILE, MMX_FILE, GPR_FILE, IMM_FILE };

static enum file file_of(const struct opnd *o)
{
    switch (o->letter) {
    case OP_V: case OP_W: case OP_U: return XMM_FILE;
    case OP_p: case OP_q: case OP_n: return MMX_FILE;
    case OP_G: case OP_E: case OP_R: return GPR_FILE;
    case OP_M: return o->size == SZ_d || o->size == SZ_w || o->size == SZ_b ? GPR_FILE : XMM_FILE;
    case OP_I: return IMM_FILE;
    }
    return NO_FILE;
}

static bool in_reg_field(const struct opnd *o)
{
    return o->letter == OP_V || o->letter == OP_p || o->letter == OP_G;
}

static bool starts(const char *s, const char *with)
{
    return !strncmp(s, with, strlen(with));
}

/* What is special about the registers. */
struct shape {
    enum file file[2];
    unsigned reg[2];
    bool imm, xmm0, string, insertps;
};

static struct shape shape_of(const struct stub_row *s)
{
    struct shape h = { .xmm0 = !strcmp(s->function, "vec_xmm0"),
                       .string = starts(s->function, "vec_str_"),
                       .insertps = !strcmp(s->function, "vec_insertps") };

    for (int i = 0; i < 3; i++)
        h.imm |= s->r.op[i].letter == OP_I;
    for (unsigned i = 0; i < 2; i++) {
        h.file[i] = file_of(&s->r.op[i]);
        h.reg[i] = h.xmm0 || h.string ? i + 1 : i;
    }
    if (h.insertps)
        h.file[1] = XMM_FILE;
    return h;
}

static void put_opcode(FILE *f, const struct isa_row *r, const struct shape *h, bool wide)
{
    unsigned map = r->opcode >> 8, reg = r->reg >= 0 ? (unsigned)r->reg : 0, rm = 0;

    for (unsigned i = 0; i < 2; i++)
        if (h->file[i] && h->file[i] != IMM_FILE)
            *(in_reg_field(&r->op[i]) ? &reg : &rm) = h->reg[i];
    fprintf(f, "    .byte ");
    if (r->attr & (A_66 | A_F3 | A_F2))
        fprintf(f, "%s, ", r->attr & A_66 ? "0x66" : r->attr & A_F3 ? "0xf3" : "0xf2");
    if (wide)
        fprintf(f, "0x48, ");
    fprintf(f, "0x0f, ");
    if (map == MAP_0F38 || map == MAP_0F3A)
        fprintf(f, "%s, ", map == MAP_0F38 ? "0x38" : "0x3a");
    fprintf(f, "0x%02x, 0x%02x", r->opcode & 0xff, 0xc0 | reg << 3 | rm);
}

/* A value of n bytes, or a whole register, between memory at base and register reg. */
static const char *load_of(enum file file, u8 size)
{
    static const char *const xmm[] = { [SZ_w] = "movzwl", [SZ_d] = "movd", [SZ_q] = "movq" };

    if (file == MMX_FILE)
        return size == SZ_d ? "movd" : "movq";
    if (file == GPR_FILE)
        return "movq";
    return size < ARRAY_LEN(xmm) && xmm[size] ? xmm[size] : "movups";
}

static void put_loads(FILE *f, const struct isa_row *r, const struct shape *h)
{
    static const char *const gpr[] = { "rax", "rcx" };

    if (h->file[1] == XMM_FILE && r->op[1].size == SZ_w)
        fprintf(f, "    movzwl (%%rsi), %%ecx\n    movd %%ecx, %%xmm%u\n", h->reg[1]);
    else if (h->file[1] == GPR_FILE)
        fprintf(f, "    movq (%%rsi), %%%s\n", gpr[h->reg[1]]);
    else if (h->file[1] == XMM_FILE || h->file[1] == MMX_FILE)
        fprintf(f, "    %s (%%rsi), %%%s%u\n", load_of(h->file[1], r->op[1].size),
                h->file[1] == XMM_FILE ? "xmm" : "mm", h->reg[1]);
    if (!(r->attr & A_W0) && h->file[0] != GPR_FILE)
        fprintf(f, "    %s (%%rdi), %%%s%u\n", h->file[0] == XMM_FILE ? "movups" : "movq",
                h->file[0] == XMM_FILE ? "xmm" : "mm", h->reg[0]);
    if (h->xmm0)
        fprintf(f, "    movups (%%rdx), %%xmm0\n");
    if (h->imm)
        fprintf(f, "    leaq 3f(%%rip), %%r8\n    leaq (%%r8,%%rdx,8), %%r8\n");
    if (h->string)
        fprintf(f, "    movq 16(%%rdi), %%rax\n    movq 24(%%rdi), %%rdx\n");
}

static void put_results(FILE *f, const struct isa_row *r, const struct shape *h)
{
    if (r->writes)
        fprintf(f, "    pushfq\n    popq %%rax\n");
    if (h->string)
        fprintf(f, "    movq %%rcx, 16(%%rdi)\n    movups %%xmm0, (%%rdi)\n");
    else if (!(r->attr & A_R0))
        switch (h->file[0]) {
        case XMM_FILE: fprintf(f, "    movups %%xmm%u, (%%rdi)\n", h->reg[0]); break;
        case MMX_FILE: fprintf(f, "    movq %%mm0, (%%rdi)\n"); break;
        case GPR_FILE: fprintf(f, "    movq %%rax, (%%rdi)\n"); break;
        default: break;
        }
    if (h->file[0] == MMX_FILE || h->file[1] == MMX_FILE)
        fprintf(f, "    emms\n");
    fprintf(f, "    ret\n");
}

static void put_stub(FILE *f, const struct stub_row *s, bool wide)
{
    struct shape h = shape_of(s);

    fprintf(f, "    .balign 16\nvec_%s%s:\n", s->r.id, wide ? "_w" : "");
    put_loads(f, &s->r, &h);
    if (!h.imm) {
        put_opcode(f, &s->r, &h, wide);
        fprintf(f, "\n");
        put_results(f, &s->r, &h);
        return;
    }
    fprintf(f, "    call *%%r8\n");
    put_results(f, &s->r, &h);
    fprintf(f, "    .balign 8\n3:\n    .set imm, 0\n    .rept 256\n");
    put_opcode(f, &s->r, &h, wide);
    fprintf(f, ", imm, 0xc3\n    .balign 8\n    .set imm, imm + 1\n    .endr\n");
}

/* Whether REX.W makes another instruction of it. */
static bool has_wide(const struct isa_row *r)
{
    return r->op[0].size == SZ_y || r->op[1].size == SZ_y;
}

int main(int argc, char **argv)
{
    FILE *f = argc > 1 ? fopen(argv[1], "w") : stdout;

    if (!f) {
        perror(argv[1]);
        return 1;
    }
    fprintf(f, "# Made by vec_gen from cpu/isa_*.def.\n    .text\n");
    for (unsigned i = 1; i < NR_ROWS; i++)
        if (starts(rows[i].function, "vec_"))
            for (int wide = 0; wide <= has_wide(&rows[i].r); wide++)
                put_stub(f, &rows[i], wide);
    fprintf(f, "    .section .data.rel.ro, \"aw\"\n    .balign 8\n    .globl vec_stubs\nvec_stubs:\n");
    for (unsigned i = 0; i < NR_ROWS; i++) {
        const char *id = i && starts(rows[i].function, "vec_") ? rows[i].r.id : NULL;

        if (!id)
            fprintf(f, "    .quad 0, 0\n");
        else
            fprintf(f, "    .quad vec_%s, vec_%s%s\n", id, id, has_wide(&rows[i].r) ? "_w" : "");
    }
    fprintf(f, "    .section .note.GNU-stack, \"\", @progbits\n");
    return fclose(f) ? 1 : 0;
}
