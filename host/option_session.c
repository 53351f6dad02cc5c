/*
 * Handlers of the options that describe the run around the machine: consoles, display, logs,
 * limits for scripts, and those of the verbs trace and bench.
 */
#include "core/log.h"
#include "core/trace.h"
#include "host/key_script.h"
#include "host/option_parser.h"
#include "host/option_text.h"
#include <stdlib.h>

static bool char_device(struct option_parser *p, struct char_options *c, const char *arg,
                        bool may_mux)
{
    if (!strcmp(arg, "stdio")) {
        c->kind = CHAR_STDIO;
    } else if (!strcmp(arg, "mon:stdio") && may_mux) {
        c->kind = CHAR_STDIO;
        c->escape = true;
    } else if (!strncmp(arg, "file:", 5) && arg[5]) {
        c->kind = CHAR_FILE;
        c->path = option_keep(p, arg + 5);
    } else if (!strcmp(arg, "null") || !strcmp(arg, "none")) {
        c->kind = CHAR_NONE;
    } else if (!strncmp(arg, "vc", 2)) {
        c->kind = CHAR_NONE;
        option_note(p, "vc: there are no virtual consoles; its bytes go nowhere");
    } else if (may_mux && (!strcmp(arg, "pty") || !strncmp(arg, "unix:", 5) || !strncmp(arg, "tcp:", 4))) {
        c->kind = CHAR_CHANNEL;
        return option_serial_channel(p, &c->channel, arg);
    } else if (!strncmp(arg, "pty", 3) || !strncmp(arg, "unix:", 5) || !strncmp(arg, "tcp:", 4) ||
               !strncmp(arg, "telnet:", 7) || !strncmp(arg, "udp:", 4) || arg[0] == '/' ||
               !strncmp(arg, "chardev:", 8) || !strncmp(arg, "pipe:", 5)) {
        return option_fail(p, "%s is not there yet; try stdio, file:FILE or, for a serial port, pty", arg);
    } else {
        return option_fail(p, "'%s' is not stdio, file:FILE, pty, unix:FILE, tcp:HOST:PORT, null or none", arg);
    }
    return true;
}

bool opt_serial(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    struct options *o = p->o;
    if (o->nr_serial == ARRAY_LEN(o->serial))
        return option_fail(p, "there are two serial ports, COM1 and COM2");
    return char_device(p, &o->serial[o->nr_serial++], arg, true);
}

bool opt_debugcon(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    return char_device(p, &p->o->debugcon, arg, false);
}

bool opt_display(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    char *item = option_next_item(&arg);
    bool good = true;
    if (!strcmp(item, "none"))
        p->o->display = DISPLAY_NONE;
    else if (!strcmp(item, "sdl"))
        p->o->display = DISPLAY_SDL;
    else if (!strcmp(item, "curses"))
        p->o->display = DISPLAY_CURSES;
    else if (!strcmp(item, "auto"))
        p->o->display = DISPLAY_AUTO;
    else if (!strcmp(item, "gtk") || !strcmp(item, "cocoa") || !strcmp(item, "default")) {
        p->o->display = DISPLAY_SDL;
        option_note(p, "%s: the window is SDL's", item);
    } else
        good = option_fail(p, "no display '%s'; sdl, curses, none or auto", item);
    if (good && arg)
        option_note(p, "%s has no effect here", arg);
    free(item);
    return good;
}

bool opt_curses(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row, (void)arg;
    p->o->display = DISPLAY_CURSES;
    return true;
}

static bool add_trace_events(struct option_parser *p, const char *pattern)
{
    struct options *o = p->o;
    const char *old = o->trace_events;
    char *both = malloc(strlen(pattern) + (old ? strlen(old) : 0) + 2);
    if (!both)
        abort();
    sprintf(both, "%s%s%s", old ? old : "", old ? "," : "", pattern);
    o->trace_events = option_keep(p, both);
    free(both);
    return true;
}

bool opt_trace_events(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    if (!strcmp(arg, "help")) {
        trace_print_names(p->out);
        return p->done = true;
    }
    if (!strncmp(arg, "enable=", 7))
        arg += 7;
    return *arg ? add_trace_events(p, arg) : option_fail(p, "needs a pattern, such as 'ide_*'");
}

