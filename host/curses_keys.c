/*
 * Keys of a terminal. It sends characters, not keys, and tells no release: a character becomes the
 * chord that a US keyboard makes it with. Scan codes come from the tables that --keys and sendkey use.
 *
 * With modifiers xterm and its kin send function keys that terminfo calls F13 and up, and cursor
 * keys that it names like kUP5: terminfo(5), user_caps(5).
 */
#include "host/curses_keys.h"
#include "host/key_sender.h"
#include "host/us_keyboard.h"
#include <curses.h>

enum { SHIFT = 1, ALT = 2, CTRL = 4 };

static const struct special_key {
    int key;
    const char *name; /* as key_sender.h has it */
    unsigned modifiers;
} special_keys[] = {
    {KEY_UP, "up", 0},
    {KEY_DOWN, "down", 0},
    {KEY_LEFT, "left", 0},
    {KEY_RIGHT, "right", 0},
    {KEY_HOME, "home", 0},
    {KEY_END, "end", 0},
    {KEY_PPAGE, "pgup", 0},
    {KEY_NPAGE, "pgdn", 0},
    {KEY_IC, "insert", 0},
    {KEY_DC, "delete", 0},
    {KEY_BACKSPACE, "backspace", 0},
    {KEY_ENTER, "ret", 0},
    {KEY_PRINT, "print", 0},
    {KEY_A1, "home", 0},
    {KEY_A3, "pgup", 0},
    {KEY_B2, "kp_5", 0},
    {KEY_C1, "end", 0},
    {KEY_C3, "pgdn", 0},
    {KEY_BTAB, "tab", SHIFT},
    {KEY_SR, "up", SHIFT},
    {KEY_SF, "down", SHIFT},
    {KEY_SLEFT, "left", SHIFT},
    {KEY_SRIGHT, "right", SHIFT},
    {KEY_SHOME, "home", SHIFT},
    {KEY_SEND, "end", SHIFT},
    {KEY_SPREVIOUS, "pgup", SHIFT},
    {KEY_SNEXT, "pgdn", SHIFT},
    {KEY_SIC, "insert", SHIFT},
    {KEY_SDC, "delete", SHIFT},
};

/* Followed by a digit: 1 + SHIFT, ALT, CTRL. */
static const struct {
    const char *cap, *name;
} extended_keys[] = {
    {"kUP", "up"},    {"kDN", "down"}, {"kLFT", "left"}, {"kRIT", "right"},  {"kHOM", "home"},
    {"kEND", "end"},  {"kPRV", "pgup"}, {"kNXT", "pgdn"}, {"kIC", "insert"}, {"kDC", "delete"},
};

static unsigned chord(unsigned modifiers, u16 code, u16 codes[CURSES_CHORD_MAX])
{
    unsigned n = 0;

    if (!code)
        return 0;
    if (modifiers & CTRL)
        codes[n++] = KEY_CODE_CTRL;
    if (modifiers & ALT)
        codes[n++] = KEY_CODE_ALT;
    if (modifiers & SHIFT)
        codes[n++] = KEY_CODE_SHIFT;
    codes[n++] = code;
    return n;
}

static unsigned named(unsigned modifiers, const char *name, u16 codes[CURSES_CHORD_MAX])
{
    return chord(modifiers, key_sender_code(name, strlen(name)), codes);
}

unsigned curses_char_keys(unsigned c, bool alt, u16 codes[CURSES_CHORD_MAX])
{
    unsigned modifiers = alt ? ALT : 0;
    bool shift = false;
    u16 code;

    if (c == '\r') /* the terminal's Enter, without ICRNL */
        c = '\n';
    else if (c == 0x7f)
        c = '\b';
    else if (c < ' ' && c != '\t' && c != 0x1b) {
        modifiers |= CTRL;
        c += c >= 1 && c <= 26 ? 0x60 : 0x40; /* Ctrl-a, but Ctrl-@ and Ctrl-\ */
    }
    code = c < 0x80 ? us_key_code((char)c, &shift) : 0;
    return chord(modifiers | (shift ? SHIFT : 0), code, codes);
}

/* F1 to F12, then with shift, Ctrl, Ctrl and shift, Alt, Alt and shift: xterm's order. */
static unsigned numbered(unsigned n, unsigned modifiers, u16 codes[CURSES_CHORD_MAX])
{
    static const u8 groups[] = {0, SHIFT, CTRL, CTRL | SHIFT, ALT, ALT | SHIFT};
    unsigned group = (n - 1) / 12;
    char name[8];

    if (group >= ARRAY_LEN(groups))
        return 0;
    snprintf(name, sizeof(name), "f%u", (n - 1) % 12 + 1);
    return named(modifiers | groups[group], name, codes);
}

unsigned curses_function_keys(int key, const char *name, bool alt, u16 codes[CURSES_CHORD_MAX])
{
    unsigned modifiers = alt ? ALT : 0;

    if (key > KEY_F(0) && key <= KEY_F(63))
        return numbered((unsigned)(key - KEY_F(0)), modifiers, codes);
    for (unsigned i = 0; i < ARRAY_LEN(special_keys); i++)
        if (special_keys[i].key == key)
            return named(modifiers | special_keys[i].modifiers, special_keys[i].name, codes);
    for (unsigned i = 0; name && i < ARRAY_LEN(extended_keys); i++) {
        size_t n = strlen(extended_keys[i].cap);

        if (!strncmp(name, extended_keys[i].cap, n) && name[n] >= '2' && name[n] <= '8' && !name[n + 1])
            return named(modifiers | (unsigned)(name[n] - '1'), extended_keys[i].name, codes);
    }
    return 0;
}
