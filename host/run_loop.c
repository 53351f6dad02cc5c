/*
 * The run loop.
 *
 * The machine runs in slices that end on a fixed grid of virtual time. Everything that a script
 * can ask for (--until, --keys, --screenshot-at) is looked at on that grid or at an exact virtual
 * time, never at a point that depends on the host's speed, so that such runs repeat exactly. The
 * host is polled between slices, about once in a millisecond of wall time.
 *
 * A run that somebody sits in front of is paced (host/pace.h): HLT then waits for the wall
 * clock, and no tick of virtual time passes while it does that has not passed on the wall.
 *
 * The machine is created at the nominal rate: one tick is one nanosecond.
 */
#define _GNU_SOURCE /* ppoll */
#include "host/run_loop.h"
#include "host/console.h"
#include "host/display.h"
#include "host/host_clock.h"
#include "host/key_script.h"
#include "host/pace.h"
#include "host/png_screenshot.h"
#include "host/run_state.h"
#include "host/stop_signal.h"
#include "host/tape.h"
#include "host/terminal.h"
#include "host/text_screenshot.h"
#include "host/twin.h"
#include <poll.h>
#include <signal.h>
#include <stdlib.h>

#define MS 1000000ull

enum {
    SLICE_TICKS = 200000,        /* the grid */
    SCREEN_TICKS = 20 * 1000000, /* between looks at the screen's text */
    SCREEN_TEXT_MAX = 64 * 1024,
};

enum exit_status {
    STATUS_TRIPLE_FAULT = 70,
    STATUS_INTERNAL = 72,
    STATUS_HALTED = 74,
    STATUS_TIMEOUT = 124,
    STATUS_SIGNAL = 128,
};

static bool end_run(struct run *r, int status)
{
    if (!r->ended) {
        r->ended = true;
        r->status = status;
    }
    return true;
}

/* ---- what a script waits for ---- */

/* Lines of the screen have no trailing blanks, so those of text do not count. */
static bool screen_has(struct run *r, const char *text)
{
    char wanted[512];
    size_t len = strlen(text);

    machine_screen_text(r->m, r->screen_text, SCREEN_TEXT_MAX);
    while (len && text[len - 1] == ' ')
        len--;
    if (len == 0 || len >= sizeof(wanted))
        return strstr(r->screen_text, text) != NULL;
    memcpy(wanted, text, len);
    wanted[len] = 0;
    return strstr(r->screen_text, wanted) != NULL;
}

static bool serial_until_met(struct run *r, const char *text)
{
    size_t len = strlen(text);
    for (unsigned i = 0; i < NR_CONSOLES; i++) {
        const struct console *c = r->s->console[i];
        u64 seen = r->until_seen[i];
        if (c && console_find(c, seen >= len ? seen - len + 1 : 0, text))
            return true;
    }
    return false;
}

/* look_at_screen: its text is costly to get, so not every time. */
static void check_until(struct run *r, bool look_at_screen)
{
    const struct options *o = r->o;
    for (unsigned i = 0; i < o->nr_until; i++) {
        const struct until_options *u = &o->until[i];
        if (u->kind == UNTIL_SCREEN ? look_at_screen && screen_has(r, u->text)
                                    : serial_until_met(r, u->text))
            end_run(r, 0);
    }
    for (unsigned i = 0; i < NR_CONSOLES; i++)
        if (r->s->console[i])
            r->until_seen[i] = console_total(r->s->console[i]);
}

static bool typist_ready(void *h)
{
    return machine_keyboard_ready(((struct run *)h)->m);
}

static void typist_key(void *h, u16 code, bool down)
{
    input_push(machine_input(((struct run *)h)->m), INPUT_KEY, code, down, 0);
}

static bool typist_screen(void *h, const char *text)
{
    return screen_has(h, text);
}

static bool typist_serial(void *h, const char *text)
{
    struct run *r = h;
    for (unsigned i = 0; i < NR_CONSOLES; i++) {
        u64 at = r->s->console[i] ? console_find(r->s->console[i], r->keys_seen[i], text) : 0;
        if (at) {
            r->keys_seen[i] = at;
            return true;
        }
    }
    return false;
}

