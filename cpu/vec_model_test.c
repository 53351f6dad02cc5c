/*
 * Integer and permutation rows of MMX and SSE against plain C models, each written from the manual's
 * page ("Operation"), not from what the host does. AES: the standard's example.
 */
#include "cpu/test_rig.h"

/* d: the first operand, in and out; s: the second; n: 8 or 16 bytes. */
typedef void model_fn(u8 *d, const u8 *s, unsigned n, unsigned imm);

static i64 sat(i64 v, i64 lo, i64 hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}
static i64 sat8(i64 v) { return sat(v, -128, 127); }
static i64 satu8(i64 v) { return sat(v, 0, 255); }
static i64 sat16(i64 v) { return sat(v, -32768, 32767); }
static i64 satu16(i64 v) { return sat(v, 0, 65535); }
static i64 magnitude(i64 v) { return v < 0 ? -v : v; }

static u64 get(const u8 *p, unsigned i, unsigned size) { return load_le(p + i * size, size); }
static i64 gets_(const u8 *p, unsigned i, unsigned size)
{
    unsigned shift = 64 - 8 * size;
    return (i64)(get(p, i, size) << shift) >> shift;
}
static void put(u8 *p, unsigned i, unsigned size, u64 v) { store_le(p + i * size, v, size); }

/* Element by element: a and b signed, ua and ub not. */
#define EACH(name, size, expr)                                                                     \
    static void name(u8 *d, const u8 *s, unsigned n, unsigned imm)                                 \
    {                                                                                              \
        (void)imm;                                                                                 \
        for (unsigned i = 0; i < n / (size); i++) {                                                \
            i64 a = gets_(d, i, size), b = gets_(s, i, size);                                      \
            u64 ua = get(d, i, size), ub = get(s, i, size);                                        \
            (void)a, (void)b, (void)ua, (void)ub;                                                  \
            put(d, i, size, (u64)(expr));                                                          \
        }                                                                                          \
    }
EACH(paddb, 1, ua + ub) EACH(paddw, 2, ua + ub) EACH(paddd, 4, ua + ub) EACH(paddq, 8, ua + ub)
EACH(psubb, 1, ua - ub) EACH(psubw, 2, ua - ub) EACH(psubd, 4, ua - ub) EACH(psubq, 8, ua - ub)
EACH(paddsb, 1, sat8(a + b)) EACH(paddsw, 2, sat16(a + b))
EACH(psubsb, 1, sat8(a - b)) EACH(psubsw, 2, sat16(a - b))
EACH(paddusb, 1, satu8((i64)(ua + ub))) EACH(paddusw, 2, satu16((i64)(ua + ub)))
EACH(psubusb, 1, satu8((i64)ua - (i64)ub)) EACH(psubusw, 2, satu16((i64)ua - (i64)ub))
EACH(pmullw, 2, a * b) EACH(pmulhw, 2, a * b >> 16) EACH(pmulhuw, 2, ua * ub >> 16)
EACH(pmulhrsw, 2, ((a * b >> 14) + 1) >> 1) EACH(pmulld, 4, a * b)
EACH(pavgb, 1, (ua + ub + 1) >> 1) EACH(pavgw, 2, (ua + ub + 1) >> 1)
EACH(pminub, 1, ua < ub ? ua : ub) EACH(pmaxub, 1, ua > ub ? ua : ub)
EACH(pminuw, 2, ua < ub ? ua : ub) EACH(pmaxuw, 2, ua > ub ? ua : ub)
EACH(pminud, 4, ua < ub ? ua : ub) EACH(pmaxud, 4, ua > ub ? ua : ub)
EACH(pminsb, 1, a < b ? a : b) EACH(pmaxsb, 1, a > b ? a : b)
EACH(pminsw, 2, a < b ? a : b) EACH(pmaxsw, 2, a > b ? a : b)
EACH(pminsd, 4, a < b ? a : b) EACH(pmaxsd, 4, a > b ? a : b)
EACH(pcmpeqb, 1, -(i64)(a == b)) EACH(pcmpeqw, 2, -(i64)(a == b))
EACH(pcmpeqd, 4, -(i64)(a == b)) EACH(pcmpeqq, 8, -(i64)(a == b))
EACH(pcmpgtb, 1, -(i64)(a > b)) EACH(pcmpgtw, 2, -(i64)(a > b))
EACH(pcmpgtd, 4, -(i64)(a > b)) EACH(pcmpgtq, 8, -(i64)(a > b))
EACH(pand, 8, ua & ub) EACH(pandn, 8, ~ua & ub) EACH(por, 8, ua | ub) EACH(pxor, 8, ua ^ ub)
EACH(pabsb, 1, magnitude(b)) EACH(pabsw, 2, magnitude(b)) EACH(pabsd, 4, magnitude(b))
EACH(psignb, 1, b < 0 ? -a : b ? a : 0) EACH(psignw, 2, b < 0 ? -a : b ? a : 0)
EACH(psignd, 4, b < 0 ? -a : b ? a : 0)
EACH(pmuludq, 8, (ua & 0xffffffff) * (ub & 0xffffffff))
EACH(pmuldq, 8, (i64)(i32)ua * (i32)ub)
EACH(blendps, 4, imm >> i & 1 ? ub : ua) EACH(blendpd, 8, imm >> i & 1 ? ub : ua)
EACH(pblendw, 2, imm >> i & 1 ? ub : ua)
#undef EACH

