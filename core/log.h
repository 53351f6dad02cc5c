/*
 * Diagnostics of one machine: what -d selects, what guests do wrong, what we lack.
 *
 * A machine owns one struct log; every device finds it in its dev_env. Our own words go to
 * stderr or to the file of -D, never to stdout. guest_error() and unimplemented() print the
 * first time at each site (a site is the address of its format string) and count every time;
 * --stats lists the counts.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "core/types.h"
#include <stdio.h>

/* What -d selects. */
enum log_item {
    LOG_INT = 1 << 0,
    LOG_EXEC = 1 << 1,
    LOG_IN_ASM = 1 << 2,
    LOG_CPU = 1 << 3,
    LOG_CPU_RESET = 1 << 4,
    LOG_GUEST_ERRORS = 1 << 5,
    LOG_UNIMP = 1 << 6,
    LOG_PCALL = 1 << 7,
    LOG_MMU = 1 << 8,
    LOG_OUT_ASM = 1 << 9,
};

/* A name that -d takes: QEMU's, so that no script fails for one. */
struct log_name {
    const char *name;
    u32 items;          /* 0, and no events: accepted without effect */
    const char *events; /* trace events that it selects; NULL: none */
    const char *help;   /* what it logs; or why nothing */
};
extern const struct log_name log_names[];
extern const unsigned nr_log_names;

/* A range of -dfilter. */
struct log_range {
    u64 first, last;
};

enum log_kind { LOG_KIND_GUEST_ERROR, LOG_KIND_UNIMPLEMENTED };

struct log_site {
    const char *format; /* identifies the site; a string literal */
    char *first;        /* the message of the first time, owned */
    u64 count;
    enum log_kind kind;
};

struct log {
    FILE *out; /* not owned; where -d, trace events and reports go */
    u32 mask;  /* of enum log_item */
    const struct log_range *range; /* -dfilter: not owned; code outside is not logged */
    u32 nr_ranges;                 /* 0: all is */
    struct log_site *sites;
    u32 nr_sites, cap_sites;
};

void log_init(struct log *, FILE *out, u32 mask);
void log_fini(struct log *);

/* The name in log_names, or NULL. */
const struct log_name *log_name_find(const char *name);

/* What `-d help` says. */
void log_print_names(FILE *);

/* QEMU's "A..B", "A+LENGTH", "A-LENGTH" (that many bytes up to and with A). */
bool log_range_parse(const char *text, struct log_range *);

static inline bool log_on(const struct log *l, u32 items)
{
    return UNLIKELY(l->mask & items);
}

/* Whether code at lin is to be logged. */
static inline bool log_covers(const struct log *l, u64 lin)
{
    for (u32 i = 0; i < l->nr_ranges; i++)
        if (lin - l->range[i].first <= l->range[i].last - l->range[i].first)
            return true;
    return l->nr_ranges == 0;
}

/* Writes to the log's file, without a prefix and without a newline of its own. */
void log_printf(struct log *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The guest did what the manual forbids. The caller then behaves as hardware does. The message
 * is written with -d guest_errors; the count is always kept. */
void guest_error(struct log *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A hardware function that we lack: said once per site on stderr, counted always.
 * Message: "device: function". */
void unimplemented(struct log *, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
