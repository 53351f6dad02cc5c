/*
 * The rows of cpu/isa_*.def as data, and what can be said of a row without executing it.
 */
#include "cpu/insn.h"
#include "cpu/isa.h"
#include <stdio.h>

#define ROW(id, mn, oc, r, ops, at, rd, wr, un, jit, fn, man) exec_fn x_##fn;
#include "cpu/isa_rows.def"
#undef ROW

const struct isa_row isa_rows[NR_ROWS] = {
    [ROW_INVALID] = { .id = "INVALID", .mnemonic = "(bad)", .reg = -1, .rm = -1, .manual = "" },
#define ROW(id, mn, oc, r, ops, at, rd, wr, un, jit, fn, man)                                      \
    [ROW_##id] = { #id, mn, oc, (r) < 8 ? (r) : ((r)-8) >> 3, (r) < 8 ? -1 : ((r)-8) & 7,          \
                   ops, at, rd, wr, un, JIT_##jit, x_##fn, man },
#include "cpu/isa_rows.def"
#undef ROW
};

const char isa_cc_names[16][4] = { "o", "no", "b", "ae", "e", "ne", "be", "a",
                                   "s", "ns", "p", "np", "l", "ge", "le", "g" };

bool isa_has_modrm(const struct isa_row *row)
{
    if (row->reg >= 0)
        return true;
    for (int i = 0; i < 3; i++)
        switch (row->op[i].letter) {
        case OP_E: case OP_M: case OP_N: case OP_R: case OP_Q: case OP_G: case OP_S: case OP_C:
        case OP_D: case OP_P: case OP_T: case OP_V: case OP_W: case OP_U: case OP_p: case OP_q:
        case OP_n: case OP_F:
            return true;
        }
    return false;
}

bool isa_size_dependent(const struct isa_row *row)
{
    for (int i = 0; i < 3; i++)
        switch (row->op[i].size) {
        case SZ_v: case SZ_z: case SZ_y: case SZ_a:
            return true;
        }
    return row->op[0].letter == OP_K || row->op[0].letter == OP_J || row->op[0].letter == OP_T;
}

const char *isa_mnemonic(const struct insn *in, char *out, size_t cap)
{
    const char *m = isa_rows[in->row].mnemonic;
    unsigned size = in->opsz;
    size_t n = 0;

    if (*m == '@') {
        size = in->adsz;
        m++;
    }
    if (*m == '#') {
        size = in->srcsz;
        m++;
    }
    for (unsigned s = 2; s < size && strchr(m, '|'); s *= 2)
        m = strchr(m, '|') + 1;
    for (; *m && *m != '|' && n + 4 < cap; m++) {
        if (*m == '%')
            n += (size_t)snprintf(out + n, cap - n, "%s", isa_cc_names[in->cc]);
        else
            out[n++] = *m;
    }
    out[n] = 0;
    return out;
}
