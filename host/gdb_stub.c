/*
 * gdb's remote serial protocol, the commands. gdb manual, appendix E.
 *
 * There is one thread, number 1: the processor. Memory is linear. Breakpoints of both kinds are
 * kept beside the guest (machine/debug.h), so that they work in ROM, before the code is loaded,
 * and for any number of addresses.
 *
 * A breakpoint's address is linear. Where code runs in a segment with a base, gdb does not find
 * its breakpoint at the program counter and would ignore a stop that says "breakpoint"; there we
 * only say that it has stopped.
 */
#include "host/gdb_stub.h"
#include "host/gdb_packets.h"
#include "host/gdb_target.h"
#include "host/monitor.h"
#include "host/session.h"
#include "machine/debug.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIG_INT = 2, SIG_TRAP = 5, SIG_SEGV = 11 };
enum { POINT_SOFT, POINT_HARD, POINT_WRITE, POINT_READ, POINT_ACCESS, NR_POINT_KINDS };

struct gdb_stub {
    struct control *ctl;
    struct channel *ch;
    struct gdb_target target;
    struct gdb_packets in;
    struct gdb_reply reply; /* the last one, in case gdb wants it again */
    char *xml;
    bool no_ack;
    bool waiting;      /* gdb waits for the guest to stop */
    bool knows_breaks; /* gdb understands "swbreak" and "hwbreak" */
};

/* ---- answers ---- */

static struct gdb_reply *start(struct gdb_stub *g)
{
    gdb_reply_start(&g->reply);
    return &g->reply;
}

static void send(struct gdb_stub *g)
{
    gdb_reply_finish(&g->reply);
    channel_write(g->ch, g->reply.data, g->reply.len);
}

static void say(struct gdb_stub *g, const char *text)
{
    gdb_reply_text(start(g), text);
    send(g);
}

/* Error numbers mean nothing to gdb; these are errno's. */
static void malformed(struct gdb_stub *g)
{
    say(g, "E16");
}
static void bad_address(struct gdb_stub *g)
{
    say(g, "E0e");
}
static void no_room(struct gdb_stub *g)
{
    say(g, "E1c");
}

static void point_reason(struct gdb_stub *g, struct gdb_reply *r)
{
    static const char *const watch[NR_POINT_KINDS] = {
        [POINT_WRITE] = "watch", [POINT_READ] = "rwatch", [POINT_ACCESS] = "awatch"};
    struct debug_hit hit = machine_debug_hit(g->ctl->m);

    if (hit.why == DEBUG_WATCH && hit.tag < NR_POINT_KINDS && watch[hit.tag])
        gdb_reply_printf(r, "%s:%llx;", watch[hit.tag], (unsigned long long)hit.lin);
    if (hit.why == DEBUG_BREAK && g->knows_breaks && gdb_target_pc_is_linear(&g->target))
        gdb_reply_text(r, hit.tag == POINT_HARD ? "hwbreak:;" : "swbreak:;");
}

static void say_stopped(struct gdb_stub *g, unsigned sig)
{
    struct gdb_reply *r = start(g);

    gdb_reply_printf(r, "T%02xthread:01;", sig);
    if (g->ctl->why == STOPPED_BY_POINT)
        point_reason(g, r);
    send(g);
}

/* ---- registers and memory ---- */

static void get_all(struct gdb_stub *g, const char *args)
{
    u8 bytes[GDB_REGS_MAX_BYTES];

    (void)args;
    gdb_reply_hex(start(g), bytes, gdb_target_get_all(&g->target, bytes));
    send(g);
}

/* A recording would not repeat it. gdb shows an error; why, is said here. */
static bool refuses_change(struct gdb_stub *g)
{
    if (machine_may_change(g->ctl->m))
        return false;
    fprintf(stderr, "kiln: gdb may not change registers or memory: the run is recorded, or a "
                    "replay\n");
    say(g, "E01");
    return true;
}

static void set_all(struct gdb_stub *g, const char *args)
{
    u8 bytes[GDB_REGS_MAX_BYTES];
    size_t len = gdb_target_get_all(&g->target, bytes);

    if (!gdb_take_bytes(&args, bytes, len)) {
        malformed(g);
        return;
    }
    if (refuses_change(g))
        return;
    gdb_target_set_all(&g->target, bytes);
    say(g, "OK");
}

static void get_one(struct gdb_stub *g, const char *args)
{
    u8 bytes[GDB_REG_MAX_BYTES];
    u64 number;
    size_t n = gdb_take_number(&args, &number) ? gdb_target_get(&g->target, number, bytes) : 0;

    if (!n) {
        malformed(g);
        return;
    }
    gdb_reply_hex(start(g), bytes, n);
    send(g);
}