/* Shifts of all elements by one count: the second operand's low 64 bits, or the immediate. */
#define SHIFT(name, size, expr, beyond)                                                            \
    static void name(u8 *d, const u8 *s, unsigned n, unsigned imm)                                 \
    {                                                                                              \
        u64 k = s ? get(s, 0, 8) : imm;                                                            \
        for (unsigned i = 0; i < n / (size); i++) {                                                \
            i64 a = gets_(d, i, size);                                                             \
            u64 ua = get(d, i, size);                                                              \
            (void)a, (void)ua;                                                                     \
            put(d, i, size, (u64)(k < 8 * (size) ? (expr) : (beyond)));                            \
        }                                                                                          \
    }
SHIFT(psllw, 2, ua << k, 0) SHIFT(pslld, 4, ua << k, 0) SHIFT(psllq, 8, ua << k, 0)
SHIFT(psrlw, 2, ua >> k, 0) SHIFT(psrld, 4, ua >> k, 0) SHIFT(psrlq, 8, ua >> k, 0)
SHIFT(psraw, 2, a >> k, a >> 15) SHIFT(psrad, 4, a >> k, a >> 31)
#undef SHIFT

/* Whole-register operations, which see copies of the old operands: a and b. */
#define WHOLE(name)                                                                                \
    static void name##_of(u8 *d, const u8 *a, const u8 *b, unsigned n, unsigned imm);              \
    static void name(u8 *d, const u8 *s, unsigned n, unsigned imm)                                 \
    {                                                                                              \
        u8 a[16], b[16] = { 0 };                                                                   \
        memcpy(a, d, 16);                                                                          \
        if (s)                                                                                     \
            memcpy(b, s, 16);                                                                      \
        name##_of(d, a, b, n, imm);                                                                \
    }                                                                                              \
    static void name##_of(u8 *d, const u8 *a, const u8 *b, unsigned n, unsigned imm)
#define UNUSED (void)a, (void)b, (void)n, (void)imm

static void unpack(u8 *d, const u8 *a, const u8 *b, unsigned n, unsigned size, unsigned from)
{
    for (unsigned i = 0; i < n / size / 2; i++) {
        put(d, 2 * i, size, get(a + from, i, size));
        put(d, 2 * i + 1, size, get(b + from, i, size));
    }
}
WHOLE(punpcklbw) { UNUSED; unpack(d, a, b, n, 1, 0); }
WHOLE(punpcklwd) { UNUSED; unpack(d, a, b, n, 2, 0); }
WHOLE(punpckldq) { UNUSED; unpack(d, a, b, n, 4, 0); }
WHOLE(punpcklqdq) { UNUSED; unpack(d, a, b, n, 8, 0); }
WHOLE(punpckhbw) { UNUSED; unpack(d, a, b, n, 1, n / 2); }
WHOLE(punpckhwd) { UNUSED; unpack(d, a, b, n, 2, n / 2); }
WHOLE(punpckhdq) { UNUSED; unpack(d, a, b, n, 4, n / 2); }
WHOLE(punpckhqdq) { UNUSED; unpack(d, a, b, n, 8, n / 2); }

