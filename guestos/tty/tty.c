/*
 * The line discipline's input: what becomes of each byte that is typed (POSIX.1-2017, XBD 11;
 * Linux' termios(3) for ECHOCTL, ECHOKE, IUTF8, WERASE, REPRINT, LNEXT).
 *
 * UNIMPL: parity and break (INPCK, PARMRK, BRKINT), IXOFF, IUCLC, ECHOPRT, characters that are two
 * columns wide.
 */
#include "guestos/tty/tty.h"
#include "guestos/abi/errno.h"
#include "guestos/abi/signal.h"

#define QUEUE_MASK (TTY_QUEUE_BYTES - 1)

static char queue_at(const struct tty *t, u32 at)
{
    return t->queue[at & QUEUE_MASK];
}

static bool is_line_end(const struct tty *t, u32 at)
{
    return t->line_end[(at & QUEUE_MASK) / 64] >> at % 64 & 1;
}

static void set_line_end(struct tty *t, u32 at, bool is_end)
{
    u64 *word = &t->line_end[(at & QUEUE_MASK) / 64];

    *word = is_end ? *word | 1ul << at % 64 : *word & ~(1ul << at % 64);
}

static bool has(const struct tty *t, u32 local_flags)
{
    return (t->termios.lflag & local_flags) == local_flags;
}

/* c is the control character of that index; a zero there means that nothing is. */
static bool is_char(const struct tty *t, u32 index, char c)
{
    return t->termios.cc[index] && (char)t->termios.cc[index] == c;
}

/* ---- the queue */

void tty_flush_input(struct tty *t)
{
    t->tail = t->line_begin = t->head;
    t->nr_lines = 0;
    for (u32 i = 0; i < TTY_QUEUE_BYTES / 64; i++) {
        t->line_end[i] = 0;
    }
}

/* False: there is no room. In canonical mode one place is kept for the line's end. */
static bool append(struct tty *t, char c, bool ends_line)
{
    u32 reserve = has(t, ICANON) && !ends_line;

    if (t->head - t->tail >= TTY_QUEUE_BYTES - reserve) {
        if (t->termios.iflag & IMAXBEL) {
            tty_echo_raw(t, '\a');
        }
        return false;
    }
    if (t->head == t->line_begin) {
        t->line_column = t->column;
    }
    t->queue[t->head & QUEUE_MASK] = c;
    set_line_end(t, t->head, ends_line);
    t->head++;
    if (ends_line) {
        t->nr_lines++;
    }
    if (ends_line || !has(t, ICANON)) {
        t->line_begin = t->head;
        wake_all(&t->readers);
    }
    return true;
}

bool tty_takes_input(const struct tty *t)
{
    return has(t, ICANON) || t->head - t->tail < TTY_QUEUE_BYTES;
}

bool tty_has_input(const struct tty *t, u32 nr_raw)
{
    return has(t, ICANON) ? t->nr_lines > 0 : t->head - t->tail >= nr_raw;
}

long tty_take(struct tty *t, char *to, u32 len)
{
    bool canonical = has(t, ICANON);
    u32 n = 0;

    if (!tty_has_input(t, 1)) {
        return -EAGAIN;
    }
    while (t->tail != t->line_begin) {
        char c = queue_at(t, t->tail);
        bool ends = canonical && is_line_end(t, t->tail);
        bool is_eof = ends && c == 0;
        if (n == len && !is_eof) { /* an end of file right behind belongs to these bytes */
            break;
        }
        t->tail++;
        if (!is_eof) {
            to[n++] = c;
        }
        if (ends) {
            t->nr_lines--;
            break;
        }
    }
    if (t->device->input_taken) {
        t->device->input_taken(t);
    }
    return n;
}

u32 tty_nr_readable(const struct tty *t)
{
    u32 n = 0;

    for (u32 at = t->tail; at != t->line_begin; at++) {
        n += !(has(t, ICANON) && is_line_end(t, at) && queue_at(t, at) == 0);
    }
    return n;
}

