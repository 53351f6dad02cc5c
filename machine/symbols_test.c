/*
 * Symbols of this very program, which the linker and the compiler know too: differences of
 * addresses must be those of the running functions, whatever the program was linked to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "machine/symbols.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Assembly without sizes, in a section of its own: a label reaches to the next or to the end. */
__asm__(".pushsection .text.labels, \"ax\", @progbits\n"
        "label_one: nop; nop; nop\n"
        "label_two: nop; nop\n"
        ".popsection\n"
        ".pushsection .data\n"
        "not_code: .long 0\n"
        ".popsection\n");

__attribute__((noinline, used)) int a_function(int x)
{
    return x * 3;
}

static const char *const self[] = {"/proc/self/exe"};

static struct symbols *load_self(void)
{
    char err[200] = "";
    struct symbols *s = symbols_load(self, 1, err, sizeof(err));

    assert_string_equal(err, "");
    assert_non_null(s);
    return s;
}

int main(void);

static void functions_have_the_addresses_that_they_run_at(void **state)
{
    struct symbols *s = load_self();
    u64 f, m, len, offset;

    (void)state;
    assert_true(symbols_value(s, "a_function", &f, &len));
    assert_true(symbols_value(s, "main", &m, &len));
    assert_int_equal(f - m, (uintptr_t)a_function - (uintptr_t)main);
    assert_string_equal(symbols_at(s, m, &offset), "main");
    assert_int_equal(offset, 0);
    assert_string_equal(symbols_at(s, m + len - 1, &offset), "main");
    assert_int_equal(offset, len - 1);
    assert_true(symbols_value(s, "main+0x4", &f, &len));
    assert_int_equal(f, m + 4);
    symbols_free(s);
}

static void labels_reach_to_the_next(void **state)
{
    struct symbols *s = load_self();
    u64 one, two, len, offset;

    (void)state;
    assert_true(symbols_value(s, "label_one", &one, &len));
    assert_int_equal(len, 3);
    assert_true(symbols_value(s, "label_two", &two, &len));
    assert_int_equal(two - one, 3);
    assert_string_equal(symbols_at(s, one + 2, &offset), "label_one");
    assert_string_equal(symbols_at(s, two + 1, &offset), "label_two");
    assert_false(symbols_value(s, "not_code", &one, &len));
    assert_false(symbols_value(s, "main+x", &one, &len));
    assert_false(symbols_value(s, "mai", &one, &len));
    assert_null(symbols_at(s, UINT64_MAX, &offset));
    symbols_free(s);
}

static void unusable_files_are_refused_by_name(void **state)
{
    static const struct {
        const char *content, *says;
    } cases[] = {
        {NULL, "cannot read"},
        {"", "not an ELF file"},
        {"#!/bin/sh\n", "not an ELF file"},
        {"\177ELF", "ELF"},
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        char path[] = "/tmp/kiln_symbols_XXXXXX", err[200] = "";
        const char *paths[] = {path};
        int fd = mkstemp(path);

        assert_true(fd >= 0);
        if (cases[i].content)
            assert_int_equal(write(fd, cases[i].content, strlen(cases[i].content)),
                             strlen(cases[i].content));
        else
            unlink(path);
        close(fd);
        assert_null(symbols_load(paths, 1, err, sizeof(err)));
        assert_non_null(strstr(err, path));
        assert_non_null(strstr(err, cases[i].says));
        unlink(path);
    }
}

static void no_files_are_no_symbols(void **state)
{
    char err[200] = "";
    struct symbols *s = symbols_load(NULL, 0, err, sizeof(err));
    u64 offset;

    (void)state;
    assert_non_null(s);
    assert_null(symbols_at(s, 0, &offset));
    symbols_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_have_the_addresses_that_they_run_at),
        cmocka_unit_test(labels_reach_to_the_next),
        cmocka_unit_test(unusable_files_are_refused_by_name),
        cmocka_unit_test(no_files_are_no_symbols),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
