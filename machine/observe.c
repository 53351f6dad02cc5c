/*
 * What watches the processor, put together. The parts do the work: insn_trace.c (kiln trace),
 * debug_log.c (-d), fault_report.c (triple faults); disasm.c and symbols.c serve them.
 */
#include "machine/observe.h"
#include "machine/debug_log.h"
#include "machine/event_words.h"
#include "machine/fault_report.h"
#include "machine/insn_trace.h"
#include "machine/lin_peek.h"
#include "machine/translation_log.h"
#include <inttypes.h>
#include <stdlib.h>

/* A known instruction that we lack, by mnemonic. */
struct lacking {
    char mnemonic[32], feature[32];
    u64 count;
};
#define MAX_LACKING 512

/* What the disassembler said of some bytes, so that a guest that faults again and again at a place
 * does not cost a disassembly each time. */
struct answer {
    u8 bytes[15], len, code; /* len 0: none */
    struct lacking *lacking; /* NULL: nothing that is lacking */
};
enum { NR_ANSWERS = 64 };

struct observe {
    struct cpu *c;
    struct log *log;
    struct cpu_observer observer;
    struct disasm *disasm;
    struct symbols *symbols;
    struct insn_trace *trace; /* NULL: not asked for */
    bool trace_mem, trace_ports;
    bool lines; /* the trace does not sleep: it is told of all */
    struct debug_log *debug;
    struct translation_log *translations; /* NULL: not asked for */
    struct lacking *lacking;
    unsigned nr_lacking;
    struct answer answers[NR_ANSWERS]; /* by the low bits of rIP */
};

/* ---- the observer ---- */

static void attach(struct observe *);

static void before(void *h, struct cpu *c, const struct insn *in, const u8 *bytes)
{
    struct observe *o = h;

    (void)c;
    if (o->log->mask & DEBUG_LOG_INSNS)
        debug_log_before(o->debug, in);
    if (o->trace)
        insn_trace_before(o->trace, in, bytes);
}

static void after(void *h, struct cpu *c, const struct insn *in)
{
    struct observe *o = h;

    (void)c;
    if (o->log->mask & LOG_MMU)
        debug_log_after(o->debug, in);
    if (!o->trace)
        return;
    insn_trace_after(o->trace);
    if (UNLIKELY(o->lines && insn_trace_sleeps(o->trace)))
        attach(o);
}

static void event(void *h, struct cpu *c, const struct event_record *e)
{
    struct observe *o = h;

    (void)c;
    debug_log_event(o->debug, e);
    if (o->trace)
        insn_trace_event(o->trace, e);
}

static void mem(void *h, struct cpu *c, u64 lin, u64 value, unsigned size, bool write)
{
    struct observe *o = h;

    (void)c;
    insn_trace_mem(o->trace, lin, value, size, write);
}

static void port_write(void *h, struct cpu *c, u16 port, u64 value)
{
    struct observe *o = h;

    (void)c;
    insn_trace_port(o->trace, port, value);
    if (!o->lines && !insn_trace_sleeps(o->trace))
        attach(o);
}

/* Only what is needed: a processor whose instructions nobody watches runs at full speed. */
static void attach(struct observe *o)
{
    bool lines = o->trace && !insn_trace_sleeps(o->trace);

    o->lines = lines;
    o->observer = (struct cpu_observer){.event = event, .h = o};
    if (lines || (o->log->mask & DEBUG_LOG_INSNS))
        o->observer.before = before;
    if (lines || (o->log->mask & LOG_MMU))
        o->observer.after = after;
    if (lines && o->trace_mem)
        o->observer.mem = mem;
    if (o->trace_ports)
        o->observer.port_write = port_write;
    cpu_observe(o->c, &o->observer);
}

/* ---- life ---- */

struct observe *observe_create(struct cpu *c, struct clock *clk, struct log *log,
                               const struct machine_config *cfg, char err[MACHINE_ERR_LEN])
{
    struct observe *o = calloc(1, sizeof(*o));
    struct engine_options names = { 0 };

    (void)clk;
    if (!o) {
        snprintf(err, MACHINE_ERR_LEN, "the host has no memory for the tracer");
        return NULL;
    }
    o->c = c;
    o->log = log;
    o->symbols = symbols_load(cfg->symbol_files, cfg->nr_symbol_files, err, MACHINE_ERR_LEN);
    if (!o->symbols) {
        observe_destroy(o);
        return NULL;
    }
    o->disasm = disasm_create();
    o->debug = o->disasm ? debug_log_create(log, c, o->disasm, o->symbols) : NULL;
    o->lacking = calloc(MAX_LACKING, sizeof(*o->lacking));
    if (!o->debug || !o->lacking) {
        snprintf(err, MACHINE_ERR_LEN, "the host has no memory for the disassembler");
        observe_destroy(o);
        return NULL;
    }
    if (cfg->insn_trace) {
        o->trace =
            insn_trace_create(cfg->insn_trace, c, o->disasm, o->symbols, err, MACHINE_ERR_LEN);
        if (!o->trace) {
            observe_destroy(o);
            return NULL;
        }
        o->trace_mem = cfg->insn_trace->mem;
        o->trace_ports = insn_trace_wants_ports(o->trace);
    }
    if ((cfg->engine_options.perf_map || cfg->engine_options.gdb_names) && strcmp(cfg->engine, "interp")) /* lock step has two machines */
        names = cfg->engine_options;
    if ((log->mask & LOG_OUT_ASM) || names.perf_map || names.gdb_names) {
        o->translations = translation_log_create(log, o->disasm, o->symbols, &names, err);
        if (!o->translations) {
            observe_destroy(o);
            return NULL;
        }
        c->cfg.translated = translation_log_told;
        c->cfg.translated_h = o->translations;
    }
    if (o->trace || (log->mask & (DEBUG_LOG_EVENTS | DEBUG_LOG_INSNS)))
        attach(o);
    return o;
}

