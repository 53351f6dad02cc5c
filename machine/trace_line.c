/*
 * The buffer of the instruction trace and what is put into it.
 */
#include "machine/trace_line.h"

enum {
    NAME_MAX_SHOWN = 255,
    WIDTH_TEXT = 32, /* what the text is padded to when items follow */
};

void trace_line_flush(struct trace_line *l)
{
    if (!l->error)
        l->error = trace_output_write(l->out, l->buf, (size_t)(l->p - l->buf));
    l->p = l->buf;
    l->text = NULL;
}

void trace_line_string(struct trace_line *l, const char *s)
{
    l->p = put_text(l->p, s, strlen(s));
}

void trace_line_decimal(struct trace_line *l, u64 v, unsigned width)
{
    char digits[24], *end = digits + sizeof(digits), *d = end;

    do
        *--d = (char)('0' + v % 10);
    while (v /= 10);
    l->p = put_blanks(l->p, l->p + width - (end - d));
    l->p = put_text(l->p, d, (size_t)(end - d));
}

void trace_line_name(struct trace_line *l, const char *name, u64 offset)
{
    l->p = put_text(l->p, name, strnlen(name, NAME_MAX_SHOWN));
    if (offset) {
        l->p = put_text(l->p, "+0x", 3);
        l->p = put_hex_short(l->p, offset);
    }
}

void trace_line_item(struct trace_line *l)
{
    trace_line_room(l, TRACE_ROOM);
    if (!l->items) {
        if (l->text)
            l->p = put_blanks(l->p, l->text + WIDTH_TEXT);
        l->p = put_text(l->p, " ;", 2);
        l->items = true;
    }
    *l->p++ = ' ';
}

void trace_line_value(struct trace_line *l, const char *name, u64 v, unsigned digits)
{
    trace_line_item(l);
    trace_line_string(l, name);
    *l->p++ = '=';
    l->p = put_hex(l->p, v, digits);
}
