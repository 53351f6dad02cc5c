/*
 * The input log: the one door through which the outside world reaches a machine.
 *
 * Every key, mouse move, serial byte and reset by the user enters as an event, stamped with the
 * point in virtual time {icount, sub-tick} at which it was delivered. Replaying a run means
 * delivering the same events at the same points. Host input is polled only between slices.
 */
#ifndef CORE_INPUT_H
#define CORE_INPUT_H

#include "core/types.h"

struct clock;
struct trace;

enum input_kind {
    INPUT_KEY,    /* code: set-1 make code, E0xxh for extended keys, E11Dh for Pause; value: 1 down, 0 up */
    INPUT_MOUSE,  /* code: buttons (1 left, 2 right, 4 middle, 8, 16); value: dx | dy << 16 (i16,
                     y up); extra: steps of the wheel, positive towards the user */
    INPUT_SERIAL, /* code: port number 0 or 1; value: the byte */
    INPUT_DATE,   /* value: seconds since 1970 that the RTC starts at */
    INPUT_POWER,  /* code: enum power_request, from the user */
    INPUT_NMI,    /* the user's NMI button */
};

struct input_event {
    u64 icount;   /* instructions retired when it was delivered */
    u64 sub_tick; /* ticks charged since power-on: with icount, a point in virtual time */
    u16 kind, code;
    i32 extra;
    i64 value;
};

struct input_log {
    struct clock *clk;
    struct trace *trace;
    void (*deliver)(void *sink, const struct input_event *); /* the machine: routes to its device */
    void *sink;
    void (*recorder)(void *h, const struct input_event *); /* NULL: nobody writes it down */
    void *recorder_h;
    void (*follower)(void *h, const struct input_event *); /* told of each event that is delivered,
                                                              also in a replay; NULL: nobody */
    void *follower_h;
    bool replaying; /* input comes from a recording alone; what is pushed is dropped */
};

void input_init(struct input_log *, struct clock *, struct trace *,
                void (*deliver)(void *, const struct input_event *), void *sink);

/* Stamps, has recorded and delivers. Only between slices. false: dropped, this is a replay. */
bool input_push(struct input_log *, enum input_kind, u16 code, i64 value, i32 extra);

/* Delivers an event of a recording, whose point the machine has reached. */
void input_replay(struct input_log *, const struct input_event *);

/* Whether only events may change the machine from outside: it is recorded or followed, or a replay. */
static inline bool input_is_strict(const struct input_log *l)
{
    return l->recorder || l->follower || l->replaying;
}

#endif