/* What lies in the queue when canonical mode begins counts as a line; when it ends, all of it can
 * be read. */
void tty_mode_changed(struct tty *t, const struct termios *old)
{
    if ((t->termios.lflag ^ old->lflag) & ICANON) {
        bool waits = t->head != t->tail;
        for (u32 i = 0; i < TTY_QUEUE_BYTES / 64; i++) {
            t->line_end[i] = 0;
        }
        t->line_begin = t->head;
        t->nr_lines = has(t, ICANON) && waits;
        if (t->nr_lines) {
            set_line_end(t, t->head - 1, true);
        }
        wake_all(&t->readers);
    }
    if (!(t->termios.iflag & IXON) && (old->iflag & IXON)) {
        tty_set_stopped(t, false);
    }
    t->literal_next = false;
}

/* ---- editing */

static u32 columns_of(const struct tty *t, char c, u32 column)
{
    if (c == '\t') {
        return 8 - column % 8;
    }
    if (tty_is_control(c)) {
        return has(t, ECHOCTL) ? 2 : 0;
    }
    return !tty_is_continuation(t, c);
}

/* Where the cursor is after the line being typed, up to a place. */
static u32 column_at(const struct tty *t, u32 end)
{
    u32 column = t->line_column;

    for (u32 at = t->line_begin; at != end; at++) {
        column += columns_of(t, queue_at(t, at), column);
    }
    return column;
}

static void rub_out(struct tty *t, u32 columns, bool is_tab)
{
    while (columns--) {
        tty_echo_raw(t, '\b');
        if (!is_tab) { /* a tab wrote nothing */
            tty_echo_raw(t, ' ');
            tty_echo_raw(t, '\b');
        }
    }
}

/* Where the line's last character begins, however many bytes it has. The line is not empty. */
static u32 last_character(const struct tty *t)
{
    u32 at = t->head;

    do {
        at--;
    } while (at != t->line_begin && tty_is_continuation(t, queue_at(t, at)));
    return at;
}

/* Off the queue and off the screen. False: it is none (bytes that belong to no character stay). */
static bool erase_one(struct tty *t)
{
    u32 end = t->head, begin = last_character(t);

    if (tty_is_continuation(t, queue_at(t, begin))) {
        return false;
    }
    t->head = begin;
    if (has(t, ECHO)) {
        rub_out(t, column_at(t, end) - column_at(t, begin), queue_at(t, begin) == '\t');
    }
    return true;
}

static void erase(struct tty *t, char c)
{
    if (t->head == t->line_begin) {
        return;
    }
    if (!has(t, ECHO) || has(t, ECHOE)) {
        erase_one(t);
    } else if (!tty_is_continuation(t, queue_at(t, last_character(t)))) {
        t->head = last_character(t); /* it stays on the paper */
        tty_echo(t, c);
    }
}

/* By a character's first byte; of those beyond ASCII all count as letters. */
static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' ||
           (u8)c >= 0xC0;
}

/* What is no word, then a word. */
static void erase_word(struct tty *t)
{
    bool in_word = false;

    while (t->head != t->line_begin) {
        bool word = is_word(queue_at(t, last_character(t)));
        if (in_word && !word) {
            return;
        }
        in_word = word;
        if (!erase_one(t)) {
            return;
        }
    }
}

static void kill_line(struct tty *t, char c)
{
    if (t->head == t->line_begin) {
        return;
    }
    if (has(t, ECHO | ECHOE | ECHOK | ECHOKE)) {
        while (t->head != t->line_begin && erase_one(t)) {
        }
        return;
    }
    t->head = t->line_begin;
    if (has(t, ECHO)) {
        tty_echo(t, c);
    }
    if (has(t, ECHO | ECHOK)) {
        tty_echo_raw(t, '\n');
    }
}

static void reprint(struct tty *t, char c)
{
    tty_echo(t, c);
    tty_echo_raw(t, '\n');
    t->line_column = t->column;
    for (u32 at = t->line_begin; at != t->head; at++) {
        tty_echo(t, queue_at(t, at));
    }
}