static void save_screenshot(struct run *r)
{
    const char *name = r->o->screenshot;
    int bad = text_screenshot_name(name) ? text_save_machine(r->m, name)
                                         : png_save_machine(r->m, name);
    if (bad)
        r->output_failed = true;
}

/* Everything that happens at points of virtual time. */
static void do_scheduled(struct run *r)
{
    const struct key_target typist = {typist_ready, typist_key, typist_screen, typist_serial, r};
    u64 ticks = machine_ticks(r->m);
    if (r->s->keys)
        key_script_run(r->s->keys, machine_now_ns(r->m), &typist);
    key_sender_poll(&r->ctl->keys, r->m);
    if (machine_now_ns(r->m) >= r->screenshot_ns) {
        r->screenshot_ns = UINT64_MAX;
        save_screenshot(r);
    }
    if (ticks >= r->next_grid) {
        r->next_grid = (ticks / SLICE_TICKS + 1) * SLICE_TICKS;
        bool look = ticks >= r->next_screen;
        if (look || r->next_screen > ticks + SCREEN_TICKS)
            r->next_screen = (ticks / SCREEN_TICKS + 1) * SCREEN_TICKS;
        check_until(r, look);
    }
    run_points_visit(&r->points, r->m);
    if (machine_icount(r->m) >= r->o->max_insns)
        end_run(r, 0);
}

/* Virtual time of the next thing that a script does. */
static u64 next_scheduled_ns(const struct run *r)
{
    u64 keys = r->s->keys ? key_script_next_ns(r->s->keys) : UINT64_MAX;
    u64 sent = key_sender_next_ns(&r->ctl->keys);
    u64 due = keys < r->screenshot_ns ? keys : r->screenshot_ns;
    u64 tape = tape_next_tick(r->s->tape);
    due = due < sent ? due : sent;
    return due < tape ? due : tape;
}

/* ---- the host between slices ---- */

/* Whether somebody waits for the guest, so that its HLT waits for the wall clock. */
static bool attended(const struct run *r)
{
    const struct session *s = r->s;
    if (r->o->real_time != AUTO)
        return r->o->real_time == ON;
    if (tape_replays(s->tape))
        return s->display;
    for (unsigned i = 0; i < NR_CONSOLES; i++)
        if (s->console[i] && console_interactive(s->console[i]))
            return true;
    return s->display || (s->terminal && terminal_interactive(s->terminal)) ||
           control_attended(r->ctl);
}

static void start_pace(struct run *r)
{
    pace_start(&r->pace, attended(r), machine_now_ns(r->m), host_now_ns());
}

static void host_wait(struct run *r, u64 ns)
{
    struct pollfd fds[2 + NR_CONSOLES + MAX_CONTROL_FDS];
    unsigned nr = 0;
    if (ns > 10 * MS)
        ns = 10 * MS;
    int fd = r->s->terminal ? terminal_poll_fd(r->s->terminal) : -1;
    if (fd >= 0)
        fds[nr++] = (struct pollfd){.fd = fd, .events = POLLIN};
    for (unsigned i = 0; i < NR_CONSOLES; i++)
        if (r->s->console[i] && console_pollfd(r->s->console[i], &fds[nr]))
            nr++;
    nr += control_pollfds(r->ctl, fds + nr, MAX_CONTROL_FDS);
    struct timespec ts = {.tv_nsec = (long)ns};
    struct display *d = r->s->display;
    if (d && display_pollfd(d, &fds[nr]))
        nr++;
    else if (d && ns >= MS) { /* SDL waits for its own events only */
        ts.tv_nsec = 0;
        if (!nr || ppoll(fds, nr, &ts, NULL) <= 0)
            display_wait(d, nr && ns > 4 * MS ? 4 : (unsigned)(ns / MS));
        return;
    }
    ppoll(fds, nr, &ts, NULL); /* without any it only sleeps */
}

