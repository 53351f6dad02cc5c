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
#include "machine/replay.h"

enum { STATUS_BAD_OPTIONS = 1 };

/* A recorder or a replay, where one was asked for. */
static bool open_tape(struct session *s, struct replay *replay)
{
    if (!replay && !s->o->record)
        return true;
    s->tape = replay ? tape_replay_open(s, replay) : tape_record_open(s);
    return s->tape;
}

static int run(struct options *o, struct replay *replay)
{
    struct session s;
    int status = STATUS_BAD_OPTIONS;

    stop_signal_install();
    if (session_open(&s, o) == 0 && open_tape(&s, replay) && controllers_open(&s) == 0)
        status = run_loop(&s);
    session_close(&s);
    return status;
}

int main(int argc, char **argv)
{
    struct options o;
    struct replay *replay = NULL;
    int status = STATUS_BAD_OPTIONS;

    switch (options_parse(&o, argc, argv, stdout, stderr)) {
    case OPTIONS_GO:
        if (o.verb == VERB_BENCH) {
            stop_signal_install();
            status = bench_run(&o);
            break;
        }
        if (o.verb == VERB_REPLAY)
            replay = replay_load(&o, argc, argv);
        if (o.verb != VERB_REPLAY || replay)
            status = run(&o, replay);
        break;
    case OPTIONS_DONE: status = 0; break;
    case OPTIONS_BAD: break;
    }
    replay_free(replay);
    options_free(&o);
    return status;
}
