/*
 * What shows the machine's screen to a person and takes their keys: the window, or the terminal.
 *
 *     struct display *d = sdl_display_open("Kiln", err);
 *     between slices: what = display_poll(d, machine_input(m), keys); display_show(d, m);
 *
 * While the banner is shown the guest has ended: keys are R, S and Q alone.
 */
#ifndef HOST_DISPLAY_H
#define HOST_DISPLAY_H

#include "machine/machine.h"

struct display;
struct key_sender;
struct pollfd;

/* What the user asked for; a sum. */
enum display_request {
    DISPLAY_REQUEST_QUIT = 1,
    DISPLAY_REQUEST_RESET = 2,
    DISPLAY_REQUEST_SCREENSHOT = 4
};

struct display_class {
    unsigned (*poll)(struct display *, struct input_log *, struct key_sender *);
    void (*wait)(struct display *, unsigned ms); /* of those without a descriptor */
    bool (*pollfd)(const struct display *, struct pollfd *);
    void (*show)(struct display *, struct machine *);
    void (*set_title)(struct display *, const char *);
    void (*set_banner)(struct display *, const char *);
    void (*leave)(struct display *);
    void (*close)(struct display *);
};

struct display {
    const struct display_class *class;
};

/* Handles what has happened since the last time. */
static inline unsigned display_poll(struct display *d, struct input_log *in, struct key_sender *k)
{
    return d->class->poll(d, in, k);
}

/* What to poll() for; false: it has no descriptor, and display_wait() waits. */
static inline bool display_pollfd(const struct display *d, struct pollfd *p)
{
    return d->class->pollfd && d->class->pollfd(d, p);
}

/* Waits for something to happen, at most so long. */
static inline void display_wait(struct display *d, unsigned ms)
{
    d->class->wait(d, ms);
}

/* Draws the machine's screen if it has changed. Call it about 60 times a second. */
static inline void display_show(struct display *d, struct machine *m)
{
    d->class->show(d, m);
}

static inline void display_set_title(struct display *d, const char *title)
{
    if (d->class->set_title)
        d->class->set_title(d, title);
}

/* Why the guest ended, over its last screen; NULL: it runs again. Lines are joined by '\n'. */
static inline void display_set_banner(struct display *d, const char *text)
{
    d->class->set_banner(d, text);
}

/* Nothing is shown any more: a terminal is given back, for our last words. */
static inline void display_leave(struct display *d)
{
    if (d->class->leave)
        d->class->leave(d);
}

static inline void display_close(struct display *d)
{
    if (d)
        d->class->close(d);
}

#endif
