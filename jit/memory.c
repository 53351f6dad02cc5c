/*
 * Memory in translated code: the address, the segment, the probe of the fast set; and stubs.
 *
 *     lea  rsi, [...]                 the offset; where the segment is not flat, its limit and base
 *     mov  r11, rsi
 *     sub  r11, [slot.start]          where this access went last
 *     cmp  r11, [slot.len]
 *     jae  stub                       fills the slot from the fast set, or goes to C
 *     add  rsi, [slot.delta]
 *
 * Where wants_slot() says so. Elsewhere, and where the slot misses too often, the fast set:
 *
 *     rorx edi, esi, 8
 *     and  edi, 3FFF0h                16 bytes for each entry
 *     sub  rsi, [rbp + rdi + tags]
 *     cmp  rsi, 4096 - size           the page's, and not over its end
 *     ja   fill                       -> C: fills the entry and tries again, or runs the whole
 *     add  rsi, [rbp + rdi + hosts]      instruction and leaves
 *
 * Where an access must be a multiple of 16, what is compared is rotated by 4 first: others are too large.
 */
#include "jit/translator.h"
#include "cpu/operand.h"
#include "mmu/mmu.h"

u32 site_new(struct translator *t, enum site_kind kind, unsigned size, const u8 *resume)
{
    struct jit *j = t->j;
    struct site *s = &j->site[j->nr_sites];

    if (j->nr_sites + 1 >= j->max_sites) {
        t->a.full = true;
        return 0;
    }
    *s = (struct site){ .t = t->t, .resume = resume, .rip_off = (u16)t->off, .index = (u8)t->index,
                        .kind = (u8)kind, .size = (u8)size };
    return j->nr_sites++;
}

void stub_add(struct translator *t, enum thunk thunk, u32 word, u8 *from)
{
    if (t->nr_stubs == MAX_STUBS) {
        t->a.full = true;
        return;
    }
    t->stub[t->nr_stubs++] = (struct stub){ .from = { from }, .nr_from = 1, .thunk = (u8)thunk, .word = word, .flags = t->flags };
}

static void call_to(struct translator *t, const u8 *run, u32 word)
{
    u8 *rel = asm_call(&t->a);

    if (!t->a.full)
        store_le(rel, (u64)(run - ASM_RX(&t->a, rel + 4)), 4);
    asm_int(&t->a, word, 4);
}

void call_thunk(struct translator *t, enum thunk thunk, u32 word)
{
    bool flags = t->flags.kind != FLAGS_STORED && t->flags.kind != FLAGS_DEAD && thunk != THUNK_WROTE && thunk != THUNK_CHECK;

    if (flags)
        flags_to_host(t);
    call_to(t, t->j->thunk[thunk + flags], word);
}

/* ---- addresses ---- */

static unsigned in_host(struct translator *t, unsigned guest, unsigned scratch)
{
    if (host_of_guest[guest] != H_NONE)
        return host_of_guest[guest];
    asm_load(&t->a, 8, scratch, gpr_home(guest));
    return scratch;
}

void address_emit(struct translator *t, const struct insn *in, int operand, i64 add)
{
    struct assembler *a = &t->a;
    unsigned size = in->adsz == 8 ? 8 : 4;
    struct host_mem m = { H_NONE, H_NONE, in->scale, (i32)(in->disp + add) };

    t->in_rsi = NULL;
    if (in->kind[operand] == K_MOFF) {
        asm_mov_imm(a, H_RSI, in->imm);
        return;
    }
    if (in->base == RIP_REG) {
        asm_mov_imm(a, H_RSI, ea_mask(t->t->rip + t->off + in->len + (u64)(in->disp + add), in->adsz));
        return;
    }
    if (in->base != NO_REG)
        m.base = (u8)in_host(t, in->base, H_RSI);
    if (in->index != NO_REG)
        m.index = (u8)in_host(t, in->index, H_RDI);
    if (m.base == H_NONE && m.index == H_NONE)
        asm_mov_imm(a, H_RSI, ea_mask((u64)(in->disp + add), in->adsz));
    else if (m.index == H_NONE && m.disp == 0)
        asm_rr(a, size, 0x8b, H_RSI, m.base); /* also where it is RSI itself: 32 bits clear the rest */
    else
        asm_lea(a, size, H_RSI, m);
    if (in->adsz == 2)
        asm_rr(a, 4, 0x0fb7, H_RSI, H_RSI);
}