static void set_one(struct gdb_stub *g, const char *args)
{
    u8 bytes[GDB_REG_MAX_BYTES] = {0};
    u64 number;

    if (refuses_change(g))
        return;
    if (!gdb_take_number(&args, &number) || !gdb_take(&args, '=') ||
        !gdb_target_size(&g->target, number) ||
        !gdb_take_bytes(&args, bytes, gdb_target_size(&g->target, number)) ||
        !gdb_target_set(&g->target, number, bytes))
        malformed(g);
    else
        say(g, "OK");
}

static bool take_range(const char **args, u64 *lin, u64 *len)
{
    return gdb_take_number(args, lin) && gdb_take(args, ',') && gdb_take_number(args, len);
}

static void read_memory(struct gdb_stub *g, const char *args)
{
    u8 bytes[GDB_PACKET_MAX / 2];
    u64 lin, len, got;

    if (!take_range(&args, &lin, &len)) {
        malformed(g);
        return;
    }
    got = machine_read_linear(g->ctl->m, lin, bytes, len < sizeof(bytes) ? len : sizeof(bytes));
    if (len && !got) {
        bad_address(g);
        return;
    }
    gdb_reply_hex(start(g), bytes, got);
    send(g);
}

static void write_bytes(struct gdb_stub *g, u64 lin, const u8 *bytes, u64 len)
{
    if (len && refuses_change(g))
        return;
    if (machine_write_linear(g->ctl->m, lin, bytes, len) == len)
        say(g, "OK");
    else
        bad_address(g);
}

static void write_memory(struct gdb_stub *g, const char *args)
{
    u8 bytes[GDB_PACKET_MAX / 2];
    u64 lin, len;

    if (!take_range(&args, &lin, &len) || !gdb_take(&args, ':') || len > sizeof(bytes) ||
        !gdb_take_bytes(&args, bytes, len))
        malformed(g);
    else
        write_bytes(g, lin, bytes, len);
}

static void write_binary(struct gdb_stub *g, const char *args)
{
    u64 lin, len;

    if (!take_range(&args, &lin, &len) || !gdb_take(&args, ':') ||
        len > g->in.len - (size_t)(args - g->in.data))
        malformed(g);
    else
        write_bytes(g, lin, (const u8 *)args, len);
}

/* ---- points ---- */

/* "TYPE,ADDRESS,LENGTH", for breakpoints "TYPE,ADDRESS,KIND"; conditions behind it are gdb's. */
static bool take_point(const char *args, struct debug_point *p)
{
    static const u8 access[NR_POINT_KINDS] = {DEBUG_EXEC, DEBUG_EXEC, DEBUG_WRITE, DEBUG_READ,
                                              DEBUG_READ | DEBUG_WRITE};
    u64 kind, lin, len;

    if (!gdb_take_number(&args, &kind) || kind >= NR_POINT_KINDS || !gdb_take(&args, ',') ||
        !take_range(&args, &lin, &len))
        return false;
    *p = (struct debug_point){lin, access[kind] & DEBUG_EXEC ? 1 : len, access[kind], (u8)kind};
    return true;
}

static void insert_point(struct gdb_stub *g, const char *args)
{
    struct debug_point p;

    if (!take_point(args, &p))
        malformed(g);
    else if (machine_debug_insert(g->ctl->m, &p))
        say(g, "OK");
    else
        no_room(g);
}

static void remove_point(struct gdb_stub *g, const char *args)
{
    struct debug_point p;

    if (!take_point(args, &p)) {
        malformed(g);
        return;
    }
    machine_debug_remove(g->ctl->m, &p);
    say(g, "OK");
}

/* ---- running ---- */

static void go_on(struct gdb_stub *g, bool step)
{
    g->waiting = true;
    control_go_on(g->ctl, step);
}

/* "[ADDRESS]", or "SIGNAL[;ADDRESS]" of which the signal means nothing here. */
static void resume(struct gdb_stub *g, const char *args, bool step)
{
    u64 pc;

    if (gdb_take_number(&args, &pc)) {
        u8 bytes[8];

        store_le(bytes, pc, 8);
        gdb_target_set(&g->target, g->target.arch == GDB_X86_64 ? 16 : 8, bytes);
    }
    go_on(g, step);
}

static const char *behind_signal(const char *args)
{
    const char *p = strchr(args, ';');

    return p ? p + 1 : "";
}

static void cont(struct gdb_stub *g, const char *args)
{
    resume(g, args, false);
}
static void step(struct gdb_stub *g, const char *args)
{
    resume(g, args, true);
}
static void cont_signal(struct gdb_stub *g, const char *a)
{
    resume(g, behind_signal(a), false);
}
static void step_signal(struct gdb_stub *g, const char *a)
{
    resume(g, behind_signal(a), true);
}