static void pack(u8 *d, const u8 *a, const u8 *b, unsigned n, unsigned size, i64 (*limit)(i64))
{
    for (unsigned i = 0; i < n / size; i++) {
        put(d, i, size / 2, (u64)limit(gets_(a, i, size)));
        put(d + n / 2, i, size / 2, (u64)limit(gets_(b, i, size)));
    }
}
WHOLE(packsswb) { UNUSED; pack(d, a, b, n, 2, sat8); }
WHOLE(packuswb) { UNUSED; pack(d, a, b, n, 2, satu8); }
WHOLE(packssdw) { UNUSED; pack(d, a, b, n, 4, sat16); }
WHOLE(packusdw) { UNUSED; pack(d, a, b, n, 4, satu16); }

WHOLE(pmaddwd)
{
    UNUSED;
    for (unsigned i = 0; i < n / 4; i++)
        put(d, i, 4, (u64)(gets_(a, 2 * i, 2) * gets_(b, 2 * i, 2) + gets_(a, 2 * i + 1, 2) * gets_(b, 2 * i + 1, 2)));
}
WHOLE(pmaddubsw)
{
    UNUSED;
    for (unsigned i = 0; i < n / 2; i++)
        put(d, i, 2, (u64)sat16((i64)get(a, 2 * i, 1) * gets_(b, 2 * i, 1) +
                                (i64)get(a, 2 * i + 1, 1) * gets_(b, 2 * i + 1, 1)));
}
WHOLE(psadbw)
{
    UNUSED;
    for (unsigned q = 0; q < n / 8; q++) {
        u64 sum = 0;
        for (unsigned i = 8 * q; i < 8 * q + 8; i++)
            sum += (u64)magnitude((i64)a[i] - b[i]);
        put(d, q, 8, sum);
    }
}
static void horizontal(u8 *d, const u8 *a, const u8 *b, unsigned n, unsigned size, int sign, i64 (*limit)(i64))
{
    for (unsigned i = 0; i < n / size; i++) {
        const u8 *from = i < n / size / 2 ? a : b;
        unsigned j = 2 * i % (n / size);
        i64 v = gets_(from, j, size) + sign * gets_(from, j + 1, size);
        put(d, i, size, (u64)(limit ? limit(v) : v));
    }
}
WHOLE(phaddw) { UNUSED; horizontal(d, a, b, n, 2, 1, NULL); }
WHOLE(phaddd) { UNUSED; horizontal(d, a, b, n, 4, 1, NULL); }
WHOLE(phaddsw) { UNUSED; horizontal(d, a, b, n, 2, 1, sat16); }
WHOLE(phsubw) { UNUSED; horizontal(d, a, b, n, 2, -1, NULL); }
WHOLE(phsubd) { UNUSED; horizontal(d, a, b, n, 4, -1, NULL); }
WHOLE(phsubsw) { UNUSED; horizontal(d, a, b, n, 2, -1, sat16); }
WHOLE(pshufb)
{
    UNUSED;
    for (unsigned i = 0; i < n; i++)
        d[i] = b[i] & 0x80 ? 0 : a[b[i] & (n - 1)];
}
WHOLE(palignr)
{
    UNUSED;
    for (unsigned i = 0; i < n; i++) {
        unsigned k = i + imm;
        d[i] = k < n ? b[k] : k < 2 * n ? a[k - n] : 0;
    }
}
WHOLE(pshufd) { UNUSED; for (unsigned i = 0; i < 4; i++) put(d, i, 4, get(b, imm >> 2 * i & 3, 4)); }
WHOLE(pshufw) { UNUSED; for (unsigned i = 0; i < 4; i++) put(d, i, 2, get(b, imm >> 2 * i & 3, 2)); }
WHOLE(pshuflw)
{
    UNUSED;
    memcpy(d, b, 16);
    for (unsigned i = 0; i < 4; i++)
        put(d, i, 2, get(b, imm >> 2 * i & 3, 2));
}
WHOLE(pshufhw)
{
    UNUSED;
    memcpy(d, b, 16);
    for (unsigned i = 0; i < 4; i++)
        put(d, 4 + i, 2, get(b, 4 + (imm >> 2 * i & 3), 2));
}
WHOLE(shufps)
{
    UNUSED;
    for (unsigned i = 0; i < 4; i++)
        put(d, i, 4, get(i < 2 ? a : b, imm >> 2 * i & 3, 4));
}
WHOLE(shufpd) { UNUSED; put(d, 0, 8, get(a, imm & 1, 8)); put(d, 1, 8, get(b, imm >> 1 & 1, 8)); }
WHOLE(psrldq) { UNUSED; for (unsigned i = 0; i < 16; i++) d[i] = i + imm < 16 ? a[i + imm] : 0; }
WHOLE(pslldq) { UNUSED; for (unsigned i = 0; i < 16; i++) d[i] = i >= imm ? a[i - imm] : 0; }
WHOLE(movddup) { UNUSED; put(d, 0, 8, get(b, 0, 8)); put(d, 1, 8, get(b, 0, 8)); }
WHOLE(movsldup) { UNUSED; for (unsigned i = 0; i < 4; i++) put(d, i, 4, get(b, i & 2, 4)); }
WHOLE(movshdup) { UNUSED; for (unsigned i = 0; i < 4; i++) put(d, i, 4, get(b, i | 1, 4)); }
WHOLE(phminposuw)
{
    unsigned best = 0;
    UNUSED;
    for (unsigned i = 1; i < 8; i++)
        if (get(b, i, 2) < get(b, best, 2))
            best = i;
    put(d, 0, 8, get(b, best, 2) | (u64)best << 16);
    put(d, 1, 8, 0);
}
WHOLE(mpsadbw)
{
    UNUSED;
    for (unsigned i = 0; i < 8; i++) {
        u64 sum = 0;
        for (unsigned j = 0; j < 4; j++)
            sum += (u64)magnitude((i64)a[(imm >> 2 & 1) * 4 + i + j] - b[(imm & 3) * 4 + j]);
        put(d, i, 2, sum);
    }
}
WHOLE(insertps)
{
    UNUSED;
    put(d, imm >> 4 & 3, 4, get(b, imm >> 6 & 3, 4));
    for (unsigned i = 0; i < 4; i++)
        if (imm >> i & 1)
            put(d, i, 4, 0);
}
WHOLE(pclmulqdq)
{
    u64 x = get(a, imm & 1, 8), y = get(b, imm >> 4 & 1, 8), lo = 0, hi = 0;
    UNUSED;
    for (unsigned i = 0; i < 64; i++)
        if (y >> i & 1) {
            lo ^= x << i;
            hi ^= i ? x >> (64 - i) : 0;
        }
    put(d, 0, 8, lo);
    put(d, 1, 8, hi);
}
#define EXTEND(name, from, to, how)                                                                \
    WHOLE(name) { UNUSED; for (unsigned i = 0; i < 16 / (to); i++) put(d, i, to, (u64)how(b, i, from)); }
