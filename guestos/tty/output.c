/*
 * The line discipline's output: OPOST and its kin (POSIX.1-2017, XBD 11.2.3), the echo, and the
 * count of columns, which the erasing of tabs needs. What does not fit into a device waits with its
 * writer (file.c); an echo that does not fit is lost.
 */
#include "guestos/tty/tty.h"

#define MAX_EXPANSION 8u /* bytes that one may become: a tab */
#define BATCH         64u

bool tty_is_control(char c)
{
    return (u8)c < ' ' || c == 0x7F;
}

bool tty_is_continuation(const struct tty *t, char c)
{
    return (t->termios.iflag & IUTF8) && (c & 0xC0) == 0x80;
}

static u32 put_one(char to[], char c)
{
    to[0] = c;
    return 1;
}

static u32 expand_newline(struct tty *t, char to[MAX_EXPANSION])
{
    u32 oflag = t->termios.oflag;
    u32 n = 0;

    if (oflag & ONLCR) {
        to[n++] = '\r';
    }
    if (oflag & (ONLCR | ONLRET)) {
        t->column = 0;
    }
    return n + put_one(to + n, '\n');
}

static u32 expand_tab(struct tty *t, char to[MAX_EXPANSION])
{
    u32 columns = 8 - t->column % 8;

    t->column += columns;
    if ((t->termios.oflag & TABDLY) != TABDLY) {
        return put_one(to, '\t');
    }
    for (u32 i = 0; i < columns; i++) {
        to[i] = ' ';
    }
    return columns;
}

/* What c becomes on its way out. */
static u32 expand(struct tty *t, char c, char to[MAX_EXPANSION])
{
    u32 oflag = t->termios.oflag;

    if (!(oflag & OPOST)) {
        return put_one(to, c);
    }
    switch (c) {
    case '\n': return expand_newline(t, to);
    case '\t': return expand_tab(t, to);
    case '\b': t->column -= t->column > 0; return put_one(to, c);
    case '\r':
        if ((oflag & ONOCR) && t->column == 0) {
            return 0;
        }
        if (!(oflag & OCRNL) || (oflag & ONLRET)) {
            t->column = 0;
        }
        return put_one(to, oflag & OCRNL ? '\n' : c);
    default:
        t->column += !tty_is_control(c) && !tty_is_continuation(t, c);
        return put_one(to, (oflag & OLCUC) && c >= 'a' && c <= 'z' ? (char)(c - 0x20) : c);
    }
}

u32 tty_output(struct tty *t, const char *text, u32 len)
{
    char batch[BATCH + MAX_EXPANSION];
    u32 room = t->stopped ? 0 : t->device->room(t);
    u32 done = 0, n = 0;

    while (done < len && room >= n + MAX_EXPANSION) {
        n += expand(t, text[done++], batch + n);
        if (n >= BATCH) {
            t->device->put(t, batch, n);
            room -= n;
            n = 0;
        }
    }
    if (n) {
        t->device->put(t, batch, n);
    }
    return done;
}

void tty_echo_raw(struct tty *t, char c)
{
    char expanded[MAX_EXPANSION];

    if (t->device->room(t) >= MAX_EXPANSION) {
        u32 n = expand(t, c, expanded);
        t->device->put(t, expanded, n);
    }
}

void tty_echo(struct tty *t, char c)
{
    if ((t->termios.lflag & ECHOCTL) && tty_is_control(c) && c != '\t') {
        tty_echo_raw(t, '^');
        c ^= 0x40;
    }
    tty_echo_raw(t, c);
}

void tty_set_stopped(struct tty *t, bool stopped)
{
    t->stopped = stopped;
    if (!stopped) {
        wake_all(&t->writers);
    }
}

void tty_room(struct tty *t)
{
    wake_all(&t->writers);
}
