/*
 * The screen as a terminal: ANSI X3.64 / ECMA-48 as a VT102 has it (VT102 User Guide, EK-VT102-UG,
 * chapter 5), with the colours and key sequences of Linux' console (console_codes(4)), so that
 * TERM=linux is true. Text is UTF-8.
 *
 * What is written reaches the adapter at once if it has been quiet, else within REFRESH_NS.
 * UNIMPL: double-width characters, 132 columns, blinking by programs, LEDs, OSC (skipped).
 */
#include "guestos/tty/vt.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/string.h"
#include "guestos/tty/cp437.h"
#include "guestos/tty/screen.h"
#include "guestos/tty/tty.h"

#define MAX_PARAMETERS 16u
#define ANSWER_BYTES   32u
#define REFRESH_NS     (15 * NS_PER_MS)
#define ROOM           4096u /* it takes all; so much at a time, for the sake of interrupts */
#define ESCAPE         0x1B

enum state { PLAIN, AFTER_ESCAPE, IN_CSI, IN_STRING, STRING_ESCAPE, CHOOSE_SET, SKIP_ONE };

struct style {
    u8 foreground, background;
    bool bold, reverse, underline, graphics;
};

struct vt {
    struct spinlock lock; /* inside tty->lock */
    struct screen screen;
    struct style style, saved_style;
    u32 saved_row, saved_column;
    bool origin, application_cursor, newline_mode, clear_tabs;
    u64 tab_stops[2]; /* a bit for each column */
    enum state state;
    u8 set_chosen; /* '(' or ')', by CHOOSE_SET */
    char mark;     /* '?', '>' or '=' of a CSI, or 0 */
    u32 parameter[MAX_PARAMETERS], nr_parameters;
    u32 code_point, nr_more; /* of a UTF-8 character under way */
    char answer[ANSWER_BYTES];
    u32 nr_answer;
    u64 refreshed_ns;
    bool timer_runs;
    struct ktimer timer;
    struct tty tty;
};

static struct vt vt1;

/* ---- attributes */

/* The adapter's colours have red and blue the other way round. */
static u8 vga_colour(u8 ansi)
{
    return (u8)((ansi & 8) | (ansi & 1) << 2 | (ansi & 2) | (ansi >> 2 & 1));
}

#define UNDERLINED 6 /* shown as cyan, there being no underline in colour modes */

static void set_attribute(struct vt *v)
{
    u8 fore = v->style.underline && v->style.foreground == 7 ? UNDERLINED : v->style.foreground;
    u8 back = v->style.background;

    v->screen.blank = (u8)(vga_colour(back & 7) << 4 | 7);
    if (v->style.reverse) {
        u8 swap = fore;
        fore = back;
        back = swap;
    }
    v->screen.attribute =
        (u8)(vga_colour(back & 7) << 4 | vga_colour(fore) | (v->style.bold ? 8 : 0));
}

static void reset_style(struct vt *v)
{
    v->style = (struct style){.foreground = 7, .graphics = v->style.graphics};
}

/* 38 and 48: one of 256 colours, or red, green, blue; the nearest of the first 16. Returns how
 * many parameters that took. */
static u32 extended_colour(const struct vt *v, u32 at, u8 *colour)
{
    const u32 *p = v->parameter + at;
    u32 left = v->nr_parameters - at;
    u32 rgb[3];

    if (left >= 2 && p[0] == 5 && p[1] < 16) {
        *colour = (u8)p[1];
        return 2;
    }
    if (left >= 2 && p[0] == 5) {
        u32 n = p[1] - 16; /* a cube of 6 x 6 x 6, then greys */
        for (u32 i = 0; i < 3; i++) {
            static const u32 power[] = {36, 6, 1};
            rgb[i] = n < 216 ? n / power[i] % 6 * 51 : (n - 216) * 10 + 8;
        }
    } else if (left >= 4 && p[0] == 2) {
        memcpy(rgb, p + 1, sizeof rgb);
    } else {
        return left;
    }
    u32 most = MAX(rgb[0], MAX(rgb[1], rgb[2]));
    *colour = most > 192 ? 8 : 0;
    for (u32 i = 0; i < 3; i++) {
        *colour |= (u8)(rgb[i] > most / 2 && rgb[i] > 48) << i;
    }
    return p[0] == 5 ? 2 : 4;
}