static void feed_serial(struct run *r)
{
    struct terminal *t = r->s->terminal;
    u8 byte;
    while (t && r->s->terminal_port != NO_PORT && terminal_peek(t, &byte) &&
           machine_serial_ready(r->m, r->s->terminal_port)) {
        input_push(machine_input(r->m), INPUT_SERIAL, (u16)r->s->terminal_port, byte, 0);
        terminal_pop(t);
    }
    for (u16 i = 0; i < NO_PORT && !tape_replays(r->s->tape); i++) {
        struct console *c = r->s->console[i];
        while (c && console_peek(c, &byte) && machine_serial_ready(r->m, i)) {
            input_push(machine_input(r->m), INPUT_SERIAL, i, byte, 0);
            console_pop(c);
        }
    }
}

static void set_title(struct run *r, u64 wall, const char *state)
{
    char title[256], speed[32];
    u64 icount = machine_icount(r->m);
    u64 mips = r->busy_ns ? (icount - r->title_icount) * 1000 / r->busy_ns : 0;
    snprintf(speed, sizeof(speed), "%llu MIPS", (unsigned long long)mips);
    snprintf(title, sizeof(title), "Kiln - %.100s - %s - %s - Ctrl+Alt+G releases the mouse",
             r->s->image_name, machine_engine_name(r->m), state ? state : speed);
    display_set_title(r->s->display, title);
    r->wall_title = wall;
    r->title_icount = icount;
    r->busy_ns = 0;
}

static void save_new_screenshot(struct run *r)
{
    char name[64];
    png_new_name(name, sizeof(name));
    if (png_save_machine(r->m, name) == 0)
        fprintf(stderr, "kiln: screenshot in %s\n", name);
}

static unsigned poll_display(struct run *r, u64 wall, const char *state)
{
    struct display *d = r->s->display;
    if (!d)
        return 0;
    unsigned requests = display_poll(d, machine_input(r->m), &r->ctl->keys);
    if (requests & DISPLAY_REQUEST_SCREENSHOT)
        save_new_screenshot(r);
    if (wall - r->wall_frame >= 16 * MS) {
        r->wall_frame = wall;
        display_show(d, r->m);
    }
    if (wall - r->wall_title >= 1000 * MS)
        set_title(r, wall, state);
    return requests;
}

/* Signals, the timeout and the terminal's quit. */
static bool poll_limits(struct run *r, u64 wall)
{
    int sig = stop_signal_pending();
    tape_poll(r->s->tape, wall);
    if (sig) {
        if (sig != SIGPIPE)
            fprintf(stderr, "kiln: terminating on signal %d\n", sig);
        return end_run(r, STATUS_SIGNAL + sig);
    }
    if (wall >= r->wall_deadline) {
        fprintf(stderr, "kiln: timeout after %g seconds\n", r->o->timeout_s);
        return end_run(r, STATUS_TIMEOUT);
    }
    if (r->s->terminal && terminal_poll(r->s->terminal) == TERMINAL_QUIT)
        return end_run(r, 0);
    return false;
}

static void flush_consoles(struct run *r)
{
    for (unsigned i = 0; i < NR_CONSOLES; i++)
        if (r->s->console[i])
            console_flush(r->s->console[i]);
}

static void poll_host(struct run *r)
{
    u64 wall = host_now_ns();
    if (wall - r->wall_poll >= MS) {
        r->wall_poll = wall;
        flush_consoles(r);
        if (poll_limits(r, wall))
            return;
        control_poll(r->ctl);
        if (r->ctl->was_loaded || r->pace.on != attended(r)) { /* gdb has come, or a pipe has ended */
            r->ctl->was_loaded = false;
            start_pace(r);
        }
        if ((poll_display(r, wall, NULL) & DISPLAY_REQUEST_QUIT) || r->ctl->quit)
            end_run(r, 0);
    }
    feed_serial(r);
}

/* ---- slices ---- */

/* Lets a replay deliver what is due. Returns whether the slice's end is the tape's business only.
 * When the tape is over, whoever debugs the run may still want to look. */
