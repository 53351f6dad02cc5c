/*
 * Making a case: see gen.h.
 */
#include "tests/native/gen.h"
#include "tests/native/deviations.h"
#include "cpu/operand.h"
#include <stdio.h>

enum code_byte { FREE, START, INSIDE };
enum { ROW_TRIES = 24, BUILD_TRIES = 6, MAX_EXECUTED = MAX_STEPS * 64 };

unsigned size_class(const struct insn *in)
{
    const struct isa_row *r = &isa_rows[in->row];

    if (r->op[0].size == SZ_o)
        return in->opsz == 16 ? 3 : 2;
    if (!isa_size_dependent(r))
        return 0;
    if (r->op[0].size == SZ_y && r->op[1].size == SZ_v) /* CRC32 */
        return in->srcsz == 2 ? 1 : in->srcsz == 4 ? 2 : 3;
    /* MOVSX and the like have the size in the first operand, OUT to a fixed port in the second. */
    if (r->op[1].size == SZ_y)
        return in->srcsz == 8 ? 3 : 2;
    switch (r->op[0].size == SZ_b && r->op[1].size != SZ_none && r->op[0].letter != OP_J ? in->srcsz : in->opsz) {
    case 2: return 1;
    case 4: return 2;
    case 8: return 3;
    }
    return 0;
}

static const u8 class_bytes[SIZES] = { 0, 2, 4, 8 };

/* Which sizes a row can have at all in this code size. */
static void find_possible(struct gen *g)
{
    for (u16 i = 1; i < NR_ROWS; i++) {
        const struct isa_row *r = &isa_rows[i];
        bool dep = isa_size_dependent(r) || r->op[0].size == SZ_o, d64 = r->attr & (A_D64 | A_F64);
        bool *p = g->stat[i].possible;

        if (r->attr & (g->code == 8 ? A_N64 : A_O64))
            continue;
        p[0] = !dep;
        if (!dep)
            continue;
        p[1] = true;
        p[2] = !(g->code == 8 && d64);
        p[3] = g->code == 8;
        for (int o = 0; o < 3; o++) {
            if (r->op[o].size == SZ_o) {
                p[1] = false;
                p[2] = true;
            }
            if (r->op[o].size == SZ_z && o == 0 && r->op[0].letter != OP_J && r->op[0].letter != OP_I)
                p[3] = false;
            if (r->op[o].size == SZ_z && r->op[0].size == SZ_w)
                p[3] = false; /* OUTS */
            if (r->op[o].size == SZ_y && r->op[1].size != SZ_v)
                p[1] = false;
        }
        if (r->op[0].letter == OP_a && r->op[0].size == SZ_z)
            p[3] = false;
        if (i == ROW_BSWAP_Zv && result_undefined(&g->rig->c, &(struct insn){ .row = i, .opsz = 2 }, g->facts))
            p[1] = false;
        if (i == ROW_OUT_IbAX || i == ROW_OUT_DXAX)
            p[3] = false;
        for (int s = 0; s < SIZES; s++)
            p[s] = p[s] && !deviation_forbids(g->facts, g->code, r, class_bytes[s]);
    }
}

static void note_access(void *h, struct cpu *c, u64 lin, u64 value, unsigned size, bool write)
{
    struct gen *g = h;
    enum region reg;
    u64 off;

    (void)c;
    (void)value;
    (void)write;
    if (rig_find(lin, &reg, &off) && reg == R_CODE)
        g->read_code = true;
    for (unsigned i = 0; i < size; i++)
        if (rig_find(lin + i, &reg, &off) && regions[reg].image_off != NO_IMAGE) {
            u64 at = regions[reg].image_off + off;
            g->touched[at / 8] |= (u8)(1 << (at % 8));
        }
}

