/*
 * The guest's breakpoints. See cpu/dr.h. SDM 3B 17.2.4 to 17.3.1.
 */
#include "cpu/dr.h"
#include "cpu/operand.h"

enum condition { ON_EXECUTE, ON_WRITE, ON_PORT, ON_ACCESS };

struct breakpoint {
    u64 first, len;
    enum condition condition;
};

/* The n-th breakpoint, if it is enabled. */
static bool breakpoint(const struct cpu *c, unsigned n, struct breakpoint *b)
{
    static const u8 lengths[] = { 1, 2, 8, 4 };
    u32 dr7 = (u32)c->dr[7];

    if (!(dr7 >> (2 * n) & 3))
        return false;
    b->condition = dr7 >> (16 + 4 * n) & 3;
    b->len = lengths[dr7 >> (18 + 4 * n) & 3];
    b->first = c->dr[n] & ~(b->len - 1); /* the low bits are ignored */
    return true;
}

void dr_changed(struct cpu *c)
{
    mmu_flush_fast(c); /* which pages may be in the fast sets has changed */
    cpu_update_mode(c);
}

/* Whether [lin, lin + size) and the breakpoint's range meet. */
static bool meets(const struct breakpoint *b, u64 lin, u64 size)
{
    return b->first - lin < size || lin - b->first < b->len;
}

u32 dr_code_hits(const struct cpu *c)
{
    u64 lin = cpu_lin_rip(c);
    struct breakpoint b;
    u32 hits = 0;

    if (c->eflags & F_RF)
        return 0;
    for (unsigned i = 0; i < 4; i++)
        if (breakpoint(c, i, &b) && b.condition == ON_EXECUTE && b.first == lin)
            hits |= 1u << i;
    return hits;
}

bool dr_code_within(const struct cpu *c, u64 lin, u64 len)
{
    struct breakpoint b;

    for (unsigned i = 0; i < 4; i++)
        if (breakpoint(c, i, &b) && b.condition == ON_EXECUTE && b.first - lin < len)
            return true;
    return false;
}

static bool on_data(const struct breakpoint *b)
{
    return b->condition == ON_WRITE || b->condition == ON_ACCESS;
}

bool dr_watches_page(const struct cpu *c, u64 lin)
{
    struct breakpoint b;

    for (unsigned i = 0; i < 4; i++)
        if (breakpoint(c, i, &b) && on_data(&b) && meets(&b, lin & ~0xfffull, 0x1000))
            return true;
    return false;
}

void dr_access(struct cpu *c, u64 lin, unsigned size, bool write)
{
    struct breakpoint b;

    for (unsigned i = 0; i < 4; i++)
        if (breakpoint(c, i, &b) && on_data(&b) && (write || b.condition == ON_ACCESS) &&
            meets(&b, lin, size))
            dr_trap(c, 1u << i);
}

void dr_port(struct cpu *c, u16 port, unsigned size)
{
    struct breakpoint b;

    if (!(c->cr4 & CR4_DE))
        return;
    for (unsigned i = 0; i < 4; i++)
        if (breakpoint(c, i, &b) && b.condition == ON_PORT && meets(&b, port, size))
            dr_trap(c, 1u << i);
}

/* Breakpoints and general detect update B0 to B3 as a whole: what is not enabled and met becomes 0.
 * The other bits stay until software clears them (APM 2 13.1.1.3). Intel leaves both to the
 * processor (SDM 3B 17.2.3). */
void dr_report(struct cpu *c, u32 dr6_bits)
{
    if (dr6_bits & (DR6_B | DR6_BD))
        c->dr[6] &= ~(u64)DR6_B;
    c->dr[6] |= dr6_bits;
}

void dr_trap(struct cpu *c, u32 dr6_bits)
{
    c->debug_pending |= dr6_bits;
    c->attention |= ATT_DEBUG;
    leave_block(c);
}
