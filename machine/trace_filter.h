/*
 * Where an instruction trace starts and stops and which instructions it shows: --from, --to and
 * --filter, understood. The words are described in docs/TRACE.md.
 */
#ifndef MACHINE_TRACE_FILTER_H
#define MACHINE_TRACE_FILTER_H

#include "machine/symbols.h"
#include "machine/trace_options.h"

enum trace_point_kind { POINT_NONE, POINT_COUNT, POINT_ADDRESS, POINT_PORT };

struct trace_point {
    enum trace_point_kind kind;
    u64 value; /* instructions retired, linear address, or what is written to the port */
    u16 port;
    bool any_value;
};

#define FILTER_MAX_RANGES 16
struct trace_filter {
    struct trace_point start, stop;
    unsigned nr_ranges; /* all must hold the address */
    struct {
        u64 first, last;
    } range[FILTER_MAX_RANGES];
    int cpl; /* -1: any */
};

/* 0, or -1 with what, why and what to try in err. */
int trace_filter_parse(struct trace_filter *, const struct trace_options *, const struct symbols *,
                       char *err, size_t err_len);

static inline bool trace_point_reached(const struct trace_point *p, u64 count, u64 lin)
{
    return p->kind == POINT_COUNT ? count >= p->value : p->kind == POINT_ADDRESS && lin == p->value;
}

static inline bool trace_point_is_port(const struct trace_point *p, u16 port, u64 value)
{
    return p->kind == POINT_PORT && p->port == port && (p->any_value || p->value == value);
}

/* Whether it can be reached more than once. */
static inline bool trace_point_may_return(const struct trace_point *p)
{
    return p->kind == POINT_ADDRESS || p->kind == POINT_PORT;
}

static inline bool trace_filter_shows(const struct trace_filter *f, u64 lin, unsigned cpl)
{
    if (f->cpl >= 0 && cpl != (unsigned)f->cpl)
        return false;
    for (unsigned i = 0; i < f->nr_ranges; i++)
        if (lin - f->range[i].first > f->range[i].last - f->range[i].first)
            return false;
    return true;
}

#endif