static void select_graphics(struct vt *v)
{
    struct style *s = &v->style;

    for (u32 i = 0; i < v->nr_parameters; i++) {
        u32 n = v->parameter[i];
        switch (n) {
        case 0: reset_style(v); break;
        case 1: s->bold = true; break;
        case 4: s->underline = true; break;
        case 7: s->reverse = true; break;
        case 21:
        case 22: s->bold = false; break;
        case 24: s->underline = false; break;
        case 27: s->reverse = false; break;
        case 38: i += extended_colour(v, i + 1, &s->foreground); break;
        case 39: s->foreground = 7; break;
        case 48: i += extended_colour(v, i + 1, &s->background); break;
        case 49: s->background = 0; break;
        default:
            if (n >= 30 && n <= 37) {
                s->foreground = (u8)(n - 30);
            } else if (n >= 40 && n <= 47) {
                s->background = (u8)(n - 40);
            } else if (n >= 90 && n <= 97) {
                s->foreground = (u8)(n - 90 + 8);
            } else if (n >= 100 && n <= 107) {
                s->background = (u8)(n - 100);
            }
        }
    }
    set_attribute(v);
}

/* ---- movement */

static void move(struct vt *v, i32 row, i32 column)
{
    struct screen *s = &v->screen;

    if (v->origin) {
        row = MAX(MIN(row + (i32)s->top, (i32)s->bottom - 1), (i32)s->top);
    }
    screen_move(s, row, column);
}

/* Up and down stop at the region's edge if they begin within it. */
static void move_by(struct vt *v, i32 rows, i32 columns)
{
    struct screen *s = &v->screen;
    i32 row = (i32)s->row + rows;

    if (s->row >= s->top && row < (i32)s->top) {
        row = (i32)s->top;
    } else if (s->row < s->bottom && row >= (i32)s->bottom) {
        row = (i32)s->bottom - 1;
    }
    screen_move(s, row, (i32)s->column + columns);
}

static void tab(struct vt *v)
{
    u32 column = v->screen.column;

    do {
        column++;
    } while (column < VGA_COLUMNS - 1 && !(v->tab_stops[column / 64] >> column % 64 & 1));
    screen_move(&v->screen, (i32)v->screen.row, (i32)column);
}

static void set_tab(struct vt *v, u32 column, bool set)
{
    u64 bit = 1ul << column % 64;

    v->tab_stops[column / 64] = (v->tab_stops[column / 64] & ~bit) | (set ? bit : 0);
}

static void save_cursor(struct vt *v)
{
    v->saved_row = v->screen.row;
    v->saved_column = v->screen.column;
    v->saved_style = v->style;
}

static void restore_cursor(struct vt *v)
{
    screen_move(&v->screen, (i32)v->saved_row, (i32)v->saved_column);
    v->style = v->saved_style;
    set_attribute(v);
}

static void reset(struct vt *v)
{
    v->style.graphics = false;
    reset_style(v);
    v->origin = v->application_cursor = v->newline_mode = false;
    v->tab_stops[0] = v->tab_stops[1] = 0x0101010101010101ul;
    screen_reset(&v->screen);
    set_attribute(v);
    save_cursor(v);
}

static void line_feed(struct vt *v)
{
    screen_line_feed(&v->screen);
    if (v->newline_mode) {
        v->screen.column = 0;
    }
}

/* ---- control sequences: ESC [ parameters letter */

static void erase_in_display(struct vt *v, u32 what)
{
    struct screen *s = &v->screen;

    switch (what) {
    case 0:
        screen_clear(s, s->row, s->column, VGA_COLUMNS);
        screen_clear_rows(s, s->row + 1, VGA_ROWS);
        break;
    case 1:
        screen_clear_rows(s, 0, s->row);
        screen_clear(s, s->row, 0, s->column + 1);
        break;
    case 3: s->nr_history = 0; /* fallthrough */
    case 2: screen_clear_rows(s, 0, VGA_ROWS); break;
    }
}

static void erase_in_line(struct vt *v, u32 what)
{
    struct screen *s = &v->screen;
    u32 from = what == 0 ? s->column : 0;

    if (what <= 2) {
        screen_clear(s, s->row, from, what == 1 ? s->column + 1 : VGA_COLUMNS);
    }
}

static void set_modes(struct vt *v, bool on)
{
    for (u32 i = 0; i < v->nr_parameters; i++) {
        u32 n = v->parameter[i];
        if (v->mark == '?') {
            switch (n) {
            case 1: v->application_cursor = on; break;
            case 6:
                v->origin = on;
                move(v, 0, 0);
                break;
            case 7: v->screen.autowrap = on; break;
            case 25: v->screen.cursor_visible = on; break;
            }
        } else if (n == 4) {
            v->screen.insert = on;
        } else if (n == 20) {
            v->newline_mode = on;
        }
    }
}

