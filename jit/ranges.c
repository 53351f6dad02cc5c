/*
 * One probe for several accesses.
 *
 * Accesses of a block whose addresses differ by a constant - the fields of a structure, a stack frame -
 * form a group. Its first access probes the whole range that the others lie in; the range's host
 * address is kept in cpu.jit.range, and the others need no probe. That is right for the rest of the
 * block: all of it is on one page with the same rights, and what takes a translation away leaves the
 * block. Where the range does not lie on one page, the first access is run in C; a block to which
 * that happens often is translated again without groups (jit_slow()).
 *
 * What a register holds is followed as "an unknown value, plus a constant".
 */
#include "jit/translator.h"

exec_fn x_add, x_sub, x_inc, x_dec, x_mov, x_lea, x_push, x_pop, x_call, x_call_e, x_jmp_e, x_ret, x_leave, x_nop,
    x_nop_pause, x_clflush, x_cmpxchg8b, x_maskmovdqu, x_x87, x_x87_load, x_x87_store, x_fnstsw, x_bt, x_bts, x_btr, x_btc;

enum { MAX_SPAN = 1024 };

/* value number `id`, plus off */
struct symbol {
    u16 id;
    i64 off;
};

struct follower {
    struct translator *t;
    struct symbol reg[16];
    u16 next_id;
    unsigned word; /* bytes of an address */
};

enum { ID_CONST = 0xffff, ID_NONE = 0xfffe };

static void forget(struct follower *f, unsigned g)
{
    f->reg[g] = (struct symbol){ f->next_id++, 0 };
}

static void forget_all(struct follower *f)
{
    for (unsigned g = 0; g < 16; g++)
        forget(f, g);
}

static void note(struct follower *f, unsigned i, unsigned which, struct range_key key, i64 off, unsigned size, bool write)
{
    struct translator *t = f->t;
    struct range_group *g;
    unsigned n;

    for (n = 0; n < t->nr_groups; n++) {
        i64 min, max;

        g = &t->group[n];
        if (memcmp(&g->key, &key, sizeof(key)) || g->write != write)
            continue;
        min = off < g->min ? off : g->min;
        max = off + (i64)size > g->max ? off + (i64)size : g->max;
        if (max - min > MAX_SPAN)
            continue;
        g->min = min;
        g->max = max;
        g->count++;
        t->access[i][which] = (struct range_access){ (i8)n, off };
        return;
    }
    if (n == MAX_GROUPS)
        return;
    t->group[t->nr_groups++] = (struct range_group){ .key = key, .write = write, .min = off, .max = off + (i64)size, .count = 1 };
    t->access[i][which] = (struct range_access){ (i8)n, off };
}

static bool flat(const struct translator *t, unsigned seg, bool write)
{
    if (code64(t))
        return seg < FS;
    return (t->cx->flat >> seg & 1) && !(write && seg == CS);
}

static void note_stack(struct follower *f, unsigned i, unsigned guest, i64 add, unsigned size, bool write)
{
    struct range_key key = { f->reg[guest].id, ID_NONE, 0 };

    if (!flat(f->t, SS, write) || !(f->t->cx->mode & MODE_SS32))
        return;
    note(f, i, 1, key, f->reg[guest].off + add, size, write);
}

static void note_operand(struct follower *f, unsigned i, const struct insn *in, int m, unsigned size, bool write)
{
    struct range_key key = { ID_CONST, ID_NONE, 0 };
    i64 off = in->disp;

    if (!flat(f->t, in->seg, write) || in->adsz != f->word || in->kind[m] != K_MEM)
        return;
    if (in->base == RIP_REG) {
        off += (i64)(f->t->t->rip + f->t->off + in->len);
    } else if (in->base != NO_REG) {
        key.base = f->reg[in->base].id;
        off += f->reg[in->base].off;
    }
    if (in->index != NO_REG) {
        key.index = f->reg[in->index].id;
        key.scale = in->scale;
        off += (i64)((u64)f->reg[in->index].off << in->scale);
    }
    note(f, i, 0, key, off, size, write);
}

/* What the instruction accesses, when it is emitted as the host's own. */
static void accesses(struct follower *f, unsigned i, const struct insn *in)
{
    const struct isa_row *r = &isa_rows[in->row];
    exec_fn *fn = r->exec;
    int m = in->kind[0] == K_MEM ? 0 : in->kind[1] == K_MEM ? 1 : in->kind[2] == K_MEM ? 2 : -1;

    if (fn == x_push || fn == x_call || fn == x_call_e)
        note_stack(f, i, RSP, -(i64)in->opsz, in->opsz, true);
    else if (fn == x_pop || fn == x_ret)
        note_stack(f, i, RSP, 0, in->opsz, false);
    else if (fn == x_leave)
        note_stack(f, i, RBP, 0, in->opsz, false);
    if (m < 0 || fn == x_lea || fn == x_nop || fn == x_nop_pause || fn == x_clflush || fn == x_cmpxchg8b || fn == x_push)
        return;
    if ((fn == x_bt || fn == x_bts || fn == x_btr || fn == x_btc) && in->kind[1] == K_REG)
        return;
    note_operand(f, i, in, m, m == 0 ? in->opsz : in->srcsz,
                 fn == x_x87_store || (m == 0 && !(r->attr & A_R0) && r->jit == JIT_PASS));
}

