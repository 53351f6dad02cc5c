/*
 * Charts as inline SVG: text that can be selected, colours by the page's variables (html_page.c), a unit
 * on each axis. Labels are made safe here. They draw; what is drawn is the caller's.
 */
#ifndef HOST_SVG_CHART_H
#define HOST_SVG_CHART_H

#include "core/types.h"
#include <stdio.h>

enum { SVG_SERIES = 3 };

struct svg_series {
    const char *name; /* in the legend */
    const char *ink;  /* "jit", "interp", "native": the page's */
};

/* A median with the extremes; mid 0: there is none. */
struct svg_value {
    double low, mid, high;
};

struct svg_row {
    const char *label;
    struct svg_value value[SVG_SERIES]; /* by series */
};

struct svg_chart {
    const char *title;  /* for those who cannot see it */
    const char *unit;   /* of the axis */
    const struct svg_series *series;
    unsigned nr_series;
    double base;        /* a line here; 0: none */
};

/* Dots with ranges on a logarithmic axis: for values far apart. */
void svg_dots(FILE *, const struct svg_chart *, const struct svg_row *, unsigned nr);

/* Bars from 0 with ranges. */
void svg_bars(FILE *, const struct svg_chart *, const struct svg_row *, unsigned nr);

/* For each series a panel of bars with an axis of its own, side by side: for shares of unlike wholes. */
void svg_panels(FILE *, const struct svg_chart *, const struct svg_row *, unsigned nr);

/* Over time, intervals of equal length that end at `end`. */
struct svg_time {
    double end;
    const char *unit; /* "seconds of guest time" */
    unsigned nr;
};

/* Parts of 1 that series 0, 1 ... have in each interval, from below; part < 0: nothing there. */
void svg_parts(FILE *, const struct svg_chart *, const struct svg_time *, const double *const *part);

/* A curve per series; value < 0: a gap. The axis is logarithmic. */
void svg_curves(FILE *, const struct svg_chart *, const struct svg_time *, const double *const *value);

#endif