/* The jumps of an instruction that lead to its function in C with the same flags share a stub. */
static void exec_from(struct translator *t, u8 *from)
{
    struct stub *s = t->nr_stubs ? &t->stub[t->nr_stubs - 1] : NULL;

    if (s && s->thunk == THUNK_SLOW && s->nr_from < ARRAY_LEN(s->from) && t->j->site[s->word].kind == SITE_EXEC &&
        t->j->site[s->word].index == t->index && !memcmp(&s->flags, &t->flags, sizeof(s->flags)))
        s->from[s->nr_from++] = from;
    else
        stub_add(t, THUNK_SLOW, site_new(t, SITE_EXEC, 0, NULL), from);
}

void exec_if(struct translator *t, unsigned cc)
{
    exec_from(t, asm_jcc(&t->a, cc));
}

static void segment_emit(struct translator *t, unsigned seg, unsigned size, bool write)
{
    struct assembler *a = &t->a;
    i64 s = (i64)(offsetof(struct cpu, seg) + seg * sizeof(struct seg));

    if (code64(t)) {
        if (seg >= FS)
            asm_alu_rm(a, ALU_ADD, 8, H_RSI, at(H_RBP, s + (i64)offsetof(struct seg, base)));
        return;
    }
    if (t->cx->flat >> seg & 1 && !(write && seg == CS))
        return;
    asm_lea(a, 8, H_RDI, at(H_RSI, size));
    asm_alu_rm(a, ALU_CMP, 8, H_RDI, at(H_RBP, s + (i64)(write ? offsetof(struct seg, room_w) : offsetof(struct seg, room_r))));
    exec_if(t, CC_A);
    asm_alu_rm(a, ALU_ADD, 4, H_RSI, at(H_RBP, s + (i64)offsetof(struct seg, base)));
}

/* By the access's own slot, from the linear address in RSI. False: there is no room for one. */
static bool slot_probe(struct translator *t, u32 site, unsigned span, bool write, bool by_16)
{
    struct assembler *a = &t->a;
    struct access_slot *slot = code_cache_data(&t->j->code, sizeof(*slot));
    u8 *from;

    if (!slot)
        return false;
    *slot = (struct access_slot){ .credit = SLOT_FIRST_CREDIT };
    asm_mov(a, 8, H_R11, H_RSI);
    asm_rip(a, 8, ALU_SUB << 3 | 3, H_R11, &slot->start);
    if (by_16) {
        asm_rr(a, 8, 0xc1, 1, H_R11);
        asm_int(a, 4, 1);
    }
    asm_rip(a, 8, ALU_CMP << 3 | 3, H_R11, &slot->len);
    from = asm_jcc(a, CC_AE);
    stub_add(t, THUNK_SLOW, site, from);
    if (!a->full) {
        struct stub *s = &t->stub[t->nr_stubs - 1];

        s->slot = t->j->site[site].slot = slot;
        s->back = a->p;
        s->span = (u16)span;
        s->write = write;
        s->by_16 = by_16;
    }
    asm_rip(a, 8, ALU_ADD << 3 | 3, H_RSI, &slot->delta);
    return true;
}

void slot_stub(struct translator *t, const struct stub *s)
{
    struct assembler *a = &t->a;
    const u8 *fill = t->j->fill_slot[t->cx->set][s->write];
    u8 *rel, *slow, *odd = NULL;

    asm_rip(a, 8, 0x8d, H_RDI, s->slot);
    rel = asm_call(a);
    if (!a->full)
        store_le(rel, (u64)(fill - ASM_RX(a, rel + 4)), 4);
    asm_alu_ri(a, ALU_CMP, 8, H_R11, (i32)(4096 - s->span));
    slow = asm_jcc(a, CC_A);
    asm_rm(a, 8, 0xc7, 0, at(H_RDI, offsetof(struct access_slot, len)));
    asm_int(a, slot_length(4096, s->span, s->by_16), 4);
    if (s->by_16) {
        asm_rr(a, 1, 0xf6, 0, H_R11);
        asm_int(a, 15, 1);
        odd = asm_jcc(a, CC_NE);
    }
    rel = asm_jmp(a);
    if (!a->full) {
        asm_patch(rel, s->back);
        asm_patch(slow, a->p);
        if (odd)
            asm_patch(odd, a->p);
    }
}

/* dst = src rotated to the right. */
static void rotated(struct translator *t, unsigned size, unsigned dst, unsigned src, unsigned by)
{
    struct assembler *a = &t->a;

    if (t->j->bmi2) {
        asm_rorx(a, size, dst, src, by);
        return;
    }
    asm_mov(a, size, dst, src);
    asm_rr(a, size, 0xc1, 1, dst);
    asm_int(a, by, 1);
}

