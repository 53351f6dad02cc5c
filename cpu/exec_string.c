/*
 * String instructions and REP. SDM 2A CMPS, INS, LODS; 2B MOVS, OUTS, REP, SCAS, STOS.
 *
 * Time: each element of a repeated instruction is one tick, except for MOVS and STOS: one per
 * 64-byte line of the destination touched. The instruction stops exactly there when the slice
 * ends, with rCX, rSI and rDI updated and RIP at itself, and counts as one instruction when it
 * completes (docs/decisions/001). Every element commits before the next begins, so a fault
 * leaves the registers at the faulting element.
 */
#include "core/clock.h"
#include "cpu/exec_io.h"
#include "cpu/forms.h"
#include "cpu/operand.h"

/* What a string instruction does. `many` does up to `most` elements at once where memory can be
 * touched directly, and returns how many: 0 is always allowed. Neither counts rCX. */
struct string_op {
    void (*element)(struct cpu *, const struct insn *, unsigned size);
    u64 (*many)(struct cpu *, const struct insn *, unsigned size, u64 most);
    bool down;     /* `many` knows DF, too */
    bool per_line; /* a tick for each line of rDI, not for each element */
    bool on_zf;    /* REPE and REPNE look at ZF */
};

static u64 si(const struct cpu *c, const struct insn *in)
{
    return ea_mask(c->gpr[RSI], in->adsz);
}

static u64 di(const struct cpu *c, const struct insn *in)
{
    return ea_mask(c->gpr[RDI], in->adsz);
}

/* Moves rSI or rDI on. */
static void step(struct cpu *c, const struct insn *in, unsigned reg, u64 bytes)
{
    reg_write(c, reg, c->gpr[reg] + bytes, in->adsz);
}

static void advance(struct cpu *c, const struct insn *in, unsigned reg, u64 bytes)
{
    step(c, in, reg, c->eflags & F_D ? -bytes : bytes);
}

/* Between two elements: come back to this instruction, which has not retired. */
static void interrupted(struct cpu *c)
{
    c->next_rip = c->rip;
    c->rep_interrupted = true;
    leave_block(c);
}

static bool repeat_on_zf(const struct cpu *c, const struct insn *in)
{
    return in->pfx & PFX_REP ? flag_zf(c) : !flag_zf(c);
}

/* Elements that may run in one go: as many as the slice pays for, where one tick has been paid. What is
 * paid by lines stops short of the line that would end the slice. */
ALWAYS_INLINE u64 paid_for(const struct cpu *c, u64 left, u64 di, unsigned size, bool per_line)
{
    u64 most = c->budget > 1 && !c->leave ? (u64)c->budget : 1;

    if (per_line) {
        most = most < 2 * 4096 / 64 ? most : 2 * 4096 / 64; /* no go is longer than a page */
        most = c->eflags & F_D ? (most * 64 - 64 + (di & 63)) / size + 1 : (most * 64 - (di & 63) + size - 1) / size;
    }
    return most < left ? most : left;
}

ALWAYS_INLINE void repeat(struct cpu *c, const struct insn *in, unsigned size, const struct string_op *op)
{
    u64 line = ~0ull;

    if (!(in->pfx & (PFX_REP | PFX_REPNE))) {
        op->element(c, in, size);
        return;
    }
    for (u64 left; (left = ea_mask(c->gpr[RCX], in->adsz)) != 0;) {
        bool first = line == ~0ull, down = c->eflags & F_D;
        bool by_ones = c->mode & MODE_TF || c->debug_pending || (down && !op->down);
        u64 from = di(c, in), this_line = from >> 6, done = 0;

        /* The first tick is the instruction's own, and is counted when it retires. */
        if (!first && (!op->per_line || this_line != line || (c->mode & MODE_TF))) {
            clock_charge(c->cfg.clk, 1);
            if (c->budget <= 0 || c->leave) {
                /* Its breakpoint is not to fire again, and an interrupt's frame shows RF, too (SDM
                 * 3B 17.3.1.1). A debug trap's frame does not, on AMD's silicon. */
                c->eflags |= F_RF;
                interrupted(c);
                return;
            }
        }
        line = this_line;
        if (op->many && !by_ones)
            done = op->many(c, in, size, paid_for(c, left, from, size, op->per_line));
        if (!done) {
            op->element(c, in, size);
            done = 1;
        } else if (op->per_line) { /* those lines after the first that an element began in */
            line = (down ? from - (done - 1) * size : from + (done - 1) * size) >> 6;
            clock_charge(c->cfg.clk, down ? this_line - line : line - this_line);
        } else {
            clock_charge(c->cfg.clk, done - 1);
        }
        reg_write(c, RCX, c->gpr[RCX] - done, in->adsz);
        if (op->on_zf && !repeat_on_zf(c, in))
            return;
        if (UNLIKELY((c->mode & MODE_TF) || c->debug_pending) &&
            ea_mask(c->gpr[RCX], in->adsz) != 0) {
            clock_charge(c->cfg.clk, 1);
            interrupted(c); /* a single step is one element, and a breakpoint traps after one */
            return;
        }
    }
}