static void why_stopped(struct gdb_stub *g, const char *args)
{
    (void)args;
    say_stopped(g, g->ctl->why == STOPPED_BY_FAULT ? SIG_SEGV : SIG_TRAP);
}

static void forget_points(struct gdb_stub *g)
{
    machine_debug_clear(g->ctl->m);
    g->ctl->debugging = false;
}

static void detach(struct gdb_stub *g, const char *args)
{
    (void)args;
    say(g, "OK");
    forget_points(g);
    control_go_on(g->ctl, false);
}

static void kill_run(struct gdb_stub *g, const char *args)
{
    (void)args;
    control_quit(g->ctl);
}

/* ---- v packets ---- */

static void v_packet(struct gdb_stub *g, const char *args)
{
    if (!strcmp(args, "Cont?")) {
        say(g, "vCont;c;C;s;S");
    } else if (!strncmp(args, "Cont;", 5) && args[5] && strchr("cCsS", args[5])) {
        go_on(g, args[5] == 's' || args[5] == 'S'); /* of several actions, the first: one thread */
    } else if (!strncmp(args, "Kill", 4)) {
        say(g, "OK");
        control_quit(g->ctl);
    } else {
        say(g, "");
    }
}

/* ---- queries ---- */

static void supported(struct gdb_stub *g, const char *args)
{
    g->knows_breaks = strstr(args, "swbreak+") && strstr(args, "hwbreak+");
    gdb_reply_printf(start(g),
                     "PacketSize=%x;swbreak+;hwbreak+;vContSupported+;qXfer:features:read+;"
                     "QStartNoAckMode+",
                     GDB_PACKET_MAX);
    send(g);
}

static void features(struct gdb_stub *g, const char *args)
{
    u64 off, len, total;
    struct gdb_reply *r;

    if (!g->xml)
        g->xml = gdb_target_xml(&g->target);
    total = strlen(g->xml);
    if (!take_range(&args, &off, &len) || off > total) {
        malformed(g);
        return;
    }
    if (len > total - off)
        len = total - off;
    if (len > GDB_PACKET_MAX - 2)
        len = GDB_PACKET_MAX - 2;
    r = start(g);
    gdb_reply_text(r, off + len < total ? "m" : "l");
    gdb_reply_binary(r, g->xml + off, len);
    send(g);
}

static void thread_info(struct gdb_stub *g, const char *args)
{
    static const char text[] = "the processor";

    (void)args;
    gdb_reply_hex(start(g), text, sizeof(text) - 1);
    send(g);
}

/* gdb's `monitor COMMAND`: its output in pieces that fit. */
static void monitor_command(struct gdb_stub *g, const char *args)
{
    char line[1024] = "", *text = NULL;
    size_t len = strlen(args) / 2, at = 0, piece = GDB_PACKET_MAX / 2 - 1;
    FILE *out;

    if (len >= sizeof(line) || !gdb_take_bytes(&args, line, len)) {
        malformed(g);
        return;
    }
    out = open_memstream(&text, &len);
    if (!out)
        abort();
    monitor_execute(g->ctl, line, out);
    fclose(out);
    for (; at < len; at += piece) {
        struct gdb_reply *r = start(g);

        gdb_reply_text(r, "O");
        gdb_reply_hex(r, text + at, len - at < piece ? len - at : piece);
        send(g);
    }
    free(text);
    say(g, "OK");
}

static void started_no_ack(struct gdb_stub *g, const char *args)
{
    (void)args;
    say(g, "OK");
    g->no_ack = true;
}

static void query(struct gdb_stub *g, const char *text)
{
    static const struct {
        const char *name; /* as it begins */
        void (*run)(struct gdb_stub *, const char *args);
        const char *answer;
    } queries[] = {
        {"qSupported", supported, NULL},
        {"qXfer:features:read:target.xml:", features, NULL},
        {"qRcmd,", monitor_command, NULL},
        {"QStartNoAckMode", started_no_ack, NULL},
        {"qfThreadInfo", NULL, "m1"},
        {"qsThreadInfo", NULL, "l"},
        {"qThreadExtraInfo,", thread_info, NULL},
        {"qAttached", NULL, "1"},
        {"qC", NULL, "QC1"}, /* after the longer names */
    };

    for (unsigned i = 0; i < ARRAY_LEN(queries); i++) {
        size_t n = strlen(queries[i].name);

        if (strncmp(text, queries[i].name, n))
            continue;
        if (queries[i].run)
            queries[i].run(g, text + n);
        else
            say(g, queries[i].answer);
        return;
    }
    say(g, "");
}

static void whole_query(struct gdb_stub *g, const char *args)
{
    query(g, args - 1); /* with its q or Q */
}

static void fine(struct gdb_stub *g, const char *args)
{
    (void)args;
    say(g, "OK");
}