EXTEND(pmovsxbw, 1, 2, gets_) EXTEND(pmovsxbd, 1, 4, gets_) EXTEND(pmovsxbq, 1, 8, gets_)
EXTEND(pmovsxwd, 2, 4, gets_) EXTEND(pmovsxwq, 2, 8, gets_) EXTEND(pmovsxdq, 4, 8, gets_)
EXTEND(pmovzxbw, 1, 2, get) EXTEND(pmovzxbd, 1, 4, get) EXTEND(pmovzxbq, 1, 8, get)
EXTEND(pmovzxwd, 2, 4, get) EXTEND(pmovzxwq, 2, 8, get) EXTEND(pmovzxdq, 4, 8, get)

/* XMM0, set by run_model(), chooses. */
static u8 mask0[16];
static void blendv(u8 *d, const u8 *s, unsigned size)
{
    for (unsigned i = 0; i < 16 / size; i++)
        if (get(mask0, i, size) >> (8 * size - 1))
            put(d, i, size, get(s, i, size));
}
static void pblendvb(u8 *d, const u8 *s, unsigned n, unsigned imm) { (void)n, (void)imm; blendv(d, s, 1); }
static void blendvps(u8 *d, const u8 *s, unsigned n, unsigned imm) { (void)n, (void)imm; blendv(d, s, 4); }
static void blendvpd(u8 *d, const u8 *s, unsigned n, unsigned imm) { (void)n, (void)imm; blendv(d, s, 8); }