static void set_region(struct vt *v)
{
    u32 top = MAX(v->parameter[0], 1u);
    u32 bottom = v->nr_parameters > 1 && v->parameter[1] ? v->parameter[1] : VGA_ROWS;

    if (top < bottom && bottom <= VGA_ROWS) {
        v->screen.top = top - 1;
        v->screen.bottom = bottom;
        move(v, 0, 0);
    }
}

static void answer(struct vt *v, const char *text)
{
    for (; *text && v->nr_answer < ANSWER_BYTES; text++) {
        v->answer[v->nr_answer++] = *text;
    }
}

static void answer_number(struct vt *v, u32 n) /* below 100 */
{
    char digits[] = {(char)('0' + n / 10), (char)('0' + n % 10), 0};

    answer(v, n < 10 ? digits + 1 : digits);
}

static void report(struct vt *v, u32 what)
{
    if (what == 5) {
        answer(v, "\033[0n"); /* all is well */
    } else if (what == 6) {
        answer(v, "\033[");
        answer_number(v, v->screen.row + 1 - (v->origin ? v->screen.top : 0));
        answer(v, ";");
        answer_number(v, v->screen.column + 1);
        answer(v, "R");
    }
}

/* IL and DL work from the cursor's row to the region's end, if they begin within it. */
static void move_lines(struct vt *v, i32 up)
{
    struct screen *s = &v->screen;

    if (s->row >= s->top && s->row < s->bottom) {
        screen_scroll(s, s->row, up);
    }
}

static void control_sequence(struct vt *v, char letter)
{
    struct screen *s = &v->screen;
    u32 p0 = v->parameter[0];
    u32 p1 = v->nr_parameters > 1 ? v->parameter[1] : 0;
    i32 n = (i32)MIN(MAX(p0, 1u), 1000u);

    if (v->mark && letter != 'h' && letter != 'l') {
        return;
    }
    if (strchr("@JKLMPX", letter)) { /* what changes cells ends a line that is full */
        s->wrap_pending = false;
    }
    switch (letter) {
    case '@': screen_shift(s, n); break;
    case 'A': move_by(v, -n, 0); break;
    case 'B':
    case 'e': move_by(v, n, 0); break;
    case 'C':
    case 'a': move_by(v, 0, n); break;
    case 'D': move_by(v, 0, -n); break;
    case 'E': move_by(v, n, -(i32)VGA_COLUMNS); break;
    case 'F': move_by(v, -n, -(i32)VGA_COLUMNS); break;
    case 'G':
    case '`': screen_move(s, (i32)s->row, n - 1); break;
    case 'H':
    case 'f': move(v, n - 1, (i32)MIN(MAX(p1, 1u), 1000u) - 1); break;
    case 'J': erase_in_display(v, p0); break;
    case 'K': erase_in_line(v, p0); break;
    case 'L': move_lines(v, -n); break;
    case 'M': move_lines(v, n); break;
    case 'P': screen_shift(s, -n); break;
    case 'S': screen_scroll(s, s->top, n); break;
    case 'T': screen_scroll(s, s->top, -n); break;
    case 'X': screen_clear(s, s->row, s->column, MIN(s->column + (u32)n, VGA_COLUMNS)); break;
    case 'c': answer(v, "\033[?6c"); break; /* a VT102 */
    case 'd': move(v, n - 1, (i32)s->column); break;
    case 'g':
        if (p0 == 3) {
            v->tab_stops[0] = v->tab_stops[1] = 0;
        } else {
            set_tab(v, s->column, false);
        }
        break;
    case 'h':
    case 'l': set_modes(v, letter == 'h'); break;
    case 'm': select_graphics(v); break;
    case 'n': report(v, p0); break;
    case 'r': set_region(v); break;
    case 's': save_cursor(v); break;
    case 'u': restore_cursor(v); break;
    }
}

/* ---- bytes */

