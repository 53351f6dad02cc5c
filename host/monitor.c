/*
 * The monitor: dispatch, help, and the sessions of its users.
 *
 * A user is behind a channel, where lines come as they are (a terminal edits them itself), or
 * behind Ctrl-A c in the terminal, which is in raw mode: there we echo and take back characters.
 */
#include "host/monitor.h"
#include "host/monitor_commands.h"
#include "host/terminal.h"
#include <ctype.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

static const struct monitor_command *const families[] = {monitor_run_commands,
                                                         monitor_memory_commands};

bool monitor_word(const char **args, char *word, size_t cap)
{
    const char *p = *args;
    bool quoted;
    size_t n = 0;

    while (isspace((u8)*p))
        p++;
    quoted = *p == '"';
    p += quoted;
    for (; *p && (quoted ? *p != '"' : !isspace((u8)*p)); p++)
        if (n + 1 < cap)
            word[n++] = *p;
    p += quoted && *p;
    while (isspace((u8)*p))
        p++;
    word[n] = 0;
    *args = p;
    return n > 0;
}

/* Whether name, len long, is one of "quit|q". */
static bool is_named(const struct monitor_command *c, const char *name, size_t len)
{
    for (const char *p = c->names; *p;) {
        size_t n = strcspn(p, "|");

        if (n == len && !memcmp(p, name, n))
            return true;
        p += n + (p[n] == '|');
    }
    return false;
}

static const struct monitor_command *find_in(const struct monitor_command *family, const char *name,
                                             size_t len)
{
    for (; family->names; family++)
        if (is_named(family, name, len))
            return family;
    return NULL;
}

static void help_line(FILE *out, const char *before, const struct monitor_command *c)
{
    fprintf(out, "%s%s %s -- %s\n", before, c->names, c->args, c->help);
}

static void help(FILE *out, const char *args)
{
    char name[64];
    const struct monitor_command *c = NULL;

    if (monitor_word(&args, name, sizeof(name)) && strcmp(name, "info")) {
        for (unsigned i = 0; i < ARRAY_LEN(families) && !c; i++)
            c = find_in(families[i], name, strlen(name));
        if (c)
            help_line(out, "", c);
        else
            fprintf(out, "unknown command: '%s'\n", name);
        return;
    }
    if (!*name) {
        for (unsigned i = 0; i < ARRAY_LEN(families); i++)
            for (c = families[i]; c->names; c++)
                help_line(out, "", c);
        fprintf(out, "help|? [command] -- this text\n");
    }
    for (c = monitor_info_commands; c->names; c++)
        help_line(out, "info ", c);
}

/* A name ends at a blank or at the '/' of a format. */
static size_t name_length(const char *line)
{
    return strcspn(line, " \t/");
}

void monitor_execute(struct control *ctl, const char *line, FILE *out)
{
    const struct monitor_command *c = NULL;
    bool info;
    size_t n;

    line += strspn(line, " \t");
    n = name_length(line);
    info = n == 4 && !memcmp(line, "info", 4);
    if (info) {
        line += 4;
        line += strspn(line, " \t");
        n = name_length(line);
    }
    if (!*line) {
        if (info)
            help(out, "info");
        return;
    }
    if (!info && ((n == 4 && !memcmp(line, "help", 4)) || (n == 1 && *line == '?'))) {
        help(out, line + n);
        return;
    }
    if (info)
        c = find_in(monitor_info_commands, line, n);
    for (unsigned i = 0; !info && !c && i < ARRAY_LEN(families); i++)
        c = find_in(families[i], line, n);
    if (!c) {
        fprintf(out, "unknown command: '%s%.*s'\n", info ? "info " : "", (int)n, line);
        return;
    }
    c->run(&(struct monitor_call){ctl, ctl->m, out, line + n + strspn(line + n, " \t")});
}

/* ---- sessions ---- */

struct monitor {
    struct control *ctl;
    struct channel *ch; /* NULL: behind Ctrl-A c */
    struct terminal *term;
    bool at_terminal; /* the terminal is the monitor's now */
    bool after_cr;
    char line[4096];
    size_t len;
    bool too_long;
};

