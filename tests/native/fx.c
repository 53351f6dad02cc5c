/*
 * The x87, MMX and SSE state of a case: an FXSAVE image (SDM 1, 10.5.1, table 10-2), as the host's
 * signal frames carry it. Written apart from the interpreter's FXSAVE.
 */
#include "tests/native/rig.h"

static unsigned top_of(u64 sw)
{
    return bits(sw, 13, 11);
}

void fx_load(struct fpu *f, const u8 fx[FX_BYTES])
{
    *f = (struct fpu){ .cw = (u16)load_le(fx + FX_CW, 2), .sw = (u16)load_le(fx + FX_SW, 2),
                       .valid = fx[FX_TAGS], .mxcsr = (u32)load_le(fx + FX_MXCSR, 4) };
    for (unsigned i = 0; i < 8; i++) {
        struct st *st = &f->r[(top_of(f->sw) + i) & 7];

        st->mant = load_le(fx + FX_ST + 16 * i, 8);
        st->exp = (u16)load_le(fx + FX_ST + 16 * i + 8, 2);
    }
    memcpy(f->xmm, fx + FX_XMM, sizeof(f->xmm));
}

void fx_save(const struct fpu *f, u8 fx[FX_BYTES])
{
    memset(fx, 0, FX_BYTES);
    store_le(fx + FX_CW, f->cw, 2);
    store_le(fx + FX_SW, f->sw, 2);
    fx[FX_TAGS] = f->valid;
    store_le(fx + FX_MXCSR, f->mxcsr, 4);
    for (unsigned i = 0; i < 8; i++) {
        const struct st *st = &f->r[(top_of(f->sw) + i) & 7];

        store_le(fx + FX_ST + 16 * i, st->mant, 8);
        store_le(fx + FX_ST + 16 * i + 8, st->exp, 2);
    }
    memcpy(fx + FX_XMM, f->xmm, sizeof(f->xmm));
}