static void escape(struct vt *v, char c)
{
    v->state = PLAIN;
    switch (c) {
    case '[':
        v->state = IN_CSI;
        v->mark = 0;
        v->nr_parameters = 1;
        memset(v->parameter, 0, sizeof v->parameter);
        break;
    case ']':
    case 'P':
    case '^':
    case '_': v->state = IN_STRING; break;
    case '(':
    case ')':
        v->set_chosen = (u8)c;
        v->state = CHOOSE_SET;
        break;
    case '#':
    case '%': v->state = SKIP_ONE; break;
    case '7': save_cursor(v); break;
    case '8': restore_cursor(v); break;
    case 'D': screen_line_feed(&v->screen); break;
    case 'E':
        v->screen.column = 0;
        screen_line_feed(&v->screen);
        break;
    case 'H': set_tab(v, v->screen.column, true); break;
    case 'M': screen_line_feed_back(&v->screen); break;
    case 'Z': answer(v, "\033[?6c"); break;
    case 'c':
        reset(v);
        screen_clear_rows(&v->screen, 0, VGA_ROWS);
        screen_move(&v->screen, 0, 0);
        break;
    }
}

static void csi_byte(struct vt *v, char c)
{
    u32 *p = &v->parameter[v->nr_parameters - 1];

    if (c >= '0' && c <= '9') {
        *p = MIN(*p * 10 + (u32)(c - '0'), 9999u);
    } else if (c == ';' || c == ':') {
        v->nr_parameters += v->nr_parameters < MAX_PARAMETERS;
    } else if (c == '?' || c == '>' || c == '=') {
        v->mark = c;
    } else if (c >= '@') {
        v->state = PLAIN;
        control_sequence(v, c);
    }
}

/* C0 controls work even within a sequence. False: it is none. */
static bool control(struct vt *v, char c)
{
    struct screen *s = &v->screen;

    switch (c) {
    case '\b': screen_move(s, (i32)s->row, (i32)s->column - 1); break;
    case '\t': tab(v); break;
    case '\n':
    case '\v':
    case '\f': line_feed(v); break;
    case '\r': screen_move(s, (i32)s->row, 0); break;
    case 0x18:
    case 0x1A: v->state = PLAIN; break;
    case ESCAPE: v->state = AFTER_ESCAPE; break;
    default: return (u8)c < ' ' || c == 0x7F; /* the bell has no sound */
    }
    return true;
}

/* A byte of text: UTF-8 (RFC 3629). A broken character is one '?'. */
static void text(struct vt *v, u8 c)
{
    if (c < 0x80) {
        v->nr_more = 0;
        screen_put(&v->screen, v->style.graphics ? cp437_graphics(c) : c);
    } else if ((c & 0xC0) == 0x80) {
        if (v->nr_more == 0) {
            screen_put(&v->screen, '?');
            return;
        }
        v->code_point = v->code_point << 6 | (c & 0x3F);
        if (--v->nr_more == 0) {
            screen_put(&v->screen, cp437_of(v->code_point));
        }
    } else {
        v->nr_more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : 1;
        v->code_point = c & (0x3Fu >> v->nr_more);
    }
}

static void receive(struct vt *v, char c)
{
    if (v->state == IN_STRING || v->state == STRING_ESCAPE) { /* until BEL or ESC \ */
        v->state = c == '\a' || v->state == STRING_ESCAPE ? PLAIN
                   : c == ESCAPE                          ? STRING_ESCAPE
                                                          : IN_STRING;
        return;
    }
    if (control(v, c)) {
        return;
    }
    switch (v->state) {
    case AFTER_ESCAPE: escape(v, c); break;
    case IN_CSI: csi_byte(v, c); break;
    case CHOOSE_SET:
        if (v->set_chosen == '(') {
            v->style.graphics = c == '0';
        }
        v->state = PLAIN;
        break;
    case SKIP_ONE: v->state = PLAIN; break;
    default: text(v, (u8)c); break;
    }
}

/* ---- the device of a tty */

static void refresh(struct vt *v)
{
    screen_refresh(&v->screen);
    v->refreshed_ns = clock_monotonic();
}

static void timer_fires(struct ktimer *timer)
{
    struct vt *v = CONTAINER_OF(timer, struct vt, timer);

    spin_lock(&v->lock);
    v->timer_runs = false;
    refresh(v);
    spin_unlock(&v->lock);
}

static void put(struct tty *t, const char *text, u32 len)
{
    struct vt *v = t->data;
    char answer[ANSWER_BYTES];

    spin_lock(&v->lock);
    screen_look_back(&v->screen, -(i32)SCREEN_HISTORY);
    for (u32 i = 0; i < len; i++) {
        receive(v, text[i]);
    }
    u32 nr_answer = v->nr_answer;
    memcpy(answer, v->answer, nr_answer);
    v->nr_answer = 0;
    if (clock_monotonic() - v->refreshed_ns > REFRESH_NS) {
        refresh(v);
    } else if (!v->timer_runs) {
        v->timer_runs = true;
        timer_arm(&v->timer, v->refreshed_ns + REFRESH_NS);
    }
    spin_unlock(&v->lock);
    for (u32 i = 0; i < nr_answer; i++) {
        tty_input_locked(t, answer[i]);
    }
}

