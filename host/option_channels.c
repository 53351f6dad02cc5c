/*
 * Options that let gdb, monitors and QMP clients in.
 *
 *     stdio   tcp:[HOST]:PORT[,server[,nowait]]   unix:FILE[,server[,nowait]]
 *
 * gdb's, the monitor's and QMP's listen, always; "server" may be said and is what QEMU's users write. Without "nowait" the
 * guest waits for the first connection, except with -gdb, where -S does that.
 */
#include "host/option_parser.h"
#include "host/option_text.h"
#include <stdlib.h>

static bool tcp_address(struct option_parser *p, struct channel_options *c, const char *text)
{
    const char *colon = strrchr(text, ':');
    u64 port;

    if (!colon || !option_u64(colon + 1, &port) || port > 0xffff)
        return option_fail(p, "'tcp:%s' has no port; write tcp::1234", text);
    c->port = (u16)port;
    c->host = NULL;
    if (colon > text) {
        c->host = option_keep(p, text);
        c->host[colon - text] = 0;
        if (c->host[0] == '[' && colon[-1] == ']') { /* [::1] */
            c->host[colon - text - 1] = 0;
            c->host++;
        }
    }
    return true;
}

/* One word behind the address. */
static bool listen_word(struct option_parser *p, struct channel_options *c, char *word,
                        bool *server)
{
    char *value = option_split_value(word);
    bool on = true;

    if (value && !option_bool(value, &on))
        return option_fail(p, "%s=%s is neither on nor off", word, value);
    if (!strcmp(word, "server"))
        *server = on;
    else if (!strcmp(word, "nowait"))
        c->wait = !on;
    else if (!strcmp(word, "wait"))
        c->wait = on;
    else if (strcmp(word, "nodelay") && strcmp(word, "ipv4") && strcmp(word, "ipv6"))
        return option_fail(p, "'%s' is not server, nowait or wait=off", word);
    return true;
}

enum use { FOR_GDB, FOR_USER, FOR_SERIAL };

static bool channel(struct option_parser *p, struct channel_options *c, const char *arg, enum use use)
{
    char *address = option_next_item(&arg), *word;
    bool good = true, server = use == FOR_GDB;

    *c = (struct channel_options){.wait = use != FOR_GDB};
    if (use == FOR_SERIAL && !strcmp(address, "pty")) {
        c->kind = CHANNEL_PTY;
        c->wait = false;
    } else if (!strcmp(address, "stdio")) {
        c->kind = CHANNEL_STDIO;
        server = true;
    } else if (!strncmp(address, "tcp:", 4)) {
        c->kind = CHANNEL_TCP;
        good = tcp_address(p, c, address + 4);
    } else if (!strncmp(address, "unix:", 5) && address[5]) {
        c->kind = CHANNEL_UNIX;
        c->path = option_keep(p, address + 5);
    } else if (!strcmp(address, "none") || !strcmp(address, "null") || !strncmp(address, "vc", 2)) {
        server = true;
    } else {
        good = option_fail(p, "'%s' is not stdio, tcp::PORT, unix:FILE or none", address);
    }
    free(address);
    while (good && (word = option_next_item(&arg))) {
        good = listen_word(p, c, word, &server);
        free(word);
    }
    if (use == FOR_SERIAL) {
        c->calls = !server;
        c->wait &= server;
        return good;
    }
    if (good && !server)
        return option_fail(p, "kiln does not call others; add ,server,nowait to let them call it");
    return good;
}

bool opt_gdb(struct option_parser *p, const struct option_row *row, const char *arg)
{
    return channel(p, &p->o->gdb, row->arg ? arg : "tcp::1234", FOR_GDB);
}

bool opt_gdb_arch(struct option_parser *p, const struct option_row *row, const char *arg)
{
    static const char *const names[] = {"x86-64", "i386", "i8086"}; /* ORDER: enum gdb_arch */

    (void)row;
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (!strcmp(arg, names[i])) {
            p->o->gdb_arch = (enum gdb_arch)i;
            return true;
        }
    return option_fail(p, "'%s' is not x86-64, i386 or i8086", arg);
}

bool option_serial_channel(struct option_parser *p, struct channel_options *c, const char *arg)
{
    return channel(p, c, arg, FOR_SERIAL);
}

/* -monitor and -qmp */
bool opt_monitor(struct option_parser *p, const struct option_row *row, const char *arg)
{
    bool qmp = !strcmp(row->names, "qmp");
    struct channel_options *list = qmp ? p->o->qmp : p->o->monitor;
    unsigned *nr = qmp ? &p->o->nr_qmp : &p->o->nr_monitors;

    if (*nr == OPTIONS_MONITORS)
        return option_fail(p, "at most %d of them", OPTIONS_MONITORS);
    if (!channel(p, &list[*nr], arg, FOR_USER))
        return false;
    if (list[*nr].kind != CHANNEL_NONE)
        ++*nr;
    return true;
}
