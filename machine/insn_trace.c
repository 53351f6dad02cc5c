/*
 * The instruction trace.
 *
 * A line is written when its instruction begins, up to the disassembly, and stays open: memory
 * accesses append to it as they happen, changed registers when it retires. An event closes the
 * line of the instruction that raised it and opens its own, which then collects what delivery
 * does. A string instruction that comes back after an interruption goes on in its open line, so
 * that a trace does not depend on the length of slices.
 *
 * PERF: the hot path writes into one big buffer with its own hexadecimal digits; with printf a
 * trace is four times as slow.
 */
#include "machine/insn_trace.h"
#include "core/clock.h"
#include "cpu/flags.h"
#include "machine/event_words.h"
#include "machine/hex.h"
#include "machine/trace_filter.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    BUFFER = 1 << 20,
    ROOM = 4096, /* free before anything is put: more than one put writes at once */
    NAME_MAX_SHOWN = 255,
    WIDTH_COUNT = 12,
    WIDTH_BYTES = 22,
    WIDTH_TEXT = 32,
};

enum state { WAITING, RUNNING, DONE };

/* What --regs compares with: the part of struct cpu that registers live in. */
struct registers {
    u64 gpr[16];
    u32 flags;
    struct seg seg[NR_SEGS], ldtr, tr;
    struct dtable gdtr, idtr;
    u64 cr[5]; /* 0, 2, 3, 4, 8 */
    u64 dr[8];
    struct msrs msr;
};

struct insn_trace {
    char *p; /* where the next character goes */
    char *text; /* where the present line's last column starts; NULL: written out already */
    enum state state;
    bool open;     /* the line has no newline yet */
    bool tail;     /* " ;" has been written */
    bool retired;  /* the last instruction, so that the same one again is a new line */
    bool regs, mem, regs_known;
    u64 line_count, line_lin; /* of the instruction whose line is open */
    struct trace_filter filter;
    struct cpu *c;
    struct disasm *disasm;
    const struct symbols *symbols;
    struct registers shadow, now; /* members, so that their padding is zero too */
    int fd;
    bool own_fd, tty;
    int write_error; /* errno */
    char error_text[128];
    char buf[BUFFER];
};

/* ---- output ---- */

static void flush(struct insn_trace *t)
{
    char *from = t->buf;

    while (from < t->p && !t->write_error) {
        ssize_t n = write(t->fd, from, (size_t)(t->p - from));

        if (n > 0)
            from += n;
        else if (errno != EINTR)
            t->write_error = errno ? errno : EIO;
    }
    if (t->write_error && t->state != DONE) {
        snprintf(t->error_text, sizeof(t->error_text), "cannot write the trace: %s",
                 strerror(t->write_error));
        t->state = DONE;
        cpu_request_stop(t->c);
    }
    t->p = t->buf;
    t->text = NULL;
}

static inline void make_room(struct insn_trace *t, unsigned room)
{
    if (UNLIKELY(t->p > t->buf + BUFFER - room))
        flush(t);
}

static void put_string(struct insn_trace *t, const char *s)
{
    t->p = put_text(t->p, s, strlen(s));
}

static void put_decimal(struct insn_trace *t, u64 v, unsigned width)
{
    char digits[24], *d = digits + sizeof(digits);

    do
        *--d = (char)('0' + v % 10);
    while (v /= 10);
    t->p = put_blanks(t->p, t->p + width - (digits + sizeof(digits) - d));
    t->p = put_text(t->p, d, (size_t)(digits + sizeof(digits) - d));
}

/* Begins an item of the last column, which the first one pads the text for. */
static void begin_item(struct insn_trace *t)
{
    make_room(t, ROOM);
    if (!t->tail) {
        if (t->text)
            t->p = put_blanks(t->p, t->text + WIDTH_TEXT);
        t->p = put_text(t->p, " ;", 2);
        t->tail = true;
    }
    *t->p++ = ' ';
}

static void put_name(struct insn_trace *t, const char *name, u64 offset)
{
    t->p = put_text(t->p, name, strnlen(name, NAME_MAX_SHOWN));
    if (offset) {
        t->p = put_text(t->p, "+0x", 3);
        t->p = put_hex_short(t->p, offset);
    }
}

/* ---- changed registers ---- */

