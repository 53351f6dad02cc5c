/*
 * Decoder and encoder are inverse, for every row of the table, in 16-, 32- and 64-bit code.
 *
 * Instructions are random bytes behind each row's opcode. What decodes must encode, in at most as
 * many bytes, to something that decodes to the same instruction.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "cpu/cpu.h"
#include <stdio.h>

enum { TRIES = 1500, ENOUGH = 20 };

static u64 next(u64 *s)
{
    u64 z = (*s += 0x9e3779b97f4a7c15ull); /* splitmix64 */

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static void make_bytes(const struct isa_row *r, unsigned code, u64 *s, u8 out[16])
{
    static const u8 prefix[] = { 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x36, 0x64 };
    unsigned map = r->opcode >> 8, n = 0;

    for (unsigned i = 0; i < 16; i += 8) {
        u64 v = next(s);
        memcpy(out + i, &v, 8);
    }
    if (r->attr & A_VEX) {
        out[n++] = 0xc4;
        out[n++] = (u8)((next(s) & 0xe0) | map);
        out[n++] = (u8)((next(s) & 0xf8) | (r->attr & A_66 ? 1 : r->attr & A_F3 ? 2 : r->attr & A_F2 ? 3 : 0));
        goto opcode;
    }
    for (u64 k = next(s); (k & 3) == 0 && n < 3; k >>= 2)
        out[n++] = prefix[next(s) % sizeof(prefix)];
    if (r->attr & A_66)
        out[n++] = 0x66;
    if (r->attr & (A_F3 | A_F2))
        out[n++] = r->attr & A_F3 ? 0xf3 : 0xf2;
    if (code == 8 && (next(s) & 1))
        out[n++] = 0x40 | (next(s) & 15);
    if (map != MAP_1)
        out[n++] = 0x0f;
    if (map == MAP_0F38 || map == MAP_0F3A)
        out[n++] = map == MAP_0F38 ? 0x38 : 0x3a;
opcode:
    out[n++] = (u8)(r->opcode | (r->attr & A_CC ? next(s) & 15 : r->attr & A_PLUSR ? next(s) & 7 : 0));
    if (r->reg >= 0)
        out[n] = (u8)((out[n] & 0xc7) | r->reg << 3);
    if (r->rm >= 0)
        out[n] = (u8)(0xc0 | r->reg << 3 | r->rm);
    else if (r->attr & A_ONLY3)
        out[n] |= 0xc0;
}

static void print_insn(const char *what, const u8 *bytes, int len)
{
    fprintf(stderr, "%s:", what);
    for (int i = 0; i < len; i++)
        fprintf(stderr, " %02x", bytes[i]);
    fprintf(stderr, "\n");
}

static void every_row_encodes_to_what_it_was_decoded_from(void **state)
{
    u64 seed = 1;

    (void)state;
    for (u16 row = 1; row < NR_ROWS; row++) {
        unsigned done = 0;

        for (unsigned i = 0; i < TRIES; i++) {
            unsigned code = 2u << (i % 3);
            u32 mode = (i % 3) | MODE_PE;
            struct insn in, again;
            u8 bytes[16], out[15] = { 0 };
            int len;

            make_bytes(&isa_rows[row], code, &seed, bytes);
            if (insn_decode(&in, bytes, 15, mode) != DECODE_OK || in.row != row)
                continue;
            len = insn_encode(&in, mode, out);
            if (len <= 0 || len > in.len || insn_decode(&again, out, (unsigned)len, mode) != DECODE_OK) {
                fprintf(stderr, "%s, %u-bit: no encoding (%d)\n", isa_rows[row].id, 8 * code, len);
                print_insn("bytes", bytes, in.len);
                print_insn("encoded", out, len);
                fail();
            }
            again.len = in.len;
            if (memcmp(&in, &again, sizeof(in))) {
                fprintf(stderr, "%s, %u-bit: encodes to another instruction\n", isa_rows[row].id, 8 * code);
                print_insn("bytes", bytes, in.len);
                print_insn("encoded", out, len);
                fail();
            }
            done++;
        }
        if (done < ENOUGH)
            fprintf(stderr, "%s: only %u round trips\n", isa_rows[row].id, done);
        assert_true(done >= ENOUGH);
    }
}

/* The index is complete: each row is found under its own opcode, and isa_gen has refused rows
 * that overlap, so it is found alone. */
static void lengths_stop_at_fifteen(void **state)
{
    u8 bytes[16];
    struct insn in;

    (void)state;
    memset(bytes, 0x2e, sizeof(bytes));
    bytes[14] = 0x90;
    assert_int_equal(insn_decode(&in, bytes, 15, MODE_CODE32 | MODE_PE), DECODE_OK);
    assert_int_equal(in.len, 15);
    bytes[14] = 0x2e;
    bytes[15] = 0x90;
    assert_int_equal(insn_decode(&in, bytes, 16, MODE_CODE32 | MODE_PE), DECODE_TOO_LONG);
    assert_int_equal(insn_decode(&in, bytes, 14, MODE_CODE32 | MODE_PE), DECODE_MORE);
}

static void a_shorter_string_asks_for_more(void **state)
{
    static const u8 code[] = { 0x66, 0x81, 0x84, 0x24, 1, 2, 3, 4, 5, 6 }; /* add word [esp+d32], i16 */
    struct insn in;

    (void)state;
    for (unsigned n = 0; n < sizeof(code); n++)
        assert_int_equal(insn_decode(&in, code, n, MODE_CODE32 | MODE_PE), DECODE_MORE);
    assert_int_equal(insn_decode(&in, code, sizeof(code), MODE_CODE32 | MODE_PE), DECODE_OK);
    assert_int_equal(in.len, sizeof(code));
}

/* SDM 2A 2.2.1: a REX that is not right before the opcode means nothing. */
static void a_rex_before_a_prefix_is_ignored(void **state)
{
    static const u8 code[] = { 0x48, 0x66, 0x89, 0xc8 }; /* mov ax, cx */
    struct insn in;

    (void)state;
    assert_int_equal(insn_decode(&in, code, sizeof(code), MODE_CODE64 | MODE_PE), DECODE_OK);
    assert_int_equal(in.opsz, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_encodes_to_what_it_was_decoded_from),
        cmocka_unit_test(lengths_stop_at_fifteen),
        cmocka_unit_test(a_shorter_string_asks_for_more),
        cmocka_unit_test(a_rex_before_a_prefix_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