static bool follow_tape(struct run *r, enum machine_stop stop)
{
    if (tape_follow(r->s->tape, stop)) {
        if (r->ctl->debugging && !r->ended) {
            r->fault_pending = true;
            control_stop(r->ctl, STOPPED_BY_FAULT);
        } else {
            end_run(r, 0);
        }
        return true;
    }
    return tape_replays(r->s->tape) && stop != MACHINE_SLICE_DONE && stop != MACHINE_IDLE &&
           stop != MACHINE_RESET && stop != MACHINE_DEBUG && stop != MACHINE_BREAK && stop != MACHINE_DIVERGED;
}

static enum machine_stop run_until(struct run *r, u64 max_ticks, bool wait_in_hlt)
{
    u64 ticks = machine_ticks(r->m), now = machine_now_ns(r->m), due = next_scheduled_ns(r);
    if (r->next_grid <= ticks || r->next_grid > ticks + SLICE_TICKS) /* earlier by loadvm */
        r->next_grid = (ticks / SLICE_TICKS + 1) * SLICE_TICKS;
    if (max_ticks > r->next_grid)
        max_ticks = r->next_grid;
    if (due != UINT64_MAX) {
        u64 tick = ticks + (due > now ? due - now : 1);
        max_ticks = max_ticks < tick ? max_ticks : tick;
    }
    struct machine_limit limit = {.max_ticks = max_ticks > ticks ? max_ticks : ticks + 1,
                                  .max_icount = r->o->max_insns,
                                  .wait_in_hlt = wait_in_hlt,
                                  .until_port = r->o->until_port};
    run_points_limit(&r->points, &limit);
    u64 start = host_now_ns();
    enum machine_stop stop = r->s->twin ? lockstep_run(twin_lockstep(r->s->twin), &limit) : machine_run(r->m, &limit);
    r->busy_ns += host_now_ns() - start;
    if (r->s->between)
        r->s->between(r->s->between_h, r->m);
    if (follow_tape(r, stop))
        return MACHINE_SLICE_DONE; /* a replay ends where the recording does */
    do_scheduled(r);
    return stop;
}

/* The processor waits for an interrupt: so do we, until the wall clock has come to the next
 * timer, or something arrives from the host. */
static enum machine_stop idle(struct run *r)
{
    u64 now = machine_now_ns(r->m), until = machine_idle_until_ns(r->m), due = next_scheduled_ns(r);
    until = until < due ? until : due;
    if (!r->pace.on) { /* no timer is armed, and nothing passes the time */
        if (due != UINT64_MAX)
            return run_until(r, UINT64_MAX, false);
        flush_consoles(r);
        host_wait(r, 10 * MS);
        return MACHINE_SLICE_DONE;
    }
    i64 lead = pace_lead_ns(&r->pace, now, host_now_ns());
    i64 wait = until == UINT64_MAX ? (i64)(10 * MS) : (i64)(until - now) + lead;
    if (wait > 0) {
        flush_consoles(r);
        host_wait(r, (u64)wait);
        poll_host(r);
        lead = pace_lead_ns(&r->pace, now, host_now_ns());
    }
    if (lead >= 0 || r->ended || r->ctl->stopped)
        return MACHINE_SLICE_DONE;
    u64 passed = (u64)-lead;
    if (until != UINT64_MAX && passed > until - now)
        passed = until - now;
    return run_until(r, machine_ticks(r->m) + (passed ? passed : 1), false);
}

/* A guest that is busy and ahead of the wall clock is held. */
static void hold(struct run *r)
{
    if (!r->pace.on)
        return;
    i64 lead = pace_lead_ns(&r->pace, machine_now_ns(r->m), host_now_ns());
    if (lead > PACE_MAX_LEAD_NS) {
        flush_consoles(r);
        host_wait(r, (u64)(lead - PACE_MAX_LEAD_NS / 2));
    }
}

/* ---- the end ---- */

