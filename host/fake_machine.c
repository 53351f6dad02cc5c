/*
 * The fake machine: see fake_machine.h. It keeps machine_run()'s promises about limits.
 */
#include "host/fake_machine.h"
#include "host/twin.h"
#include "machine/debug.h"
#include "machine/snapshot.h"
#include "core/clock.h"
#include <stdlib.h>

struct machine {
    struct fake_plan *plan;
    struct chardev *com1;
    struct clock clk;
    struct trace trace;
    struct input_log input;
    u64 ticks, next_serial, idle_until;
    size_t serial_at;
    i64 left;
};

static void deliver(void *sink, const struct input_event *e)
{
    struct machine *m = sink;
    struct fake_plan *p = m->plan;
    if (e->kind == INPUT_KEY && p->nr_keys < ARRAY_LEN(p->keys)) {
        p->key_ticks[p->nr_keys] = m->ticks;
        p->keys[p->nr_keys++] = e->code | (e->value ? 0 : 0x80);
    }
    if (e->kind == INPUT_SERIAL && p->nr_input < ARRAY_LEN(p->input))
        p->input[p->nr_input++] = (u8)e->value;
}

struct machine *fake_machine_create(struct fake_plan *plan, struct chardev *com1)
{
    struct machine *m = calloc(1, sizeof(*m));
    if (!m)
        abort();
    m->plan = plan;
    m->com1 = com1;
    m->next_serial = plan->serial_every;
    clock_init(&m->clk);
    trace_init(&m->trace, stderr, &m->clk);
    input_init(&m->input, &m->clk, &m->trace, deliver, m);
    return m;
}

void machine_destroy(struct machine *m)
{
    clock_fini(&m->clk);
    free(m);
}

enum machine_stop machine_run(struct machine *m, const struct machine_limit *limit)
{
    struct fake_plan *p = m->plan;
    for (;;) {
        if (p->stop_tick && m->ticks >= p->stop_tick)
            return p->stop;
        if (m->ticks >= limit->max_ticks || m->ticks >= limit->max_icount)
            return MACHINE_SLICE_DONE;
        u64 next = limit->max_ticks < limit->max_icount ? limit->max_ticks : limit->max_icount;
        if (p->stop_tick && p->stop_tick < next)
            next = p->stop_tick;
        if (p->halted_from && m->ticks >= p->halted_from) {
            m->idle_until =
                p->timer_every ? (m->ticks / p->timer_every + 1) * p->timer_every : UINT64_MAX;
            if (limit->wait_in_hlt) {
                p->nr_idle++;
                return MACHINE_IDLE;
            }
            m->ticks = m->idle_until < next ? m->idle_until : next;
            continue;
        }
        if (p->serial_text && p->serial_text[m->serial_at] && m->next_serial <= next) {
            m->ticks = m->next_serial;
            m->next_serial += p->serial_every;
            chardev_put(m->com1, (u8)p->serial_text[m->serial_at++]);
            continue;
        }
        m->ticks = next;
    }
}

void machine_config_defaults(struct machine_config *c)
{
    (void)c;
}

struct machine *machine_create(const struct machine_config *c, char err[MACHINE_ERR_LEN])
{
    (void)c;
    snprintf(err, MACHINE_ERR_LEN, "a fake machine has no board");
    return NULL;
}

bool machine_reset(struct machine *m)
{
    m->plan->nr_resets++;
    return true;
}

bool machine_end_trace(struct machine *m)
{
    (void)m;
    return true;
}

int machine_exit_code(const struct machine *m)
{
    return m->plan->exit_code;
}

u64 machine_now_ns(const struct machine *m)
{
    return m->ticks;
}

u64 machine_ticks(const struct machine *m)
{
    return m->ticks;
}

u64 machine_icount(const struct machine *m)
{
    return m->ticks;
}

u64 machine_idle_until_ns(const struct machine *m)
{
    return m->idle_until;
}

u64 machine_state_hash(struct machine *m)
{
    return m->ticks;
}

void machine_nvram(const struct machine *m, u8 cells[NVRAM_BYTES])
{
    (void)m;
    memset(cells, 0, NVRAM_BYTES);
}

const char *machine_engine_name(const struct machine *m)
{
    (void)m;
    return "fake";
}

struct input_log *machine_input(struct machine *m)
{
    return &m->input;
}

bool machine_serial_ready(const struct machine *m, unsigned port)
{
    (void)m;
    return port < 2;
}

bool machine_keyboard_ready(const struct machine *m)
{
    return m->ticks % 3 == 0; /* some of the time */
}

void machine_render(struct machine *m, struct screen *s)
{
    (void)m;
    s->w = 8;
    s->h = 4;
    s->aspect_w = 4;
    s->aspect_h = 3;
    for (unsigned i = 0; i < s->w * s->h; i++)
        s->px[i] = 0x10203 * i;
}

size_t machine_screen_text(struct machine *m, char *out, size_t cap)
{
    const char *text = m->plan->screen_text && m->ticks > 1000000 ? m->plan->screen_text : "";
    snprintf(out, cap, "%s", text);
    return strlen(out);
}

void machine_text_screen(struct machine *m, struct text_screen *s)
{
    (void)m;
    s->kind = SCREEN_OFF;
}

void machine_print_stats(struct machine *m, FILE *f, double host_seconds)
{
    fprintf(f, "ticks %llu in %g s\n", (unsigned long long)m->ticks, host_seconds);
}

bool machine_print_engine_stats(struct machine *m, FILE *f)
{
    (void)m, (void)f;
    return false;
}

void machine_debug_resume(struct machine *m, bool step)
{
    (void)m, (void)step;
}

int snapshot_save(struct machine *m, const char *path, char err[MACHINE_ERR_LEN])
{
    (void)m;
    (void)path;
    snprintf(err, MACHINE_ERR_LEN, "a fake machine cannot be saved");
    return -1;
}

int snapshot_load(struct machine *m, const char *path, char err[MACHINE_ERR_LEN])
{
    return snapshot_save(m, path, err);
}

/* It has no twin. */
void twin_close(struct twin *t)
{
    (void)t;
}

struct lockstep *twin_lockstep(const struct twin *t)
{
    (void)t;
    return NULL;
}

enum machine_stop lockstep_run(struct lockstep *ls, const struct machine_limit *limit)
{
    (void)ls, (void)limit;
    return MACHINE_ERROR;
}

enum machine_stop lockstep_end(struct lockstep *ls)
{
    (void)ls;
    return MACHINE_ERROR;
}

void lockstep_print_stats(const struct lockstep *ls, FILE *f)
{
    (void)ls, (void)f;
}

void lockstep_config(struct machine_config *cfg, const struct lockstep_options *o)
{
    (void)cfg, (void)o;
}