static void take_registers(const struct cpu *c, struct registers *r)
{
    memcpy(r->gpr, c->gpr, sizeof(r->gpr));
    r->flags = flags_all(c);
    memcpy(r->seg, c->seg, sizeof(r->seg));
    memcpy(&r->ldtr, &c->ldtr, sizeof(r->ldtr));
    memcpy(&r->tr, &c->tr, sizeof(r->tr));
    memcpy(&r->gdtr, &c->gdtr, sizeof(r->gdtr));
    memcpy(&r->idtr, &c->idtr, sizeof(r->idtr));
    r->cr[0] = c->cr0;
    r->cr[1] = c->cr2;
    r->cr[2] = c->cr3;
    r->cr[3] = c->cr4;
    r->cr[4] = c->cr8;
    memcpy(r->dr, c->dr, sizeof(r->dr));
    r->msr = c->msr;
}

static void put_value(struct insn_trace *t, const char *name, u64 v, unsigned digits)
{
    begin_item(t);
    put_string(t, name);
    *t->p++ = '=';
    t->p = put_hex(t->p, v, digits);
}

static unsigned address_digits(const struct insn_trace *t)
{
    return t->c->mode & MODE_LMA ? 16 : 8;
}

static void put_flags(struct insn_trace *t, u32 f)
{
    static const struct {
        u32 mask;
        const char *name;
    } rare[] = { { F_NT, "nt" }, { F_RF, "rf" }, { F_VM, "vm" }, { F_AC, "ac" },
                 { F_VIF, "vif" }, { F_VIP, "vip" }, { F_ID, "id" } };
    static const char letters[] = "oditszapc";
    static const u32 order[] = { F_O, F_D, F_I, F_T, F_S, F_Z, F_A, F_P, F_C };

    begin_item(t);
    put_string(t, "flags=");
    for (unsigned i = 0; i < ARRAY_LEN(order); i++)
        *t->p++ = (char)(f & order[i] ? letters[i] - 'a' + 'A' : letters[i]);
    if (f & F_IOPL) {
        put_string(t, ",iopl");
        *t->p++ = (char)('0' + ((f & F_IOPL) >> 12));
    }
    for (unsigned i = 0; i < ARRAY_LEN(rare); i++)
        if (f & rare[i].mask) {
            *t->p++ = ',';
            put_string(t, rare[i].name);
        }
}

static void put_general(struct insn_trace *t, unsigned reg, u64 v)
{
    static const char wide[16][4] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                      "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15" };
    static const char narrow[8][4] = { "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi" };
    bool legacy = reg < 8 && !(t->c->mode & MODE_LMA);

    put_value(t, legacy ? narrow[reg] : wide[reg], v, legacy ? 8 : 16);
}

/* A selector when anything but the base has changed; the base when it does not follow from it. */
static void put_segment(struct insn_trace *t, const char *name, const char *base_name,
                        const struct seg *now, const struct seg *old)
{
    if (now->sel != old->sel || now->attr != old->attr || now->limit != old->limit)
        put_value(t, name, now->sel, 4);
    if (now->base != old->base && !(mode_real(t->c->mode) && now->base == (u64)now->sel << 4))
        put_value(t, base_name, now->base, address_digits(t));
}

static void put_table(struct insn_trace *t, const char *name, const struct dtable *d)
{
    put_value(t, name, d->base, address_digits(t));
    *t->p++ = ':';
    t->p = put_hex(t->p, d->limit, 4);
}

static void put_system(struct insn_trace *t, const struct registers *now,
                       const struct registers *old)
{
    static const char *const segs[NR_SEGS][2] = { { "es", "es.base" }, { "cs", "cs.base" },
                                                  { "ss", "ss.base" }, { "ds", "ds.base" },
                                                  { "fs", "fs.base" }, { "gs", "gs.base" } };
    static const char crs[5][4] = { "cr0", "cr2", "cr3", "cr4", "cr8" };
    static const char drs[8][4] = { "dr0", "dr1", "dr2", "dr3", "dr4", "dr5", "dr6", "dr7" };
    static const struct {
        const char *name;
        size_t offset;
    } msrs[] = {
#define MSR(field) { #field, offsetof(struct msrs, field) }
        MSR(efer), MSR(star), MSR(lstar), MSR(cstar), MSR(fmask), MSR(kernel_gs_base),
        MSR(tsc_aux), MSR(tsc_offset), MSR(sysenter_cs), MSR(sysenter_esp), MSR(sysenter_eip),
        MSR(apic_base), MSR(pat), MSR(misc_enable), MSR(mtrr_def_type),
#undef MSR
    };

    for (unsigned i = 0; i < NR_SEGS; i++)
        put_segment(t, segs[i][0], segs[i][1], &now->seg[i], &old->seg[i]);
    put_segment(t, "ldtr", "ldtr.base", &now->ldtr, &old->ldtr);
    put_segment(t, "tr", "tr.base", &now->tr, &old->tr);
    if (now->gdtr.base != old->gdtr.base || now->gdtr.limit != old->gdtr.limit)
        put_table(t, "gdtr", &now->gdtr);
    if (now->idtr.base != old->idtr.base || now->idtr.limit != old->idtr.limit)
        put_table(t, "idtr", &now->idtr);
    for (unsigned i = 0; i < 5; i++)
        if (now->cr[i] != old->cr[i])
            put_value(t, crs[i], now->cr[i], 16);
    for (unsigned i = 0; i < 8; i++)
        if (now->dr[i] != old->dr[i])
            put_value(t, drs[i], now->dr[i], 16);
    for (unsigned i = 0; i < ARRAY_LEN(msrs); i++) {
        u64 a = load_le((const u8 *)&now->msr + msrs[i].offset, 8);

        if (a != load_le((const u8 *)&old->msr + msrs[i].offset, 8))
            put_value(t, msrs[i].name, a, 16);
    }
}

