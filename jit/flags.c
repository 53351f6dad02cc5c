/*
 * The guest's arithmetic flags in translated code.
 *
 * They are the host's, right behind the instruction that writes them. What stands between memory
 * accesses destroys those, so for whoever asks later - mostly nobody: a fault, the end of a slice -
 * the translator keeps a recipe: how to make them again from values that are still there. It costs
 * nothing where the operands are left alone, and one store for an operand that is overwritten.
 * Where no recipe is known they are stored at once (LAHF, SETO).
 */
#include "jit/translator.h"
#include "cpu/silicon.h"

exec_fn x_add, x_sub, x_cmp, x_test, x_and, x_or, x_xor, x_neg, x_inc, x_dec, x_shl, x_shr, x_sar, x_rol, x_ror, x_rcl,
    x_rcr, x_bt, x_bts, x_btr, x_btc, x_div, x_idiv, x_shld, x_shrd, x_clc, x_stc, x_cmc, x_sahf, x_adcx, x_adox, x_tzcnt, x_lzcnt, x_mul, x_imul, x_imul2, x_imul3;

static bool is_shift(exec_fn *fn)
{
    return fn == x_shl || fn == x_shr || fn == x_sar || fn == x_shld || fn == x_shrd || fn == x_rol || fn == x_ror ||
           fn == x_rcl || fn == x_rcr;
}

static bool multiplies(exec_fn *fn)
{
    return fn == x_mul || fn == x_imul || fn == x_imul2 || fn == x_imul3;
}

struct flag_use flag_use_of(const struct cpu *c, const struct insn *in)
{
    const struct isa_row *r = &isa_rows[in->row];
    exec_fn *fn = r->exec;
    u32 reads = r->reads & F_ARITH, writes = (r->writes | r->undefined) & F_ARITH;

    if ((fn == x_div || fn == x_idiv) && c->silicon.behaviour[SILICON_DIVIDE] == DIVIDE_KEEPS)
        return (struct flag_use){ 0, 0, 0 };
    if (fn == x_div || fn == x_idiv)
        writes = F_S | F_Z | F_A | F_P;
    if (is_shift(fn)) {
        int n = fn == x_shld || fn == x_shrd ? 2 : 1;
        unsigned count = (unsigned)in->imm & (in->opsz == 8 ? 63 : 31);
        bool rotates = fn == x_rol || fn == x_ror || fn == x_rcl || fn == x_rcr;

        if (in->kind[n] == K_REG) /* by CL: perhaps by 0 */
            return (struct flag_use){ F_ARITH, F_ARITH, 0 };
        if (count == 0)
            return (struct flag_use){ 0, 0, 0 };
        if (rotates)
            return (struct flag_use){ F_ARITH, F_C | F_O, F_C }; /* some silicon leaves OF alone */
        return (struct flag_use){ 0, F_ARITH, F_ARITH };
    }
    if (fn == x_bt || fn == x_bts || fn == x_btr || fn == x_btc)
        return (struct flag_use){ F_ARITH & ~(u32)F_C, F_C, F_C };
    if (fn == x_tzcnt || fn == x_lzcnt) /* as above */
        reads = F_ARITH;
    if (multiplies(fn) && c->silicon.behaviour[SILICON_MULTIPLY] == MULTIPLY_KEEPS)
        writes = F_C | F_O;
    if (writes && writes != F_ARITH) /* the others stay */
        reads |= F_ARITH & ~writes;
    return (struct flag_use){ reads, writes, writes };
}

void flags_analyse(struct translator *t, const bool *observes)
{
    u32 live = F_ARITH;

    for (unsigned i = t->b->nr_ops; i-- > 0;) {
        struct flag_use u = flag_use_of(t->c, &t->b->ops[i].in);

        t->need[i] = live;
        live = observes[i] ? (u32)F_ARITH : (live & ~u.sure) | u.reads;
    }
}

/* ---- recipes ---- */

static struct host_mem place_mem(unsigned place)
{
    return place >= PLACE_SLOT0 ? at(H_RBP, offsetof(struct cpu, jit.slot) + 8 * (place - PLACE_SLOT0)) : gpr_home(place);
}

static bool pinned(unsigned place)
{
    return place < 16 && host_of_guest[place] != H_NONE;
}

static void load_place(struct assembler *a, unsigned reg, unsigned place)
{
    if (pinned(place))
        asm_mov(a, 8, reg, host_of_guest[place]);
    else
        asm_load(a, 8, reg, place_mem(place));
}

static void alu_with_b(struct assembler *a, enum alu_op op, unsigned reg, const struct flags_recipe *f)
{
    if (f->b == PLACE_IMM)
        asm_alu_ri(a, op, f->size, reg, f->imm);
    else if (pinned(f->b))
        asm_alu_rr(a, op, f->size, reg, host_of_guest[f->b]);
    else
        asm_alu_rm(a, op, f->size, reg, place_mem(f->b));
}

static void test_with_b(struct assembler *a, unsigned reg, const struct flags_recipe *f)
{
    if (f->b == PLACE_IMM) {
        asm_rr(a, f->size, sized(0xf6, f->size), 0, reg);
        asm_imm_of(a, f->size, f->imm, f->size == 1);
    } else if (pinned(f->b)) {
        asm_rr(a, f->size, sized(0x84, f->size), host_of_guest[f->b], reg);
    } else {
        asm_rm(a, f->size, sized(0x84, f->size), reg, place_mem(f->b));
    }
}