static const char *nearest_log_item(const char *item)
{
    const char *words[64];
    unsigned nr = 0;
    while (nr < nr_log_names && nr < ARRAY_LEN(words)) {
        words[nr] = log_names[nr].name;
        nr++;
    }
    return option_nearest(item, words, nr);
}

static bool log_item(struct option_parser *p, const char *item)
{
    const struct log_name *n = log_name_find(item);
    if (!n) {
        const char *near = nearest_log_item(item);
        return near ? option_fail(p, "no log item '%s'; did you mean %s?", item, near)
                    : option_fail(p, "no log item '%s'; -d help lists them", item);
    }
    p->o->log_mask |= n->items;
    if (n->events)
        return add_trace_events(p, n->events);
    return n->items ? true : option_note(p, "%s: %s", item, n->help);
}

bool opt_log(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    if (!strcmp(arg, "help") || !strcmp(arg, "?")) {
        log_print_names(p->out);
        return p->done = true;
    }
    if (!strcmp(arg, "trace:help")) {
        trace_print_names(p->out);
        return p->done = true;
    }
    bool good = true;
    char *item;
    while (good && (item = option_next_item(&arg))) {
        if (!strncmp(item, "trace:", 6))
            good = add_trace_events(p, item + 6);
        else
            good = log_item(p, item);
        free(item);
    }
    return good;
}

bool opt_log_filter(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    struct options *o = p->o;
    bool good = true;
    char *item;
    while (good && (item = option_next_item(&arg))) {
        if (o->nr_log_ranges == OPTIONS_LOG_RANGES)
            good = option_fail(p, "at most %d ranges", OPTIONS_LOG_RANGES);
        else if (!log_range_parse(item, &o->log_range[o->nr_log_ranges]))
            good = option_fail(p, "'%s' is no range; write 0x7c00..0x7dff or 0x7c00+0x200", item);
        else
            o->nr_log_ranges++;
        free(item);
    }
    return good;
}

bool opt_sym(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    struct options *o = p->o;
    if (o->nr_symbol_files == OPTIONS_SYMBOL_FILES)
        return option_fail(p, "at most %d files", OPTIONS_SYMBOL_FILES);
    o->symbol_files[o->nr_symbol_files++] = option_keep(p, arg);
    return true;
}

/* The row's argument is "first|second": AUTO/OFF/ON or bool, first is off. */
bool opt_choice(struct option_parser *p, const struct option_row *row, const char *arg)
{
    size_t n = strcspn(row->arg, "|");
    bool first = strlen(arg) == n && !strncmp(arg, row->arg, n);
    bool second = !strcmp(arg, row->arg + n + 1);
    if (!first && !second)
        return option_fail(p, "'%s' is not %s", arg, row->arg);
    struct options *o = p->o;
    if (row->field == offsetof(struct options, exit_on_halt))
        o->exit_on_halt = second;
    else if (row->field == offsetof(struct options, reset_on_triple_fault))
        o->reset_on_triple_fault = second;
    else if (row->field == offsetof(struct options, gdb_linear_pc))
        o->gdb_linear_pc = second;
    else if (row->field == offsetof(struct options, exit_at_end))
        o->exit_at_end = second ? ON : OFF;
    else
        o->real_time = first ? ON : OFF; /* on|off */
    return true;
}

bool opt_timeout(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    if (!option_seconds(arg, &p->o->timeout_s) || p->o->timeout_s == 0)
        return option_fail(p, "'%s' is no number of seconds above 0", arg);
    return true;
}

static bool parse_count(struct option_parser *p, const char *arg, u64 *count)
{
    return (option_count(arg, count) && *count) || option_fail(p, "'%s' is no count; write 1000000, 1M or 1G", arg);
}

bool opt_max_insns(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    return parse_count(p, arg, &p->o->max_insns);
}