/* By a fast set, from the linear address in RSI. Returns the jump of a miss; then RSI is too low by the entry's tag. */
static u8 *set_probe(struct translator *t, unsigned which, unsigned span, bool write, bool by_16)
{
    struct assembler *a = &t->a;
    u8 *from;

    rotated(t, 4, H_RDI, H_RSI, 8);
    asm_alu_ri(a, ALU_AND, 4, H_RDI, (FAST_ENTRIES - 1) << 4);
    asm_alu_rm(a, ALU_SUB, 8, H_RSI, (struct host_mem){ H_RBP, H_RDI, 0, (i32)set_field(which, write, offsetof(struct fast_entry, tag)) });
    if (by_16)
        rotated(t, 8, H_R11, H_RSI, 4);
    asm_alu_ri(a, ALU_CMP, 8, by_16 ? H_R11 : H_RSI, (i32)slot_length(4096, span, by_16) - 1);
    from = asm_jcc(a, CC_A);
    asm_alu_rm(a, ALU_ADD, 8, H_RSI, (struct host_mem){ H_RBP, H_RDI, 0, (i32)set_field(which, write, offsetof(struct fast_entry, host)) });
    return from;
}

/* RSI from an offset in seg to a linear address. */
static void linear_emit(struct translator *t, unsigned seg, unsigned size, bool write)
{
    t->host_valid = false;
    segment_emit(t, seg, size, write);
    if (t->c->cfg.engine.check_hits)
        asm_store(&t->a, 8, FIELD(jit.checked), H_RSI);
}

static void check_hit(struct translator *t, bool write)
{
    if (t->c->cfg.engine.check_hits)
        call_thunk(t, THUNK_CHECK, (u32)write);
}

/* RSI from an offset in seg to the host's address. resume: where the address is made again after a fill.
 * A range is `span` bytes, of which the access is those at `at`. Returns whether its alignment has been seen to, too. */
static bool probe(struct translator *t, unsigned seg, unsigned size, bool write, const u8 *resume, unsigned span,
                  unsigned where, bool slotted, bool aligned)
{
    struct assembler *a = &t->a;
    u32 site = site_new(t, write ? SITE_WRITE : SITE_READ, size, resume);
    bool by_16 = aligned && !(where & 15);

    linear_emit(t, seg, size, write);
    if (!a->full) {
        t->j->site[site].span = (u16)span;
        t->j->site[site].at = (u16)where;
        t->j->site[site].aligned = aligned;
        t->j->site[site].by_16 = by_16;
    }
    if (!(slotted && !(t->b->no_slot >> t->index & 1) && slot_probe(t, site, span, write, by_16))) {
        stub_add(t, THUNK_SLOW, site, set_probe(t, t->cx->set, span, write, by_16));
        if (!a->full)
            t->stub[t->nr_stubs - 1].tags = (i32)set_field(t->cx->set, write, offsetof(struct fast_entry, tag));
    }
    check_hit(t, write);
    t->probed = site;
    return by_16;
}

/* An access by itself: C may say where it goes without the sets having it. In a range others rely on those. */
static bool probe_alone(struct translator *t, unsigned seg, unsigned size, bool write, const u8 *resume, bool slotted, bool aligned)
{
    bool seen = probe(t, seg, size, write, resume, size, 0, slotted, aligned);

    if (!t->a.full)
        t->j->site[t->probed].hit = (u16)(ASM_RX(&t->a, t->a.p) - resume);
    return seen;
}

void behind_access(struct translator *t)
{
    struct site *s = &t->j->site[t->probed];

    if (!t->a.full && s->t == t->t && s->index == t->index && s->hit)
        s->behind = (u16)(ASM_RX(&t->a, t->a.p) - s->resume);
}

static void load_range(struct translator *t, const struct range_group *g)
{
    if (t->in_rsi != g)
        asm_load(&t->a, 8, H_RSI, at(H_RBP, (i64)(offsetof(struct cpu, jit.range) + 8 * (size_t)(g - t->group))));
    t->in_rsi = g;
}

static void keep_range(struct translator *t, struct range_group *g)
{
    asm_store(&t->a, 8, at(H_RBP, (i64)(offsetof(struct cpu, jit.range) + 8 * (size_t)(g - t->group))), H_RSI);
    g->valid = true;
    g->aligned = 0;
    t->in_rsi = g;
}

