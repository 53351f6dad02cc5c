/*
 * One block of guest code to host code.
 *
 *     sub  [budget], instructions     all of the block or nothing: what the slice has no room for
 *     js   entry stub                 is left to the interpreter
 *     ... instructions ...            pass.c, flow.c, or the interpreter's functions
 *     ... stubs ...                   what is seldom run: flags from their recipe, and a thunk
 */
#include "jit/translator.h"

exec_fn x_pop, x_lea, x_jcc;

enum { ROOM = 96 << 10 }; /* more than the longest block takes */

void emit_help(struct translator *t, bool last)
{
    flags_store(t);
    t->host_valid = false;
    call_thunk(t, THUNK_HELP, site_new(t, last ? SITE_LAST : SITE_HELP, 0, NULL));
    t->x87_checked = false;
    t->in_rsi = NULL;
    for (unsigned n = 0; n < t->nr_groups; n++)
        t->group[n].valid = false;
}

static bool emit_native(struct translator *t)
{
    switch (isa_rows[t->in->row].jit) {
    case JIT_FLOW: return emit_flow(t);
    case JIT_STACK: return emit_stack(t);
    default: return emit_pass(t);
    }
}

static bool ends_block(const struct op *op)
{
    return !block_op_plain(op) || (isa_rows[op->in.row].attr & (A_BR | A_ENDS | A_MISSING));
}

static void emit_insn(struct translator *t)
{
    if (!(t->cx->mode & MODE_CPL_MASK ? block_op_plain : block_op_plain_at_0)(t->op) || !emit_native(t)) {
        bool last = t->index + 1u == t->b->nr_ops && ends_block(t->op);

        emit_help(t, last);
        t->ended = last;
    }
}

/* Before the block is paid for, so that the way from a block that has what is needed can lead behind it. */
static void emit_need(struct translator *t, i64 field, enum thunk thunk)
{
    struct assembler *a = &t->a;
    u8 *from;

    asm_alu_mi(a, ALU_CMP, 1, at(H_RBP, field), 0);
    from = asm_jcc(a, CC_E);
    stub_add(t, thunk, site_new(t, SITE_UNPAID, 0, ASM_RX(a, a->p)), from);
}

/* A block that crosses a page depends on where its second part lies, which an epoch is good for, and on that part's
 * bytes, which nobody tells of. */
static void emit_tail_check(struct translator *t)
{
    struct assembler *a = &t->a;
    const struct block *b = t->b;
    unsigned first = (unsigned)(PAGE_SIZE - (b->off & (PAGE_SIZE - 1))), size;
    u32 site = site_new(t, SITE_UNPAID, 0, NULL);

    asm_load(a, 4, H_RSI, FIELD(jit.epoch));
    asm_rip(a, 4, 0x3b, H_RSI, &t->t->tail_epoch);
    stub_add(t, THUNK_TAIL, site, asm_jcc(a, CC_NE));
    asm_mov_imm(a, H_RDI, (u64)(uintptr_t)(t->c->cfg.view->backing + b->tail));
    for (unsigned n = first; n < b->nr_bytes; n += size) {
        size = b->nr_bytes - n >= 4 ? 4 : 1;
        asm_alu_mi(a, ALU_CMP, size, at(H_RDI, n - first), (i32)load_le(b->raw + n, size));
        stub_add(t, THUNK_TAIL, site, asm_jcc(a, CC_NE));
    }
}

static void emit_entry(struct translator *t)
{
    struct assembler *a = &t->a;
    u8 *from;

    if (t->t->needs & IN_HOST_VEC)
        emit_need(t, offsetof(struct cpu, jit.vec_live), THUNK_VEC);
    if (t->t->needs & IN_HOST_X87)
        emit_need(t, offsetof(struct cpu, jit.x87_native), THUNK_X87);
    t->x87_checked = t->t->needs & IN_HOST_X87;
    t->t->warm = ASM_RX(a, a->p);
    if (t->b->crosses)
        emit_tail_check(t);
    asm_alu_mi(a, ALU_SUB, 8, FIELD(budget), t->b->nr_ops);
    from = asm_jcc(a, CC_S);
    stub_add(t, THUNK_ENTRY, site_new(t, SITE_ENTRY, 0, NULL), from);
}

