/*
 * A terminal's characters and function keys as chords. Scan codes are those of IBM's PC/AT Technical
 * Reference (set 1); xterm's numbering of function keys is that of its terminfo entry.
 */
#include "host/curses_keys.h"
#include <curses.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* chord: codes in hex, joined by blanks; "": no key. */
static void is_chord(const u16 *codes, unsigned nr, const char *what, const char *chord)
{
    char text[64] = "";

    for (unsigned i = 0; i < nr; i++)
        sprintf(text + strlen(text), "%s%x", i ? " " : "", codes[i]);
    if (strcmp(text, chord))
        fail_msg("%s: '%s', not '%s'", what, text, chord);
}

static void characters(void **state)
{
    static const struct {
        unsigned c;
        bool alt;
        const char *chord;
    } cases[] = {
        {'a', false, "1e"},    {'A', false, "2a 1e"},    {'~', false, "2a 29"}, {'\r', false, "1c"},
        {'\n', false, "1d 24"}, {'\t', false, "f"},       {0x1b, false, "1"},    {0x7f, false, "e"},
        {8, false, "1d 23"},   {3, false, "1d 2e"},      {26, false, "1d 2c"},  {0x1c, false, "1d 2b"},
        {0, false, "1d 2a 3"}, {0x1f, false, "1d 2a c"}, {'x', true, "38 2d"},  {'X', true, "38 2a 2d"},
        {3, true, "1d 38 2e"}, {0xe9, false, ""},        {0x20ac, false, ""},
    };
    u16 codes[CURSES_CHORD_MAX];

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        char what[32];

        sprintf(what, "%02x%s", cases[i].c, cases[i].alt ? " with Alt" : "");
        is_chord(codes, curses_char_keys(cases[i].c, cases[i].alt, codes), what, cases[i].chord);
    }
}

static void function_keys(void **state)
{
    static const struct {
        int key;
        const char *name;
        bool alt;
        const char *chord;
    } cases[] = {
        {KEY_F(1), "KEY_F(1)", false, "3b"},       {KEY_F(12), "KEY_F(12)", false, "58"},
        {KEY_F(13), "KEY_F(13)", false, "2a 3b"},  {KEY_F(36), "KEY_F(36)", false, "1d 58"},
        {KEY_F(37), "", false, "1d 2a 3b"},        {KEY_F(49), "", false, "38 3b"},
        {KEY_UP, "KEY_UP", false, "e048"},         {KEY_DC, "KEY_DC", true, "38 e053"},
        {KEY_BTAB, "KEY_BTAB", false, "2a f"},     {KEY_BACKSPACE, "KEY_BACKSPACE", false, "e"},
        {KEY_SLEFT, "KEY_SLEFT", false, "2a e04b"}, {600, "kUP3", false, "38 e048"},
        {600, "kLFT5", false, "1d e04b"},          {600, "kDC8", false, "1d 38 2a e053"},
        {600, "kUP9", false, ""},                  {600, NULL, false, ""},
        {KEY_MOUSE, "KEY_MOUSE", false, ""},
    };
    u16 codes[CURSES_CHORD_MAX];

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++)
        is_chord(codes, curses_function_keys(cases[i].key, cases[i].name, cases[i].alt, codes),
                 cases[i].name ? cases[i].name : "a key without a name", cases[i].chord);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(characters), cmocka_unit_test(function_keys)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
