/*
 * Replaying an input log: reads it whole, checks all of it before anything runs, then tells how
 * far the machine may run, and delivers each event when it has got there.
 *
 *     struct replay *r = replay_read(bytes, len, false, err);
 *     ... a machine as replay_args() and replay_nvram() describe it ...
 *     if (replay_begin(r, m, err) == 0)
 *         do {
 *             limit.max_ticks = replay_next_tick(r);
 *             stop = machine_run(m, &limit);
 *         } while ((state = replay_step(r, m, stop)) == REPLAY_GOES_ON);
 *
 * At each block's end the processor's state is compared, at the log's end the whole machine's.
 */
#ifndef MACHINE_REPLAY_H
#define MACHINE_REPLAY_H

#include "machine/machine.h"

#define REPLAY_MAX_BYTES (1ull << 30)

struct replay;

/* NULL, with why in err: no log, another format, truncated, altered. partial: one that ends
 * too early is taken as far as it goes. The bytes are not needed afterwards. */
struct replay *replay_read(const u8 *bytes, size_t len, bool partial, char err[MACHINE_ERR_LEN]);
void replay_free(struct replay *);

const char *const *replay_args(const struct replay *, unsigned *nr);
const u8 *replay_nvram(const struct replay *); /* NULL: none is kept */
u64 replay_date(const struct replay *);        /* what the RTC starts at */
bool replay_is_partial(const struct replay *); /* its end is missing */
u64 replay_nr_events(const struct replay *);
int replay_status(const struct replay *); /* what the recorded run's exit status was */

/* Compares the machine, which has not run yet, with the recorded one, and makes it deaf to other
 * input. -1, with what differs in err. */
int replay_begin(struct replay *, struct machine *, char err[MACHINE_ERR_LEN]);

/* The tick at which something is due next. */
u64 replay_next_tick(const struct replay *);

enum replay_state { REPLAY_GOES_ON, REPLAY_DONE, REPLAY_DIVERGED };

/* Delivers and compares what is due, after machine_run() has returned stop. */
enum replay_state replay_step(struct replay *, struct machine *, enum machine_stop stop);

/* After REPLAY_DIVERGED: where and how. */
const char *replay_trouble(const struct replay *);

#endif