static void put_changes(struct insn_trace *t)
{
    struct registers *now = &t->now;

    take_registers(t->c, now);
    for (unsigned i = 0; i < 16; i++)
        if (now->gpr[i] != t->shadow.gpr[i])
            put_general(t, i, now->gpr[i]);
    if (now->flags != t->shadow.flags)
        put_flags(t, now->flags);
    if (memcmp(now->seg, t->shadow.seg, sizeof(*now) - offsetof(struct registers, seg)))
        put_system(t, now, &t->shadow);
    t->shadow = *now;
}

/* ---- lines ---- */

static void close_line(struct insn_trace *t)
{
    if (!t->open)
        return;
    if (t->regs)
        put_changes(t);
    make_room(t, ROOM);
    *t->p++ = '\n';
    t->open = false;
    if (t->tty)
        flush(t);
}

/* Count, mode, CPL, CS:RIP and linear address: what every line begins with. */
static void open_line(struct insn_trace *t, u64 count, u64 lin)
{
    const struct cpu *c = t->c;
    bool lma = c->mode & MODE_LMA;
    char *column;

    make_room(t, 2 * ROOM); /* so that the text and its first item stay together */
    if (t->regs && !t->regs_known)
        take_registers(c, &t->shadow);
    t->regs_known = true;
    t->open = true;
    t->tail = false;
    put_decimal(t, count, WIDTH_COUNT);
    *t->p++ = ' ';
    t->p = put_text(t->p, mode_name(c->mode), 4);
    *t->p++ = ' ';
    *t->p++ = (char)('0' + cpu_cpl(c));
    *t->p++ = ' ';
    column = t->p;
    t->p = put_hex(t->p, c->seg[CS].sel, 4);
    *t->p++ = ':';
    t->p = put_hex(t->p, c->rip, 4u << (c->mode & MODE_CODE_MASK));
    t->p = put_blanks(t->p, column + (lma ? 21 : 13));
    *t->p++ = ' ';
    t->p = put_hex(t->p, lin, lma ? 16 : 8);
    *t->p++ = ' ';
    t->text = t->p;
}

static void put_location(struct insn_trace *t, u64 lin)
{
    u64 offset;
    const char *name = symbols_at(t->symbols, lin, &offset);

    if (name) {
        begin_item(t);
        *t->p++ = '@';
        put_name(t, name, offset);
    }
}

