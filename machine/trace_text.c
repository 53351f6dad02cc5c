/*
 * Lines of the instruction trace.
 *
 * PERF: nothing here calls printf: everything goes through machine/trace_line.h.
 */
#include "machine/trace_text.h"
#include "machine/event_words.h"
#include "machine/trace_regs.h"

enum {
    WIDTH_COUNT = 12,
    WIDTH_BYTES = 22,
    WIDTH_RIP_LEGACY = 13,
    WIDTH_RIP_LONG = 21,
    SOURCE_MAX_SHOWN = 250
};

void trace_text_init(struct trace_text *t, struct disasm *disasm, const struct symbols *symbols,
                     bool lines, struct trace_output *out)
{
    memset(t, 0, offsetof(struct trace_text, line) + offsetof(struct trace_line, buf));
    t->disasm = disasm;
    t->symbols = symbols;
    t->lines = lines;
    t->tty = trace_output_is_tty(out);
    t->line.out = out;
    t->line.p = t->line.buf;
}

static unsigned address_digits(const struct trace_head *h)
{
    return h->mode & MODE_LMA ? 16 : 8;
}

/* Count, mode, CPL, CS:RIP and linear address: what every line begins with. */
static void put_place(struct trace_line *l, const struct trace_head *h)
{
    char *column;

    trace_line_decimal(l, h->count, WIDTH_COUNT);
    *l->p++ = ' ';
    l->p = put_text(l->p, mode_name(h->mode), 4);
    *l->p++ = ' ';
    *l->p++ = (char)('0' + h->cpl);
    *l->p++ = ' ';
    column = l->p;
    l->p = put_hex(l->p, h->cs, 4);
    *l->p++ = ':';
    l->p = put_hex(l->p, h->rip, 4u << (h->mode & MODE_CODE_MASK));
    l->p = put_blanks(l->p, column + (h->mode & MODE_LMA ? WIDTH_RIP_LONG : WIDTH_RIP_LEGACY));
    *l->p++ = ' ';
    l->p = put_hex(l->p, h->lin, address_digits(h));
    *l->p++ = ' ';
    l->text = l->p;
}

static void put_location(struct trace_text *t, u64 lin)
{
    struct trace_line *l = &t->line;
    u64 offset;
    const char *name = symbols_at(t->symbols, lin, &offset);

    if (name) {
        trace_line_item(l);
        *l->p++ = '@';
        trace_line_name(l, name, offset);
    }
}

/* Bytes and disassembly. An instruction that we cannot decode is shown as Capstone sees it. */
static void put_insn(struct trace_text *t, const struct trace_head *h)
{
    struct trace_line *l = &t->line;
    struct disasm_insn d =
        disasm_at(t->disasm, h->bytes, h->nr_bytes, 8 * code_size(h->mode), h->rip);
    unsigned n = h->valid || !d.len ? h->nr_bytes : d.len;

    for (unsigned i = 0; i < n; i++)
        l->p = put_hex(l->p, h->bytes[i], 2);
    l->p = put_blanks(l->p, l->text + WIDTH_BYTES);
    *l->p++ = ' ';
    l->text = l->p;
    l->p = put_text(l->p, d.text, d.text_len);
    if (d.is_branch) {
        u64 offset, to = code_size(h->mode) == 8 ? d.target : (u32)(h->lin - h->rip + d.target);
        const char *name = symbols_at(t->symbols, to, &offset);

        if (name) {
            l->p = put_text(l->p, " <", 2);
            trace_line_name(l, name, offset);
            *l->p++ = '>';
        }
    }
}

/* "#PF"; INT n is "#INT" whatever n is, but for the two that have an exception of their own. */
static const char *event_name(const struct event_record *e)
{
    bool interrupt = e->kind == EVENT_EXT ||
                     (e->kind == EVENT_SOFT && e->vector != EXC_BP && e->vector != EXC_OF);

    return interrupt ? "INT" : vector_short_name(e->vector);
}

static void put_error_code(struct trace_line *l, const struct event_record *e)
{
    char words[80];

    error_code_words(words, sizeof(words), e->vector, e->error, ",");
    for (char *w = words; *w; w++)
        if (*w == ' ')
            *w = '-';
    if (*words) {
        trace_line_string(l, " why=");
        trace_line_string(l, words);
    }
}

