/*
 * The screen on the terminal, by ncurses; keys to the guest. See host/curses_display.h.
 *
 * Ncurses reads and draws, and host/terminal.c is who puts the terminal back, also from signal
 * handlers, where ncurses may not be called: it gets the strings for that beforehand. A graphics
 * mode is told, not drawn.
 */
#define NCURSES_WIDECHAR 1
#include "host/curses_display.h"
#include "host/ctrl_a.h"
#include "host/curses_glyphs.h"
#include "host/curses_keys.h"
#include "host/held_stderr.h"
#include "host/host_clock.h"
#include "host/key_sender.h"
#include "host/terminal.h"
#include <curses.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <term.h>
#include <unistd.h>

#define MS 1000000ull

enum { NOTICE_MS = 5000, HELP_MS = 15000, HOLD_MS = 20, STRINGS = 256 };

struct curses_display {
    struct display base;
    struct terminal *term;
    SCREEN *screen;
    WINDOW *keys;    /* never drawn: reading from it refreshes nothing */
    bool on;         /* the terminal shows the guest's screen */
    bool in_monitor; /* the monitor has the terminal */
    bool stale;      /* draw even if the guest's screen has not changed */
    bool after_ctrl_a;
    unsigned top, left; /* the cell in the corner of a terminal that is too small */
    int shape;          /* of the cursor, as DECSCUSR has it; 0: the terminal's own */
    char hello[STRINGS], farewell[STRINGS]; /* what enters and leaves the screen */
    const char *set_shape;
    char banner[256];
    char notice[512]; /* a line or more of ours */
    u64 notice_until;
    struct text_screen now, shown;
};

static struct curses_display *curses_of(struct display *d)
{
    return (struct curses_display *)d;
}

static void say(struct curses_display *d, const char *text, unsigned ms)
{
    snprintf(d->notice, sizeof(d->notice), "%s", text);
    d->notice_until = host_now_ns() + ms * MS;
    d->stale = true;
}

/* ---- the terminal's strings ---- */

static const char *capability(const char *name)
{
    const char *s = tigetstr(name);

    return s && s != (const char *)-1 ? s : "";
}

/* Adds a capability, without its delays: "$<5>". */
static void add_capability(char out[STRINGS], const char *name)
{
    size_t n = strlen(out);

    for (const char *s = capability(name); *s && n + 1 < STRINGS;) {
        if (s[0] == '$' && s[1] == '<' && strchr(s, '>'))
            s = strchr(s, '>') + 1;
        else
            out[n++] = *s++;
    }
    out[n] = 0;
}

static void find_strings(struct curses_display *d)
{
    static const char *const hello[] = {"smcup", "smkx"};
    static const char *const farewell[] = {"Se", "sgr0", "op", "cnorm", "rmkx", "rmcup"};

    for (unsigned i = 0; i < ARRAY_LEN(hello); i++)
        add_capability(d->hello, hello[i]);
    for (unsigned i = 0; i < ARRAY_LEN(farewell); i++)
        add_capability(d->farewell, farewell[i]);
    if (!*capability("rmcup"))
        strncat(d->farewell, "\r\n", STRINGS - strlen(d->farewell) - 1);
    d->set_shape = *capability("Ss") ? capability("Ss") : NULL;
}

static void tell_terminal(const char *text)
{
    size_t len = strlen(text);

    while (len) {
        ssize_t n = write(STDOUT_FILENO, text, len);

        if (n <= 0)
            return;
        text += n;
        len -= (size_t)n;
    }
}

/* ---- drawing ---- */

/* Lines below the screen, or over its last ones where there is no room. */
static void draw_lines(const char *text, unsigned below)
{
    int nr = 1, y;

    for (const char *p = text; *p; p++)
        nr += *p == '\n' && p[1];
    y = (int)below + nr <= LINES ? (int)below : LINES - nr;
    attr_set(A_REVERSE, 0, NULL);
    for (; *text; y++) {
        size_t n = strcspn(text, "\n");

        if (y >= 0)
            mvprintw(y, 0, "%-*.*s", COLS - 1, (int)n < COLS ? (int)n : COLS - 1, text);
        text += n + (text[n] == '\n');
    }
    attr_set(A_NORMAL, 0, NULL);
}