#define BOTH(ID, f) { ROW_##ID##_X, f }, { ROW_##ID##_M, f }
#define IMM(ID, f) { ROW_##ID##_UxIb, f }, { ROW_##ID##_NqIb, f }
static const struct {
    u16 row;
    model_fn *f;
} models[] = {
    BOTH(PADDB, paddb), BOTH(PADDW, paddw), BOTH(PADDD, paddd), BOTH(PADDQ, paddq), BOTH(PSUBB, psubb),
    BOTH(PSUBW, psubw), BOTH(PSUBD, psubd), BOTH(PSUBQ, psubq), BOTH(PADDSB, paddsb), BOTH(PADDSW, paddsw),
    BOTH(PSUBSB, psubsb), BOTH(PSUBSW, psubsw), BOTH(PADDUSB, paddusb), BOTH(PADDUSW, paddusw),
    BOTH(PSUBUSB, psubusb), BOTH(PSUBUSW, psubusw), BOTH(PMULLW, pmullw), BOTH(PMULHW, pmulhw),
    BOTH(PMULHUW, pmulhuw), BOTH(PMULHRSW, pmulhrsw), BOTH(PAVGB, pavgb), BOTH(PAVGW, pavgw),
    BOTH(PMINUB, pminub), BOTH(PMAXUB, pmaxub), BOTH(PMINSW, pminsw), BOTH(PMAXSW, pmaxsw),
    BOTH(PCMPEQB, pcmpeqb), BOTH(PCMPEQW, pcmpeqw), BOTH(PCMPEQD, pcmpeqd), BOTH(PCMPGTB, pcmpgtb),
    BOTH(PCMPGTW, pcmpgtw), BOTH(PCMPGTD, pcmpgtd), BOTH(PAND, pand), BOTH(PANDN, pandn), BOTH(POR, por),
    BOTH(PXOR, pxor), BOTH(PABSB, pabsb), BOTH(PABSW, pabsw), BOTH(PABSD, pabsd), BOTH(PSIGNB, psignb),
    BOTH(PSIGNW, psignw), BOTH(PSIGND, psignd), BOTH(PMULUDQ, pmuludq), BOTH(PSLLW, psllw),
    BOTH(PSLLD, pslld), BOTH(PSLLQ, psllq), BOTH(PSRLW, psrlw), BOTH(PSRLD, psrld), BOTH(PSRLQ, psrlq),
    BOTH(PSRAW, psraw), BOTH(PSRAD, psrad), IMM(PSLLW, psllw), IMM(PSLLD, pslld), IMM(PSLLQ, psllq),
    IMM(PSRLW, psrlw), IMM(PSRLD, psrld), IMM(PSRLQ, psrlq), IMM(PSRAW, psraw), IMM(PSRAD, psrad),
    BOTH(PUNPCKLBW, punpcklbw), BOTH(PUNPCKLWD, punpcklwd), BOTH(PUNPCKLDQ, punpckldq),
    BOTH(PUNPCKHBW, punpckhbw), BOTH(PUNPCKHWD, punpckhwd), BOTH(PUNPCKHDQ, punpckhdq),
    BOTH(PACKSSWB, packsswb), BOTH(PACKUSWB, packuswb), BOTH(PACKSSDW, packssdw), BOTH(PMADDWD, pmaddwd),
    BOTH(PMADDUBSW, pmaddubsw), BOTH(PSADBW, psadbw), BOTH(PHADDW, phaddw), BOTH(PHADDD, phaddd),
    BOTH(PHADDSW, phaddsw), BOTH(PHSUBW, phsubw), BOTH(PHSUBD, phsubd), BOTH(PHSUBSW, phsubsw),
    BOTH(PSHUFB, pshufb), BOTH(PALIGNR, palignr),
    { ROW_PSRLDQ_UxIb, psrldq }, { ROW_PSLLDQ_UxIb, pslldq }, { ROW_PUNPCKLQDQ, punpcklqdq },
    { ROW_PUNPCKHQDQ, punpckhqdq }, { ROW_PSHUFD, pshufd }, { ROW_PSHUFHW, pshufhw },
    { ROW_PSHUFLW, pshuflw }, { ROW_PSHUFW, pshufw }, { ROW_SHUFPS, shufps }, { ROW_SHUFPD, shufpd },
    { ROW_ANDPS, pand }, { ROW_ANDPD, pand }, { ROW_ANDNPS, pandn }, { ROW_ANDNPD, pandn },
    { ROW_ORPS, por }, { ROW_ORPD, por }, { ROW_XORPS, pxor }, { ROW_XORPD, pxor },
    { ROW_UNPCKLPS, punpckldq }, { ROW_UNPCKHPS, punpckhdq }, { ROW_UNPCKLPD, punpcklqdq },
    { ROW_UNPCKHPD, punpckhqdq }, { ROW_MOVDDUP, movddup }, { ROW_MOVSLDUP, movsldup },
    { ROW_MOVSHDUP, movshdup }, { ROW_PMULDQ, pmuldq }, { ROW_PCMPEQQ, pcmpeqq }, { ROW_PCMPGTQ, pcmpgtq },
    { ROW_PACKUSDW, packusdw }, { ROW_PMINSB, pminsb }, { ROW_PMINSD, pminsd }, { ROW_PMINUW, pminuw },
    { ROW_PMINUD, pminud }, { ROW_PMAXSB, pmaxsb }, { ROW_PMAXSD, pmaxsd }, { ROW_PMAXUW, pmaxuw },
    { ROW_PMAXUD, pmaxud }, { ROW_PMULLD, pmulld }, { ROW_PHMINPOSUW, phminposuw },
    { ROW_PMOVSXBW, pmovsxbw }, { ROW_PMOVSXBD, pmovsxbd }, { ROW_PMOVSXBQ, pmovsxbq },
    { ROW_PMOVSXWD, pmovsxwd }, { ROW_PMOVSXWQ, pmovsxwq }, { ROW_PMOVSXDQ, pmovsxdq },
    { ROW_PMOVZXBW, pmovzxbw }, { ROW_PMOVZXBD, pmovzxbd }, { ROW_PMOVZXBQ, pmovzxbq },
    { ROW_PMOVZXWD, pmovzxwd }, { ROW_PMOVZXWQ, pmovzxwq }, { ROW_PMOVZXDQ, pmovzxdq },
    { ROW_BLENDPS, blendps }, { ROW_BLENDPD, blendpd }, { ROW_PBLENDW, pblendw }, { ROW_MPSADBW, mpsadbw },
    { ROW_PBLENDVB, pblendvb }, { ROW_BLENDVPS, blendvps }, { ROW_BLENDVPD, blendvpd },
    { ROW_INSERTPS_VxUx, insertps }, { ROW_PCLMULQDQ, pclmulqdq },
};

