/*
 * Talking to a run as gdb, a monitor's user or a QMP client does: a machine, its controllers and
 * a socket, without the run loop.
 */
#ifndef TESTS_FUZZ_TALK_H
#define TESTS_FUZZ_TALK_H

#include "host/channel.h"
#include "host/session.h"

struct talk {
    struct options o;
    struct session s;
    int fd; /* our end of the socket; -1: none */
    u64 answered; /* bytes that came back */
};

/* Once: where the socket is. Also the present directory, lest a command write files. */
void talk_setup(const char *only);

/* A machine that runs harmless code, and with a socket a channel in *ch. */
void talk_start(struct talk *, enum gdb_arch, struct channel **ch);
void talk_end(struct talk *);

/* Sends the bytes, polls the controllers and lets the guest run in between, reads the answers. */
void talk_say(struct talk *, const u8 *bytes, size_t len);

/* Commands that write files are for no test of hostile bytes. */
bool talk_is_harmless(const u8 *bytes, size_t len);

#endif