static void put_event(struct trace_line *l, const struct trace_head *h,
                      const struct event_record *e)
{
    static const char *const kinds[] = {[EVENT_FAULT] = "fault",
                                        [EVENT_TRAP] = "trap",
                                        [EVENT_SOFT] = "software",
                                        [EVENT_EXT] = "external",
                                        [EVENT_ABORT] = "abort"};
    const char *name = event_name(e);

    if (*name != '#')
        *l->p++ = '#';
    trace_line_string(l, name);
    trace_line_string(l, " vector=");
    l->p = put_hex(l->p, e->vector, 2);
    trace_line_string(l, " kind=");
    trace_line_string(l, kinds[e->kind]);
    if (e->has_error) {
        trace_line_string(l, " error=");
        l->p = put_hex(l->p, e->error, 4);
    }
    if (e->vector == EXC_PF && e->kind == EVENT_FAULT) {
        trace_line_string(l, " cr2=");
        l->p = put_hex(l->p, e->cr2, address_digits(h));
    }
    if (e->has_error)
        put_error_code(l, e);
    if (e->during == DELIVER_EXTERNAL) {
        trace_line_string(l, " during=external");
    } else if (e->during != DELIVER_NONE) {
        trace_line_string(l, " during=");
        l->p = put_hex(l->p, (u64)e->during, 2);
    }
    if (e->lost)
        trace_line_string(l, " lost");
}

/* "# main.c:34: the line's text", when the source line is another one than before. */
static void put_source_line(struct trace_text *t, u64 lin)
{
    struct source_line was = t->line_at, *now = &t->line_at;
    struct source_lines *lines = symbols_lines(t->symbols);
    struct trace_line *l = &t->line;
    const char *text;
    size_t len;

    if (lin - now->from < now->to - now->from)
        return;
    *now = source_lines_at(lines, lin);
    if (!now->path || (now->path == was.path && now->line == was.line))
        return;
    l->p = put_text(l->p, "# ", 2);
    l->p = put_text(l->p, now->file, strnlen(now->file, SOURCE_MAX_SHOWN));
    *l->p++ = ':';
    trace_line_decimal(l, now->line, 0);
    text = source_lines_text(lines, now, &len);
    if (text) {
        l->p = put_text(l->p, ": ", 2);
        for (size_t i = 0; i < len && i < SOURCE_MAX_SHOWN; i++)
            *l->p++ = (u8)text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i];
    }
    *l->p++ = '\n';
}

void trace_text_head(struct trace_text *t, const struct trace_head *h, const struct event_record *e)
{
    struct trace_line *l = &t->line;

    trace_line_room(l, 2 * TRACE_ROOM); /* so that the text and its first item stay together */
    l->items = false;
    if (t->lines && h->kind == TRACE_INSN)
        put_source_line(t, h->lin);
    put_place(l, h);
    switch (h->kind) {
    case TRACE_INSN: put_insn(t, h); break;
    case TRACE_EVENT: put_event(l, h, e); break;
    default: trace_line_string(l, h->note); return;
    }
    put_location(t, h->lin);
}

static void put_access(struct trace_line *l, const struct trace_item *i)
{
    trace_line_item(l);
    *l->p++ = i->kind == TRACE_WRITE ? 'w' : 'r';
    *l->p++ = (char)('0' + i->size);
    *l->p++ = '[';
    l->p = put_hex(l->p, i->lin, i->digits);
    *l->p++ = ']';
    *l->p++ = '=';
    l->p = put_hex(l->p, i->value, 2 * i->size);
}

void trace_text_item(struct trace_text *t, const struct trace_item *i)
{
    struct trace_line *l = &t->line;

    switch (i->kind) {
    case TRACE_REG: trace_regs_put(l, i); break;
    case TRACE_MORE:
        trace_line_item(l);
        trace_line_string(l, "more=");
        trace_line_decimal(l, i->value, 0);
        break;
    default: put_access(l, i); break;
    }
}

void trace_text_end(struct trace_text *t)
{
    struct trace_line *l = &t->line;

    *l->p++ = '\n';
    if (t->tty || l->p > l->buf + TRACE_BUFFER - 2 * TRACE_ROOM)
        trace_line_flush(l);
}