/* The view follows the cursor when that moves, and ends with the screen. */
static void place_view(struct curses_display *d, bool cursor_moved)
{
    const struct text_screen *s = &d->now;
    unsigned rows = (unsigned)LINES, cols = (unsigned)COLS;

    if (s->cursor_on && cursor_moved) {
        d->top = s->cursor_row < d->top ? s->cursor_row : d->top;
        d->top = s->cursor_row >= d->top + rows ? s->cursor_row - rows + 1 : d->top;
        d->left = s->cursor_col < d->left ? s->cursor_col : d->left;
        d->left = s->cursor_col >= d->left + cols ? s->cursor_col - cols + 1 : d->left;
    }
    d->top = s->rows <= rows ? 0 : d->top > s->rows - rows ? s->rows - rows : d->top;
    d->left = s->cols <= cols ? 0 : d->left > s->cols - cols ? s->cols - cols : d->left;
}

/* The last to be drawn: it stays where it is put. */
static void draw_cursor(struct curses_display *d)
{
    const struct text_screen *s = &d->now;
    unsigned y = s->cursor_row - d->top, x = s->cursor_col - d->left;
    bool shown = s->cursor_on && y < (unsigned)LINES && x < (unsigned)COLS;
    bool block = s->cursor_last - s->cursor_first + 1 > s->cell_lines / 2;

    curs_set(!shown ? 0 : block ? 2 : 1);
    move(shown ? (int)y : LINES - 1, shown ? (int)x : 0);
    refresh();
    if (shown && d->set_shape && d->shape != (block ? 1 : 3)) { /* a blinking block, or a line */
        d->shape = block ? 1 : 3;
        tell_terminal(tparm(d->set_shape, (long)d->shape, 0L, 0L, 0L, 0L, 0L, 0L, 0L, 0L));
    }
}

static void draw(struct curses_display *d)
{
    const struct text_screen *s = &d->now;
    unsigned used = 0;

    erase();
    if (s->kind == SCREEN_TEXT) {
        for (unsigned y = 0; y < (unsigned)LINES && d->top + y < s->rows; y++) {
            unsigned nr = s->cols - d->left;

            curses_glyphs_draw((int)y, 0, s->cells + (d->top + y) * s->cols + d->left,
                               nr < (unsigned)COLS ? nr : (unsigned)COLS, s->blink);
        }
        used = s->rows - d->top;
    } else if (s->kind == SCREEN_GRAPHICS) {
        mvprintw(0, 0, "graphics mode %ux%u: use a window (-display sdl)", s->w, s->h);
        used = 1;
    }
    if (d->banner[0])
        draw_lines(d->banner, used);
    else if (d->notice[0])
        draw_lines(d->notice, used);
    draw_cursor(d);
}

static bool same_screen(const struct text_screen *a, const struct text_screen *b)
{
    return a->kind == b->kind && a->w == b->w && a->h == b->h && a->cols == b->cols &&
           a->rows == b->rows && a->blink == b->blink && a->cursor_on == b->cursor_on &&
           a->cursor_col == b->cursor_col && a->cursor_row == b->cursor_row &&
           a->cursor_first == b->cursor_first && a->cursor_last == b->cursor_last &&
           !memcmp(a->cells, b->cells, (size_t)a->cols * a->rows * sizeof(a->cells[0]));
}

static void say_if_cut(struct curses_display *d)
{
    char text[200];

    if (d->now.kind != SCREEN_TEXT ||
        (d->now.cols <= (unsigned)COLS && d->now.rows <= (unsigned)LINES))
        return;
    snprintf(text, sizeof(text), "the screen is %ux%u, this terminal %dx%d: Ctrl-A arrow moves the view",
             d->now.cols, d->now.rows, COLS, LINES);
    say(d, text, NOTICE_MS);
}

static void curses_show(struct display *base, struct machine *m)
{
    struct curses_display *d = curses_of(base);
    struct text_screen *now = &d->now, *shown = &d->shown;
    char news[200];
    bool moved, resized;

    if (!d->on || !terminal_ours(d->term))
        return;
    machine_text_screen(m, now);
    if (held_stderr_news(news, sizeof(news)))
        say(d, news, NOTICE_MS);
    if (d->notice[0] && host_now_ns() >= d->notice_until) {
        d->notice[0] = 0;
        d->stale = true;
    }
    if (!d->stale && same_screen(now, shown))
        return;
    resized = now->cols != shown->cols || now->rows != shown->rows;
    moved = resized || now->cursor_col != shown->cursor_col || now->cursor_row != shown->cursor_row;
    if (resized)
        say_if_cut(d);
    place_view(d, moved);
    *shown = *now;
    d->stale = false;
    draw(d);
}

