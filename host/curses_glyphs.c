/*
 * Cells to characters and attributes of curses.
 *
 * Where the locale's character set lacks a character, the terminal's line-drawing characters help
 * (terminfo's acsc), and for those that it lacks too ncurses has +, - and |. Attributes are taken
 * for IBM's sixteen colours: a guest that changes the palette is not followed.
 */
#define NCURSES_WIDECHAR 1
#include "host/curses_glyphs.h"
#include <curses.h>
#include <stdlib.h>
#include <wchar.h>

/* Line-drawing characters by terminfo's letters, and what each can stand for. */
static const struct {
    char acs;
    const wchar_t *unicode;
} acs_rows[] = {
    {'q', L"\u2500\u2550"},
    {'x', L"\u2502\u2551"},
    {'l', L"\u250c\u2552\u2553\u2554"},
    {'k', L"\u2510\u2555\u2556\u2557"},
    {'m', L"\u2514\u2558\u2559\u255a"},
    {'j', L"\u2518\u255b\u255c\u255d"},
    {'t', L"\u251c\u255e\u255f\u2560"},
    {'u', L"\u2524\u2561\u2562\u2563"},
    {'w', L"\u252c\u2564\u2565\u2566"},
    {'v', L"\u2534\u2567\u2568\u2569"},
    {'n', L"\u253c\u256a\u256b\u256c"},
    {'a', L"\u2591\u2592\u2593"},
    {'0', L"\u2588\u25a0\u2584\u2580\u258c\u2590"},
    {'`', L"\u2666"},
    {'f', L"\u00b0"},
    {'g', L"\u00b1"},
    {'~', L"\u00b7\u2219\u2022"},
    {'+', L"\u2192\u25ba"},
    {',', L"\u2190\u25c4"},
    {'-', L"\u2191\u25b2"},
    {'.', L"\u2193\u25bc"},
    {'y', L"\u2264"},
    {'z', L"\u2265"},
    {'{', L"\u03c0"},
    {'}', L"\u00a3"},
};

/* Colour numbers of a terminal have red in bit 0 and blue in bit 2; IBM's the other way. */
static int ansi(unsigned ibm)
{
    return (int)((ibm & 8) | (ibm & 4) >> 2 | (ibm & 2) | (ibm & 1) << 2);
}

/* White on black is pair 0, which a terminal of 64 pairs cannot give another meaning. */
static short pair_of(int fg, int bg)
{
    return (short)((fg ^ 7) + bg * (COLORS >= 16 ? 16 : 8));
}

void curses_glyphs_start(void)
{
    int nr;

    if (!has_colors() || start_color() == ERR)
        return;
    assume_default_colors(COLOR_WHITE, COLOR_BLACK);
    nr = COLORS >= 16 ? 16 : 8;
    for (int bg = 0; bg < nr; bg++)
        for (int fg = 0; fg < nr; fg++)
            if (pair_of(fg, bg) && pair_of(fg, bg) < COLOR_PAIRS)
                init_pair(pair_of(fg, bg), (short)fg, (short)bg);
}

static void set_colors(u8 attr, bool blink)
{
    int fg = ansi(attr & 15), bg = ansi(attr >> 4);
    attr_t a = A_NORMAL;

    if (blink) {
        a |= bg & 8 ? A_BLINK : 0;
        bg &= 7;
    }
    if (!has_colors()) { /* dark on light is reverse */
        a |= (attr & 0x70) && !(attr & 7) ? A_REVERSE : 0;
        a |= fg & 8 ? A_BOLD : 0;
        attr_set(a, 0, NULL);
        return;
    }
    if (COLORS < 16) { /* as such terminals do it: bold is bright, and blinking may be */
        a |= (fg & 8 ? A_BOLD : 0) | (bg & 8 ? A_BLINK : 0);
        fg &= 7;
        bg &= 7;
    }
    attr_set(a, pair_of(fg, bg), NULL);
}

static void put(int y, int x, unsigned u)
{
    wchar_t text[2] = {(wchar_t)u, 0};

    if (u < 0x80) {
        mvaddch(y, x, (chtype)u);
        return;
    }
    if (wctob((wint_t)u) != EOF || (MB_CUR_MAX > 1 && wcwidth((wchar_t)u) == 1)) {
        mvaddwstr(y, x, text);
        return;
    }
    for (unsigned i = 0; i < ARRAY_LEN(acs_rows); i++)
        if (wcschr(acs_rows[i].unicode, (wchar_t)u)) {
            mvaddch(y, x, NCURSES_ACS(acs_rows[i].acs));
            return;
        }
    mvaddch(y, x, '?');
}

void curses_glyphs_draw(int y, int x, const struct text_cell *cells, unsigned nr, bool blink)
{
    for (unsigned i = 0; i < nr; i++) {
        if (i == 0 || cells[i].attr != cells[i - 1].attr)
            set_colors(cells[i].attr, blink);
        put(y, x + (int)i, cells[i].unicode);
    }
    attr_set(A_NORMAL, 0, NULL);
}
