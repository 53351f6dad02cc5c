/*
 * Decoder and encoder on any bytes, in 16-, 32- and 64-bit code, with and without protected mode:
 * nothing beyond the bytes is read, a length is never more than what is there or 15, and what
 * decodes encodes to something that decodes to the same.
 *
 * An input is a byte for the mode, and code that is decoded from each of its bytes on.
 */
#include "cpu/cpu.h"
#include "cpu/forms.h"
#include "tests/fuzz/fuzz.h"

static void one(const u8 *bytes, size_t avail, u32 mode)
{
    unsigned n = avail > 15 ? 15 : (unsigned)avail;
    struct insn in, again;
    u8 room[15], out[15], *exact = room + sizeof(room) - n; /* a read beyond it is seen */
    enum decode_status status;
    char name[32];
    int len;

    memcpy(exact, bytes, n);
    status = insn_decode(&in, exact, n, mode);
    FUZZ_CHECK(in.row < NR_ROWS);
    FUZZ_CHECK(status != DECODE_MORE || n < 15);
    if (status != DECODE_OK)
        return;
    FUZZ_CHECK(in.len && in.len <= n);
    FUZZ_CHECK(form_of(&in));
    isa_mnemonic(&in, name, sizeof(name));
    len = insn_encode(&in, mode, out);
    FUZZ_CHECK(len > 0 && len <= in.len);
    FUZZ_CHECK(insn_decode(&again, out, (unsigned)len, mode) == DECODE_OK);
    again.len = in.len;
    FUZZ_CHECK(!memcmp(&in, &again, sizeof(in)));
}

static u64 run(const u8 *bytes, size_t len)
{
    static const u32 modes[] = { MODE_CODE16, MODE_CODE16 | MODE_PE, MODE_CODE32 | MODE_PE,
                                 MODE_CODE64 | MODE_PE, MODE_CODE16 | MODE_PE | MODE_VM };

    if (!len)
        return 0;
    for (size_t i = 1; i < len; i++)
        one(bytes + i, len - i, modes[bytes[0] % ARRAY_LEN(modes)]);
    return len - 1;
}

static size_t make(u64 *rng, u8 *out)
{
    static const u8 prefix[] = { 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65, 0x48 };
    size_t len = 1 + fuzz_below(rng, 63);

    fuzz_fill(rng, out, len);
    for (size_t i = 1; i + 4 < len; i += 1 + fuzz_below(rng, 12)) {
        const struct isa_row *row = &isa_rows[1 + fuzz_below(rng, NR_ROWS - 1)];

        if (fuzz_below(rng, 2))
            out[i++] = prefix[fuzz_below(rng, sizeof(prefix))];
        if (row->opcode >> 8 != MAP_1)
            out[i++] = 0x0f;
        if (row->opcode >> 8 == MAP_0F38 || row->opcode >> 8 == MAP_0F3A)
            out[i++] = row->opcode >> 8 == MAP_0F38 ? 0x38 : 0x3a;
        out[i] = (u8)row->opcode;
    }
    return len;
}

const struct fuzz_target fuzz_target = { "decode", "decodings", 64, NULL, run, make };
