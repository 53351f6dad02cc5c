/*
 * The machine as host/ sees it: a board, an engine that runs its processor, and the loop that
 * keeps them in step with virtual time.
 *
 *     open a slice up to the next deadline or limit; run; fire what is due; honour requests
 *
 * The limit is taken anew whenever a timer is armed inside a slice (core/clock.h). Requests for
 * power, reset and exit are honoured between instructions.
 */
#include "machine/machine.h"
#include "jit/jit.h"
#include "machine/debug_log.h"
#include "machine/kernel_image.h"
#include "machine/observe.h"
#include "machine/pc.h"
#include "mmu/mmu.h"
#include <inttypes.h>
#include <stdlib.h>

struct machine {
    struct pc pc;
    struct machine_config cfg;
    const struct engine *engine;
    void *engine_state;
    struct observe *observe; /* NULL until it is there */
    int exit_code;
    u64 idle_until_ns;
    bool port_hit;
};

enum { CMOS_SHUTDOWN = 0x0f };

/* 1 January 2024, 00:00:00 UTC: what a run starts at that must repeat. */
#define FIXED_DATE 1704067200ull

void machine_config_defaults(struct machine_config *cfg)
{
    cfg->ram_bytes = 128ull << 20;
    cfg->processor = processor_default();
    cfg->engine = "jit";
    cfg->debugcon_port = 0xe9;
    cfg->exit_port = 0xf4;
    cfg->exit_size = 4;
    cfg->rtc_seconds = FIXED_DATE;
    cfg->log_file = stderr;
    cfg->tick_num = cfg->tick_den = 1;
}

/* ---- what the memory view and the bus tell ---- */

static void map_changed(void *sink)
{
    struct machine *m = sink;

    m->engine->map_changed(m->engine_state);
}

static void code_written(void *sink, u64 off, u64 len)
{
    struct machine *m = sink;

    m->engine->code_changed(m->engine_state, off, len);
}

static void port_watched(void *sink)
{
    struct machine *m = sink;

    m->port_hit = true;
    cpu_request_stop(&m->pc.cpu);
}

/* ---- what comes from outside ---- */

static void reset_board(struct machine *m)
{
    m->pc.power = POWER_NONE;
    observe_reset(m->observe);
    pc_reset(&m->pc, RESET_HARD);
}

static void deliver_input(void *sink, const struct input_event *e)
{
    struct machine *m = sink;

    if (e->kind == INPUT_POWER && e->code == POWER_RESET)
        reset_board(m);
    else
        pc_input(&m->pc, e);
}

/* ---- creation ---- */

static const struct engine *engine_of(const char *name)
{
    static const struct engine *const engines[] = { &interp_engine, &jit_engine };

    for (unsigned i = 0; i < ARRAY_LEN(engines); i++)
        if (!strcmp(engines[i]->name, name))
            return engines[i];
    return NULL;
}

static int check_config(const struct machine_config *cfg, char *err)
{
    u64 ram = cfg->ram_bytes;

    if (ram < 1 << 20 || ram > 64ull << 30 || ram % (1 << 20)) {
        snprintf(err, MACHINE_ERR_LEN,
                 "a machine has 1 MiB to 64 GiB of memory, in whole MiB; try -m 128");
        return -1;
    }
    if (!engine_of(cfg->engine)) {
        snprintf(err, MACHINE_ERR_LEN, "there is no engine '%s'; try -accel jit or -accel interp", cfg->engine);
        return -1;
    }
    return 0;
}

/* The comma-separated patterns of --trace. */
static int select_events(struct trace *t, const char *list, char *err)
{
    while (*list) {
        size_t len = strcspn(list, ",");
        char pattern[128];

        snprintf(pattern, sizeof(pattern), "%.*s", (int)len, list);
        if (len && !trace_select(t, pattern)) {
            snprintf(err, MACHINE_ERR_LEN, "no trace event matches '%s'; try 'bus_*' or 'ide_*'",
                     pattern);
            return -1;
        }
        list += len + (list[len] == ',');
    }
    return 0;
}

bool machine_renew_engine(struct machine *m)
{
    void *fresh = m->engine->create(&m->pc.cpu);

    if (!fresh)
        return false;
    if (m->engine_state) {
        m->engine->sync(m->engine_state);
        m->engine->destroy(m->engine_state);
        m->engine->map_changed(fresh);
    }
    m->engine_state = m->pc.cpu.engine = fresh;
    return true;
}