void gen_init(struct gen *g, struct rig *rig, const struct host_facts *f, unsigned code, u64 seed)
{
    *g = (struct gen){ .rng = { seed }, .facts = f, .rig = rig, .code = code };
    g->cs = code == 8 ? f->cs64 : code == 4 ? f->cs32 : LDT_CODE16 * 8 + 7;
    g->observer = (struct cpu_observer){ .mem = note_access, .h = g };
    find_possible(g);
    for (unsigned i = 0; i < IMAGE_BYTES; i += 8)
        store_le(g->pristine + i, chance(&g->rng, 50) ? boundary(g, 8) : rng_next(&g->rng), 8);
}

/* ---- the state that a case begins in ---- */

static u64 pointer(struct gen *g)
{
    static const u8 where[] = { R_DATA, R_DATA, R_DATA, R_STACK, R_CONST, R_CODE, R_LOW };
    enum region r = where[rng_below(&g->rng, ARRAY_LEN(where))];

    return regions[r].lin + rng_below(&g->rng, regions[r].pages * 4096);
}

/* Vector registers with values of all sizes; now and then exceptions that are not masked, and
 * rounding, DAZ and FTZ of all kinds. The x87 part is as after FNINIT, or as MMX code leaves it. */
static void initial_fx(struct gen *g, u8 fx[FX_BYTES])
{
    struct rng *r = &g->rng;
    u32 mxcsr = 0x1f80;

    store_le(fx + FX_CW, 0x37f, 2);
    fx[FX_TAGS] = chance(r, 50) ? 0xff : 0;
    for (unsigned i = 0; i < 8; i++) {
        store_le(fx + FX_ST + 16 * i, vector_value(g), 8);
        store_le(fx + FX_ST + 16 * i + 8, 0xffff, 2);
    }
    for (unsigned i = 0; i < (g->code == 8 ? 16u : 8u); i++) {
        store_le(fx + FX_XMM + 16 * i, vector_value(g), 8);
        store_le(fx + FX_XMM + 16 * i + 8, vector_value(g), 8);
    }
    if (chance(r, 50))
        mxcsr = (mxcsr | (u32)rng_next(r)) & 0xffff; /* rounding, DAZ, FTZ, flags */
    if (chance(r, 20))
        mxcsr &= ~((u32)rng_next(r) & 0x1f80);
    store_le(fx + FX_MXCSR, mxcsr, 4);
}

