/*
 * The instruction trace: when a line begins and ends, and what belongs to it.
 *
 * A line begins when its instruction does: memory accesses are added as they happen, changed
 * registers when it retires. An event closes the line of the instruction that raised it and opens
 * its own, which then collects what delivery does. A string instruction that comes back after an
 * interruption goes on in its open line, so that a trace does not depend on the length of slices.
 *
 * What is made here goes to trace_text.c, or into the ring of trace_ring.c until the end.
 */
#include "machine/insn_trace.h"
#include "core/clock.h"
#include "machine/lin_peek.h"
#include "machine/trace_filter.h"
#include "machine/trace_regs.h"
#include "machine/trace_ring.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum state { WAITING, RUNNING, DONE };

struct insn_trace {
    enum state state;
    bool open;    /* the line has no end yet */
    bool retired; /* the last instruction, so that the same one again is a new line */
    bool regs, mem;
    bool regs_known;          /* before holds the registers as they were when the line began */
    bool stop_after;          /* --to port: the instruction that wrote it is the last */
    u64 line_count, line_lin; /* of the instruction whose line is open */
    struct trace_filter filter;
    struct cpu *c;
    struct trace_ring *ring; /* NULL: every line is written */
    struct trace_output *out;
    struct trace_regs before;
    bool failed; /* the output cannot be written any more, which was said */
    struct trace_text text;
};

/* ---- where records go ---- */

static void check_output(struct insn_trace *t)
{
    int error = t->text.line.error;

    if (!error || t->failed)
        return;
    t->failed = true;
    t->state = DONE;
    cpu_request_stop(t->c);
    if (error != EPIPE) /* a reader that has gone, as head(1) does, has had what it wanted */
        fprintf(stderr, "kiln: cannot write the trace: %s\n", strerror(error));
}

static void put_head(struct insn_trace *t, const struct trace_head *h, const struct event_record *e)
{
    if (t->ring)
        trace_ring_head(t->ring, h, e);
    else
        trace_text_head(&t->text, h, e);
}

static void put_item(struct insn_trace *t, const struct trace_item *i)
{
    if (t->ring)
        trace_ring_item(t->ring, i);
    else
        trace_text_item(&t->text, i);
}

static void end_line(struct insn_trace *t)
{
    t->open = false;
    if (t->ring)
        return;
    trace_text_end(&t->text);
    if (UNLIKELY(t->text.line.error))
        check_output(t);
}

/* ---- lines ---- */

static void close_line(struct insn_trace *t)
{
    struct trace_item changed[TRACE_REGS_MAX];

    if (!t->open)
        return;
    if (t->regs) {
        unsigned n = trace_regs_changed(&t->before, t->c, changed);

        for (unsigned i = 0; i < n; i++)
            put_item(t, &changed[i]);
    }
    end_line(t);
}

static struct trace_head head(struct insn_trace *t, enum trace_kind kind, u64 count, u64 lin)
{
    const struct cpu *c = t->c;

    if (t->regs && !t->regs_known)
        trace_regs_take(&t->before, c);
    t->regs_known = true;
    t->open = true;
    return (struct trace_head){.kind = (u8)kind,
                               .cpl = (u8)cpu_cpl(c),
                               .cs = c->seg[CS].sel,
                               .mode = c->mode,
                               .count = count,
                               .rip = c->rip,
                               .lin = lin};
}

static void put_insn(struct insn_trace *t, const struct insn *in, const u8 *bytes, u64 count,
                     u64 lin)
{
    struct trace_head h = head(t, TRACE_INSN, count, lin);

    h.valid = in->row != ROW_INVALID;
    if (LIKELY(h.valid)) {
        h.nr_bytes = in->len;
        memcpy(h.bytes, bytes, in->len);
    } else {
        h.nr_bytes = (u8)lin_peek(t->c, lin, h.bytes, sizeof(h.bytes));
    }
    put_head(t, &h, NULL);
}

bool insn_trace_flush(struct insn_trace *t)
{
    u64 missing;

    close_line(t);
    missing = t->ring ? trace_ring_write(t->ring, &t->text) : 0;
    if (missing)
        fprintf(stderr,
                "kiln: --last: %" PRIu64 " lines are missing at the start of the trace: the ring "
                "has no memory for so many accesses\n",
                missing);
    trace_line_flush(&t->text.line);
    check_output(t);
    return !t->failed || t->text.line.error == EPIPE;
}

static void finish(struct insn_trace *t)
{
    insn_trace_flush(t); /* while there is someone to tell that it failed */
    t->state = DONE;
    cpu_request_stop(t->c);
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
        finish(t);
        return false;
    }
    return true;
}

