/*
 * kiln: the program. Options, a session, who looks into it, the run loop; the exit status is the run's.
 */
#include "host/controllers.h"
#include "host/options.h"
#include "host/run_loop.h"
#include "host/session.h"
#include "host/stop_signal.h"

enum { STATUS_BAD_OPTIONS = 1 };

int main(int argc, char **argv)
{
    struct options o;
    struct session s;
    int status = STATUS_BAD_OPTIONS;
    switch (options_parse(&o, argc, argv, stdout, stderr)) {
    case OPTIONS_GO:
        stop_signal_install();
        if (session_open(&s, &o) == 0 && controllers_open(&s) == 0)
            status = run_loop(&s);
        session_close(&s);
        break;
    case OPTIONS_DONE: status = 0; break;
    case OPTIONS_BAD: break;
    }
    options_free(&o);
    return status;
}