static void initial_state(struct gen *g, struct slot *s)
{
    struct rng *r = &g->rng;
    u64 limit = g->code == 8 ? ~0ull : 0xffffffff, code_lin, cs_base = 0;

    *s = (struct slot){ .in = { .cs = g->cs, .ss = g->facts->ss } };
    memcpy(s->image, g->pristine, IMAGE_BYTES);
    for (int i = 0; i < 16; i++) {
        s->in.gpr[i] = chance(r, 40) ? pointer(g) : boundary(g, 8);
        if (g->code == 8 && chance(r, 4))
            s->in.gpr[i] = regions[R_HIGH].lin + rng_below(r, 4096);
        s->in.gpr[i] &= limit;
        if (i >= 8 && g->code != 8)
            s->in.gpr[i] = 0; /* not reachable, and some hosts do not keep them */
    }
    s->in.gpr[RSP] = regions[R_STACK].lin + 512 + rng_below(r, 7000) / 8 * 8;
    if (chance(r, 60))
        s->in.gpr[RSI] = regions[R_DATA].lin + rng_below(r, 8000);
    if (chance(r, 60))
        s->in.gpr[RDI] = regions[R_DATA].lin + rng_below(r, 8000);
    if (chance(r, 40))
        s->in.gpr[RCX] = rng_below(r, 40);
    s->in.flags = (rng_next(r) & (F_ARITH | F_D)) | F_I | F_1;
    if (chance(r, 3))
        s->in.flags |= F_AC;
    if (chance(r, 2))
        s->in.flags |= F_T;
    s->in.ds = s->in.es = g->facts->ss;
    if (g->code == 8) {
        s->in.ds = chance(r, 50) ? 0 : g->facts->ss;
        if (chance(r, 30))
            s->in.fs_base = regions[R_DATA].lin + rng_below(r, 4096);
        if (chance(r, 30))
            s->in.gs_base = regions[R_HIGH].lin + rng_below(r, 2048);
    } else {
        s->in.fs = g->facts->ldt && chance(r, 50) ? LDT_DATA16 * 8 + 7 : g->facts->ss;
        s->in.gs = g->facts->ldt && chance(r, 20) ? LDT_DATA32 * 8 + 7 : g->facts->ss;
        if (chance(r, 4))
            s->in.es = pick_selector(g) | 3;
        if (s->in.es != 0 && s->in.es != g->facts->ss)
            s->in.es = g->facts->ldt ? (chance(r, 50) ? LDT_DOWN : LDT_RO) * 8 + 7 : g->facts->ss;
        if (chance(r, 2))
            s->in.ds = 0; /* 1 to 3 would be made 0 by the kernel's IRET */
    }
    if (g->code == 2) {
        cs_base = regions[R_CODE].lin;
        if (chance(r, 60))
            s->in.ss = LDT_STACK16 * 8 + 7;
        if (s->in.ss != g->facts->ss)
            s->in.gpr[RSP] -= regions[R_STACK].lin;
        if (chance(r, 70))
            s->in.ds = LDT_DATA16 * 8 + 7;
        if (chance(r, 70))
            s->in.es = LDT_DATA16 * 8 + 7;
    }
    initial_fx(g, s->in.fx);
    /* Code: anywhere in its two pages, sometimes so that it crosses from one into the other, or
     * runs out at the end. */
    switch (rng_below(r, 10)) {
    case 0: case 1: s->code_off = 4096 - (u32)rng_below(r, 100); break;
    case 2: s->code_off = CODE_PAGES * 4096 - 1 - (u32)rng_below(r, 60); break;
    default: s->code_off = (u32)rng_below(r, CODE_PAGES * 4096 - CODE_BYTES); break;
    }
    code_lin = regions[R_CODE].lin + s->code_off;
    s->in.rip = code_lin - cs_base;
}

/* ---- one instruction ---- */

/* The code offset within slot.code of the present RIP; false: outside. */
static bool code_index(const struct gen *g, u32 *at)
{
    const struct cpu *c = &g->rig->c;
    u64 off = cpu_lin_rip(c) - (regions[R_CODE].lin + g->slot->code_off);

    *at = (u32)off;
    return off < CODE_BYTES && g->slot->code_off + off < CODE_PAGES * 4096;
}

static bool emit(struct gen *g, const struct form *f)
{
    u32 at, room;

    if (!code_index(g, &at))
        return false;
    room = CODE_BYTES - at;
    if (g->slot->code_off + at + room > CODE_PAGES * 4096)
        room = CODE_PAGES * 4096 - g->slot->code_off - at; /* the rest of it is in the guard page */
    if (f->len > room && room == CODE_BYTES - at)
        return false;
    for (u32 i = 0; i < f->len && i < room; i++)
        if (g->map[at + i] != FREE)
            return false;
    room = f->len < room ? f->len : room;
    while (g->slot->code_len < at + room)
        g->slot->code[g->slot->code_len++] = 0xcc;
    memcpy(g->slot->code + at, f->bytes, room);
    memset(g->map + at, INSIDE, room);
    g->map[at] = START;
    rig_poke_code(g->rig, g->slot->code_off + at, f->bytes, room);
    return true;
}

