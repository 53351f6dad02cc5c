/*
 * From options to controllers. See host/controllers.h.
 */
#include "host/controllers.h"
#include "host/gdb_stub.h"
#include "host/monitor.h"
#include "host/qmp.h"
#include <signal.h>

static struct channel *open_channel(const struct channel_options *o, const char *name)
{
    char err[CHANNEL_ERR_LEN];
    struct channel *ch = channel_open(o, name, err);

    if (!ch)
        fprintf(stderr, "kiln: %s: %s\n", name, err);
    if (ch && o->kind == CHANNEL_STDIO && !strcmp(name, "-gdb"))
        signal(SIGINT, SIG_IGN); /* Ctrl-C is for gdb, which may have started us */
    return ch;
}

int controllers_open(struct session *s)
{
    struct options *o = s->o;
    struct channel *ch;

    if (o->gdb.kind != CHANNEL_NONE) {
        ch = open_channel(&o->gdb, "-gdb");
        if (!ch)
            return -1;
        gdb_stub_open(&s->control, ch);
    }
    for (unsigned i = 0; i < o->nr_monitors; i++) {
        ch = open_channel(&o->monitor[i], "-monitor");
        if (!ch)
            return -1;
        monitor_open(&s->control, ch);
    }
    for (unsigned i = 0; i < o->nr_qmp; i++) {
        ch = open_channel(&o->qmp[i], "-qmp");
        if (!ch)
            return -1;
        qmp_open(&s->control, ch);
    }
    if (s->terminal)
        monitor_open_terminal(&s->control, s->terminal);
    return 0;
}
