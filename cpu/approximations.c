/*
 * A digest of what the host's processor makes of instructions whose results are approximations: RCPPS,
 * RSQRTPS and the x87 unit's transcendental functions. Guests see the host's own, so hosts with
 * different ones are of different classes (machine/identity.h), as the profile of silicon.h makes them.
 */
#include "core/state.h"
#include "cpu/silicon.h"

struct m80 {
    u64 mant;
    u16 exp;
    u8 pad[6];
};

/* ---- SSE: the tables are looked up by the mantissa's first bits and the exponent's last ---- */

static u64 sse_digest(u64 sum)
{
    for (u32 i = 0; i < 1 << 13; i++) {
        u32 v[4] = { 0x3f000000 + (i << 11), 0x40000000 - (i << 5), 0x7f000000 - (i << 18), i << 10 }, r[8];

        __asm__("movups %2, %%xmm0\n\trcpps %%xmm0, %%xmm1\n\tmovups %%xmm1, %0\n\t"
                "rsqrtps %%xmm0, %%xmm1\n\tmovups %%xmm1, %1"
                : "=m"(*(u32(*)[4])r), "=m"(*(u32(*)[4])(r + 4))
                : "m"(v)
                : "xmm0", "xmm1");
        sum = state_hash_bytes(sum, r, sizeof(r));
    }
    return sum;
}

/* ---- x87 ---- */

/* exp: the power of two. */
static struct m80 number(u64 mant, int exp, bool negative)
{
    return (struct m80){ mant | BIT(63), (u16)((16383 + exp) | negative << 15), { 0 } };
}

#define ONE(name, code)                                                                            \
    static u64 name(u64 sum, struct m80 x)                                                         \
    {                                                                                              \
        struct m80 r[2] = { { 0, 0, { 0 } }, { 0, 0, { 0 } } };                                    \
                                                                                                   \
        __asm__ volatile("fninit\n\tfldt %2\n\t" code "\n\tfstpt %0\n\tfstpt %1\n\tfninit"          \
                         : "=m"(r[0]), "=m"(r[1])                                                  \
                         : "m"(x));                                                                \
        return state_hash_bytes(sum, r, sizeof(r));                                                \
    }
#define TWO(name, code)                                                                            \
    static u64 name(u64 sum, struct m80 x, struct m80 y)                                           \
    {                                                                                              \
        struct m80 r = { 0, 0, { 0 } };                                                            \
                                                                                                   \
        __asm__ volatile("fninit\n\tfldt %2\n\tfldt %1\n\t" code "\n\tfstpt %0\n\tfninit"          \
                         : "=m"(r)                                                                 \
                         : "m"(x), "m"(y));                                                        \
        return state_hash_bytes(sum, &r, sizeof(r));                                               \
    }
ONE(sine, "fsin\n\tfldz")
ONE(cosine, "fcos\n\tfldz")
ONE(both, "fsincos")
ONE(tangent, "fptan")
ONE(power, "f2xm1\n\tfldz")
TWO(logarithm, "fyl2x")
TWO(logarithm_1, "fyl2xp1")
TWO(arc_tangent, "fpatan")

static u64 x87_digest(u64 sum)
{
    u64 mant = 0x9e3779b97f4a7c15;

    for (int i = 0; i < 256; i++) {
        struct m80 y;

        mant = mant * 0x5851f42d4c957f2d + 0x14057b7ef767814f;
        y = number(mant ^ mant << 13, i % 7 - 3, i & 2);
        sum = sine(sum, number(mant, i % 48 - 8, i & 1));
        sum = cosine(sum, number(mant, i % 48 - 8, i & 1));
        sum = both(sum, number(mant, i % 24 - 8, i & 1));
        sum = tangent(sum, number(mant, i % 24 - 8, i & 1));
        sum = power(sum, number(mant, -1 - i % 20, i & 1));
        sum = logarithm(sum, number(mant, i % 64 - 32, false), y);
        sum = logarithm_1(sum, number(mant, -3 - i % 20, i & 1), y);
        sum = arc_tangent(sum, number(mant, i % 20 - 10, i & 1), y);
    }
    return sum;
}

u64 silicon_approximations(void)
{
    return x87_digest(sse_digest(0));
}
