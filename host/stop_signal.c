/*
 * Signals that end a run. The first is noted and honoured at the end of the slice, with
 * everything written and restored; the second ends the process at once, in case a slice hangs.
 */
#include "host/stop_signal.h"
#include "host/terminal.h"
#include <signal.h>
#include <unistd.h>

/* A signal handler gets no argument: this is the one place where it can leave its word. */
static volatile sig_atomic_t pending_signal;

static void note_signal(int sig)
{
    if (pending_signal) {
        terminal_restore_now();
        _exit(128 + sig);
    }
    pending_signal = sig;
}

void stop_signal_install(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    pending_signal = 0;
    for (unsigned i = 0; i < ARRAY_LEN(signals); i++) {
        struct sigaction old, sa = {.sa_handler = note_signal};
        sigemptyset(&sa.sa_mask);
        sigaction(signals[i], NULL, &old);
        if (old.sa_handler != SIG_IGN) /* nohup, or a shell's background job */
            sigaction(signals[i], &sa, NULL);
    }
    signal(SIGPIPE, SIG_IGN); /* write() reports it, and the console says whose output it was */
}

int stop_signal_pending(void)
{
    return pending_signal;
}

void stop_signal_raise(int sig)
{
    if (!pending_signal)
        pending_signal = sig;
}