/* The guest is over, but whoever debugs it may want to see what it left. Going on ends the run. */
static bool shown_to_debugger(struct run *r)
{
    if (!r->ctl->debugging)
        return false;
    r->fault_pending = true;
    control_stop(r->ctl, STOPPED_BY_FAULT);
    return true;
}

/* The guest is over: keeps its last screen until the user goes, or resets it (returns true). */
static bool linger(struct run *r, const char *reason)
{
    char banner[256];
    r->ctl->was_reset = false;
    snprintf(banner, sizeof(banner), "%s\nR reset    S screenshot    Q quit", reason);
    if (r->s->display) {
        set_title(r, host_now_ns(), reason);
        display_set_banner(r->s->display, banner);
    } else if (r->o->no_shutdown) {
        fprintf(stderr, "kiln: %s; -no-shutdown keeps kiln here until a signal or --timeout\n",
                reason);
    }
    for (;;) {
        u64 wall = host_now_ns();
        flush_consoles(r);
        if (poll_limits(r, wall))
            break;
        control_poll(r->ctl);
        unsigned requests = poll_display(r, wall, reason);
        if ((requests & DISPLAY_REQUEST_QUIT) || r->ctl->quit)
            break;
        if (requests & DISPLAY_REQUEST_RESET)
            control_reset(r->ctl);
        if (r->ctl->was_reset) {
            if (r->s->display)
                display_set_banner(r->s->display, NULL);
            control_go_on(r->ctl, false);
            start_pace(r);
            return true;
        }
        host_wait(r, 10 * MS);
    }
    return false;
}

/* A window stays unless the run is a script's. */
static bool stays(const struct run *r)
{
    const struct options *o = r->o;
    bool limited =
        o->timeout_s > 0 || o->nr_until || o->until_port >= 0 || o->max_insns != UINT64_MAX;
    if (o->exit_at_end != AUTO)
        return r->s->display && o->exit_at_end == OFF;
    return r->s->display && !limited;
}

static void guest_over(struct run *r, const char *reason, int status, bool stay)
{
    if (stay)
        control_stop(r->ctl, STOPPED_FOR_GOOD);
    if (stay && linger(r, reason))
        return;
    end_run(r, status);
}

static void halted(struct run *r)
{
    bool exits = r->o->exit_on_halt;
    check_until(r, true);
    if (r->ended)
        return;
    fprintf(stderr, "kiln: the guest has halted for good: HLT with interrupts off (cli; hlt)%s\n",
            exits || r->s->display ? "" : "; --on-halt exit would end the run here");
    if (exits) {
        end_run(r, STATUS_HALTED);
        return;
    }
    if (r->ctl->debugging)
        control_stop(r->ctl, STOPPED_FOR_GOOD);
    if (!linger(r, "Halted for good (cli; hlt)"))
        end_run(r, 0);
}

static void triple_fault(struct run *r)
{
    r->fault_pending = false;
    guest_over(r, "Triple fault: the processor shut down", STATUS_TRIPLE_FAULT,
               stays(r) || r->o->no_shutdown);
}

static void handle_stop(struct run *r, enum machine_stop stop)
{
    switch (stop) {
    case MACHINE_SLICE_DONE: hold(r); break;
    case MACHINE_IDLE: break; /* the caller waits */
    case MACHINE_POWER_OFF:
        control_tell(r->ctl, CONTROL_SHUTDOWN);
        guest_over(r, "The guest powered off", 0, stays(r) || r->o->no_shutdown);
        break;
    case MACHINE_RESET:
        control_tell(r->ctl, CONTROL_GUEST_RESET);
        if (r->o->no_reboot)
            end_run(r, 0);
        break;
    case MACHINE_EXIT: end_run(r, machine_exit_code(r->m)); break;
    case MACHINE_TRIPLE_FAULT:
        if (shown_to_debugger(r))
            break;
        triple_fault(r);
        break;
    case MACHINE_HALTED: halted(r); break;
    case MACHINE_BREAK: end_run(r, 0); break;
    case MACHINE_DEBUG: control_stop(r->ctl, STOPPED_BY_POINT); break;
    case MACHINE_DIVERGED: end_run(r, STATUS_INTERNAL); break;
    case MACHINE_ERROR:
        fprintf(stderr, "kiln: internal fault; the machine cannot go on\n");
        end_run(r, STATUS_INTERNAL);
        break;
    }
}