/* ---- one element ---- */

static void movs_element(struct cpu *c, const struct insn *in, unsigned size)
{
    u64 from = seg_lin(c, in->seg, si(c, in), size, ACC_READ), to, v;

    /* Intent first: the source may be a device whose reads have effects. The source's faults come
     * before any of the destination. */
    mmu_probe(c, from, size, ACC_READ);
    to = seg_lin(c, ES, di(c, in), size, ACC_WRITE);
    mmu_probe(c, to, size, ACC_WRITE);
    v = mmu_load(c, from, size);
    mmu_store(c, to, v, size);
    advance(c, in, RSI, size);
    advance(c, in, RDI, size);
}

static void stos_element(struct cpu *c, const struct insn *in, unsigned size)
{
    mmu_store(c, seg_lin(c, ES, di(c, in), size, ACC_WRITE), c->gpr[RAX], size);
    advance(c, in, RDI, size);
}

static void lods_element(struct cpu *c, const struct insn *in, unsigned size)
{
    reg_write(c, RAX, mmu_load(c, seg_lin(c, in->seg, si(c, in), size, ACC_READ), size), size);
    advance(c, in, RSI, size);
}

static void cmps_element(struct cpu *c, const struct insn *in, unsigned size)
{
    u64 a = mmu_load(c, seg_lin(c, in->seg, si(c, in), size, ACC_READ), size);
    u64 b = mmu_load(c, seg_lin(c, ES, di(c, in), size, ACC_READ), size);

    flags_sub(c, a, b, 0, size);
    advance(c, in, RSI, size);
    advance(c, in, RDI, size);
}

static void scas_element(struct cpu *c, const struct insn *in, unsigned size)
{
    u64 b = mmu_load(c, seg_lin(c, ES, di(c, in), size, ACC_READ), size);

    flags_sub(c, reg_read(c, RAX, size), b, 0, size);
    advance(c, in, RDI, size);
}

static void ins_element(struct cpu *c, const struct insn *in, unsigned size)
{
    u64 to = seg_lin(c, ES, di(c, in), size, ACC_WRITE);

    mmu_probe(c, to, size, ACC_WRITE);
    mmu_store(c, to, io_read(c, (u16)c->gpr[RDX], size), size);
    advance(c, in, RDI, size);
}

static void outs_element(struct cpu *c, const struct insn *in, unsigned size)
{
    u64 v = mmu_load(c, seg_lin(c, in->seg, si(c, in), size, ACC_READ), size);

    io_write(c, (u16)c->gpr[RDX], v, size);
    advance(c, in, RSI, size);
}

/* ---- many elements ---- */

/* How many elements from seg:off on, `most` of them wanted, can be touched at once: on one page, within the
 * segment and the address size, by a translation that the fast path has. *host is where the lowest is. */