/* ---- running ---- */

static u64 next(u64 *s)
{
    u64 z = (*s += 0x9e3779b97f4a7c15ull); /* splitmix64 */

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* Bytes on borders, small counts, noise. */
static void fill(u64 *seed, u8 out[16])
{
    static const u8 border[] = { 0, 1, 0x7f, 0x80, 0x81, 0xff };
    unsigned kind = (unsigned)(next(seed) % 4);

    for (unsigned i = 0; i < 16; i++)
        out[i] = (u8)(kind == 0 ? border[next(seed) % sizeof(border)] : next(seed));
    if (kind == 1) /* a shift count */
        store_le(out, next(seed) % 70, 8);
}

static struct test_rig *rig_vec(void)
{
    struct test_rig *r = rig_long(0, false);

    r->c.cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
    cpu_update_mode(&r->c);
    return r;
}

static void run_again(struct test_rig *r)
{
    r->c.rip = CODE;
    r->c.halted = HALT_NONE;
    assert_int_equal(rig_run(r, 20), STOP_HALT);
}

/* Registers 1 and 2 of the row's kind, and the immediate. */
static void put_row(struct test_rig *r, u16 row, u64 imm)
{
    const struct isa_row *d = &isa_rows[row];
    bool mmx = d->op[0].letter == OP_p || d->op[0].letter == OP_n;
    struct insn in = { .row = row, .adsz = 8, .seg = DS, .base = NO_REG, .index = NO_REG, .opsz = mmx ? 8 : 16,
                       .imm = imm };
    u8 code[16];
    int n;

    for (int i = 0; i < 2; i++) {
        in.kind[i] = d->op[i].letter == OP_I ? K_IMM : mmx ? K_MMX : K_XMM;
        in.reg[i] = (u8)(i + 1);
    }
    n = insn_encode(&in, r->c.mode, code);
    assert_true(n > 0);
    code[n] = 0xf4;
    put_code(r, code, (size_t)n + 1);
}

static void run_model(u16 row, model_fn *f, u64 *seed)
{
    const struct isa_row *d = &isa_rows[row];
    bool mmx = d->op[0].letter == OP_p || d->op[0].letter == OP_n, imm_source = d->op[1].letter == OP_I;
    bool has_imm = imm_source || d->op[2].letter == OP_I;
    unsigned n = mmx ? 8 : 16;
    struct test_rig *r = rig_vec();
    u64 imm = 0;

    put_row(r, row, 0);
    for (unsigned i = 0; i < 300; i++) {
        u8 a[16], b[16], got[16];

        if (has_imm && i % 4 == 0) {
            imm = next(seed) % (i % 8 ? 256 : 40);
            put_row(r, row, imm);
        }
        fill(seed, a);
        fill(seed, b);
        fill(seed, mask0);
        memcpy(&r->c.fpu.xmm[0], mask0, 16);
        memcpy(mmx ? (void *)&r->c.fpu.r[1].mant : &r->c.fpu.xmm[1], a, n);
        memcpy(mmx ? (void *)&r->c.fpu.r[2].mant : &r->c.fpu.xmm[2], b, n);
        run_again(r);
        f(a, imm_source ? NULL : b, n, (unsigned)imm);
        memcpy(got, mmx ? (void *)&r->c.fpu.r[1].mant : &r->c.fpu.xmm[1], n);
        if (memcmp(got, a, n)) {
            fprintf(stderr, "%s differs from its model\n", d->id);
            fail();
        }
    }
    rig_destroy(r);
}

static void rows_do_what_their_pages_say(void **state)
{
    u64 seed = 1;

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(models); i++)
        run_model(models[i].row, models[i].f, &seed);
}