/* ---- the observer's calls ---- */

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
    t->line_count = count;
    t->line_lin = lin;
    t->retired = false;
    put_insn(t, in, bytes, count, lin);
}

void insn_trace_after(struct insn_trace *t)
{
    t->retired = true;
    close_line(t);
    if (UNLIKELY(t->stop_after)) {
        t->stop_after = t->regs_known = false;
        if (trace_point_may_return(&t->filter.start))
            t->state = WAITING;
        else
            finish(t);
    }
}

void insn_trace_mem(struct insn_trace *t, u64 lin, u64 value, unsigned size, bool write)
{
    struct trace_item i = {.kind = write ? TRACE_WRITE : TRACE_READ,
                           .size = (u8)size,
                           .digits = t->c->mode & MODE_LMA ? 16 : 8,
                           .lin = lin,
                           .value = value};

    if (t->open)
        put_item(t, &i);
}

void insn_trace_event(struct insn_trace *t, const struct event_record *e)
{
    u64 lin = cpu_lin_rip(t->c);
    struct trace_head h;

    t->before.cr2 = t->c->cr2; /* the event's line says it, and no register item */
    close_line(t);
    if (t->state != RUNNING || !trace_filter_shows(&t->filter, lin, cpu_cpl(t->c))) {
        t->regs_known = false;
        return;
    }
    h = head(t, TRACE_EVENT, e->icount, lin);
    t->retired = true; /* the instruction may come again, as a line of its own */
    put_head(t, &h, e);
}

void insn_trace_note(struct insn_trace *t, const char *what)
{
    struct trace_head h;

    close_line(t);
    if (t->state != RUNNING)
        return;
    h = head(t, TRACE_NOTE, clock_icount(t->c->cfg.clk), cpu_lin_rip(t->c));
    h.note = what;
    put_head(t, &h, NULL);
    end_line(t);
    t->retired = true;
    t->regs_known = false; /* a reset changes nearly all: not worth a list */
}

void insn_trace_port(struct insn_trace *t, u16 port, u64 value)
{
    if (t->state == WAITING && trace_point_is_port(&t->filter.start, port, value))
        t->state = RUNNING; /* from the next instruction on */
    else if (t->state == RUNNING && trace_point_is_port(&t->filter.stop, port, value))
        t->stop_after = true;
}

bool insn_trace_wants_ports(const struct insn_trace *t)
{
    return t->filter.start.kind == POINT_PORT || t->filter.stop.kind == POINT_PORT;
}

bool insn_trace_sleeps(const struct insn_trace *t)
{
    return t->state == WAITING && t->filter.start.kind == POINT_PORT;
}

bool insn_trace_done(const struct insn_trace *t)
{
    return t->state == DONE;
}

/* ---- life ---- */

static void put_first_line(struct insn_trace *t)
{
    struct trace_line *l = &t->text.line;

    trace_line_string(l, "# kiln trace, format 1: count mode cpl cs:rip linear bytes instruction");
    trace_line_string(l, t->mem ? " ; @symbol memory" : " ; @symbol");
    trace_line_string(l, t->regs ? " registers\n" : "\n");
}

struct insn_trace *insn_trace_create(const struct trace_options *o, struct cpu *c,
                                     struct disasm *disasm, const struct symbols *symbols,
                                     char *err, size_t err_len)
{
    struct insn_trace *t = malloc(sizeof(*t));

    if (!t) {
        snprintf(err, err_len, "the host has no memory for a trace");
        return NULL;
    }
    memset(t, 0, offsetof(struct insn_trace, text));
    t->c = c;
    t->regs = o->regs;
    t->mem = o->mem;
    if (o->lines && !source_lines_any(symbols_lines(symbols))) {
        snprintf(err, err_len,
                 "--lines: no source lines are known; name the ELF file of a program compiled "
                 "with -g by --sym");
        free(t);
        return NULL;
    }
    if (trace_filter_parse(&t->filter, o, symbols, err, err_len)) {
        free(t);
        return NULL;
    }
    t->out = trace_output_open(o->output, err, err_len);
    if (!t->out) {
        free(t);
        return NULL;
    }
    trace_text_init(&t->text, disasm, symbols, o->lines, t->out);
    if (o->last) {
        t->ring = trace_ring_create(o->last);
        if (!t->ring) {
            snprintf(err, err_len, "the host has no memory for a trace");
            trace_output_close(t->out);
            free(t);
            return NULL;
        }
    }
    t->state = t->filter.start.kind == POINT_NONE ? RUNNING : WAITING;
    put_first_line(t);
    return t;
}

void insn_trace_destroy(struct insn_trace *t)
{
    if (!t)
        return;
    insn_trace_flush(t);
    trace_output_close(t->out);
    trace_ring_destroy(t->ring);
    free(t);
}