static u64 direct(const struct cpu *c, const struct insn *in, unsigned seg, u64 off, unsigned size,
                  unsigned access, u64 most, u8 **host)
{
    const struct seg *s = &c->seg[seg];
    u64 last = ea_mask(~0ull, in->adsz), lin = (seg >= FS ? s->base : 0) + off, room;
    const struct fast_entry *e;

    if ((c->mode & MODE_CODE_MASK) != MODE_CODE64) {
        if (!(s->fast & (access == ACC_READ ? SEG_FAST_R : SEG_FAST_W)) || off > s->limit)
            return 0;
        last = last < s->limit ? last : s->limit;
        lin = (u32)(s->base + off);
    } else if (!canonical(lin)) {
        return 0;
    }
    e = &(access == ACC_READ ? c->fast->read : c->fast->write)[(lin >> 12) & (FAST_ENTRIES - 1)];
    if (lin - e->tag >= 4096)
        return 0;
    *host = fast_host(e, lin);
    room = 4095 - (lin & 4095);
    room = ((last - off < room ? last - off : room) + 1) / size;
    if (c->eflags & F_D) {
        if (!room)
            return 0;
        room = ((lin & 4095) < off ? lin & 4095 : off) / size + 1;
        room = room < most ? room : most;
        *host -= (room - 1) * size;
    }
    return room < most ? room : most;
}

/* The same of both operands, of which the first is read. */
static u64 direct_both(const struct cpu *c, const struct insn *in, unsigned size, unsigned access_di,
                       u64 most, u8 **from, u8 **to)
{
    u64 n = direct(c, in, in->seg, si(c, in), size, ACC_READ, most, from), both;

    if (!n)
        return 0;
    both = direct(c, in, ES, di(c, in), size, access_di, n, to);
    if (c->eflags & F_D)
        *from += (n - both) * size;
    return both;
}

/* PERF: the host's own string instructions, not memcpy: the host's vector registers may hold the
 * guest's, and a copy of up to 128 bytes is cheaper than a call. */
static inline void host_movs(u8 *to, const u8 *from, u64 len)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(len) : : "memory");
}

/* Copies upwards as elements of that size do one after the other. */
static void copy_up(u8 *to, const u8 *from, u64 len, unsigned size)
{
    u64 distance = (u64)((uintptr_t)to - (uintptr_t)from), done = 0;

    if (LIKELY(distance >= len)) {
        host_movs(to, from, len);
    } else if (distance < size) { /* an element overlaps itself: no pattern */
        for (; done < len; done += size)
            store_le(to + done, load_le(from + done, size), size);
    } else { /* repeats the first `distance` bytes; each chunk reads what is there already */
        for (u64 chunk = distance; done < len; done += chunk, chunk = done + distance) {
            chunk = chunk < len - done ? chunk : len - done;
            host_movs(to + done, from, chunk);
        }
    }
}

/* The same downwards; both point to the lowest bytes. */
static void copy_down(u8 *to, const u8 *from, u64 len, unsigned size)
{
    u64 distance = (u64)((uintptr_t)to - (uintptr_t)from), left = len;

    if (LIKELY(distance >= len && -distance >= len)) {
        host_movs(to, from, len);
    } else if (distance < len) { /* what is written has been read before */
        for (u64 chunk = distance; left && distance; left -= chunk) {
            chunk = chunk < left ? chunk : left;
            host_movs(to + left - chunk, from + left - chunk, chunk);
        }
    } else {
        for (; left; left -= size)
            store_le(to + left - size, load_le(from + left - size, size), size);
    }
}

static inline u64 ror64(u64 v, unsigned n)
{
    return v >> (n & 63) | v << (-n & 63);
}

/* n elements of value v. */
static inline void fill(u8 *to, u64 v, u64 n, unsigned size)
{
    u64 len = n * size, all = v * (~0ull / size_mask(size)), head, quads;

    if (all == (u8)all * 0x0101010101010101ull) {
        __asm__ volatile("rep stosb" : "+D"(to), "+c"(len) : "a"(all) : "memory");
        return;
    }
    if (len <= 64) {
        for (u64 i = 0; i < len; i += size)
            store_le(to + i, v, size);
        return;
    }
    /* PERF: `rep stosq` is quick where it is aligned. What a quad there holds is the value rotated. */
    store_le(to, all, 8);
    store_le(to + len - 8, ror64(all, (unsigned)len * 8), 8);
    head = -(u64)(uintptr_t)to & 7;
    to += head;
    quads = (len - head) / 8;
    __asm__ volatile("rep stosq" : "+D"(to), "+c"(quads) : "a"(ror64(all, (unsigned)head * 8)) : "memory");
}