static void curses_set_banner(struct display *base, const char *text)
{
    struct curses_display *d = curses_of(base);

    snprintf(d->banner, sizeof(d->banner), "%s", text ? text : "");
    d->stale = true;
}

/* ---- coming and going ---- */

static void leave_screen(struct curses_display *d)
{
    if (!d->on)
        return;
    d->on = false;
    if (d->shape)
        tell_terminal(capability("Se"));
    d->shape = 0;
    endwin();
    terminal_lend(d->term, "");
}

static void repaint(struct curses_display *d)
{
    struct winsize ws;

    if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) && ws.ws_row && ws.ws_col &&
        is_term_resized(ws.ws_row, ws.ws_col))
        resizeterm(ws.ws_row, ws.ws_col);
    clearok(curscr, TRUE);
    d->shape = 0;
    d->stale = true;
}

static void enter_screen(struct curses_display *d)
{
    held_stderr_start();
    doupdate(); /* after endwin() it also sets the modes */
    terminal_lend(d->term, d->farewell);
    d->on = true;
    repaint(d);
}

static void give_to_monitor(struct curses_display *d)
{
    leave_screen(d);
    held_stderr_release();
    terminal_give_to_monitor(d->term);
    d->in_monitor = true;
}

static void curses_leave(struct display *base)
{
    leave_screen(curses_of(base));
}

static void curses_close(struct display *base)
{
    struct curses_display *d = curses_of(base);

    leave_screen(d);
    delwin(d->keys);
    delscreen(d->screen);
    free(d);
}

/* ---- keys ---- */

static void pan(struct curses_display *d, int key)
{
    unsigned dy = (unsigned)LINES / 2, dx = (unsigned)COLS / 2;

    switch (key) {
    case KEY_UP: d->top -= d->top < dy ? d->top : dy; break;
    case KEY_DOWN: d->top += dy; break;
    case KEY_LEFT: d->left -= d->left < dx ? d->left : dx; break;
    case KEY_RIGHT: d->left += dx; break;
    default: return;
    }
    d->stale = true;
}

static void press(struct curses_display *d, struct key_sender *sender, const u16 *codes, unsigned nr)
{
    d->stale |= d->notice[0];
    d->notice[0] = 0; /* whoever goes on has read it */
    if (!nr)
        say(d, "a PC's keyboard has no such key", NOTICE_MS);
    else if (!key_sender_chord(sender, codes, nr, HOLD_MS))
        beep(); /* the guest takes no keys */
}

static void special_key(struct curses_display *d, struct key_sender *sender, int key, bool alt)
{
    u16 codes[CURSES_CHORD_MAX];

    if (key == KEY_RESIZE) {
        repaint(d);
        say_if_cut(d);
        return;
    }
    if (d->after_ctrl_a) {
        d->after_ctrl_a = false;
        pan(d, key);
        return;
    }
    if (!d->banner[0])
        press(d, sender, codes, curses_function_keys(key, keyname(key), alt, codes));
}

static unsigned banner_key(unsigned c)
{
    switch (c) {
    case 'r': return DISPLAY_REQUEST_RESET;
    case 's': return DISPLAY_REQUEST_SCREENSHOT;
    case 'q': return DISPLAY_REQUEST_QUIT;
    default: return 0;
    }
}

static unsigned character(struct curses_display *d, struct key_sender *sender, unsigned c, bool alt)
{
    u16 codes[CURSES_CHORD_MAX];

    switch (ctrl_a_take(&d->after_ctrl_a, c < 0x80 && !alt ? (u8)c : 0x80)) {
    case CTRL_A_QUIT: return DISPLAY_REQUEST_QUIT;
    case CTRL_A_MONITOR: give_to_monitor(d); break;
    case CTRL_A_SUSPEND: terminal_suspend(); break;
    case CTRL_A_HELP: say(d, CTRL_A_HELP_TEXT "Ctrl-A arrow  move the view\n", HELP_MS); break;
    case CTRL_A_SEND: press(d, sender, codes, curses_char_keys(CTRL_A, false, codes)); break;
    case CTRL_A_SWALLOW: break;
    case CTRL_A_PASS:
        if (d->banner[0])
            return banner_key(c);
        press(d, sender, codes, curses_char_keys(c, alt, codes));
        break;
    }
    return 0;
}

