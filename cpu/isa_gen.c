/*
 * Build-time program: makes the decode index from the rows, and refuses rows that overlap.
 *
 * The index lists, for each map and opcode byte, the rows to try in order. Two rows overlap when
 * one encoding satisfies both, and then the build fails with their names.
 */
#include "cpu/isa.h"
#include <stdio.h>
#include <stdlib.h>

static const struct isa_row rows[NR_ROWS] = {
#define ROW(id, mn, oc, r, ops, at, rd, wr, un, jit, fn, man)                                      \
    [ROW_##id] = { #id, mn, oc, (r) < 8 ? (r) : ((r)-8) >> 3, (r) < 8 ? -1 : ((r)-8) & 7,          \
                   ops, at, rd, wr, un, JIT_##jit, NULL, man },
#include "cpu/isa_rows.def"
#undef ROW
};

static unsigned opcodes_of(const struct isa_row *r)
{
    return r->attr & A_CC ? 16 : r->attr & A_PLUSR ? 8 : 1;
}

/* The mod values that a row takes: bit 0 memory forms, bit 1 register forms. */
static unsigned mods_of(const struct isa_row *r)
{
    unsigned mods = 3;

    if (r->rm >= 0 || r->attr & A_ONLY3)
        mods &= 2;
    if (r->attr & A_NO3)
        mods &= 1;
    for (int i = 0; i < 3; i++) {
        u8 l = r->op[i].letter;
        if (l == OP_M || l == OP_P || l == OP_T)
            mods &= 1;
        if (l == OP_R || l == OP_U || l == OP_n || l == OP_F)
            mods &= 2;
    }
    return mods;
}

/* Mandatory prefixes that a row takes: bits none, 66, F3, F2. */
static unsigned prefixes_of(const struct isa_row *r)
{
    return r->attr & A_NP      ? 1
           : r->attr & A_66    ? 2
           : r->attr & A_F3    ? 4
           : r->attr & A_F2    ? 8
           : r->attr & A_NOREP ? 3
                               : 15;
}

static unsigned modes_of(const struct isa_row *r)
{
    return r->attr & A_N64 ? 1 : r->attr & A_O64 ? 2 : 3;
}

static bool overlap(const struct isa_row *a, const struct isa_row *b)
{
    if (a->reg >= 0 && b->reg >= 0 && a->reg != b->reg)
        return false;
    if (a->rm >= 0 && b->rm >= 0 && a->rm != b->rm)
        return false;
    return (mods_of(a) & mods_of(b)) && (prefixes_of(a) & prefixes_of(b)) &&
           (modes_of(a) & modes_of(b)) && !(a->attr & (A_REXB0 | A_ELSE)) &&
           !((a->attr ^ b->attr) & A_VEX);
}

int main(int argc, char **argv)
{
    FILE *out = argc > 1 ? fopen(argv[1], "w") : stdout;
    unsigned n = 0, bad = 0;
    static u16 start[NR_MAPS * 256 + 1], list[8192];

    if (!out) {
        perror(argv[1]);
        return 1;
    }
    for (unsigned op = 0; op < NR_MAPS * 256; op++) {
        start[op] = (u16)n;
        for (unsigned r = 1; r < NR_ROWS; r++) {
            if (op < rows[r].opcode || op >= rows[r].opcode + opcodes_of(&rows[r]))
                continue;
            for (unsigned i = start[op]; i < n; i++)
                if (overlap(&rows[list[i]], &rows[r])) {
                    fprintf(stderr, "isa_gen: opcode %03x: rows %s and %s overlap\n", op,
                            rows[list[i]].id, rows[r].id);
                    bad++;
                }
            list[n++] = (u16)r;
        }
    }
    start[NR_MAPS * 256] = (u16)n;
    fprintf(out, "/* Made by isa_gen from cpu/isa_*.def. */\n");
    fprintf(out, "static const u16 index_start[%u] = {", NR_MAPS * 256 + 1);
    for (unsigned i = 0; i <= NR_MAPS * 256; i++)
        fprintf(out, "%s%u,", i % 16 ? " " : "\n    ", start[i]);
    fprintf(out, "\n};\nstatic const u16 index_rows[%u] = {", n);
    for (unsigned i = 0; i < n; i++)
        fprintf(out, "%s%u,", i % 16 ? " " : "\n    ", list[i]);
    fprintf(out, "\n};\n");
    return bad || fclose(out) ? 1 : 0;
}