/* FIPS 197, appendix B: the state after the first round; the last round of appendix C.1 is like it. */
static void aes_agrees_with_fips_197(void **state)
{
    static const u8 start[16] = { 0x19, 0x3d, 0xe3, 0xbe, 0xa0, 0xf4, 0xe2, 0x2b,
                                  0x9a, 0xc6, 0x8d, 0x2a, 0xe9, 0xf8, 0x48, 0x08 };
    static const u8 key[16] = { 0xa0, 0xfa, 0xfe, 0x17, 0x88, 0x54, 0x2c, 0xb1,
                                0x23, 0xa3, 0x39, 0x39, 0x2a, 0x6c, 0x76, 0x05 };
    static const u8 after[16] = { 0xa4, 0x9c, 0x7f, 0xf2, 0x68, 0x9f, 0x35, 0x2b,
                                  0x6b, 0x5b, 0xea, 0x43, 0x02, 0x6a, 0x50, 0x49 };
    struct test_rig *r = rig_vec();

    (void)state;
    put_row(r, ROW_AESENC, 0);
    memcpy(&r->c.fpu.xmm[1], start, 16);
    memcpy(&r->c.fpu.xmm[2], key, 16);
    run_again(r);
    assert_memory_equal(&r->c.fpu.xmm[1], after, 16);
    rig_destroy(r);
}

/* ---- rows with other results ---- */