/* "N[+TICKS]", and for --save-at ":FILE" behind it. */
bool opt_point(struct option_parser *p, const struct option_row *row, const char *arg)
{
    struct options *o = p->o;
    bool saves = row->field;
    struct point_options point = {0};
    char number[64];
    size_t len = saves ? strcspn(arg, ":") : strlen(arg);
    if (o->nr_points == OPTIONS_POINTS)
        return option_fail(p, "at most %d points", OPTIONS_POINTS);
    if (len >= sizeof(number) || (saves && (arg[len] != ':' || !arg[len + 1])))
        return option_fail(p, saves ? "'%s' is no N[+TICKS]:FILE" : "'%s' is no N[+TICKS]", arg);
    memcpy(number, arg, len);
    number[len] = 0;
    char *plus = strchr(number, '+');
    if (plus)
        *plus++ = 0;
    if (!parse_count(p, number, &point.icount) || (plus && !parse_count(p, plus, &point.ticks)))
        return false;
    if (saves)
        point.file = option_keep(p, arg + len + 1);
    o->point[o->nr_points++] = point;
    return true;
}

bool opt_until(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    struct options *o = p->o;
    u64 port;
    bool screen = !strncmp(arg, "screen:", 7);
    if (screen || !strncmp(arg, "serial:", 7)) {
        if (!arg[7])
            return option_fail(p, "%s needs a text", arg);
        if (o->nr_until == OPTIONS_UNTIL)
            return option_fail(p, "at most %d conditions", OPTIONS_UNTIL);
        o->until[o->nr_until++] = (struct until_options){
            .kind = screen ? UNTIL_SCREEN : UNTIL_SERIAL, .text = option_keep(p, arg + 7)};
        return true;
    }
    if (!strncmp(arg, "port:", 5)) {
        if (!option_u64(arg + 5, &port) || port > 0xffff)
            return option_fail(p, "%s: a port, 0 to 0xffff", arg);
        if (o->until_port >= 0)
            return option_fail(p, "one port only");
        o->until_port = (i32)port;
        return true;
    }
    return option_fail(p, "'%s' is not serial:TEXT, screen:TEXT or port:N", arg);
}

bool opt_keys(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    char why[KEY_SCRIPT_ERR_LEN];
    struct key_script *script = key_script_parse(arg, why);
    if (!script)
        return option_fail(p, "%s", why);
    key_script_free(script);
    p->o->keys = option_keep(p, arg);
    return true;
}

bool opt_screenshot_at(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    if (!option_seconds(arg, &p->o->screenshot_at_s))
        return option_fail(p, "'%s' is no number of seconds", arg);
    return true;
}

bool opt_trace_only(struct option_parser *p, const struct option_row *row, const char *arg)
{
    if (p->o->verb != VERB_TRACE)
        return option_fail(p, "belongs to kiln trace; write kiln trace DISK.img %s", p->name);
    if (row->arg)
        return opt_string(p, row, arg);
    return opt_flag(p, row, arg);
}

bool opt_trace_last(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    if (p->o->verb != VERB_TRACE)
        return option_fail(p, "belongs to kiln trace; write kiln trace DISK.img %s", p->name);
    return parse_count(p, arg, &p->o->trace.last);
}

bool opt_bench(struct option_parser *p, const struct option_row *row, const char *arg)
{
    struct bench_options *b = &p->o->bench;
    u64 n;
    if (p->o->verb != VERB_BENCH)
        return option_fail(p, "belongs to kiln bench; write kiln bench %s", p->name);
    if (!strcmp(row->names, "runs")) {
        if (!option_u64(arg, &n) || n < 1 || n > BENCH_MAX_RUNS)
            return option_fail(p, "'%s' is no number from 1 to %d", arg, BENCH_MAX_RUNS);
        b->runs = (u32)n;
    } else if (!strcmp(row->names, "time")) {
        if (!option_seconds(arg, &b->ms) || b->ms == 0 || b->ms > 60000)
            return option_fail(p, "'%s' is no number of milliseconds above 0, up to 60000", arg);
    } else if (!strcmp(row->names, "kernels")) {
        b->kernels = option_keep(p, arg);
    } else if (!strcmp(row->names, "engine")) {
        if (strcmp(arg, "jit") && strcmp(arg, "interp"))
            return option_fail(p, "'%s' is not jit or interp", arg);
        b->engine = option_keep(p, arg);
    } else if (!strcmp(row->names, "html")) {
        b->html = option_keep(p, arg);
    } else {
        b->check = true;
    }
    return true;
}
