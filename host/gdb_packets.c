/*
 * gdb's remote serial protocol, the outer layer. gdb manual, appendix E.1 and E.2.
 */
#include "host/gdb_packets.h"
#include <stdarg.h>
#include <stdio.h>

enum { IDLE, IN_PACKET, SUM_1, SUM_2 };
enum { ESCAPE = '}', ESCAPE_XOR = 0x20, INTERRUPT = 3 };

static int digit(u8 c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void add(struct gdb_packets *p, u8 c)
{
    p->sum = (u8)(p->sum + c);
    if (c == ESCAPE && !p->escaped) {
        p->escaped = 1;
        return;
    }
    if (p->len == GDB_PACKET_MAX)
        p->too_long = 1;
    else
        p->data[p->len++] = (char)(p->escaped ? c ^ ESCAPE_XOR : c);
    p->escaped = 0;
}

static enum gdb_input between(struct gdb_packets *p, u8 c)
{
    switch (c) {
    case '$':
        p->state = IN_PACKET;
        p->len = p->sum = p->escaped = p->too_long = 0;
        break;
    case '-': return GDB_NACK;
    case INTERRUPT: return GDB_INTERRUPT;
    default: break; /* '+', and noise */
    }
    return GDB_NOTHING;
}

static enum gdb_input end_of_packet(struct gdb_packets *p)
{
    int high = digit(p->digits[0]), low = digit(p->digits[1]);

    p->state = IDLE;
    p->data[p->len] = 0;
    return high < 0 || low < 0 || high * 16 + low != p->sum || p->too_long ? GDB_BAD : GDB_PACKET;
}

size_t gdb_packets_feed(struct gdb_packets *p, const u8 *bytes, size_t len, enum gdb_input *what)
{
    size_t n = 0;

    *what = GDB_NOTHING;
    while (n < len && *what == GDB_NOTHING) {
        u8 c = bytes[n++];

        switch (p->state) {
        case IDLE: *what = between(p, c); break;
        case IN_PACKET:
            if (c == '#')
                p->state = SUM_1;
            else if (c == '$') /* the end was lost: another begins */
                between(p, c);
            else
                add(p, c);
            break;
        case SUM_1:
            p->digits[0] = c;
            p->state = SUM_2;
            break;
        case SUM_2:
            p->digits[1] = c;
            *what = end_of_packet(p);
            break;
        }
    }
    return n;
}

/* ---- answers ---- */

enum { ROOM_FOR_SUM = 4 }; /* #, two digits, a 0 */

static bool room(struct gdb_reply *r, size_t len)
{
    if (r->len + len + ROOM_FOR_SUM <= sizeof(r->data))
        return true;
    r->full = true;
    return false;
}

void gdb_reply_start(struct gdb_reply *r)
{
    r->data[0] = '$';
    r->len = 1;
    r->full = false;
}

void gdb_reply_binary(struct gdb_reply *r, const void *bytes, size_t len)
{
    const u8 *b = bytes;

    for (size_t i = 0; i < len; i++) {
        bool special = b[i] && strchr("#$}*", b[i]);

        if (!room(r, 2))
            return;
        if (special)
            r->data[r->len++] = ESCAPE;
        r->data[r->len++] = (char)(special ? b[i] ^ ESCAPE_XOR : b[i]);
    }
}

void gdb_reply_text(struct gdb_reply *r, const char *text)
{
    gdb_reply_binary(r, text, strlen(text));
}

void gdb_reply_printf(struct gdb_reply *r, const char *format, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    gdb_reply_text(r, text);
}

void gdb_reply_hex(struct gdb_reply *r, const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const u8 *b = bytes;

    for (size_t i = 0; i < len && room(r, 2); i++) {
        r->data[r->len++] = digits[b[i] >> 4];
        r->data[r->len++] = digits[b[i] & 15];
    }
}

void gdb_reply_finish(struct gdb_reply *r)
{
    u8 sum = 0;

    for (size_t i = 1; i < r->len; i++)
        sum = (u8)(sum + (u8)r->data[i]);
    r->len += (size_t)snprintf(r->data + r->len, ROOM_FOR_SUM, "#%02x", sum);
}

/* ---- reading ---- */

bool gdb_take(const char **text, char c)
{
    if (**text != c)
        return false;
    ++*text;
    return true;
}

bool gdb_take_number(const char **text, u64 *value)
{
    unsigned n = 0;
    u64 v = 0;

    for (; n <= 16 && digit((u8)(*text)[n]) >= 0; n++)
        v = v << 4 | (u64)digit((u8)(*text)[n]);
    if (n == 0 || n > 16)
        return false;
    *text += n;
    *value = v;
    return true;
}

bool gdb_take_bytes(const char **text, void *bytes, size_t nr)
{
    u8 *b = bytes;

    for (size_t i = 0; i < nr; i++) {
        int high = digit((u8) * *text), low = high < 0 ? -1 : digit((u8)(*text)[1]);

        if (low < 0)
            return false;
        b[i] = (u8)(high << 4 | low);
        *text += 2;
    }
    return true;
}
