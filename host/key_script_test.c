/*
 * Key scripts: which scan codes a text becomes, and that typing waits for the keyboard.
 */
#include "host/key_script.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static char typed[1024];
static bool keyboard_ready, text_there;

static bool ready(void *h)
{
    (void)h;
    return keyboard_ready;
}

static void key(void *h, u16 code, bool down)
{
    (void)h;
    size_t n = strlen(typed);
    snprintf(typed + n, sizeof(typed) - n, "%c%x ", down ? '+' : '-', code);
}

static bool on_text(void *h, const char *text)
{
    (void)h, (void)text;
    return text_there;
}

static const struct key_target target = {ready, key, on_text, on_text, NULL};

/* Runs the script to its end, or for a minute of virtual time. Returns when it ended. */
static u64 type(const char *text)
{
    char err[KEY_SCRIPT_ERR_LEN];
    struct key_script *s = key_script_parse(text, err);
    u64 now = 0;
    typed[0] = 0;
    assert_non_null(s);
    while (key_script_next_ns(s) < 60000000000ull) {
        assert_true(key_script_next_ns(s) > now);
        now = key_script_next_ns(s);
        key_script_run(s, now, &target);
    }
    key_script_free(s);
    return now;
}

static void codes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *codes;
    } cases[] = {
        {"a", "+1e -1e "},
        {"A", "+2a +1e -1e -2a "},
        {"1!", "+2 -2 +2a +2 -2 -2a "},
        {"\\n\\t\\e", "+1c -1c +f -f +1 -1 "},
        {"{F1}{f12}", "+3b -3b +58 -58 "},
        {"{up}", "+e048 -e048 "},
        {"{ctrl-alt-del}", "+1d +38 +e053 -e053 -38 -1d "},
        {"{ctrl-c}", "+1d +2e -2e -1d "},
        {"{ctrl--}", "+1d +c -c -1d "},
        {"\\{}", "+2a +1a -1a -2a +2a +1b -1b -2a "},
        {"\\\\|", "+2b -2b +2a +2b -2b -2a "},
        {"/?", "+35 -35 +2a +35 -35 -2a "},
        {"z`~", "+2c -2c +29 -29 +2a +29 -29 -2a "},
    };
    keyboard_ready = text_there = true;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        type(cases[i].text);
        assert_string_equal(typed, cases[i].codes);
    }
}

static void waits(void **state)
{
    (void)state;
    keyboard_ready = text_there = true;
    u64 plain = type("ab"), longer = type("a{wait:2.5}b");
    assert_int_equal(longer - plain, 2500000000ull);
    text_there = false;
    type("a{screen:login:}b");
    assert_string_equal(typed, "+1e -1e ");
    keyboard_ready = false;
    type("a");
    assert_string_equal(typed, "");
}

static void refusals(void **state)
{
    (void)state;
    static const char *const texts[] = {"{nokey}",  "{",        "\\q",       "\\",         "{}",
                                        "{wait:x}", "\xc3\xa9", "{screen:}", "{a-b-c-d-e}"};
    char err[KEY_SCRIPT_ERR_LEN];
    for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
        err[0] = 0;
        assert_null(key_script_parse(texts[i], err));
        assert_true(strlen(err) > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes),
        cmocka_unit_test(waits),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