/* What registers hold behind the instruction. */
static void follow(struct follower *f, const struct insn *in)
{
    exec_fn *fn = isa_rows[in->row].exec;
    bool whole = in->opsz == f->word && in->kind[0] == K_REG;
    struct symbol *r = &f->reg[in->reg[0] & 15], old = *r;
    u32 regs;

    if ((fn == x_push || fn == x_call || fn == x_call_e || fn == x_pop || fn == x_leave) && !code64(f->t) &&
        !(f->t->cx->mode & MODE_SS32)) { /* SP wraps at 16 bits */
        forget(f, RSP);
        if (fn == x_leave || fn == x_pop)
            forget(f, fn == x_leave ? RBP : in->reg[0] & 15);
    } else if (fn == x_push || fn == x_call || fn == x_call_e) {
        f->reg[RSP].off -= in->opsz;
    } else if (fn == x_pop) {
        f->reg[RSP].off += in->opsz;
        if (in->kind[0] == K_REG)
            forget(f, in->reg[0]);
    } else if (fn == x_leave) {
        f->reg[RSP] = (struct symbol){ f->reg[RBP].id, f->reg[RBP].off + in->opsz };
        forget(f, RBP);
    } else if (whole && in->kind[1] == K_IMM && (fn == x_add || fn == x_sub)) {
        *r = (struct symbol){ old.id, fn == x_add ? old.off + (i64)in->imm : old.off - (i64)in->imm };
    } else if (whole && (fn == x_inc || fn == x_dec)) {
        r->off += fn == x_inc ? 1 : -1;
    } else if (whole && fn == x_mov && in->kind[1] == K_REG && in->srcsz == f->word) {
        *r = f->reg[in->reg[1]];
    } else if (whole && fn == x_lea && in->adsz == f->word && in->index == NO_REG && in->base < 16) {
        *r = (struct symbol){ f->reg[in->base].id, f->reg[in->base].off + in->disp };
    } else {
        regs = pass_written(in);
        for (unsigned g = 0; g < 16; g++)
            if (regs >> g & 1)
                forget(f, g);
    }
}

void ranges_analyse(struct translator *t)
{
    struct follower f = { .t = t, .word = code64(t) ? 8 : 4 };

    for (unsigned i = 0; i < t->b->nr_ops; i++)
        t->access[i][0].group = t->access[i][1].group = -1;
    if ((t->cx->mode & MODE_CODE_MASK) == MODE_CODE16 || t->b->no_ranges)
        return;
    forget_all(&f);
    for (unsigned i = 0; i < t->b->nr_ops; i++) {
        const struct op *op = &t->b->ops[i];
        exec_fn *fn = isa_rows[op->in.row].exec;
        u8 jit = isa_rows[op->in.row].jit;

        if (!block_op_plain(op) || jit == JIT_STRING || (jit == JIT_HELP && !pass_is_x87(&op->in)) ||
            (jit == JIT_STACK && fn != x_push && fn != x_pop && fn != x_leave))
            forget_all(&f);
        else {
            accesses(&f, i, &op->in);
            follow(&f, &op->in);
        }
        t->off += op->in.len;
    }
    t->off = 0;
    for (unsigned i = 0; i < t->b->nr_ops; i++)
        for (unsigned k = 0; k < 2; k++)
            if (t->access[i][k].group >= 0 && t->group[t->access[i][k].group].count < 2)
                t->access[i][k].group = -1;
}

const struct range_group *range_covering(const struct translator *t, unsigned which, unsigned size, bool write)
{
    const struct range_access *x = &t->access[t->index][which];
    const struct range_group *mine;

    if (x->group < 0)
        return NULL;
    mine = &t->group[x->group];
    if (mine->valid)
        return mine;
    for (unsigned n = 0; n < t->nr_groups && !write; n++) { /* what may be written may be read */
        const struct range_group *g = &t->group[n];

        if (g->valid && g->write && !memcmp(&g->key, &mine->key, sizeof(g->key)) && x->off >= g->min &&
            x->off + (i64)size <= g->max)
            return g;
    }
    return NULL;
}