static void emit_stubs(struct translator *t)
{
    for (unsigned i = 0; i < t->nr_stubs && !t->a.full; i++) {
        const struct stub *s = &t->stub[i];

        for (unsigned k = 0; k < s->nr_from; k++)
            asm_patch(s->from[k], t->a.p);
        for (unsigned n = 0; n < 2; n++)
            if (t->edge_stub[n] == (int)i)
                t->t->out[n].stub = t->a.p;
        listing_stub(t, s);
        if (s->tags)
            asm_alu_rm(&t->a, ALU_ADD, 8, H_RSI, (struct host_mem){ H_RBP, H_RDI, 0, s->tags });
        if (s->slot)
            slot_stub(t, s);
        t->flags = s->flags;
        t->host_valid = false;
        call_thunk(t, s->thunk, s->word);
    }
}

/* Returns what the block needs in the host's registers. */
static u8 analyse(struct translator *t)
{
    const struct op *last = &t->b->ops[t->b->nr_ops - 1];
    bool observes[BLOCK_MAX_OPS];
    u8 needs = 0;

    for (unsigned i = 0; i < t->b->nr_ops; i++) {
        const struct op *op = &t->b->ops[i];

        observes[i] = !block_op_plain(op) || !pass_is_quiet(t, &op->in);
        if (op->in.kind[0] == K_REG && ((op->in.kind[1] == K_MEM && isa_rows[op->in.row].exec != x_lea) || isa_rows[op->in.row].exec == x_pop))
            t->loaded |= 1u << op->in.reg[0];
        if (block_op_plain(op) && pass_uses_vec(&op->in) && !(t->cx->mode & MODE_NO_SSE))
            needs |= IN_HOST_VEC;
        if (block_op_plain(op) && pass_is_x87(&op->in) && !(t->cx->mode & MODE_EM_TS))
            needs |= IN_HOST_X87;
    }
    flags_analyse(t, observes);
    t->often = t->b->samples >= HOT_SAMPLES || (isa_rows[last->in.row].exec == x_jcc && last->in.imm == -(u64)t->b->nr_bytes);
    return needs;
}

struct translation *translate(struct jit *j, struct block *b, u16 flags)
{
    struct code_cache *k = &j->code;
    struct translation *tn;
    struct translator t = { .j = j, .c = j->c, .b = b, .cx = context_now(j), .flags = j->recipe[flags], .edge_stub = { -1, -1 } };
    u8 *start;

    if (k->size - k->used < ROOM || !(tn = code_cache_data(k, sizeof(*tn))))
        return NULL;
    start = k->write + k->used;
    t.a = (struct assembler){ start, k->write + k->size, k->run - k->write, false };
    t.t = tn;
    *tn = (struct translation){ .block = b, .rip = j->c->rip, .context = j->c->jit.context, .flags = flags,
                                .nr_insns = b->nr_ops, .entry = ASM_RX(&t.a, start) };
    tn->needs = analyse(&t);
    ranges_analyse(&t);
    listing_begin(&t);
    emit_entry(&t);
    for (t.index = 0; t.index < b->nr_ops; t.index++) {
        t.op = &b->ops[t.index];
        t.in = &t.op->in;
        listing_insn(&t);
        emit_insn(&t);
        t.off += t.in->len;
    }
    t.index = b->nr_ops - 1;
    if (!t.ended) {
        before_edges(&t);
        emit_edge(&t, 0, tn->rip + b->nr_bytes, -1);
    }
    tn->leaves = (tn->needs & IN_HOST_VEC) | (t.x87_checked ? IN_HOST_X87 : 0);
    emit_stubs(&t);
    if (t.a.full)
        return NULL;
    tn->code_bytes = (u32)(t.a.p - start);
    k->used = (size_t)(t.a.p - k->write + 15) & ~15ull;
    j->stats.translations++;
    j->stats.translated_insns += b->nr_ops;
    j->stats.code_bytes += tn->code_bytes;
    tn->next = b->translations;
    b->translations = tn;
    tn->all_next = j->all;
    j->all = tn;
    listing_end(&t);
    return tn;
}

const u8 *emit_converter(struct jit *j, const struct edge *e, const struct translation *to)
{
    struct code_cache *k = &j->code;
    struct translator t = { .j = j, .c = j->c, .flags = j->recipe[e->flags] };
    u8 *start = k->write + k->used;

    if (k->size - k->used < ROOM)
        return NULL;
    t.a = (struct assembler){ start, k->write + k->size, k->run - k->write, false };
    flags_store(&t);
    asm_patch(asm_jmp(&t.a), to->entry - t.a.rx_delta);
    k->used = (size_t)(t.a.p - k->write + 15) & ~15ull;
    listing_link(j, e, start, (size_t)(t.a.p - start));
    return start;
}
