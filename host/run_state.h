/*
 * What the run loop knows between slices; its own.
 */
#ifndef HOST_RUN_STATE_H
#define HOST_RUN_STATE_H

#include "host/pace.h"
#include "host/run_points.h"
#include "host/session.h"

struct run {
    struct session *s;
    struct machine *m;
    struct control *ctl;
    const struct options *o;
    bool ended;
    int status;
    struct pace pace;
    u64 next_grid, next_screen;  /* ticks: conditions, and the screen's text, are looked at */
    struct run_points points;
    u64 screenshot_ns;           /* --screenshot-at, virtual; UINT64_MAX: none, or done */
    u64 until_seen[NR_CONSOLES]; /* bytes in which --until has looked */
    u64 keys_seen[NR_CONSOLES];  /* bytes behind which --keys looks next */
    char *screen_text;
    bool output_failed; /* a screenshot or a saved machine: status 1 */
    bool fault_pending; /* a triple fault is shown to gdb, and ends the run when that goes on */
    u64 wall_start, wall_deadline;
    u64 wall_poll, wall_frame, wall_title; /* when each was last done */
    u64 busy_ns, title_icount; /* since the title was set: host time in the machine, count */
};

#endif
