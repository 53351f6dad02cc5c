#include "guestos/boot/menu.h"
#include "guestos/boot/keys.h"
#include "guestos/boot/loader.h"

/* Rows of the screen; the entries take at most MAX_ENTRIES of them. */
#define ROW_HEAD    0u
#define ROW_ENTRIES 2u
#define ROW_HELP    19u
#define ROW_STATUS  21u
#define STATUS_ROWS 3u
#define WIDTH       79u /* of a text on one row */
#define EDIT_PROMPT "> "

void menu_init(struct menu *menu, const struct config *config)
{
    menu->config = config;
    menu->chosen = config->first;
}

static void draw_entry(const struct menu *menu, uint32_t i)
{
    screen_row(ROW_ENTRIES + i, i == menu->chosen, "  %u  %s", i + 1, menu->config->entry[i].title);
}

/* A text on as many rows as there are for it; nothing for "". */
static void draw_status(const char *text)
{
    char part[WIDTH + 1];

    for (uint32_t row = 0; row < STATUS_ROWS; row++) {
        size_t len = strlen(text) < WIDTH ? strlen(text) : WIDTH;
        memcpy(part, text, len);
        part[len] = 0;
        screen_row(ROW_STATUS + row, false, "%s", part);
        text += len;
    }
}

static void draw(const struct menu *menu, const char *status)
{
    screen_clear();
    screen_row(ROW_HEAD, false, "Ember loader: what shall be started?");
    for (uint32_t i = 0; i < menu->config->nr_entries; i++) {
        draw_entry(menu, i);
    }
    screen_row(ROW_HELP, false,
               "Up and Down choose, Enter starts, a digit starts that entry, e edits.");
    draw_status(status);
}

static void choose(struct menu *menu, uint32_t i)
{
    uint32_t old = menu->chosen;

    menu->chosen = i;
    draw_entry(menu, old);
    draw_entry(menu, i);
}

static void take_line(struct menu *menu)
{
    memcpy(menu->line, menu->config->entry[menu->chosen].kernel, sizeof menu->line);
}

static void draw_line(const char *line, uint32_t cursor)
{
    uint32_t room = WIDTH - (uint32_t)strlen(EDIT_PROMPT);
    uint32_t first = cursor < room ? 0 : cursor - room + 1;

    screen_row(ROW_STATUS + 1, false, EDIT_PROMPT "%s", line + first);
    screen_cursor(ROW_STATUS + 1, (uint32_t)strlen(EDIT_PROMPT) + cursor - first);
}

/* Takes characters [at, at + nr) out of a line, or puts one in. */
static void line_remove(char *line, uint32_t at, uint32_t nr)
{
    for (; line[at + nr]; at++) {
        line[at] = line[at + nr];
    }
    line[at] = 0;
}

static void line_insert(char *line, uint32_t at, char c)
{
    for (uint32_t i = (uint32_t)strlen(line) + 1; i > at; i--) {
        line[i] = line[i - 1];
    }
    line[at] = c;
}

/* True: start what the line says. False: back to the menu. */
static bool edit(struct menu *menu)
{
    char *line = menu->line;
    uint32_t cursor = (uint32_t)strlen(line);

    draw_status("");
    screen_row(ROW_STATUS, false,
               "The kernel's path, and its command line. Enter starts, Esc goes back.");
    for (;;) {
        draw_line(line, cursor);
        uint32_t len = (uint32_t)strlen(line);
        uint32_t key = key_wait(FOREVER);
        switch (key) {
        case KEY_ENTER: return true;
        case KEY_ESC: return false;
        case KEY_LEFT: cursor -= cursor > 0; break;
        case KEY_RIGHT: cursor += cursor < len; break;
        case KEY_HOME: cursor = 0; break;
        case KEY_END: cursor = len; break;
        case KEY_CTRL_U:
            line_remove(line, 0, cursor);
            cursor = 0;
            break;
        case KEY_BACKSPACE:
            if (cursor > 0) {
                line_remove(line, --cursor, 1);
            }
            break;
        case KEY_DELETE:
            if (cursor < len) {
                line_remove(line, cursor, 1);
            }
            break;
        default:
            if (key >= ' ' && key < 0x7F && len < MAX_LINE - 1) {
                line_insert(line, cursor++, (char)key);
            }
            break;
        }
    }
}

/* Shows the seconds left; KEY_NONE when they are over. */
static uint32_t countdown(uint32_t seconds)
{
    uint32_t start = clock_ticks();
    uint32_t ticks = seconds * TICKS_PER_HOUR / 3600;

    for (uint32_t gone = 0; gone < ticks; gone = clock_since(start)) {
        uint32_t left = seconds - gone * 3600 / TICKS_PER_HOUR;
        screen_row(ROW_STATUS, false, "The marked entry starts in %u s; a key stops the clock.",
                   left);
        /* When the number changes: */
        uint32_t next = (seconds - left + 1) * TICKS_PER_HOUR / 3600 + 1;
        uint32_t key = key_wait(next > gone ? next - gone : 1);
        if (key) {
            draw_status("");
            return key;
        }
    }
    return KEY_NONE;
}

/* True: the key starts something. */
static bool act(struct menu *menu, uint32_t key)
{
    uint32_t last = menu->config->nr_entries - 1;

    switch (key) {
    case KEY_ENTER: return true;
    case KEY_UP: choose(menu, menu->chosen ? menu->chosen - 1 : last); return false;
    case KEY_DOWN: choose(menu, menu->chosen < last ? menu->chosen + 1 : 0); return false;
    case KEY_HOME: choose(menu, 0); return false;
    case KEY_END: choose(menu, last); return false;
    default: break;
    }
    if (key >= '1' && key <= '9' && key - '1' <= last) {
        choose(menu, key - '1');
        return true;
    }
    return false;
}

void menu_run(struct menu *menu, const char *message)
{
    uint32_t seconds = menu->config->timeout_s;
    bool counts = !*message && seconds != TIMEOUT_NEVER;
    uint32_t key = KEY_NONE;

    if (counts && seconds == 0) {
        key = key_wait(0); /* a key that waits already asks for the menu */
        if (!key) {
            take_line(menu);
            return;
        }
        counts = false;
    }
    draw(menu, message);
    if (counts) {
        key = countdown(seconds);
        if (!key) {
            take_line(menu);
            return;
        }
    } else {
        key = key_wait(FOREVER);
    }
    for (;; key = key_wait(FOREVER)) {
        if (key == 'e' || key == 'E') {
            take_line(menu);
            if (edit(menu)) {
                return;
            }
            draw_status("");
        } else if (act(menu, key)) {
            take_line(menu);
            return;
        }
    }
}
