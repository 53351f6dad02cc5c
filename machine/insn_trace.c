/*
 * The instruction trace.
 *
 * A line is written when its instruction begins, up to the disassembly, and stays open: memory
 * accesses append to it as they happen, changed registers when it retires. An event closes the
 * line of the instruction that raised it and opens its own, which then collects what delivery
 * does. A string instruction that comes back after an interruption goes on in its open line, so
 * that a trace does not depend on the length of slices.
 *
 * PERF: the hot path calls no printf: everything goes through machine/trace_line.h.
 */
#include "machine/insn_trace.h"
#include "core/clock.h"
#include "machine/event_words.h"
#include "machine/lin_peek.h"
#include "machine/trace_filter.h"
#include "machine/trace_regs.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    WIDTH_COUNT = 12,
    WIDTH_BYTES = 22,
    WIDTH_RIP_LEGACY = 13,
    WIDTH_RIP_LONG = 21,
    MAX_INSN = 15
};

enum state { WAITING, RUNNING, DONE };

struct insn_trace {
    enum state state;
    bool open;    /* the line has no newline yet */
    bool retired; /* the last instruction, so that the same one again is a new line */
    bool regs, mem;
    bool regs_known;          /* before holds the registers as they were when the line began */
    u64 line_count, line_lin; /* of the instruction whose line is open */
    struct trace_filter filter;
    struct cpu *c;
    struct disasm *disasm;
    const struct symbols *symbols;
    struct trace_regs before, now;
    bool own_fd, tty;
    char error_text[128];
    struct trace_line line;
};

/* ---- lines ---- */

static void flush(struct insn_trace *t)
{
    trace_line_flush(&t->line);
    if (t->line.error && !*t->error_text) {
        snprintf(t->error_text, sizeof(t->error_text), "cannot write the trace: %s",
                 strerror(t->line.error));
        t->state = DONE;
        cpu_request_stop(t->c);
    }
}

static unsigned address_digits(const struct insn_trace *t)
{
    return t->c->mode & MODE_LMA ? 16 : 8;
}

static void close_line(struct insn_trace *t)
{
    struct trace_line *l = &t->line;

    if (!t->open)
        return;
    if (t->regs) {
        trace_regs_take(&t->now, t->c);
        trace_regs_put(l, t->c, &t->now, &t->before);
        t->before = t->now;
    }
    *l->p++ = '\n';
    t->open = false;
    if (t->tty || l->p > l->buf + TRACE_BUFFER - 2 * TRACE_ROOM)
        flush(t);
}

/* Count, mode, CPL, CS:RIP and linear address: what every line begins with. */
static void open_line(struct insn_trace *t, u64 count, u64 lin)
{
    struct trace_line *l = &t->line;
    const struct cpu *c = t->c;
    bool lma = c->mode & MODE_LMA;
    char *column;

    trace_line_room(l, 2 * TRACE_ROOM); /* so that the text and its first item stay together */
    if (t->regs && !t->regs_known)
        trace_regs_take(&t->before, c);
    t->regs_known = true;
    t->open = true;
    l->items = false;
    trace_line_decimal(l, count, WIDTH_COUNT);
    *l->p++ = ' ';
    l->p = put_text(l->p, mode_name(c->mode), 4);
    *l->p++ = ' ';
    *l->p++ = (char)('0' + cpu_cpl(c));
    *l->p++ = ' ';
    column = l->p;
    l->p = put_hex(l->p, c->seg[CS].sel, 4);
    *l->p++ = ':';
    l->p = put_hex(l->p, c->rip, 4u << (c->mode & MODE_CODE_MASK));
    l->p = put_blanks(l->p, column + (lma ? WIDTH_RIP_LONG : WIDTH_RIP_LEGACY));
    *l->p++ = ' ';
    l->p = put_hex(l->p, lin, lma ? 16 : 8);
    *l->p++ = ' ';
    l->text = l->p;
}

static void put_location(struct insn_trace *t, u64 lin)
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
static void put_insn(struct insn_trace *t, const struct insn *in, const u8 *bytes, u64 lin)
{
    struct trace_line *l = &t->line;
    struct cpu *c = t->c;
    unsigned n = in->len;
    struct disasm_insn d;
    u8 peeked[MAX_INSN];

    if (UNLIKELY(in->row == ROW_INVALID)) {
        n = lin_peek(c, lin, peeked, sizeof(peeked));
        bytes = peeked;
    }
    d = disasm_at(t->disasm, bytes, n, 8 * code_size(c->mode), c->rip);
    if (n > in->len)
        n = d.len ? d.len : n;
    for (unsigned i = 0; i < n; i++)
        l->p = put_hex(l->p, bytes[i], 2);
    l->p = put_blanks(l->p, l->text + WIDTH_BYTES);
    *l->p++ = ' ';
    l->text = l->p;
    l->p = put_text(l->p, d.text, d.text_len);
    if (d.is_branch) {
        u64 offset, to = code_size(c->mode) == 8 ? d.target : (u32)(c->seg[CS].base + d.target);
        const char *name = symbols_at(t->symbols, to, &offset);

        if (name) {
            l->p = put_text(l->p, " <", 2);
            trace_line_name(l, name, offset);
            *l->p++ = '>';
        }
    }
}