void observe_destroy(struct observe *o)
{
    if (!o)
        return;
    if (o->c->observer == &o->observer)
        cpu_observe(o->c, NULL);
    o->c->cfg.translated = NULL;
    translation_log_destroy(o->translations);
    insn_trace_destroy(o->trace);
    debug_log_destroy(o->debug);
    disasm_destroy(o->disasm);
    symbols_free(o->symbols);
    free(o->lacking);
    free(o);
}

void observe_reset(struct observe *o)
{
    debug_log_reset(o->debug);
    if (o->trace)
        insn_trace_note(o->trace, "#RESET");
}

void observe_loaded(struct observe *o)
{
    if (o->trace)
        insn_trace_note(o->trace, "#LOADED");
}

bool observe_done(const struct observe *o)
{
    return o->trace && insn_trace_done(o->trace);
}

bool observe_flush(struct observe *o)
{
    return !o->trace || insn_trace_flush(o->trace);
}

void observe_triple_fault(struct observe *o, FILE *f)
{
    debug_log_triple_fault(o->debug);
    if (o->trace)
        insn_trace_note(o->trace, "#SHUTDOWN");
    observe_flush(o);
    fault_report(f, o->c, o->disasm, o->symbols);
}

/* ---- instructions that we lack ---- */

/* Opcodes that are undefined for good: a guest that runs them wants the exception. */
static bool meant_to_be_undefined(const char *mnemonic)
{
    return !strncmp(mnemonic, "ud", 2);
}

/* The entry of the instruction's name, made at its first use. NULL: it is meant to be undefined, or
 * there are too many names. */
static struct lacking *lacking_of(struct observe *o, const u8 *bytes, unsigned len, unsigned code)
{
    char mnemonic[32], feature[32];
    struct lacking *l = o->lacking, *end = l + o->nr_lacking;

    if (!disasm_name(o->disasm, bytes, len, 8 * code, mnemonic, feature) ||
        meant_to_be_undefined(mnemonic))
        return NULL;
    while (l < end && strcmp(l->mnemonic, mnemonic))
        l++;
    if (l < end)
        return l;
    if (o->nr_lacking == MAX_LACKING)
        return NULL;
    o->nr_lacking++;
    memcpy(l->mnemonic, mnemonic, sizeof(mnemonic));
    memcpy(l->feature, feature, sizeof(feature));
    return l;
}

void observe_undefined(void *observe, struct cpu *c)
{
    struct observe *o = observe;
    struct answer *a = &o->answers[c->rip % NR_ANSWERS];
    u8 bytes[sizeof(a->bytes)], code = (u8)code_size(c->mode);
    unsigned len = lin_peek(c, cpu_lin_rip(c), bytes, sizeof(bytes));
    struct lacking *l;

    if (a->len != len || a->code != code || memcmp(a->bytes, bytes, len)) {
        a->lacking = lacking_of(o, bytes, len, code);
        a->len = (u8)len;
        a->code = code;
        memcpy(a->bytes, bytes, len);
    }
    l = a->lacking;
    if (l && (l->count++ == 0 || log_on(o->log, LOG_UNIMP)))
        fprintf(o->log->out, "kiln: not there yet: cpu: %s%s%s%s at %04x:%" PRIx64 "\n", l->mnemonic,
                *l->feature ? " (" : "", l->feature, *l->feature ? ")" : "", c->seg[CS].sel, c->rip);
}

static int by_count(const void *x, const void *y)
{
    const struct lacking *a = x, *b = y;

    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return strcmp(a->mnemonic, b->mnemonic);
}

void observe_print_stats(struct observe *o, FILE *f)
{
    qsort(o->lacking, o->nr_lacking, sizeof(*o->lacking), by_count);
    memset(o->answers, 0, sizeof(o->answers)); /* they point to where the entries were */
    for (unsigned i = 0; i < o->nr_lacking; i++)
        fprintf(f, "  unimplemented     cpu: %s%s%s%s, %" PRIu64 " times\n", o->lacking[i].mnemonic,
                *o->lacking[i].feature ? " (" : "", o->lacking[i].feature,
                *o->lacking[i].feature ? ")" : "", o->lacking[i].count);
}