/* True: c was for the editor. */
static bool edit(struct tty *t, char c)
{
    if (is_char(t, VERASE, c)) {
        erase(t, c);
    } else if (is_char(t, VKILL, c)) {
        kill_line(t, c);
    } else if (has(t, IEXTEN) && is_char(t, VWERASE, c)) {
        erase_word(t);
    } else if (has(t, IEXTEN | ECHO) && is_char(t, VREPRINT, c)) {
        reprint(t, c);
    } else if (has(t, IEXTEN) && is_char(t, VLNEXT, c)) {
        t->literal_next = true;
        if (has(t, ECHO | ECHOCTL)) {
            tty_echo_raw(t, '^');
            tty_echo_raw(t, '\b');
        }
    } else if (is_char(t, VEOF, c)) {
        append(t, 0, true);
    } else {
        return false;
    }
    return true;
}

/* ---- a byte arrives */

/* is_newline: to be echoed as one, not as ^J. */
static void receive_plain(struct tty *t, char c, bool is_newline)
{
    bool ends = has(t, ICANON) && !t->literal_next &&
                (c == '\n' || is_char(t, VEOL, c) || (has(t, IEXTEN) && is_char(t, VEOL2, c)));

    if (!append(t, c, ends)) {
        return;
    }
    if (is_newline) {
        if (has(t, ECHO) || has(t, ECHONL | ICANON)) {
            tty_echo_raw(t, c);
        }
    } else if (has(t, ECHO)) {
        tty_echo(t, c);
    }
}

static u32 signal_of(const struct tty *t, char c)
{
    return !has(t, ISIG)          ? 0
           : is_char(t, VINTR, c) ? SIGINT
           : is_char(t, VQUIT, c) ? SIGQUIT
           : is_char(t, VSUSP, c) ? SIGTSTP
                                  : 0;
}

/* True: c was for the flow of output. */
static bool control_flow(struct tty *t, char c)
{
    if (!(t->termios.iflag & IXON)) {
        return false;
    }
    if (is_char(t, VSTART, c) || is_char(t, VSTOP, c)) {
        tty_set_stopped(t, !is_char(t, VSTART, c));
        return true;
    }
    if (t->stopped && (t->termios.iflag & IXANY)) {
        tty_set_stopped(t, false);
    }
    return false;
}

/* The signal that c asks for, or 0. */
static u32 receive(struct tty *t, char c)
{
    u32 iflag = t->termios.iflag;

    if (iflag & ISTRIP) {
        c &= 0x7F;
    }
    if (t->literal_next) {
        receive_plain(t, c, false);
        t->literal_next = false;
        return 0;
    }
    if (control_flow(t, c)) {
        return 0;
    }
    u32 signal = signal_of(t, c);
    if (signal) {
        if (!has(t, NOFLSH)) {
            tty_flush_input(t);
            if (t->device->drop) {
                t->device->drop(t);
            }
        }
        tty_set_stopped(t, false);
        if (has(t, ECHO)) {
            tty_echo(t, c);
        }
        return signal;
    }
    bool is_newline = c == '\n' && has(t, ICANON);
    if (c == '\r') {
        if (iflag & IGNCR) {
            return 0;
        }
        is_newline = iflag & ICRNL;
        c = is_newline ? '\n' : c;
    } else if (c == '\n' && (iflag & INLCR)) {
        c = '\r';
        is_newline = false;
    }
    if (!has(t, ICANON) || !edit(t, c)) {
        receive_plain(t, c, is_newline);
    }
    return 0;
}

void tty_input_locked(struct tty *t, char c)
{
    receive(t, c);
}

void tty_input(struct tty *t, char c)
{
    spin_lock(&t->lock);
    u32 signal = receive(t, c);
    spin_unlock(&t->lock);
    if (signal) {
        tty_signal_foreground(t, signal);
    }
}