/* Steering: among a few random pairs of row and size, the one that has been run the least. */
static u16 choose_row(struct gen *g, u8 *size)
{
    u16 best = 0;
    u64 best_score = ~0ull;

    for (unsigned i = 0; i < 3 || !best; i++) {
        u16 row = (u16)(g->only_row ? g->only_row : (int)(1 + rng_below(&g->rng, NR_ROWS - 1)));
        u8 s = (u8)rng_below(&g->rng, SIZES);
        const struct row_stat *st = &g->stat[row];
        const char *why;
        u64 score;
        enum row_use use = row_use(&isa_rows[row], g->code, &why);

        if (!st->possible[s] || use == USE_NEVER)
            continue;
        if (use == USE_FAULT && !g->only_row && !chance(&g->rng, 10))
            continue; /* they end a case */
        score = use == USE_FAULT ? st->fault[s] : st->run[s] + st->fault[s] / 8;
        if (score < best_score) {
            best_score = score;
            best = row;
            *size = s;
        }
    }
    return best;
}

/* Makes the next instruction. False: the case ends here. */
static bool make_one(struct gen *g)
{
    struct cpu *c = &g->rig->c;
    struct form f;

    for (unsigned try = 0; try < ROW_TRIES; try++) {
        u8 size = g->want_size;
        u16 row = (u16)g->want_row;
        bool ready;
        enum decode_status st;

        if (!row && !g->only_row && chance(&g->rng, 6)) {
            form_mov_imm(g, (unsigned)rng_below(&g->rng, code_size(c->mode) == 8 ? 16 : 8), boundary(g, 8), &f);
            return emit(g, &f);
        }
        if (!row)
            row = choose_row(g, &size);
        g->want_row = 0;
        ready = !prepare(g, &isa_rows[row], class_bytes[size], &f);
        if (!ready) {
            g->want_row = row;
            g->want_size = size;
            return emit(g, &f);
        }
        if (!form_build(g, &isa_rows[row], class_bytes[size], &f))
            continue;
        st = insn_decode(&f.in, f.bytes, f.len > 15 ? 15 : f.len, c->mode);
        if (st == DECODE_MORE || (st != DECODE_TOO_LONG && f.in.row != row))
            continue;
        if (st == DECODE_OK && ((flags_read(&isa_rows[row], &f.in) & g->undefined) ||
                                result_undefined(c, &f.in, g->facts)))
            continue;
        if (st == DECODE_OK)
            furnish(g, &f.in);
        return emit(g, &f);
    }
    return false;
}

/* Executes the instruction at RIP, which is there. False: the case must be thrown away. */
static bool execute_one(struct gen *g)
{
    struct cpu *c = &g->rig->c;
    struct step *s = &g->steps[g->nr_steps];
    struct flag_rule rule;
    const char *why;
    u32 at;
    u64 cs_off;
    bool over;

    if (g->nr_steps >= MAX_EXECUTED)
        return false;
    *s = (struct step){ .rip = cpu_lin_rip(c) };
    if (code_index(g, &at) && g->map[at] != FREE) {
        unsigned room = (unsigned)(CODE_PAGES * 4096 - g->slot->code_off - at);
        enum decode_status st;

        memcpy(s->bytes, g->rig->region[R_CODE] + g->slot->code_off + at, room < 15 ? room : 15);
        st = insn_decode(&s->in, s->bytes, room < 15 ? room : 15, c->mode);
        /* A jump into an instruction may land on anything. */
        if (g->map[at] == INSIDE && st == DECODE_INVALID)
            return false;
        if (st == DECODE_OK && row_use(&isa_rows[s->in.row], code_size(c->mode), &why) == USE_NEVER)
            return false;
        if (st == DECODE_OK && s->in.row == ROW_INT_Ib && s->in.imm == 0x80)
            return false;
        if (st != DECODE_OK)
            s->in.row = ROW_INVALID;
        for (unsigned i = 0; i < s->in.len && at + i < CODE_BYTES; i++) /* filler that it takes must stay */
            if (g->map[at + i] == FREE)
                g->map[at + i] = INSIDE;
        if (st == DECODE_OK && ((flags_read(&isa_rows[s->in.row], &s->in) & g->undefined) ||
                                result_undefined(c, &s->in, g->facts)))
            return false;
        if (st == DECODE_OK && reads_open_mxcsr(g, &s->in))
            return false;
        if (g->facts->bus_locks && locked_across_line(g->rig, s))
            return false; /* a second's wait each, for the whole machine */
        if (deviation_breaks_out(g->facts, g->rig, s, g->nr_steps))
            return false;
        if (g->map[at] == INSIDE && s->in.row >= ROW_NOP_Ev)
            return false; /* hints: their prefixes were not vetted */
    }
    cs_off = c->rip;
    rule = witness_rule(c, &s->in, g->facts);
    over = rig_run(g->rig, 1);
    s->faulted = over && s->in.row != ROW_INT3 && c->events[g->rig->events_before % EVENT_RING].kind == EVENT_FAULT &&
                 c->events[g->rig->events_before % EVENT_RING].rip == cs_off;
    if (c->rip == cs_off && !over && (s->in.pfx & (PFX_REP | PFX_REPNE))) {
        /* between two elements: not done yet, but what flags it leaves is known */
        if (g->nr_steps && g->steps[g->nr_steps - 1].rip == s->rip)
            return ++g->nr_steps, true;
    }
    if (!s->faulted)
        g->undefined = (g->undefined & ~(rule.defined | rule.undefined)) | rule.undefined;
    g->nr_steps++;
    return true;
}