static void put_disassembly(struct insn_trace *t, const struct insn *in, const u8 *bytes)
{
    const struct cpu *c = t->c;
    struct disasm_insn d = disasm_at(t->disasm, bytes, in->len, 8 * code_size(c->mode), c->rip);

    t->p = put_text(t->p, d.text, d.text_len);
    if (d.is_branch) {
        u64 offset, lin = code_size(c->mode) == 8 ? d.target : (u32)(c->seg[CS].base + d.target);
        const char *name = symbols_at(t->symbols, lin, &offset);

        if (name) {
            t->p = put_text(t->p, " <", 2);
            put_name(t, name, offset);
            *t->p++ = '>';
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
    for (unsigned i = 0; i < in->len; i++)
        t->p = put_hex(t->p, bytes[i], 2);
    t->p = put_blanks(t->p, t->text + WIDTH_BYTES);
    *t->p++ = ' ';
    t->text = t->p;
    put_disassembly(t, in, bytes);
    put_location(t, lin);
}

void insn_trace_after(struct insn_trace *t)
{
    t->retired = true;
    close_line(t);
}

void insn_trace_mem(struct insn_trace *t, u64 lin, u64 value, unsigned size, bool write)
{
    if (!t->open)
        return;
    begin_item(t);
    *t->p++ = write ? 'w' : 'r';
    *t->p++ = (char)('0' + size);
    *t->p++ = '[';
    t->p = put_hex(t->p, lin, address_digits(t));
    *t->p++ = ']';
    *t->p++ = '=';
    t->p = put_hex(t->p, value, 2 * size);
}

void insn_trace_event(struct insn_trace *t, const struct event_record *e)
{
    static const char kinds[][10] = { [EVENT_FAULT] = "fault", [EVENT_TRAP] = "trap",
                                      [EVENT_SOFT] = "software", [EVENT_EXT] = "external",
                                      [EVENT_ABORT] = "abort" };
    struct cpu *c = t->c;
    u64 lin = cpu_lin_rip(c);
    const char *name = vector_short_name(e->vector);
    char words[80];

    close_line(t);
    if (t->state != RUNNING || !trace_filter_shows(&t->filter, lin, cpu_cpl(c))) {
        t->regs_known = false;
        return;
    }
    open_line(t, e->icount, lin);
    t->retired = true; /* the instruction may come again, as a line of its own */
    if (*name != '#')
        *t->p++ = '#';
    put_string(t, e->kind == EVENT_EXT ? "INT" : name);
    put_string(t, " vector=");
    t->p = put_hex(t->p, e->vector, 2);
    put_string(t, " kind=");
    put_string(t, kinds[e->kind]);
    if (e->has_error) {
        put_string(t, " error=");
        t->p = put_hex(t->p, e->error, 4);
    }
    if (e->vector == EXC_PF && e->kind == EVENT_FAULT) {
        put_string(t, " cr2=");
        t->p = put_hex(t->p, e->cr2, address_digits(t));
    }
    if (e->has_error) {
        error_code_words(words, sizeof(words), e->vector, e->error, ",");
        for (char *w = words; *w; w++)
            if (*w == ' ')
                *w = '-';
        if (*words) {
            put_string(t, " why=");
            put_string(t, words);
        }
    }
    if (e->during != DELIVER_NONE) {
        put_string(t, " during=");
        if (e->during == DELIVER_EXTERNAL)
            put_string(t, "external");
        else
            t->p = put_hex(t->p, (u64)e->during, 2);
    }
    if (e->lost)
        put_string(t, " lost");
    put_location(t, lin);
}

void insn_trace_note(struct insn_trace *t, const char *what)
{
    close_line(t);
    if (t->state != RUNNING)
        return;
    open_line(t, clock_icount(t->c->cfg.clk), cpu_lin_rip(t->c));
    t->retired = true;
    put_string(t, what);
    t->regs_known = false; /* a reset changes nearly all: not worth a list */
    *t->p++ = '\n';
    t->open = false;
}

bool insn_trace_done(const struct insn_trace *t, const char **why_not)
{
    /* A reader that has gone, as head(1) does, has had what it wanted. */
    *why_not = t->write_error && t->write_error != EPIPE ? t->error_text : NULL;
    return t->state == DONE;
}

/* ---- creation ---- */

static void put_head(struct insn_trace *t)
{
    put_string(t, "# kiln trace, format 1: count mode cpl cs:rip linear bytes instruction");
    put_string(t, t->mem ? " ; @symbol memory" : " ; @symbol");
    put_string(t, t->regs ? " registers\n" : "\n");
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
    memset(t, 0, offsetof(struct insn_trace, buf));
    t->p = t->buf;
    t->c = c;
    t->disasm = disasm;
    t->symbols = symbols;
    t->regs = o->regs;
    t->mem = o->mem;
    t->fd = STDOUT_FILENO;
    if (trace_filter_parse(&t->filter, o, symbols, err, err_len)) {
        free(t);
        return NULL;
    }
    if (o->output) {
        t->fd = open(o->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        t->own_fd = true;
        if (t->fd < 0) {
            snprintf(err, err_len, "-o %s: cannot write: %s", o->output, strerror(errno));
            free(t);
            return NULL;
        }
    }
    t->tty = isatty(t->fd);
    t->state = t->filter.start.kind == POINT_NONE ? RUNNING : WAITING;
    put_head(t);
    return t;
}

void insn_trace_destroy(struct insn_trace *t)
{
    if (!t)
        return;
    close_line(t);
    if (!t->write_error) {
        flush(t);
        if (t->own_fd && close(t->fd) && !t->write_error)
            t->write_error = errno;
        if (t->write_error && t->write_error != EPIPE)
            fprintf(stderr, "kiln: cannot write the trace: %s\n", strerror(t->write_error));
    }
    free(t);
}