static int build(struct machine *m, char *err)
{
    const struct machine_config *cfg = &m->cfg;

    if (pc_init(&m->pc, cfg, err))
        return -1;
    input_init(&m->pc.input, &m->pc.clk, &m->pc.trace, deliver_input, m);
    if (cfg->kernel && kernel_image_load(&m->pc, cfg, err))
        return -1;
    m->pc.view.hash_writes = cfg->engine_options.hash_writes;
    m->engine = engine_of(cfg->engine);
    if (!machine_renew_engine(m)) {
        snprintf(err, MACHINE_ERR_LEN, "the host has no memory for the %s engine", m->engine->name);
        return -1;
    }
    m->pc.view.changed = map_changed;
    m->pc.view.code_written = code_written;
    m->pc.view.sink = m;
    m->pc.io.watch_hit = port_watched;
    m->pc.io.watch_sink = m;
    if (cfg->trace_events && select_events(&m->pc.trace, cfg->trace_events, err))
        return -1;
    /* Beside host code the guest's is shown in any case, and in_asm would have all of it interpreted. */
    if (m->engine != &interp_engine && log_on(&m->pc.log, LOG_OUT_ASM) && (m->pc.log.mask & DEBUG_LOG_INSNS) == LOG_IN_ASM)
        m->pc.log.mask &= ~(u32)LOG_IN_ASM;
    m->observe = observe_create(&m->pc.cpu, &m->pc.clk, &m->pc.log, cfg, err);
    if (!m->observe)
        return -1;
    m->pc.cpu.cfg.undefined = observe_undefined;
    m->pc.cpu.cfg.undefined_h = m->observe;
    return 0;
}

struct machine *machine_create(const struct machine_config *cfg, char err[MACHINE_ERR_LEN])
{
    struct machine *m;

    if (check_config(cfg, err))
        return NULL;
    m = calloc(1, sizeof(*m));
    if (!m) {
        snprintf(err, MACHINE_ERR_LEN, "the host has no memory for a machine");
        return NULL;
    }
    m->cfg = *cfg;
    if (build(m, err)) {
        machine_destroy(m);
        return NULL;
    }
    observe_reset(m->observe);
    pc_reset(&m->pc, RESET_POWER_ON);
    return m;
}

void machine_destroy(struct machine *m)
{
    observe_destroy(m->observe);
    if (m->engine_state)
        m->engine->destroy(m->engine_state);
    m->pc.view.changed = NULL;
    m->pc.view.code_written = NULL;
    pc_fini(&m->pc);
    free(m);
}

bool machine_reset(struct machine *m)
{
    return input_push(&m->pc.input, INPUT_POWER, POWER_RESET, 0, 0);
}

bool machine_nmi(struct machine *m)
{
    return input_push(&m->pc.input, INPUT_NMI, 0, 0, 0);
}

/* ---- the loop ---- */

static enum machine_stop honour_request(struct machine *m)
{
    enum power_request what = m->pc.power;

    m->pc.power = POWER_NONE;
    switch (what) {
    case POWER_OFF: return MACHINE_POWER_OFF;
    case POWER_EXIT: m->exit_code = (int)m->pc.power_code; return MACHINE_EXIT;
    case POWER_RESET: reset_board(m); return MACHINE_RESET;
    case POWER_NONE: break;
    }
    ASSERT(!"a power request");
    return MACHINE_ERROR;
}

/* A shutdown cycle resets the processor where the guest has said by CMOS's shutdown code that it
 * wants to go on from there: that is how an 80286 left protected mode (IBM AT Technical
 * Reference, 4-6). Otherwise it is the end, or what the user chose. */
static enum machine_stop shut_down(struct machine *m)
{
    bool meant = rtc_get_cmos(&m->pc.rtc, CMOS_SHUTDOWN);

    if (!meant && !m->cfg.silent)
        observe_triple_fault(m->observe, stderr);
    if (!meant && !m->cfg.reset_on_triple_fault)
        return MACHINE_TRIPLE_FAULT;
    reset_board(m);
    return MACHINE_RESET;
}

/* The processor is halted: lets time pass to the next deadline or the limit. */
static enum machine_stop halt(struct machine *m, const struct machine_limit *limit)
{
    struct clock *clk = &m->pc.clk;
    u64 deadline = clock_next_deadline(clk);