static u32 room(struct tty *t)
{
    (void)t;
    return ROOM;
}

static const struct tty_device device = {.room = room, .put = put};

void vt_init(void)
{
    struct vt *v = &vt1;

    spin_init(&v->lock, "vt");
    timer_init(&v->timer, timer_fires);
    screen_init(&v->screen);
    reset(v);
}

void vt_register(void)
{
    struct tty *t = &vt1.tty;

    t->name = "tty1";
    t->rdev = 4 << 8 | 1;
    t->device = &device;
    t->data = &vt1;
    t->size = (struct winsize){.rows = VGA_ROWS, .columns = VGA_COLUMNS};
    tty_register(t);
}

/* ---- for the kernel */

void vt_print(char c)
{
    struct vt *v = &vt1;
    bool nested = spin_held(&v->lock); /* a panic with the lock held must be seen */

    if (!nested) {
        spin_lock(&v->lock);
    }
    screen_look_back(&v->screen, -(i32)SCREEN_HISTORY);
    if (c == '\n') {
        receive(v, '\r');
    }
    receive(v, c);
    screen_refresh(&v->screen);
    if (!nested) {
        spin_unlock(&v->lock);
    }
}

void vt_clear(void)
{
    struct vt *v = &vt1;

    spin_lock(&v->lock);
    screen_clear_rows(&v->screen, 0, VGA_ROWS);
    screen_move(&v->screen, 0, 0);
    screen_refresh(&v->screen);
    spin_unlock(&v->lock);
}

void vt_look_back(i32 pages)
{
    spin_lock(&vt1.lock);
    screen_look_back(&vt1.screen, pages * (i32)VGA_ROWS / 2);
    screen_refresh(&vt1.screen);
    spin_unlock(&vt1.lock);
}

/* ---- keys: what TERM=linux sends */

static void type(const char *text)
{
    for (; *text; text++) {
        tty_input(&vt1.tty, *text);
    }
}

void vt_key(u16 key, bool alt)
{
    static const char *const sequences[] = {
        [KEY_HOME - KEY_UP] = "\033[1~",     [KEY_INSERT - KEY_UP] = "\033[2~",
        [KEY_DELETE - KEY_UP] = "\033[3~",   [KEY_END - KEY_UP] = "\033[4~",
        [KEY_PAGE_UP - KEY_UP] = "\033[5~",  [KEY_PAGE_DOWN - KEY_UP] = "\033[6~",
        [KEY_F1 - KEY_UP] = "\033[[A",       [KEY_F1 + 1 - KEY_UP] = "\033[[B",
        [KEY_F1 + 2 - KEY_UP] = "\033[[C",   [KEY_F1 + 3 - KEY_UP] = "\033[[D",
        [KEY_F1 + 4 - KEY_UP] = "\033[[E",   [KEY_F1 + 5 - KEY_UP] = "\033[17~",
        [KEY_F1 + 6 - KEY_UP] = "\033[18~",  [KEY_F1 + 7 - KEY_UP] = "\033[19~",
        [KEY_F1 + 8 - KEY_UP] = "\033[20~",  [KEY_F1 + 9 - KEY_UP] = "\033[21~",
        [KEY_F1 + 10 - KEY_UP] = "\033[23~", [KEY_F1 + 11 - KEY_UP] = "\033[24~",
        [KEY_ENTER - KEY_UP] = "\r",         [KEY_BACKSPACE - KEY_UP] = "\177",
        [KEY_BACK_TAB - KEY_UP] = "\033[Z",
    };
    static const char arrows[] = {'A', 'B', 'D', 'C'}; /* ORDER: enum console_key */

    if (alt) {
        type("\033");
    }
    if (key >= KEY_UP && key <= KEY_RIGHT) {
        char sequence[] = {ESCAPE, vt1.application_cursor ? 'O' : '[', arrows[key - KEY_UP], 0};
        type(sequence);
    } else if (key == KEY_NUL) {
        tty_input(&vt1.tty, 0);
    } else if (key > KEY_UP && key - KEY_UP < (i32)ARRAY_LEN(sequences) &&
               sequences[key - KEY_UP]) {
        type(sequences[key - KEY_UP]);
    } else if (key < KEY_UP) {
        tty_input(&vt1.tty, (char)key);
    }
}
