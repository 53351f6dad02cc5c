/*
 * Extensions of the integer instructions: POPCNT, CRC32, MOVBE, BMI, ADX, random numbers,
 * FSGSBASE. SDM 2A to 2D, the pages that the rows name.
 *
 * Flags that the manual leaves open are the host's silicon's (cpu/silicon.h).
 */
#include "cpu/operand.h"

static unsigned width_of(const struct insn *in)
{
    return 8u * in->opsz;
}

/* ---- counting bits ---- */

void x_popcnt(struct cpu *c, const struct insn *in)
{
    u64 a = opnd_load(c, in, 1, in->opsz);

    flags_set(c, F_ARITH, a ? 0 : F_Z);
    reg_write(c, in->reg[0], (u64)__builtin_popcountll(a), in->opsz);
}

/* CF: the source is 0. ZF: the count is. AMD's silicon keeps OF; the rest is cleared. */
static void counted(struct cpu *c, const struct insn *in, u64 a, unsigned n)
{
    u32 mask = c->silicon.behaviour[SILICON_COUNT] == COUNT_CLEARS_OF ? F_ARITH : F_ARITH & ~F_O;

    flags_set(c, mask, (a ? 0 : F_C) | (n ? 0 : F_Z));
    reg_write(c, in->reg[0], n, in->opsz);
}

void x_tzcnt(struct cpu *c, const struct insn *in)
{
    u64 a = opnd_load(c, in, 1, in->opsz);

    counted(c, in, a, a ? (unsigned)__builtin_ctzll(a) : width_of(in));
}

void x_lzcnt(struct cpu *c, const struct insn *in)
{
    u64 a = opnd_load(c, in, 1, in->opsz);

    counted(c, in, a, a ? (unsigned)__builtin_clzll(a) + width_of(in) - 64 : width_of(in));
}

/* ---- bytes ---- */