/* An access of 16 bytes that must be aligned. Host and guest addresses are alike in their low bits. */
static void check_aligned(struct translator *t, struct host_mem m, struct range_group *g)
{
    struct assembler *a = &t->a;

    if (g && g->aligned >> (m.disp & 15) & 1)
        return;
    t->host_valid = false;
    asm_lea(a, 4, H_RDI, m);
    asm_rr(a, 1, 0xf6, 0, H_RDI);
    asm_int(a, 15, 1);
    exec_if(t, CC_NE);
    if (g)
        g->aligned |= (u16)(1 << (m.disp & 15));
}

/* Whether an access has a slot. Where its address comes of what the block has loaded, the time until it is translated
 * counts, and a slot's delta does not wait for the address; in a block that runs often it is the fewer instructions. */
static bool wants_slot(const struct translator *t, const struct insn *in)
{
    return t->often || (in->base < 16 && t->loaded >> in->base & 1) || (in->index < 16 && t->loaded >> in->index & 1);
}

struct host_mem operand_access(struct translator *t, const struct insn *in, int operand, unsigned size, bool write, bool aligned)
{
    const struct range_group *covering = range_covering(t, 0, size, write);
    const struct range_access *x = &t->access[t->index][0];
    const u8 *resume = ASM_RX(&t->a, t->a.p);
    struct range_group *g = x->group >= 0 ? &t->group[x->group] : NULL;
    struct host_mem m = at(H_RSI, 0);
    bool slotted = wants_slot(t, in), seen = false;

    if (covering) {
        g = &t->group[covering - t->group];
        load_range(t, g);
        m.disp = (i32)(x->off - g->min);
    } else if (g && in->disp - (x->off - g->min) == (i32)(in->disp - (x->off - g->min))) {
        m.disp = (i32)(x->off - g->min);
        address_emit(t, in, operand, -(x->off - g->min));
        seen = probe(t, in->seg, size, write, resume, (unsigned)(g->max - g->min), (unsigned)m.disp, slotted, aligned);
        keep_range(t, g);
        g->aligned = seen;
    } else {
        g = NULL;
        address_emit(t, in, operand, 0);
        seen = probe_alone(t, in->seg, size, write, resume, slotted, aligned);
    }
    if (aligned && !seen)
        check_aligned(t, m, g);
    return m;
}

struct host_mem register_access(struct translator *t, unsigned seg, unsigned guest, unsigned size, bool write)
{
    t->in_rsi = NULL;
    asm_rr(&t->a, code64(t) ? 8 : 4, 0x8b, H_RSI, host_of_guest[guest]);
    linear_emit(t, seg, size, write);
    asm_mov(&t->a, 8, H_R11, H_RSI);
    asm_alu_ri(&t->a, ALU_AND, 4, H_R11, 4095);
    exec_from(t, set_probe(t, t->cx->set, size, write, false));
    check_hit(t, write);
    return at(H_RSI, 0);
}

void set_access(struct translator *t, unsigned set, unsigned span, bool write)
{
    exec_from(t, set_probe(t, set, span, write, false));
}

/* RSI = (guest + add) in the stack's width */
static void stack_address(struct translator *t, unsigned guest, i64 add)
{
    t->in_rsi = NULL;
    asm_lea(&t->a, code64(t) ? 8 : 4, H_RSI, at(host_of_guest[guest], add));
    if (!code64(t) && !(t->cx->mode & MODE_SS32))
        asm_rr(&t->a, 4, 0x0fb7, H_RSI, H_RSI);
}

struct host_mem stack_access(struct translator *t, unsigned guest, i64 add, unsigned size, bool write)
{
    const struct range_group *covering = range_covering(t, 1, size, write);
    const struct range_access *x = &t->access[t->index][1];
    const u8 *resume = ASM_RX(&t->a, t->a.p);
    struct range_group *g = x->group >= 0 ? &t->group[x->group] : NULL;
    struct host_mem m = at(H_RSI, 0);

    if (covering) {
        load_range(t, covering);
        m.disp = (i32)(x->off - covering->min);
    } else if (g) {
        m.disp = (i32)(x->off - g->min);
        stack_address(t, guest, add - (x->off - g->min));
        probe(t, SS, size, write, resume, (unsigned)(g->max - g->min), (unsigned)m.disp, false, false);
        keep_range(t, g);
    } else {
        stack_address(t, guest, add);
        probe_alone(t, SS, size, write, resume, false, false);
    }
    return m;
}
_Static_assert(sizeof(struct fast_entry) == 16, "the probe's shift");

void wrote_emit(struct translator *t, unsigned size, struct host_mem m)
{
    if (t->c->cfg.engine.hash_writes)
        call_thunk(t, THUNK_WROTE, size | (u32)m.disp << 8);
}