static u64 movs_many(struct cpu *c, const struct insn *in, unsigned size, u64 most)
{
    u8 *from, *to;
    u64 n = direct_both(c, in, size, ACC_WRITE, most, &from, &to);

    if (!n)
        return 0;
    (c->eflags & F_D ? copy_down : copy_up)(to, from, n * size, size);
    advance(c, in, RSI, n * size);
    advance(c, in, RDI, n * size);
    return n;
}

static u64 stos_many(struct cpu *c, const struct insn *in, unsigned size, u64 most)
{
    u8 *to;
    u64 n = direct(c, in, ES, di(c, in), size, ACC_WRITE, most, &to);

    if (!n)
        return 0;
    fill(to, reg_read(c, RAX, size), n, size);
    advance(c, in, RDI, n * size);
    return n;
}

/* Compares elements of a with those of b, or with v where b is NULL, until two are equal or until two
 * are not, and sets the flags by the last pair. */
static u64 compare(struct cpu *c, const u8 *a, const u8 *b, u64 v, u64 n, unsigned size, bool until_equal)
{
    u64 i = 0, x, y;

    do {
        x = b ? load_le(a + i * size, size) : v;
        y = load_le((b ? b : a) + i * size, size);
        i++;
    } while (i < n && (x == y) != until_equal);
    flags_sub(c, x, y, 0, size);
    return i;
}

static u64 cmps_many(struct cpu *c, const struct insn *in, unsigned size, u64 most)
{
    u8 *a, *b;
    u64 n = direct_both(c, in, size, ACC_READ, most, &a, &b);

    if (!n)
        return 0;
    n = compare(c, a, b, 0, n, size, !(in->pfx & PFX_REP));
    step(c, in, RSI, n * size);
    step(c, in, RDI, n * size);
    return n;
}

static u64 scas_many(struct cpu *c, const struct insn *in, unsigned size, u64 most)
{
    u8 *a;
    u64 n = direct(c, in, ES, di(c, in), size, ACC_READ, most, &a);

    if (!n)
        return 0;
    n = compare(c, a, NULL, reg_read(c, RAX, size), n, size, !(in->pfx & PFX_REP));
    step(c, in, RDI, n * size);
    return n;
}

/* ---- the instructions ---- */

static const struct string_op movs_op = { movs_element, movs_many, .down = true, .per_line = true };
static const struct string_op stos_op = { stos_element, stos_many, .down = true, .per_line = true };
static const struct string_op lods_op = { .element = lods_element };
static const struct string_op cmps_op = { cmps_element, cmps_many, .on_zf = true };
static const struct string_op scas_op = { scas_element, scas_many, .on_zf = true };
static const struct string_op ins_op = { .element = ins_element };
static const struct string_op outs_op = { .element = outs_element };

/* PERF: with the size a constant; cpu/forms.c takes these at once. */
#define OF_SIZE(name, size)                                                                        \
    void name##_##size(struct cpu *c, const struct insn *in)                                       \
    {                                                                                              \
        repeat(c, in, size, &name##_op);                                                           \
    }
#define OF_SIZES(name)                                                                             \
    OF_SIZE(name, 1) OF_SIZE(name, 2) OF_SIZE(name, 4) OF_SIZE(name, 8)                            \
    void x_##name(struct cpu *c, const struct insn *in)                                            \
    {                                                                                              \
        switch (in->opsz) {                                                                        \
        case 1: name##_1(c, in); break;                                                            \
        case 2: name##_2(c, in); break;                                                            \
        case 4: name##_4(c, in); break;                                                            \
        default: name##_8(c, in); break;                                                           \
        }                                                                                          \
    }
OF_SIZES(movs)
OF_SIZES(stos)

void x_lods(struct cpu *c, const struct insn *in) { repeat(c, in, in->opsz, &lods_op); }
void x_cmps(struct cpu *c, const struct insn *in) { repeat(c, in, in->opsz, &cmps_op); }
void x_scas(struct cpu *c, const struct insn *in) { repeat(c, in, in->opsz, &scas_op); }

void x_ins(struct cpu *c, const struct insn *in)
{
    io_check(c, (u16)c->gpr[RDX], in->opsz);
    repeat(c, in, in->opsz, &ins_op);
}

void x_outs(struct cpu *c, const struct insn *in)
{
    io_check(c, (u16)c->gpr[RDX], in->srcsz);
    repeat(c, in, in->srcsz, &outs_op);
}
