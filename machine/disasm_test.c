/*
 * The cache must not change what is said: texts at other addresses, in other modes, and the
 * targets of branches, which the manual defines (SDM 2A CALL, JMP, Jcc; 2B LOOP).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "machine/disasm.h"

static void texts_and_targets(void **state)
{
    static const struct {
        unsigned bits;
        u64 rip;
        u8 bytes[15], len;
        const char *text;
    } cases[] = {
        {16, 0x7c00, {0xeb, 0xfe}, 2, "jmp 0x7c00"},
        {16, 0x1000, {0xeb, 0xfe}, 2, "jmp 0x1000"}, /* the same bytes elsewhere */
        {16, 0x0000, {0xeb, 0xfd}, 2, "jmp 0xffff"}, /* wraps at 64 KiB */
        {16, 0xfff0, {0xe9, 0x20, 0x00}, 3, "jmp 0x13"},
        {16, 0x8000, {0x66, 0xe8, 0x00, 0x00, 0x01, 0x00}, 6, "call 0x18006"},
        {16, 0x7c00, {0xe2, 0xee}, 2, "loop 0x7bf0"},
        {16, 0x7c00, {0x74, 0x10}, 2, "je 0x7c12"},
        {16, 0x7c00, {0x0f, 0x85, 0x36, 0xf0}, 4, "jne 0x6c3a"},
        {32, 0xc0100000, {0xe8, 0xfb, 0xff, 0xff, 0xff}, 5, "call 0xc0100000"},
        {32, 0xfffffff0, {0xe9, 0x20, 0x00, 0x00, 0x00}, 5, "jmp 0x15"},
        {64, 0xffffffff80000000, {0xe8, 0xfb, 0xff, 0xff, 0xff}, 5, "call 0xffffffff80000000"},
        {64, 0x400000, {0x0f, 0x8c, 0x00, 0x10, 0x00, 0x00}, 6, "jl 0x401006"},
        {64, 0x400000, {0x75, 0x80}, 2, "jne 0x3fff82"},
        {16, 0, {0x40}, 1, "inc ax"},
        {32, 0, {0x40}, 1, "inc eax"}, /* the same byte in another mode */
        {64, 0, {0x48, 0x89, 0xd8}, 3, "mov rax, rbx"},
        {32, 0, {0x48, 0x89, 0xd8}, 1, "dec eax"},
        {64, 0, {0x8b, 0x05, 0x10, 0x00, 0x00, 0x00}, 6, "mov eax, dword ptr [rip + 0x10]"},
        {16, 0, {0xea, 0x5b, 0xe0, 0x00, 0xf0}, 5, "ljmp 0xf000:0xe05b"},
        {32, 0, {0x6a, 0x10}, 2, "push 0x10"}, /* an immediate is no target */
        {64, 0, {0x0f, 0x04}, 0, "(bad)"},
        {64, 0, {0x48}, 0, "(bad)"},
    };
    struct disasm *d = disasm_create();

    (void)state;
    assert_non_null(d);
    for (unsigned pass = 0; pass < 2; pass++) /* the second from the cache */
        for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
            unsigned avail = cases[i].len ? 15 : 2 - (cases[i].bytes[1] == 0);
            struct disasm_insn in =
                disasm_at(d, cases[i].bytes, avail, cases[i].bits, cases[i].rip);

            assert_string_equal(in.text, cases[i].text);
            assert_int_equal(in.len, cases[i].len);
            assert_int_equal(in.text_len, strlen(in.text));
        }
    disasm_destroy(d);
}

static void names_tell_the_feature(void **state)
{
    static const u8 addpd[] = {0x66, 0x0f, 0x58, 0xc1}, fninit[] = {0xdb, 0xe3}, bad[] = {0xff};
    struct disasm *d = disasm_create();
    char mnemonic[32], feature[32];

    (void)state;
    assert_true(disasm_name(d, addpd, sizeof(addpd), 64, mnemonic, feature));
    assert_string_equal(mnemonic, "addpd");
    assert_string_equal(feature, "sse2");
    assert_true(disasm_name(d, fninit, sizeof(fninit), 16, mnemonic, feature));
    assert_string_equal(mnemonic, "fninit");
    assert_string_equal(feature, "fpu");
    assert_false(disasm_name(d, bad, sizeof(bad), 32, mnemonic, feature));
    disasm_destroy(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_and_targets),
        cmocka_unit_test(names_tell_the_feature),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
