/*
 * kiln: the program. Options, a session, who looks into it, the run loop; the exit status is the run's.
 * Or a benchmark, which has machines of its own.
 */
#include "host/bench.h"
#include "host/controllers.h"
#include "host/options.h"
#include "host/run_loop.h"
#include "host/session.h"
#include "host/stop_signal.h"
#include "host/tape.h"
#include "host/twin.h"
#include "machine/replay.h"

enum { STATUS_BAD_OPTIONS = 1 };

/* What a run may be made from, besides the command line. */
struct source {
    struct replay *replay;
    struct lockstep_case *reproducer;
};

/* false: it could not be read, which has been said. */
static bool load_source(struct source *from, struct options *o, int argc, char **argv)
{
    if (o->verb == VERB_REPLAY)
        return (from->replay = replay_load(o, argc, argv));
    if (o->verb == VERB_LOCKSTEP)
        return (from->reproducer = tape_case_load(o, argc, argv));
    return true;
}

/* A recorder, or what drives the run, where one was asked for. */
static bool open_tape(struct session *s, const struct source *from)
{
    if (from->replay)
        s->tape = tape_replay_open(s, from->replay);
    else if (from->reproducer)
        s->tape = tape_case_open(s, from->reproducer);
    else if (s->o->record)
        s->tape = tape_record_open(s);
    else
        return true;
    return s->tape;
}

static int run(struct options *o, const struct source *from)
{
    struct session s;
    int status = STATUS_BAD_OPTIONS;

    stop_signal_install();
    if (session_open(&s, o) == 0 && (!o->lockstep.on || twin_open(&s) == 0) && open_tape(&s, from) &&
        controllers_open(&s) == 0)
        status = run_loop(&s);
    session_close(&s);
    return status;
}

int main(int argc, char **argv)
{
    struct options o;
    struct source from = {0};
    int status = STATUS_BAD_OPTIONS;

    switch (options_parse(&o, argc, argv, stdout, stderr)) {
    case OPTIONS_GO:
        if (o.verb == VERB_BENCH) {
            stop_signal_install();
            status = bench_run(&o);
            break;
        }
        if (load_source(&from, &o, argc, argv))
            status = run(&o, &from);
        break;
    case OPTIONS_DONE: status = 0; break;
    case OPTIONS_BAD: break;
    }
    replay_free(from.replay);
    tape_case_free(from.reproducer);
    options_free(&o);
    return status;
}
