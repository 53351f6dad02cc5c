/*
 * Stop, go on, reset, quit: one state, and everybody is told. See host/control.h.
 */
#include "host/control.h"
#include "host/session.h"
#include "machine/debug.h"
#include <poll.h>

void control_init(struct control *ctl, struct session *s)
{
    *ctl = (struct control){.s = s, .m = s->m};
    if (s->o->start_stopped) {
        ctl->stopped = true;
        ctl->why = STOPPED_AT_START;
    }
}

void control_add(struct control *ctl, struct controller c)
{
    ASSERT(ctl->nr < MAX_CONTROLLERS);
    ctl->list[ctl->nr++] = c;
}

void control_close(struct control *ctl)
{
    while (ctl->nr) {
        struct controller *c = &ctl->list[--ctl->nr];

        c->close(c->h);
    }
}

void control_poll(struct control *ctl)
{
    for (unsigned i = 0; i < ctl->nr; i++)
        ctl->list[i].poll(ctl->list[i].h);
}

unsigned control_pollfds(struct control *ctl, struct pollfd *fds, unsigned room)
{
    unsigned n = 0;

    for (unsigned i = 0; i < ctl->nr; i++)
        n += ctl->list[i].pollfds(ctl->list[i].h, fds + n, room - n);
    return n;
}

bool control_attended(const struct control *ctl)
{
    for (unsigned i = 0; i < ctl->nr; i++)
        if (ctl->list[i].attending(ctl->list[i].h))
            return true;
    return false;
}

void control_tell(struct control *ctl, enum control_event e)
{
    for (unsigned i = 0; i < ctl->nr; i++)
        ctl->list[i].event(ctl->list[i].h, e);
}

void control_stop(struct control *ctl, enum stopped_why why)
{
    if (ctl->stopped)
        return;
    ctl->stopped = true;
    ctl->why = why;
    control_tell(ctl, CONTROL_STOPPED);
}

void control_go_on(struct control *ctl, bool step)
{
    if (!ctl->stopped || ctl->why == STOPPED_FOR_GOOD)
        return;
    ctl->stopped = false;
    machine_debug_resume(ctl->m, step);
    control_tell(ctl, CONTROL_GOES_ON);
}

bool control_reset(struct control *ctl)
{
    if (!machine_reset(ctl->m))
        return false;
    ctl->was_reset = true;
    if (ctl->stopped && (ctl->why == STOPPED_BY_FAULT || ctl->why == STOPPED_FOR_GOOD))
        ctl->why = STOPPED_BY_USER;
    control_tell(ctl, CONTROL_RESET);
    return true;
}

void control_loaded(struct control *ctl)
{
    ctl->was_reset = ctl->was_loaded = true;
    if (ctl->stopped && (ctl->why == STOPPED_BY_FAULT || ctl->why == STOPPED_FOR_GOOD))
        ctl->why = STOPPED_BY_USER;
}

void control_quit(struct control *ctl)
{
    ctl->quit = true;
}

const char *control_status(const struct control *ctl)
{
    if (!ctl->stopped)
        return "running";
    switch (ctl->why) {
    case STOPPED_AT_START: return "prelaunch";
    case STOPPED_BY_POINT: return "debug";
    case STOPPED_BY_FAULT:
    case STOPPED_FOR_GOOD: return "shutdown";
    case STOPPED_BY_USER: break;
    }
    return "paused";
}