/* Starts the trace, or ends it, when this instruction is the place. Returns whether it runs. */
static bool running(struct insn_trace *t, u64 count, u64 lin)
{
    if (t->state == DONE)
        return false;
    if (t->state == WAITING) {
        if (!trace_point_reached(&t->filter.start, count, lin))
            return false;
        t->state = RUNNING;
        return true; /* --to at the same address means the next time */
    }
    if (trace_point_reached(&t->filter.stop, count, lin)) {
        close_line(t);
        flush(t); /* while there is someone to tell that it failed */
        t->state = DONE;
        cpu_request_stop(t->c);
        return false;
    }
    return true;
}

void insn_trace_before(struct insn_trace *t, const struct insn *in, const u8 *bytes)
{
    struct cpu *c = t->c;
    u64 count = clock_icount(c->cfg.clk), lin = cpu_lin_rip(c);

    if (t->open && !t->retired && t->line_count == count && t->line_lin == lin)
        return; /* a string instruction goes on */
    if (!running(t, count, lin))
        return;
    close_line(t);
    if (!trace_filter_shows(&t->filter, lin, cpu_cpl(c))) {
        t->regs_known = false;
        return;
    }
    open_line(t, count, lin);
    t->line_count = count;
    t->line_lin = lin;
    t->retired = false;
    put_insn(t, in, bytes, lin);
    put_location(t, lin);
}

void insn_trace_after(struct insn_trace *t)
{
    t->retired = true;
    close_line(t);
}

void insn_trace_mem(struct insn_trace *t, u64 lin, u64 value, unsigned size, bool write)
{
    struct trace_line *l = &t->line;

    if (!t->open)
        return;
    trace_line_item(l);
    *l->p++ = write ? 'w' : 'r';
    *l->p++ = (char)('0' + size);
    *l->p++ = '[';
    l->p = put_hex(l->p, lin, address_digits(t));
    *l->p++ = ']';
    *l->p++ = '=';
    l->p = put_hex(l->p, value, 2 * size);
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

static void put_event(struct insn_trace *t, const struct event_record *e)
{
    static const char *const kinds[] = {[EVENT_FAULT] = "fault",
                                        [EVENT_TRAP] = "trap",
                                        [EVENT_SOFT] = "software",
                                        [EVENT_EXT] = "external",
                                        [EVENT_ABORT] = "abort"};
    struct trace_line *l = &t->line;
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
        l->p = put_hex(l->p, e->cr2, address_digits(t));
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

void insn_trace_event(struct insn_trace *t, const struct event_record *e)
{
    u64 lin = cpu_lin_rip(t->c);

    t->before.cr2 = t->c->cr2; /* the event's line says it, and no register item */
    close_line(t);
    if (t->state != RUNNING || !trace_filter_shows(&t->filter, lin, cpu_cpl(t->c))) {
        t->regs_known = false;
        return;
    }
    open_line(t, e->icount, lin);
    t->retired = true; /* the instruction may come again, as a line of its own */
    put_event(t, e);
    put_location(t, lin);
}

void insn_trace_note(struct insn_trace *t, const char *what)
{
    struct trace_line *l = &t->line;
    close_line(t);
    if (t->state != RUNNING)
        return;
    open_line(t, clock_icount(t->c->cfg.clk), cpu_lin_rip(t->c));
    t->retired = true;
    trace_line_string(l, what);
    t->regs_known = false; /* a reset changes nearly all: not worth a list */
    *l->p++ = '\n';
    t->open = false;
}

bool insn_trace_done(const struct insn_trace *t, const char **why_not)
{
    /* A reader that has gone, as head(1) does, has had what it wanted. */
    *why_not = t->line.error && t->line.error != EPIPE ? t->error_text : NULL;
    return t->state == DONE;
}

/* ---- creation ---- */

static void put_head(struct insn_trace *t)
{
    struct trace_line *l = &t->line;

    trace_line_string(l, "# kiln trace, format 1: count mode cpl cs:rip linear bytes instruction");
    trace_line_string(l, t->mem ? " ; @symbol memory" : " ; @symbol");
    trace_line_string(l, t->regs ? " registers\n" : "\n");
}

struct insn_trace *insn_trace_create(const struct trace_options *o, struct cpu *c,
                                     struct disasm *disasm, const struct symbols *symbols,
                                     char *err, size_t err_len)
{
    struct insn_trace *t = malloc(sizeof(*t));
    struct trace_line *l;

    if (!t) {
        snprintf(err, err_len, "the host has no memory for a trace");
        return NULL;
    }
    memset(t, 0, offsetof(struct insn_trace, line) + offsetof(struct trace_line, buf));
    l = &t->line;
    l->p = l->buf;
    t->c = c;
    t->disasm = disasm;
    t->symbols = symbols;
    t->regs = o->regs;
    t->mem = o->mem;
    l->fd = STDOUT_FILENO;
    if (trace_filter_parse(&t->filter, o, symbols, err, err_len)) {
        free(t);
        return NULL;
    }
    if (o->output) {
        l->fd = open(o->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        t->own_fd = true;
        if (l->fd < 0) {
            snprintf(err, err_len, "-o %s: cannot write: %s", o->output, strerror(errno));
            free(t);
            return NULL;
        }
    }
    t->tty = isatty(l->fd);
    t->state = t->filter.start.kind == POINT_NONE ? RUNNING : WAITING;
    put_head(t);
    return t;
}

void insn_trace_destroy(struct insn_trace *t)
{
    if (!t)
        return;
    close_line(t);
    if (!t->line.error) {
        flush(t);
        if (t->own_fd && close(t->line.fd) && !t->line.error)
            t->line.error = errno;
        if (t->line.error && t->line.error != EPIPE)
            fprintf(stderr, "kiln: cannot write the trace: %s\n", strerror(t->line.error));
    }
    free(t);
}