    if (!(m->pc.cpu.eflags & F_I) && m->pc.cpu.halted != HALT_MWAIT) {
        observe_flush(m->observe);
        return MACHINE_HALTED;
    }
    m->idle_until_ns = deadline == UINT64_MAX ? UINT64_MAX : clock_ticks_to_ns(clk, deadline);
    if (limit->wait_in_hlt)
        return MACHINE_IDLE;
    if (deadline > limit->max_ticks)
        deadline = limit->max_ticks;
    if (deadline == UINT64_MAX)
        return MACHINE_IDLE;
    clock_skip_to(clk, deadline);
    return MACHINE_SLICE_DONE;
}

static bool limit_reached(const struct machine *m, const struct machine_limit *limit)
{
    return clock_ticks(&m->pc.clk) >= limit->max_ticks ||
           clock_icount(&m->pc.clk) >= limit->max_icount;
}

/* The trace has all that it was asked for, or its file is full. */
static enum machine_stop traced(struct machine *m)
{
    if (observe_flush(m->observe))
        return MACHINE_BREAK;
    m->exit_code = 1;
    return MACHINE_EXIT;
}

/* An instruction is at least a tick, so this many ticks hold no more than max_icount. */
static u64 slice_end(const struct machine *m, const struct machine_limit *limit)
{
    u64 left = limit->max_icount - clock_icount(&m->pc.clk), now = clock_ticks(&m->pc.clk);
    u64 end = left > UINT64_MAX - now ? UINT64_MAX : now + left;

    return end < limit->max_ticks ? end : limit->max_ticks;
}

enum machine_stop machine_run(struct machine *m, const struct machine_limit *limit)
{
    struct cpu *cpu = &m->pc.cpu;
    bool ran = false;

    m->pc.io.watch = limit->until_port;
    for (;;) {
        enum machine_stop stop;

        if (clock_fire_due(&m->pc.clk))
            cpu_device_event(cpu);
        if (m->pc.power != POWER_NONE)
            return honour_request(m);
        if (m->port_hit) {
            m->port_hit = false;
            return MACHINE_BREAK;
        }
        if (limit_reached(m, limit) || (ran && cpu->cfg.engine.stop_at_blocks))
            return MACHINE_SLICE_DONE;
        if (cpu->halted && !cpu_can_wake(cpu)) {
            stop = halt(m, limit);
            if (stop != MACHINE_SLICE_DONE)
                return stop;
            continue;
        }
        clock_open_slice(&m->pc.clk, slice_end(m, limit));
        ran = true;
        switch (m->engine->run(m->engine_state)) {
        case STOP_TRIPLE: return shut_down(m);
        case STOP_DEBUG: return MACHINE_DEBUG;
        default: break;
        }
        if (observe_done(m->observe))
            return traced(m);
    }
}

bool machine_end_trace(struct machine *m)
{
    return observe_flush(m->observe);
}

/* ---- asking ---- */

int machine_exit_code(const struct machine *m) { return m->exit_code; }
u64 machine_now_ns(const struct machine *m) { return clock_now(&m->pc.clk); }
u64 machine_ticks(const struct machine *m) { return clock_ticks(&m->pc.clk); }
u64 machine_icount(const struct machine *m) { return clock_icount(&m->pc.clk); }
u64 machine_idle_until_ns(const struct machine *m) { return m->idle_until_ns; }
const char *machine_engine_name(const struct machine *m) { return m->engine->name; }
struct input_log *machine_input(struct machine *m) { return &m->pc.input; }
struct log *machine_log(struct machine *m) { return &m->pc.log; }
struct cpu *machine_cpu(struct machine *m) { return &m->pc.cpu; }
struct pc *machine_pc(struct machine *m) { return &m->pc; }
const struct machine_config *machine_config_of(const struct machine *m) { return &m->cfg; }

bool machine_serial_ready(const struct machine *m, unsigned port)
{
    return port < 2 && uart_can_receive(&m->pc.uart[port]);
}

bool machine_keyboard_ready(const struct machine *m)
{
    return i8042_keyboard_idle(&m->pc.kbc);
}

void machine_nvram(const struct machine *m, u8 cells[NVRAM_BYTES])
{
    rtc_get_battery(&m->pc.rtc, cells);
}

