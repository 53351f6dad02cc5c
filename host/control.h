/*
 * Stopping a run and letting it go on: what gdb, the monitors and QMP have in common.
 *
 * The run loop owns one struct control. Controllers are polled by it between slices; what one
 * does, all are told. The run loop looks at `stopped` and `quit` after each poll.
 *
 *     control_stop(ctl, STOPPED_BY_USER);  ...  control_go_on(ctl, false);
 */
#ifndef HOST_CONTROL_H
#define HOST_CONTROL_H

#include "core/types.h"
#include "host/key_sender.h"

struct machine;
struct pollfd;
struct session;

enum control_event {
    CONTROL_STOPPED,
    CONTROL_GOES_ON,
    CONTROL_RESET,       /* by a controller; has been done */
    CONTROL_GUEST_RESET, /* by the guest */
    CONTROL_SHUTDOWN,    /* the guest powered off */
    CONTROL_ENDED,       /* the run is over, with ctl->exit_status */
};

enum stopped_why {
    STOPPED_AT_START, /* -S */
    STOPPED_BY_USER,
    STOPPED_BY_POINT, /* machine_debug_hit() says which */
    STOPPED_BY_FAULT, /* a triple fault: going on ends the run */
    STOPPED_FOR_GOOD, /* the guest is over, and its machine is kept to be looked at */
};

struct controller {
    void *h;
    void (*poll)(void *h);
    void (*event)(void *h, enum control_event);
    unsigned (*pollfds)(void *h, struct pollfd *, unsigned room);
    bool (*attending)(void *h); /* somebody may be watching: HLT waits for the wall clock */
    void (*close)(void *h);
};

enum { MAX_CONTROLLERS = 12, MAX_CONTROL_FDS = 16 };

struct control {
    struct session *s;
    struct machine *m;
    bool stopped;
    enum stopped_why why; /* while stopped */
    bool quit;            /* a controller ends the run, with status 0 */
    bool was_reset;       /* since the run loop last looked */
    bool was_loaded;      /* the same: virtual time is another */
    bool debugging;       /* gdb is there: it is shown a triple fault before the run ends */
    int exit_status;
    struct key_sender keys;
    struct controller list[MAX_CONTROLLERS];
    unsigned nr;
};

void control_init(struct control *, struct session *);
void control_add(struct control *, struct controller);
void control_close(struct control *);

/* For the run loop. */
void control_poll(struct control *);
unsigned control_pollfds(struct control *, struct pollfd *, unsigned room);
bool control_attended(const struct control *);
void control_tell(struct control *, enum control_event);

/* For controllers. What is so already is no event. */
void control_stop(struct control *, enum stopped_why);
void control_go_on(struct control *, bool step);
bool control_reset(struct control *); /* false: this is a replay, which takes no input */
void control_loaded(struct control *); /* a saved machine has taken the machine's place */
void control_quit(struct control *);

/* "running", "paused", "prelaunch", "shutdown": QEMU's words. */
const char *control_status(const struct control *);

#endif