static void packet(struct gdb_stub *g)
{
    static const struct {
        char letter;
        void (*run)(struct gdb_stub *, const char *args);
    } commands[] = {
        {'?', why_stopped}, {'g', get_all},      {'G', set_all},      {'p', get_one},
        {'P', set_one},     {'m', read_memory},  {'M', write_memory}, {'X', write_binary},
        {'c', cont},        {'s', step},         {'C', cont_signal},  {'S', step_signal},
        {'v', v_packet},    {'Z', insert_point}, {'z', remove_point}, {'D', detach},
        {'k', kill_run},    {'H', fine},         {'T', fine},         {'q', whole_query},
        {'Q', whole_query},
    };

    for (unsigned i = 0; i < ARRAY_LEN(commands); i++)
        if (g->in.data[0] == commands[i].letter) {
            commands[i].run(g, g->in.data + 1);
            return;
        }
    say(g, ""); /* not known */
}

/* ---- the controller ---- */

static void arrived(struct gdb_stub *g)
{
    g->in = (struct gdb_packets){0};
    g->reply.len = 0;
    g->no_ack = g->waiting = g->knows_breaks = false;
    g->ctl->debugging = true;
    control_stop(g->ctl, STOPPED_BY_USER);
}

/* Whoever stopped the guest may come back to it; without gdb it does not stop again. */
static void left(struct gdb_stub *g)
{
    bool over = channel_is_stdio(g->ch);

    g->waiting = false;
    if (g->ctl->debugging)
        forget_points(g);
    if (over)
        control_quit(g->ctl);
}

static void take(struct gdb_stub *g, const u8 *bytes, size_t len)
{
    while (len && channel_connected(g->ch)) {
        enum gdb_input what;
        size_t n = gdb_packets_feed(&g->in, bytes, len, &what);

        bytes += n;
        len -= n;
        switch (what) {
        case GDB_NOTHING: break;
        case GDB_PACKET:
            if (!g->no_ack)
                channel_write(g->ch, "+", 1);
            packet(g);
            break;
        case GDB_BAD:
            if (!g->no_ack)
                channel_write(g->ch, "-", 1);
            break;
        case GDB_NACK: channel_write(g->ch, g->reply.data, g->reply.len); break;
        case GDB_INTERRUPT:
            if (!g->ctl->stopped)
                control_stop(g->ctl, STOPPED_BY_USER);
            else if (g->waiting) { /* the guest is over: gdb went on, and nothing runs */
                g->waiting = false;
                say_stopped(g, SIG_INT);
            }
            break;
        }
    }
}

static void poll_gdb(void *h)
{
    struct gdb_stub *g = h;
    enum channel_event e;
    u8 bytes[4096];
    size_t n;

    while ((e = channel_poll(g->ch)) != CHANNEL_QUIET)
        (e == CHANNEL_OPENED ? arrived : left)(g);
    while ((n = channel_read(g->ch, bytes, sizeof(bytes))) != 0) {
        take(g, bytes, n);
        if (g->ctl->quit)
            return;
    }
    if (channel_poll(g->ch) == CHANNEL_CLOSED)
        left(g);
}

static void event(void *h, enum control_event e)
{
    struct gdb_stub *g = h;

    if (!g->waiting || !channel_connected(g->ch))
        return;
    switch (e) {
    case CONTROL_STOPPED:
        g->waiting = false;
        say_stopped(g, g->ctl->why == STOPPED_BY_USER    ? SIG_INT
                       : g->ctl->why == STOPPED_BY_FAULT ? SIG_SEGV
                                                         : SIG_TRAP);
        break;
    case CONTROL_ENDED:
        g->waiting = false;
        gdb_reply_printf(start(g), "W%02x", g->ctl->exit_status & 0xff);
        send(g);
        break;
    default: break;
    }
}

static unsigned pollfds(void *h, struct pollfd *fds, unsigned room)
{
    return room && channel_pollfd(((struct gdb_stub *)h)->ch, fds) ? 1 : 0;
}

static bool attending(void *h)
{
    return channel_connected(((struct gdb_stub *)h)->ch);
}

static void close_stub(void *h)
{
    struct gdb_stub *g = h;

    channel_close(g->ch);
    free(g->xml);
    free(g);
}

void gdb_stub_open(struct control *ctl, struct channel *ch)
{
    struct gdb_stub *g = calloc(1, sizeof(*g));

    if (!g)
        abort();
    g->ctl = ctl;
    g->ch = ch;
    g->target = (struct gdb_target){ctl->m, ctl->s->o->gdb_arch, ctl->s->o->gdb_linear_pc};
    control_add(ctl, (struct controller){g, poll_gdb, event, pollfds, attending, close_stub});
}