static void report(struct run *r)
{
    const struct options *o = r->o;
    flush_consoles(r);
    if (r->s->display) {
        display_show(r->s->display, r->m);
        display_leave(r->s->display);
    }
    terminal_restore_now();
    if (o->screenshot && o->screenshot_at_s < 0)
        save_screenshot(r);
    if (o->screenshot_at_s >= 0 && r->screenshot_ns != UINT64_MAX) {
        fprintf(stderr, "kiln: --screenshot-at: the run ended before %g seconds of virtual time\n",
                o->screenshot_at_s);
        r->output_failed = true;
    }
    if (o->stats)
        machine_print_stats(r->m, stderr, (double)(host_now_ns() - r->wall_start) / 1e9);
    if (o->stats && r->s->twin)
        lockstep_print_stats(twin_lockstep(r->s->twin), stderr);
    if (o->state_hash)
        fprintf(stderr, "state-hash: %016llx\n", (unsigned long long)machine_state_hash(r->m));
    if (run_points_end(&r->points))
        r->output_failed = true;
    if ((!machine_end_trace(r->m) || r->output_failed) && r->status == 0)
        r->status = 1;
}

/* A controller has stopped the guest; the host goes on. */
static void stopped(struct run *r)
{
    u64 wall = host_now_ns();
    flush_consoles(r);
    if (poll_limits(r, wall))
        return;
    control_poll(r->ctl);
    if ((poll_display(r, wall, "stopped") & DISPLAY_REQUEST_QUIT) || r->ctl->quit)
        end_run(r, 0);
    if (r->ctl->was_reset)
        r->ctl->was_reset = r->fault_pending = false;
    if (r->ended)
        return;
    if (r->ctl->stopped) {
        host_wait(r, 10 * MS);
        return;
    }
    start_pace(r);
    if (r->fault_pending && tape_replays(r->s->tape))
        end_run(r, 0);
    else if (r->fault_pending)
        triple_fault(r);
}

int run_loop(struct session *s)
{
    const struct options *o = s->o;
    u64 wall = host_now_ns();
    struct run r = {.s = s, .m = s->m, .o = o, .wall_start = wall};
    r.wall_deadline = o->timeout_s > 0 ? wall + (u64)(o->timeout_s * 1e9) : UINT64_MAX;
    r.screenshot_ns = o->screenshot_at_s >= 0 ? (u64)(o->screenshot_at_s * 1e9) : UINT64_MAX;
    r.screen_text = malloc(SCREEN_TEXT_MAX);
    if (!r.screen_text)
        abort();
    r.ctl = &s->control;
    follow_tape(&r, MACHINE_SLICE_DONE); /* what came before the first instruction */
    start_pace(&r);
    run_points_start(&r.points, o);
    run_points_visit(&r.points, r.m);
    if (s->display)
        set_title(&r, wall, "starting");

    while (!r.ended) {
        if (r.ctl->stopped) {
            stopped(&r);
            continue;
        }
        enum machine_stop stop = run_until(&r, UINT64_MAX, r.pace.on);
        while (stop == MACHINE_IDLE && !r.ended && !r.ctl->stopped) {
            stop = idle(&r);
            poll_host(&r);
        }
        if (!r.ended)
            handle_stop(&r, stop);
        if (!r.ended)
            poll_host(&r);
    }
    if (s->twin && r.status != STATUS_INTERNAL && lockstep_end(twin_lockstep(s->twin)) == MACHINE_DIVERGED)
        r.status = STATUS_INTERNAL;
    r.status = tape_end(s->tape, r.status);
    r.ctl->exit_status = r.status;
    control_tell(r.ctl, CONTROL_ENDED);
    report(&r);
    free(r.screen_text);
    return r.status;
}