static bool at_code(const struct gen *g)
{
    u32 at;

    return code_index(g, &at) && g->map[at] != FREE;
}

static void count_steps(struct gen *g)
{
    for (unsigned i = 0; i < g->nr_steps; i++) {
        const struct step *s = &g->steps[i];

        if (i + 1 < g->nr_steps && s[1].rip == s->rip && (s->in.pfx & (PFX_REP | PFX_REPNE)))
            continue; /* an element of a string instruction */
        g->insns++;
        if (s->faulted)
            g->faults++;
        if (s->in.row != ROW_INVALID) {
            struct row_stat *st = &g->stat[s->in.row];
            unsigned k = size_class(&s->in);

            if (s->faulted)
                st->fault[k]++;
            else
                st->run[k]++;
        }
    }
}

/* Whether anything ran that may have loaded FS or GS. */
static bool loads_bases(const struct gen *g)
{
    for (unsigned i = 0; i < g->nr_steps; i++)
        switch (g->steps[i].in.row) {
        case ROW_MOV_SwEw: case ROW_POP_FS: case ROW_POP_GS: case ROW_LFS: case ROW_LGS:
        case ROW_IRET: case ROW_RETF: case ROW_RETF_Iw:
            return true;
        }
    return false;
}

bool gen_case(struct gen *g, struct slot *s, u32 *flags_undefined)
{
    unsigned length = 1 + (unsigned)rng_below(&g->rng, chance(&g->rng, 70) ? MAX_STEPS - 4 : 4);

    g->slot = s;
    g->nr_steps = 0;
    g->undefined = 0;
    g->read_code = false;
    g->want_row = 0;
    memset(g->map, FREE, sizeof(g->map));
    memset(g->touched, 0, sizeof(g->touched));
    initial_state(g, s);
    rig_load(g->rig, s);
    cpu_observe(&g->rig->c, &g->observer);
    for (unsigned made = 0; !g->rig->ended;) {
        if (!at_code(g) && (made >= length || !make_one(g)))
            break;
        made++;
        if (!execute_one(g)) {
            cpu_observe(&g->rig->c, NULL);
            g->discarded++;
            return false;
        }
    }
    cpu_observe(&g->rig->c, NULL);
    if (!rig_run(g->rig, 2)) { /* the filler, or nowhere: ends now */
        g->discarded++;
        return false;
    }
    s->want_bases = loads_bases(g);
    *flags_undefined = g->undefined;
    count_steps(g);
    return g->nr_steps != 0;
}