u64 machine_cpu_hash(struct machine *m)
{
    u64 time[2] = { clock_ticks(&m->pc.clk), m->pc.clk.charged };

    m->engine->sync(m->engine_state);
    return state_hash(state_hash_bytes(0, time, sizeof(time)), &cpu_state, &m->pc.cpu);
}

u64 machine_state_hash(struct machine *m)
{
    struct pc *pc = &m->pc;
    u64 time[2] = { clock_ticks(&pc->clk), pc->clk.charged }, h;

    m->engine->sync(m->engine_state);
    h = state_hash_bytes(0, time, sizeof(time));
    h = state_hash(h, &cpu_state, &pc->cpu);
    h = tlb_hash(pc->cpu.tlb, h);
    for (unsigned i = 0; i < pc->nr_devices; i++)
        if (pc->devices[i]->class->state)
            h = state_hash(h, pc->devices[i]->class->state, pc->devices[i]);
    return state_hash_bytes(h, pc->view.backing, pc->vram_off); /* the VGA has hashed what follows */
}

void machine_sync(struct machine *m)
{
    m->engine->sync(m->engine_state);
}

void machine_replaced(struct machine *m)
{
    m->engine->map_changed(m->engine_state);
    m->port_hit = false;
    m->idle_until_ns = clock_now(&m->pc.clk);
    observe_loaded(m->observe);
}

void machine_render(struct machine *m, struct screen *s)
{
    vga_render(&m->pc.vga, s->px, SCREEN_MAX_W, SCREEN_MAX_H, &s->w, &s->h);
    s->aspect_w = 4;
    s->aspect_h = 3;
}

size_t machine_screen_text(struct machine *m, char *out, size_t cap)
{
    return vga_text(&m->pc.vga, out, cap);
}

void machine_text_screen(struct machine *m, struct text_screen *s)
{
    vga_text_screen(&m->pc.vga, s);
}

u64 machine_read_phys(struct machine *m, u64 pa, void *dst, u64 len)
{
    return mem_view_read_bytes(&m->pc.view, pa, dst, len);
}

/* ---- numbers ---- */

static void print_bus(FILE *f, const struct bus *b)
{
    fprintf(f, "  %-4s accesses     %" PRIu64 ", unclaimed %" PRIu64, b->name, b->nr_accesses,
            b->nr_unclaimed);
    for (unsigned i = 0; i < b->nr_unclaimed_kept; i++)
        fprintf(f, "%s%" PRIx64 "h", i ? ", " : ": ", b->unclaimed[i]);
    fputs(b->nr_unclaimed_kept == ARRAY_LEN(b->unclaimed) ? ", ...\n" : "\n", f);
}

static void print_sites(FILE *f, const struct log *l, enum log_kind kind, const char *title)
{
    for (u32 i = 0; i < l->nr_sites; i++)
        if (l->sites[i].kind == kind)
            fprintf(f, "  %s %" PRIu64 " times, first: %s\n", title, l->sites[i].count,
                    l->sites[i].first);
}

bool machine_print_engine_stats(struct machine *m, FILE *f)
{
    if (!m->engine->print_stats)
        return false;
    m->engine->print_stats(m->engine_state, f);
    return true;
}

void machine_print_stats(struct machine *m, FILE *f, double host_seconds)
{
    u64 icount = machine_icount(m);
    const struct tlb *t = m->pc.cpu.tlb;

    fprintf(f, "kiln: %s engine\n", m->engine->name);
    fprintf(f, "  instructions      %" PRIu64 "\n", icount);
    fprintf(f, "  virtual seconds   %.6f\n", (double)machine_now_ns(m) / 1e9);
    if (host_seconds > 0) {
        fprintf(f, "  host seconds      %.3f\n", host_seconds);
        fprintf(f, "  MIPS              %.1f\n", (double)icount / host_seconds / 1e6);
    }
    fprintf(f, "  events delivered  %" PRIu64 "\n", m->pc.cpu.nr_events);
    fprintf(f, "  TLB               %" PRIu64 " fills, %" PRIu64 " flushes\n", t->nr_fills,
            t->nr_flushes);
    print_bus(f, &m->pc.io);
    print_bus(f, &m->pc.mem);
    print_sites(f, &m->pc.log, LOG_KIND_UNIMPLEMENTED, "unimplemented");
    print_sites(f, &m->pc.log, LOG_KIND_GUEST_ERROR, "guest error");
    machine_print_engine_stats(m, f);
    observe_print_stats(m->observe, f);
}