/* The Castagnoli polynomial, least significant bit first. */
void x_crc32(struct cpu *c, const struct insn *in)
{
    u64 v = opnd_load(c, in, 1, in->srcsz);
    u32 crc = (u32)c->gpr[in->reg[0]];

    for (unsigned i = 0; i < in->srcsz; i++) {
        crc ^= (u8)(v >> 8 * i);
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    reg_write(c, in->reg[0], crc, in->opsz);
}

void x_movbe(struct cpu *c, const struct insn *in)
{
    u64 v = opnd_load(c, in, 1, in->opsz);

    opnd_store(c, in, 0, __builtin_bswap64(v) >> (64 - width_of(in)), in->opsz);
}

/* ---- BMI1 ---- */

/* CF as given, OF 0, SF and ZF by the result. */
static void bmi_flags(struct cpu *c, u64 r, unsigned size, bool cf)
{
    flags_result(c, r, size, cf, false, false);
    if (c->silicon.behaviour[SILICON_BMI] == BMI_CLEARS)
        flags_set(c, F_P, 0);
}

void x_andn(struct cpu *c, const struct insn *in)
{
    u64 b = opnd_load(c, in, 2, in->opsz);
    u64 v = ~reg_read(c, in->reg[1], in->opsz) & b & size_mask(in->opsz);

    reg_write(c, in->reg[0], v, in->opsz);
    bmi_flags(c, v, in->opsz, false);
}

/* start: bits 7..0 of the third operand, length: bits 15..8. */
void x_bextr(struct cpu *c, const struct insn *in)
{
    u64 a = opnd_load(c, in, 1, in->opsz), control = c->gpr[in->reg[2]];
    unsigned start = (u8)control, len = (u8)(control >> 8);

    a = start < 64 ? a >> start : 0;
    a &= len < 64 ? BIT(len) - 1 : ~0ull;
    reg_write(c, in->reg[0], a, in->opsz);
    flags_result(c, a, in->opsz, false, false, true);
    flags_set(c, c->silicon.behaviour[SILICON_BEXTR] == BMI_CLEARS ? F_S | F_A | F_P : F_S, 0);
}

/* BLSI's CF says that the source is not 0, the others' that it is. */
static void lowest_bit(struct cpu *c, const struct insn *in, u64 r, bool cf)
{
    reg_write(c, in->reg[0], r, in->opsz);
    bmi_flags(c, r, in->opsz, cf);
}

void x_blsr(struct cpu *c, const struct insn *in)
{
    u64 a = opnd_load(c, in, 1, in->opsz);

    lowest_bit(c, in, a & (a - 1), a == 0);
}

void x_blsmsk(struct cpu *c, const struct insn *in)
{
    u64 a = opnd_load(c, in, 1, in->opsz);

    lowest_bit(c, in, a ^ (a - 1), a == 0);
}

void x_blsi(struct cpu *c, const struct insn *in)
{
    u64 a = opnd_load(c, in, 1, in->opsz);

    lowest_bit(c, in, a & -a, a != 0);
}

/* ---- BMI2 ---- */

void x_bzhi(struct cpu *c, const struct insn *in)
{
    u64 a = opnd_load(c, in, 1, in->opsz);
    unsigned n = (u8)c->gpr[in->reg[2]];
    bool beyond = n >= width_of(in);

    if (!beyond)
        a &= BIT(n) - 1;
    reg_write(c, in->reg[0], a, in->opsz);
    bmi_flags(c, a, in->opsz, beyond);
}

void x_pdep(struct cpu *c, const struct insn *in)
{
    u64 mask = opnd_load(c, in, 2, in->opsz), v = c->gpr[in->reg[1]], r = 0;

    for (; mask; mask &= mask - 1, v >>= 1)
        if (v & 1)
            r |= mask & -mask;
    reg_write(c, in->reg[0], r, in->opsz);
}

void x_pext(struct cpu *c, const struct insn *in)
{
    u64 mask = opnd_load(c, in, 2, in->opsz), v = c->gpr[in->reg[1]], r = 0;

    for (u64 to = 1; mask; mask &= mask - 1, to <<= 1)
        if (v & mask & -mask)
            r |= to;
    reg_write(c, in->reg[0], r, in->opsz);
}

/* The high half last: it remains where both go to one register. */
void x_mulx(struct cpu *c, const struct insn *in)
{
    u64 a = reg_read(c, RDX, in->opsz), b = opnd_load(c, in, 2, in->opsz);
    unsigned __int128 r = (unsigned __int128)a * b;

    reg_write(c, in->reg[1], (u64)r, in->opsz);
    reg_write(c, in->reg[0], (u64)(r >> width_of(in)), in->opsz);
}

static unsigned shift_count(const struct cpu *c, const struct insn *in)
{
    return (unsigned)c->gpr[in->reg[2]] & (width_of(in) - 1);
}

void x_shlx(struct cpu *c, const struct insn *in)
{
    u64 a = opnd_load(c, in, 1, in->opsz);

    reg_write(c, in->reg[0], a << shift_count(c, in), in->opsz);
}

void x_shrx(struct cpu *c, const struct insn *in)
{
    u64 a = opnd_load(c, in, 1, in->opsz);

    reg_write(c, in->reg[0], a >> shift_count(c, in), in->opsz);
}

void x_sarx(struct cpu *c, const struct insn *in)
{
    u64 a = opnd_load(c, in, 1, in->opsz);
    i64 s = in->opsz == 8 ? (i64)a : (i32)a;

    reg_write(c, in->reg[0], (u64)(s >> shift_count(c, in)), in->opsz);
}

void x_rorx(struct cpu *c, const struct insn *in)
{
    u64 a = opnd_load(c, in, 1, in->opsz);
    unsigned width = width_of(in), n = (unsigned)in->imm & (width - 1);

    reg_write(c, in->reg[0], n ? a >> n | a << (width - n) : a, in->opsz);
}

/* ---- ADX: two chains of carries, the second in OF ---- */

static void add_with(struct cpu *c, const struct insn *in, u32 flag)
{
    u64 b = opnd_load(c, in, 1, in->opsz), a = reg_read(c, in->reg[0], in->opsz);
    unsigned __int128 r = (unsigned __int128)a + b + ((flags_arith(c) & flag) != 0);

    reg_write(c, in->reg[0], (u64)r, in->opsz);
    flags_set(c, flag, (u64)(r >> width_of(in)) & 1 ? flag : 0);
}

void x_adcx(struct cpu *c, const struct insn *in) { add_with(c, in, F_C); }
void x_adox(struct cpu *c, const struct insn *in) { add_with(c, in, F_O); }

/* ---- what is not computed from operands ---- */

/* RDRAND and RDSEED: always a number, from a generator that is part of the machine's state, so
 * that runs repeat (splitmix64: Steele, Lea and Flood, OOPSLA 2014). */
void x_rdrand(struct cpu *c, const struct insn *in)
{
    u64 z = (c->random += 0x9e3779b97f4a7c15ull);

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    reg_write(c, in->reg[0], z ^ z >> 31, in->opsz);
    flags_set(c, F_ARITH, F_C);
}

void x_rdpid(struct cpu *c, const struct insn *in)
{
    reg_write(c, in->reg[0], (u32)c->msr.tsc_aux, in->opsz);
}

static void need_fsgsbase(struct cpu *c)
{
    if (!(c->cr4 & CR4_FSGSBASE))
        cpu_raise_no_code(c, EXC_UD);
}

static void read_base(struct cpu *c, const struct insn *in, enum seg_reg seg)
{
    need_fsgsbase(c);
    reg_write(c, in->reg[0], c->seg[seg].base, in->opsz);
}

static void write_base(struct cpu *c, const struct insn *in, enum seg_reg seg)
{
    u64 v = reg_read(c, in->reg[0], in->opsz);

    need_fsgsbase(c);
    if (!canonical(v))
        cpu_raise(c, EXC_GP, 0);
    c->seg[seg].base = v;
}

void x_rdfsbase(struct cpu *c, const struct insn *in) { read_base(c, in, FS); }
void x_rdgsbase(struct cpu *c, const struct insn *in) { read_base(c, in, GS); }
void x_wrfsbase(struct cpu *c, const struct insn *in) { write_base(c, in, FS); }
void x_wrgsbase(struct cpu *c, const struct insn *in) { write_base(c, in, GS); }