/* Alt is an Escape right before the key. */
static unsigned read_keys(struct curses_display *d, struct key_sender *sender)
{
    unsigned requests = 0;
    wint_t c;
    int what;

    while (d->on && (what = wget_wch(d->keys, &c)) != ERR) {
        bool alt = false;

        if (what == OK && c == 0x1b) {
            wint_t next;
            int then = wget_wch(d->keys, &next);

            alt = then != ERR;
            what = alt ? then : what;
            c = alt ? next : c;
        }
        if (what == KEY_CODE_YES)
            special_key(d, sender, (int)c, alt);
        else
            requests |= character(d, sender, (unsigned)c, alt);
    }
    return requests;
}

static unsigned curses_poll(struct display *base, struct input_log *in, struct key_sender *sender)
{
    struct curses_display *d = curses_of(base);
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};

    (void)in; /* keys go through the sender, which paces them and releases them again */
    if (d->in_monitor) {
        if (terminal_in_monitor(d->term))
            return 0;
        d->in_monitor = false;
        enter_screen(d);
    }
    if (!d->on)
        return 0;
    if (terminal_resume(d->term)) {
        held_stderr_start();
        tell_terminal(d->hello);
        repaint(d);
    }
    if (!terminal_ours(d->term))
        return 0;
    if (poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR | POLLNVAL)))
        return DISPLAY_REQUEST_QUIT; /* the terminal has gone */
    return read_keys(d, sender);
}

static bool curses_pollfd(const struct display *base, struct pollfd *p)
{
    const struct curses_display *d = (const struct curses_display *)base;

    *p = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    return d->on && terminal_ours(d->term);
}

static void curses_wait(struct display *base, unsigned ms)
{
    (void)base;
    poll(NULL, 0, (int)ms);
}

/* ---- opening ---- */

static const struct display_class curses_class = {.poll = curses_poll,
                                                  .pollfd = curses_pollfd,
                                                  .wait = curses_wait,
                                                  .show = curses_show,
                                                  .set_banner = curses_set_banner,
                                                  .leave = curses_leave,
                                                  .close = curses_close};

/* Whether this is a terminal, ours, and one whose cursor can be placed. */
static bool usable(char err[MACHINE_ERR_LEN])
{
    static const char advice[] = "try -nographic, or -display none -serial stdio";
    const char *name = getenv("TERM");
    int found;

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        snprintf(err, MACHINE_ERR_LEN,
                 "-display curses: standard input and output are no terminal; %s", advice);
    else if (tcgetpgrp(STDIN_FILENO) != getpgrp())
        snprintf(err, MACHINE_ERR_LEN, "-display curses: not in the foreground of its terminal; %s",
                 advice);
    else if (!name || setupterm(name, STDOUT_FILENO, &found) == ERR || !*capability("cup"))
        snprintf(err, MACHINE_ERR_LEN,
                 "-display curses: TERM=%s names no terminal whose cursor can be placed; %s",
                 name ? name : "", advice);
    else
        return true;
    return false;
}

struct display *curses_display_open(struct terminal **term, char err[MACHINE_ERR_LEN])
{
    struct curses_display *d;

    if (!usable(err))
        return NULL;
    d = calloc(1, sizeof(*d));
    if (!d)
        abort();
    setlocale(LC_CTYPE, "");
    d->base.class = &curses_class;
    d->term = *term = terminal_open(true);
    d->screen = newterm(NULL, stdout, stdin);
    if (!d->screen) {
        snprintf(err, MACHINE_ERR_LEN, "-display curses: no memory for the terminal");
        free(d);
        return NULL;
    }
    find_strings(d);
    set_escdelay(25);
    raw();
    noecho();
    nonl();
    d->keys = newpad(1, 1);
    if (!d->keys)
        abort();
    keypad(d->keys, TRUE);
    nodelay(d->keys, TRUE);
    curses_glyphs_start();
    enter_screen(d);
    return &d->base;
}
