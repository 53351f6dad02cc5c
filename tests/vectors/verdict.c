/*
 * See verdict.h. Flags that the manual leaves undefined are masked by the same rules as in
 * tests/native (SDM 2, "Flags Affected"), in FLAGS and where an exception pushed them.
 */
#include "tests/vectors/verdict.h"
#include "tests/native/rules.h"
#include "tests/vectors/rules.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct expected {
    u8 byte[BOARD_RAM];
};

struct expected *expected_create(void)
{
    return calloc(1, sizeof(struct expected));
}

void expected_destroy(struct expected *e)
{
    free(e);
}

static void expect(struct expected *e, const struct moo_state *s, bool on)
{
    for (u32 i = 0; i < s->nr_ram; i++)
        e->byte[s->ram[i].addr] = on ? s->ram[i].value : 0;
}

static void differ(struct verdict *v, const char *format, ...)
{
    va_list ap;
    int n;

    v->nr_differences++;
    va_start(ap, format);
    n = vsnprintf(v->text + v->len, sizeof(v->text) - v->len, format, ap);
    va_end(ap);
    if (n > 0 && v->len + (size_t)n < sizeof(v->text))
        v->len += (size_t)n;
}

static u16 end_value(const struct moo_test *t, enum moo_reg r)
{
    return t->final.present >> r & 1 ? t->final.reg[r] : t->initial.reg[r];
}

static u16 register_mask(enum moo_reg r, u32 without, u32 undefined)
{
    switch (r) {
    case MOO_CS: case MOO_IP: return without & WITHOUT_CS_IP ? 0 : 0xffff;
    case MOO_CX: case MOO_SI: case MOO_DI: return without & WITHOUT_CX_SI_DI ? 0 : 0xffff;
    case MOO_SP: return without & WITHOUT_SP_AND_MEMORY ? 0 : 0xffff;
    case MOO_FLAGS: return (u16)~(undefined | (without & WITHOUT_IOPL_NT ? F_IOPL | F_NT : 0));
    default: return 0xffff;
    }
}

static void compare_registers(struct verdict *v, const struct board *b, const struct moo_test *t,
                              u32 without, u32 undefined)
{
    static const char *const names[NR_MOO_REGS] = { "ax", "bx", "cx", "dx", "cs", "ss", "ds",
                                                    "es", "sp", "bp", "si", "di", "ip", "flags" };

    for (int r = 0; r < NR_MOO_REGS; r++) {
        u16 want = end_value(t, r), got = board_reg(b, r), mask = register_mask(r, without, undefined);

        if (r == MOO_IP && !b->c.halted)
            got++; /* the HLT that ended the recording */
        if (r == MOO_FLAGS && !(t->final.present >> r & 1))
            want &= 0x0fff; /* it began with these */
        if ((want ^ got) & mask)
            differ(v, "  %-7s kiln %04x   286 %04x   before %04x\n", names[r], got, want, t->initial.reg[r]);
    }
}

static void compare_byte(struct verdict *v, const struct board *b, const struct expected *e, u32 addr,
                         u32 flags_at, u32 undefined)
{
    u8 got = b->view.backing[addr], want = e->byte[addr];
    u8 mask = addr - flags_at < 2 ? (u8)~(undefined >> 8 * (addr - flags_at)) : 0xff;

    if ((got ^ want) & mask)
        differ(v, "  [%05x] kiln %02x   286 %02x\n", addr, got, want);
}

/* Every byte that either side has written. */
static void compare_memory(struct verdict *v, const struct board *b, const struct expected *e,
                           const struct moo_test *t, u32 undefined)
{
    u32 flags_at = ~1u;

    if (t->exception)
        flags_at = end_value(t, MOO_SS) * 16u + (u16)(end_value(t, MOO_SP) + 4);
    for (u32 i = 0; i < b->nr_touched; i++)
        compare_byte(v, b, e, b->touched[i], flags_at, undefined);
    for (u32 i = 0; i < t->final.nr_ram; i++)
        compare_byte(v, b, e, t->final.ram[i].addr, flags_at, undefined);
}

static void compare_end(struct verdict *v, const struct ending *end, const struct moo_test *t,
                        int wanted_vector)
{
    int got = end->exception ? end->vector : -1, want = t->exception ? t->vector : -1;

    if (wanted_vector >= 0)
        want = wanted_vector;
    if (end->hung || end->shutdown)
        differ(v, "  %s\n", end->hung ? "hung" : "shut down");
    else if (got != want)
        differ(v, "  vector  kiln %d   %s %d (-1: none)\n", got, wanted_vector >= 0 ? "the rule" : "286", want);
}

void verdict_reach(struct board *b, struct expected *e, const struct moo_test *t, struct verdict *v)
{
    struct insn in;
    struct flag_rule flags = { 0, 0 };
    struct ending end;
    u32 without, undefined;
    int vector;

    *v = (struct verdict){ .rule = -1 };
    board_load(b, &t->initial);
    if (insn_decode(&in, t->bytes, t->nr_bytes, b->c.mode) == DECODE_OK)
        flags = flag_rule(&b->c, &in);
    else
        in.row = ROW_INVALID;
    v->rule = rule_of(t, &in);
    without = v->rule < 0 ? 0 : rules[v->rule].parts;
    vector = v->rule < 0 ? -1 : rules[v->rule].vector;
    undefined = flags.undefined | (without & WITHOUT_ARITHMETIC_FLAGS ? F_ARITH : 0);
    end = board_run(b);
    if (!(without & WITHOUT_ALL) || vector >= 0)
        compare_end(v, &end, t, vector);
    if (without & WITHOUT_ALL)
        return;
    compare_registers(v, b, t, without, undefined);
    if (without & WITHOUT_SP_AND_MEMORY)
        return;
    expect(e, &t->initial, true);
    expect(e, &t->final, true);
    compare_memory(v, b, e, t, undefined);
    expect(e, &t->initial, false);
    expect(e, &t->final, false);
}