static void masks_and_elements_reach_general_registers(void **state)
{
    struct test_rig *r = rig_vec();
    u64 seed = 2;

    (void)state;
    CODE_BYTES(r, 0x66, 0x0f, 0xd7, 0xc1,       /* pmovmskb eax, xmm1 */
               0x0f, 0x50, 0xc9,                /* movmskps ecx, xmm1 */
               0x66, 0x0f, 0x50, 0xd1,          /* movmskpd edx, xmm1 */
               0x66, 0x0f, 0xc5, 0xd9, 5,       /* pextrw ebx, xmm1, 5 */
               0x66, 0x0f, 0x3a, 0x14, 0xce, 11, /* pextrb esi, xmm1, 11 */
               0x66, 0x48, 0x0f, 0x3a, 0x16, 0xcf, 1, /* pextrq rdi, xmm1, 1 */
               0x66, 0x0f, 0x3a, 0x17, 0xcd, 2, /* extractps ebp, xmm1, 2 */
               0x66, 0x48, 0x0f, 0x3a, 0x22, 0xd7, 0, /* pinsrq xmm2, rdi, 0 */
               0x66, 0x0f, 0xc4, 0xd3, 7,       /* pinsrw xmm2, ebx, 7 */
               0x66, 0x0f, 0x3a, 0x20, 0xd6, 8, /* pinsrb xmm2, esi, 8 */
               0xf4);
    for (unsigned i = 0; i < 100; i++) {
        u8 a[16], b[16] = { 0 };
        u64 bytes = 0, singles = 0, doubles = 0;

        fill(&seed, a);
        memcpy(&r->c.fpu.xmm[1], a, 16);
        memset(&r->c.fpu.xmm[2], 0, 16);
        memset(r->c.gpr, 0xff, 8 * 8);
        run_again(r);
        for (unsigned k = 0; k < 16; k++)
            bytes |= (u64)(a[k] >> 7) << k;
        for (unsigned k = 0; k < 4; k++)
            singles |= (u64)(a[4 * k + 3] >> 7) << k;
        for (unsigned k = 0; k < 2; k++)
            doubles |= (u64)(a[8 * k + 7] >> 7) << k;
        assert_int_equal(r->c.gpr[RAX], bytes);
        assert_int_equal(r->c.gpr[RCX], singles);
        assert_int_equal(r->c.gpr[RDX], doubles);
        assert_int_equal(r->c.gpr[RBX], get(a, 5, 2));
        assert_int_equal(r->c.gpr[RSI], a[11]);
        assert_int_equal(r->c.gpr[RDI], get(a, 1, 8));
        assert_int_equal(r->c.gpr[RBP], get(a, 2, 4));
        put(b, 0, 8, get(a, 1, 8));
        put(b, 7, 2, get(a, 5, 2));
        b[8] = a[11];
        assert_memory_equal(&r->c.fpu.xmm[2], b, 16);
    }
    rig_destroy(r);
}

static void ptest_sets_zf_and_cf_alone(void **state)
{
    struct test_rig *r = rig_vec();
    u64 seed = 3;

    (void)state;
    put_row(r, ROW_PTEST, 0);
    for (unsigned i = 0; i < 100; i++) {
        u64 a0 = next(&seed) & next(&seed), a1 = next(&seed), b0, b1;

        b0 = i % 3 == 0 ? ~a0 & next(&seed) : i % 3 == 1 ? a0 & next(&seed) : next(&seed);
        b1 = i % 3 == 0 ? ~a1 & next(&seed) : i % 3 == 1 ? a1 & next(&seed) : next(&seed);
        r->c.fpu.xmm[1] = (struct xmm){ { a0, a1 } };
        r->c.fpu.xmm[2] = (struct xmm){ { b0, b1 } };
        cpu_set_flags(&r->c, F_ARITH | F_1);
        run_again(r);
        assert_int_equal(cpu_flags(&r->c) & F_ARITH, ((a0 & b0) | (a1 & b1) ? 0 : F_Z) |
                                                         ((~a0 & b0) | (~a1 & b1) ? 0 : F_C));
    }
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_do_what_their_pages_say),
        cmocka_unit_test(aes_agrees_with_fips_197),
        cmocka_unit_test(masks_and_elements_reach_general_registers),
        cmocka_unit_test(ptest_sets_zf_and_cf_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