static void row_again(struct assembler *a, const struct flags_recipe *f)
{
    const struct isa_row *r = &isa_rows[f->row];
    struct insn in = { .row = f->row, .opsz = f->size, .srcsz = f->size, .adsz = 8, .seg = DS,
                       .base = NO_REG, .index = NO_REG };
    u8 bytes[15];
    int n;

    if (f->a != PLACE_NONE)
        load_place(a, H_R11, f->a);
    in.kind[0] = K_REG;
    in.reg[0] = H_R11;
    if (f->b == PLACE_IMM) {
        in.kind[1] = K_IMM;
        in.imm = (u64)(i64)f->imm;
    } else if (f->b != PLACE_NONE) {
        in.kind[1] = K_REG;
        in.reg[1] = pinned(f->b) ? host_of_guest[f->b] : H_RDI;
        if (!pinned(f->b))
            load_place(a, H_RDI, f->b);
        if (r->op[2].letter) {
            in.kind[2] = K_IMM;
            in.imm = (u64)(i64)f->imm;
        }
    }
    n = insn_encode(&in, MODE_CODE64, bytes);
    ASSERT(n > 0);
    asm_bytes(a, bytes, (size_t)n);
}

void flags_emit(struct translator *t, const struct flags_recipe *f)
{
    struct assembler *a = &t->a;
    unsigned reg = H_R11;

    if (f->kind == FLAGS_DEAD)
        return;
    if (f->kind == FLAGS_STORED) { /* ADD 7Fh sets OF where the byte is 1 */
        asm_mov(a, 8, H_R11, H_RAX);
        asm_rm(a, 4, 0x0fb7, H_RAX, FIELD(jit.flags));
        asm_alu_ri(a, ALU_ADD, 1, H_RAX, 0x7f);
        asm_int(a, 0x9e, 1);
        asm_mov(a, 8, H_RAX, H_R11);
        return;
    }
    if (f->kind == FLAGS_ROW) {
        row_again(a, f);
        return;
    }
    if (pinned(f->a) && (f->kind == FLAGS_CMP || f->kind == FLAGS_TEST || f->kind == FLAGS_LOGIC))
        reg = host_of_guest[f->a];
    else
        load_place(a, H_R11, f->a);
    switch (f->kind) {
    case FLAGS_CMP: alu_with_b(a, ALU_CMP, reg, f); break;
    case FLAGS_TEST: test_with_b(a, reg, f); break;
    case FLAGS_LOGIC: asm_rr(a, f->size, sized(0x84, f->size), reg, reg); break;
    case FLAGS_ADD:
        alu_with_b(a, ALU_SUB, reg, f);
        alu_with_b(a, ALU_ADD, reg, f);
        break;
    case FLAGS_SUB:
        alu_with_b(a, ALU_ADD, reg, f);
        alu_with_b(a, ALU_SUB, reg, f);
        break;
    case FLAGS_NEG:
        asm_rr(a, f->size, sized(0xf6, f->size), 3, reg);
        asm_rr(a, f->size, sized(0xf6, f->size), 3, reg);
        break;
    }
}

void flags_to_host(struct translator *t)
{
    if (t->host_valid)
        return;
    flags_emit(t, &t->flags);
    t->host_valid = true;
}

void flags_store(struct translator *t)
{
    if (t->flags.kind == FLAGS_STORED)
        return;
    flags_to_host(t);
    emit_flags_stored(&t->a);
    t->flags = (struct flags_recipe){ .kind = FLAGS_STORED };
}

void flags_protect(struct translator *t, unsigned guest)
{
    struct flags_recipe *f = &t->flags;
    unsigned slot;

    if (f->kind == FLAGS_STORED || f->kind == FLAGS_DEAD || (f->a != guest && f->b != guest))
        return;
    slot = f->a == PLACE_SLOT0 || f->b == PLACE_SLOT0 ? PLACE_SLOT1 : PLACE_SLOT0;
    if (host_of_guest[guest] == H_NONE) {
        asm_load(&t->a, 8, H_R11, gpr_home(guest));
        asm_store(&t->a, 8, place_mem(slot), H_R11);
    } else {
        asm_store(&t->a, 8, place_mem(slot), host_of_guest[guest]);
    }
    if (f->a == guest)
        f->a = (u8)slot;
    if (f->b == guest)
        f->b = (u8)slot;
}

/* ---- numbers ---- */

static unsigned recipe_hash(const struct flags_recipe *f)
{
    u64 v[2] = { 0, 0 };

    memcpy(v, f, sizeof(*f));
    return (unsigned)(((v[0] ^ v[1] * 0x9e3779b97f4a7c15ull) * 0x9e3779b97f4a7c15ull) >> 50);
}
_Static_assert(sizeof(struct flags_recipe) <= 16, "recipe_hash() takes all of it");

u16 recipe_number(struct jit *j, const struct flags_recipe *f)
{
    unsigned h = recipe_hash(f);

    if (f->kind == FLAGS_STORED)
        return 0;
    while (j->recipe_hash[h]) {
        if (!memcmp(&j->recipe[j->recipe_hash[h]], f, sizeof(*f)))
            return j->recipe_hash[h];
        h = (h + 1) % ARRAY_LEN(j->recipe_hash);
    }
    if (j->nr_recipes >= MAX_RECIPES)
        return 0;
    j->recipe[j->nr_recipes] = *f;
    j->recipe_hash[h] = (u16)j->nr_recipes;
    return (u16)j->nr_recipes++;
}