static void put(struct monitor *mon, const char *text, size_t len)
{
    if (mon->ch) {
        channel_write(mon->ch, text, len);
        return;
    }
    while (len) {
        ssize_t n = write(STDOUT_FILENO, text, len);

        if (n <= 0)
            return;
        text += n;
        len -= (size_t)n;
    }
}

static void put_text(struct monitor *mon, const char *text)
{
    put(mon, text, strlen(text));
}

static void prompt(struct monitor *mon)
{
    put_text(mon, "(kiln) ");
}

static void greet(struct monitor *mon)
{
    mon->len = 0;
    mon->too_long = false;
    put_text(mon, "Kiln " KILN_VERSION " monitor - type 'help' for more information\n");
    prompt(mon);
}

static void run_line(struct monitor *mon)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        abort();
    mon->line[mon->len] = 0;
    if (mon->too_long)
        fprintf(out, "the line is too long\n");
    else
        monitor_execute(mon->ctl, mon->line, out);
    fclose(out);
    put(mon, text, len);
    free(text);
    mon->len = 0;
    mon->too_long = false;
    if (!mon->ctl->quit)
        prompt(mon);
}

static void take(struct monitor *mon, char c)
{
    bool echo = !mon->ch;
    bool after_cr = mon->after_cr;

    mon->after_cr = c == '\r';
    switch (c) {
    case '\n':
        if (after_cr)
            return;
        /* fall through */
    case '\r':
        if (echo)
            put_text(mon, "\n");
        run_line(mon);
        return;
    case '\b':
    case 0x7f:
        if (mon->len) {
            mon->len--;
            if (echo)
                put_text(mon, "\b \b");
        }
        return;
    case 'U' - '@':
        for (; mon->len; mon->len--)
            if (echo)
                put_text(mon, "\b \b");
        return;
    default: break;
    }
    if ((u8)c < ' ')
        return;
    if (mon->len + 1 == sizeof(mon->line)) {
        mon->too_long = true;
        return;
    }
    mon->line[mon->len++] = c;
    if (echo)
        put(mon, &c, 1);
}

static void poll_terminal(struct monitor *mon)
{
    bool now = terminal_in_monitor(mon->term);
    char buf[256];
    size_t n;

    if (now != mon->at_terminal) {
        mon->at_terminal = now;
        put_text(mon, "\n");
        if (now)
            greet(mon);
    }
    while ((n = terminal_monitor_read(mon->term, buf, sizeof(buf))) != 0)
        for (size_t i = 0; i < n; i++)
            take(mon, buf[i]);
}

static void poll_channel(struct monitor *mon)
{
    enum channel_event e;
    char buf[1024];
    size_t n;

    while ((e = channel_poll(mon->ch)) != CHANNEL_QUIET)
        if (e == CHANNEL_OPENED)
            greet(mon);
    while (!mon->ctl->quit && (n = channel_read(mon->ch, buf, sizeof(buf))) != 0)
        for (size_t i = 0; i < n && !mon->ctl->quit; i++)
            take(mon, buf[i]);
}

static void poll_monitor(void *h)
{
    struct monitor *mon = h;

    if (mon->ch)
        poll_channel(mon);
    else
        poll_terminal(mon);
}

static void event(void *h, enum control_event e)
{
    (void)h, (void)e;
}

static unsigned pollfds(void *h, struct pollfd *fds, unsigned room)
{
    struct monitor *mon = h;

    return mon->ch && room && channel_pollfd(mon->ch, fds) ? 1 : 0;
}

static bool attending(void *h)
{
    struct monitor *mon = h;

    return mon->ch && channel_connected(mon->ch);
}

static void close_monitor(void *h)
{
    struct monitor *mon = h;

    channel_close(mon->ch);
    free(mon);
}

static void open_session(struct control *ctl, struct channel *ch, struct terminal *term)
{
    struct monitor *mon = calloc(1, sizeof(*mon));

    if (!mon)
        abort();
    mon->ctl = ctl;
    mon->ch = ch;
    mon->term = term;
    control_add(ctl,
                (struct controller){mon, poll_monitor, event, pollfds, attending, close_monitor});
}

void monitor_open(struct control *ctl, struct channel *ch)
{
    open_session(ctl, ch, NULL);
}

void monitor_open_terminal(struct control *ctl, struct terminal *term)
{
    open_session(ctl, NULL, term);
}
