/* See svg_chart.h. Lengths are of the view box; the page scales it to its width. */
#include "host/svg_chart.h"
#include "host/html_page.h"
#include <math.h>

enum { WIDTH = 900, LABELS = 170, VALUES = 56, TOP = 44, AXIS = 40, MARK = 15, ROW_GAP = 9 };
enum { TIME_LEFT = 64, TIME_RIGHT = 16, TIME_HEIGHT = 200, MAX_TICKS = 24 };

/* ---- axes ---- */

struct axis {
    bool log;
    double min, max;
    double from, to; /* where these are drawn */
    double tick[MAX_TICKS];
    unsigned nr_ticks;
};

static double place(const struct axis *a, double v)
{
    double part;

    if (a->log)
        part = (log(v > a->min ? v : a->min) - log(a->min)) / (log(a->max) - log(a->min));
    else
        part = (v - a->min) / (a->max - a->min);
    return a->from + (a->to - a->from) * part;
}

static void tick(struct axis *a, double v)
{
    if (a->nr_ticks < MAX_TICKS)
        a->tick[a->nr_ticks++] = v;
}

/* From 0, in steps of 1, 2 or 5. */
static void linear_axis(struct axis *a, double max)
{
    double step = pow(10, floor(log10(max > 0 ? max : 1)));
    double n = max / step;

    step *= n <= 1.2 ? 0.2 : n <= 2.5 ? 0.5 : n <= 6 ? 1 : 2;
    a->log = false;
    a->min = 0;
    a->max = max > 0 ? max * 1.02 : 1;
    a->nr_ticks = 0;
    for (unsigned i = 0; i * step <= a->max; i++)
        tick(a, i * step);
}

/* Powers of ten, and 2 and 5 between them where there are few. */
static void log_axis(struct axis *a, double min, double max)
{
    bool fine;

    a->log = true;
    a->min = min / 1.15;
    a->max = max * 1.15;
    a->nr_ticks = 0;
    fine = a->max / a->min < 2000;
    for (double d = pow(10, floor(log10(a->min))); d <= a->max; d *= 10) {
        const double part[] = {1, 2, 5};
        for (unsigned i = 0; i < (fine ? 3 : 1); i++)
            if (d * part[i] >= a->min && d * part[i] <= a->max)
                tick(a, d * part[i]);
    }
}

static void put_number(FILE *f, double v)
{
    if (v >= 100 || v == floor(v))
        fprintf(f, "%.0f", v);
    else
        fprintf(f, v >= 10 ? "%.1f" : v >= 0.1 ? "%.2f" : "%.2g", v);
}

/* ---- parts of a chart ---- */

static void begin(FILE *f, const struct svg_chart *c, unsigned height)
{
    double x = 0;

    fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %u\" role=\"img\">\n<title>", WIDTH, height);
    html_text(f, c->title);
    fputs("</title>\n", f);
    for (unsigned s = 0; s < c->nr_series; s++) {
        fprintf(f, "<rect class=\"f-%s\" x=\"%.0f\" y=\"6\" width=\"11\" height=\"11\" rx=\"2\"/><text x=\"%.0f\" y=\"16\">",
                c->series[s].ink, x, x + 17);
        html_text(f, c->series[s].name);
        fputs("</text>\n", f);
        x += 42 + 7.0 * (double)strlen(c->series[s].name);
    }
}

/* An axis below: lines from y0 to y1, numbers under them, the unit under those. */
static void put_axis_x(FILE *f, const struct axis *a, const char *unit, double y0, double y1)
{
    for (unsigned i = 0; i < a->nr_ticks; i++) {
        double x = place(a, a->tick[i]);
        fprintf(f, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.0f\" y2=\"%.0f\"/><text class=\"dim mid\" x=\"%.1f\" y=\"%.0f\">",
                x, x, y0, y1, x, y1 + 15);
        put_number(f, a->tick[i]);
        fputs("</text>\n", f);
    }
    fprintf(f, "<text class=\"dim mid\" x=\"%.0f\" y=\"%.0f\">", (a->from + a->to) / 2, y1 + 32);
    html_text(f, unit);
    fputs("</text>\n", f);
}

static void put_axis_y(FILE *f, const struct axis *a, const char *unit)
{
    for (unsigned i = 0; i < a->nr_ticks; i++) {
        double y = place(a, a->tick[i]);
        fprintf(f, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text class=\"dim end\" x=\"%d\" y=\"%.1f\">",
                TIME_LEFT, WIDTH - TIME_RIGHT, y, y, TIME_LEFT - 6, y + 4);
        put_number(f, a->tick[i]);
        fputs("</text>\n", f);
    }
    fprintf(f, "<text class=\"dim\" x=\"0\" y=\"%d\">", TOP - 10);
    html_text(f, unit);
    fputs("</text>\n", f);
}

static void put_label(FILE *f, const char *label, double y)
{
    char shown[26];

    snprintf(shown, sizeof(shown), "%s", label);
    if (strlen(label) >= sizeof(shown)) {
        size_t cut = sizeof(shown) - 4;
        while (cut && ((u8)shown[cut] & 0xc0) == 0x80) /* not in the middle of a character */
            cut--;
        strcpy(shown + cut, "…"); /* three bytes */
    }
    fprintf(f, "<text class=\"end\" x=\"%d\" y=\"%.0f\"><title>", LABELS - 10, y + 4);
    html_text(f, label);
    fputs("</title>", f);
    html_text(f, shown);
    fputs("</text>\n", f);
}

/* "name, series: mid (low to high)", which a browser shows when one points there. */
static void put_hint(FILE *f, const struct svg_row *r, const struct svg_series *s, const struct svg_value *v)
{
    fputs("<title>", f);
    html_text(f, r->label);
    fputs(", ", f);
    html_text(f, s->name);
    fputs(": ", f);
    put_number(f, v->mid);
    if (v->low < v->high) {
        fputs(" (", f);
        put_number(f, v->low);
        fputs(" to ", f);
        put_number(f, v->high);
        fputs(")", f);
    }
    fputs("</title>", f);
}

static void put_range(FILE *f, const struct axis *a, const struct svg_value *v, const char *class, double y)
{
    double x0 = place(a, v->low), x1 = place(a, v->high);

    if (v->low < v->high)
        fprintf(f, "<path class=\"range %s\" d=\"M%.1f %.1fH%.1fM%.1f %.1fv8M%.1f %.1fv8\"/>", class, x0, y, x1, x0, y - 4, x1, y - 4);
}

static void put_value(FILE *f, double x, double y, double v)
{
    fprintf(f, "<text class=\"dim\" x=\"%.1f\" y=\"%.1f\">", x, y + 4);
    put_number(f, v);
    fputs("</text>\n", f);
}

static void put_stripe(FILE *f, unsigned row, double y, double height)
{
    if (row % 2 == 0)
        fprintf(f, "<rect class=\"stripe\" x=\"0\" y=\"%.0f\" width=\"%d\" height=\"%.0f\"/>\n", y, WIDTH, height);
}

static unsigned marks_of(const struct svg_chart *c, const struct svg_row *r)
{
    unsigned n = 0;

    for (unsigned s = 0; s < c->nr_series; s++)
        n += r->value[s].mid > 0;
    return n ? n : 1;
}

static void extremes(const struct svg_chart *c, const struct svg_row *r, unsigned nr, double *min, double *max)
{
    *min = c->base > 0 ? c->base : HUGE_VAL;
    *max = c->base;
    for (unsigned i = 0; i < nr; i++)
        for (unsigned s = 0; s < c->nr_series; s++)
            if (r[i].value[s].mid > 0) {
                *min = r[i].value[s].low < *min ? r[i].value[s].low : *min;
                *max = r[i].value[s].high > *max ? r[i].value[s].high : *max;
            }
}

/* ---- charts of rows ---- */

static void put_dot(FILE *f, const struct axis *a, const struct svg_row *r, const struct svg_series *s, const struct svg_value *v, double y)
{
    char class[32];

    snprintf(class, sizeof(class), "s-%s", s->ink);
    fputs("<g>", f);
    put_hint(f, r, s, v);
    put_range(f, a, v, class, y);
    fprintf(f, "<circle class=\"f-%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.2\"/></g>", s->ink, place(a, v->mid), y);
    if (v->mid != 1) /* native beside itself */
        put_value(f, place(a, v->high) + 8, y, v->mid);
}

static void put_bar(FILE *f, const struct axis *a, const struct svg_row *r, const struct svg_series *s, const struct svg_value *v, double y)
{
    fputs("<g>", f);
    put_hint(f, r, s, v);
    fprintf(f, "<rect class=\"f-%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"11\"/>", s->ink, a->from, y - 5.5, place(a, v->mid) - a->from);
    put_range(f, a, v, "over", y);
    fputs("</g>", f);
    put_value(f, place(a, v->high > v->mid ? v->high : v->mid) + 8, y, v->mid);
}

static void put_rows(FILE *f, const struct svg_chart *c, const struct svg_row *r, unsigned nr, struct axis *a, bool dots)
{
    double y = TOP - 12, bottom = y;

    for (unsigned i = 0; i < nr; i++)
        bottom += marks_of(c, &r[i]) * MARK + ROW_GAP;
    begin(f, c, (unsigned)bottom + AXIS);
    for (unsigned i = 0; i < nr; i++) {
        double height = marks_of(c, &r[i]) * MARK + ROW_GAP;
        put_stripe(f, i, y, height);
        put_label(f, r[i].label, y + height / 2);
        y += height;
    }
    put_axis_x(f, a, c->unit, TOP - 12, bottom);
    y = TOP - 12;
    for (unsigned i = 0; i < nr; i++) {
        double at = y + (ROW_GAP + MARK) / 2.0;
        for (unsigned s = 0; s < c->nr_series; s++) {
            const struct svg_value *v = &r[i].value[s];
            if (v->mid <= 0)
                continue;
            (dots ? put_dot : put_bar)(f, a, &r[i], &c->series[s], v, at);
            at += MARK;
        }
        y += marks_of(c, &r[i]) * MARK + ROW_GAP;
    }
    if (c->base > 0)
        fprintf(f, "<line class=\"base\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%.0f\"/>\n", place(a, c->base), place(a, c->base), TOP - 12, bottom);
    fputs("</svg>\n", f);
}

static void put_chart(FILE *f, const struct svg_chart *c, const struct svg_row *r, unsigned nr, bool dots)
{
    struct axis a = {.from = LABELS, .to = WIDTH - VALUES};
    double min, max;

    extremes(c, r, nr, &min, &max);
    if (max <= 0)
        return;
    if (dots)
        log_axis(&a, min, max);
    else
        linear_axis(&a, max);
    put_rows(f, c, r, nr, &a, dots);
}

void svg_dots(FILE *f, const struct svg_chart *c, const struct svg_row *r, unsigned nr)
{
    put_chart(f, c, r, nr, true);
}

void svg_bars(FILE *f, const struct svg_chart *c, const struct svg_row *r, unsigned nr)
{
    put_chart(f, c, r, nr, false);
}

void svg_panels(FILE *f, const struct svg_chart *c, const struct svg_row *r, unsigned nr)
{
    const double height = MARK + 4, bottom = TOP - 12 + nr * height;
    double width = (double)(WIDTH - LABELS) / c->nr_series;

    begin(f, c, (unsigned)bottom + AXIS);
    for (unsigned i = 0; i < nr; i++) {
        put_stripe(f, i, TOP - 12 + i * height, height);
        put_label(f, r[i].label, TOP - 12 + (i + 0.5) * height);
    }
    for (unsigned s = 0; s < c->nr_series; s++) {
        struct axis a = {.from = LABELS + s * width, .to = LABELS + (s + 1) * width - VALUES};
        double max = 0;

        for (unsigned i = 0; i < nr; i++)
            max = r[i].value[s].mid > max ? r[i].value[s].mid : max;
        linear_axis(&a, max);
        put_axis_x(f, &a, c->unit, TOP - 12, bottom);
        for (unsigned i = 0; i < nr; i++)
            put_bar(f, &a, &r[i], &c->series[s], &r[i].value[s], TOP - 12 + (i + 0.5) * height);
    }
    fputs("</svg>\n", f);
}

/* ---- charts over time ---- */

static struct axis begin_time(FILE *f, const struct svg_chart *c, const struct svg_time *t, const struct axis *y)
{
    struct axis x = {.from = TIME_LEFT, .to = WIDTH - TIME_RIGHT};

    begin(f, c, TOP + TIME_HEIGHT + AXIS);
    linear_axis(&x, t->end);
    x.max = t->end;
    while (x.nr_ticks && x.tick[x.nr_ticks - 1] > t->end)
        x.nr_ticks--;
    put_axis_y(f, y, c->unit);
    put_axis_x(f, &x, t->unit, TOP, TOP + TIME_HEIGHT);
    return x;
}

void svg_parts(FILE *f, const struct svg_chart *c, const struct svg_time *t, const double *const *part)
{
    struct axis y = {.min = 0, .max = 100, .from = TOP + TIME_HEIGHT, .to = TOP, .tick = {0, 25, 50, 75, 100}, .nr_ticks = 5}, x;

    x = begin_time(f, c, t, &y);
    for (unsigned s = 0; s < c->nr_series; s++) {
        fprintf(f, "<path class=\"f-%s\" d=\"", c->series[s].ink);
        for (unsigned i = 0; i < t->nr; i++) {
            double below = 0, x0 = place(&x, t->end * i / t->nr), x1 = place(&x, t->end * (i + 1) / t->nr);
            for (unsigned k = 0; k < s; k++)
                below += part[k][i];
            if (part[s][i] <= 0)
                continue;
            fprintf(f, "M%.1f %.1fV%.1fH%.1fV%.1fz", x0, place(&y, 100 * below), place(&y, 100 * (below + part[s][i])), x1, place(&y, 100 * below));
        }
        fputs("\"/>\n", f);
    }
    fputs("</svg>\n", f);
}

void svg_curves(FILE *f, const struct svg_chart *c, const struct svg_time *t, const double *const *value)
{
    struct axis y = {.from = TOP + TIME_HEIGHT, .to = TOP}, x;
    double min = HUGE_VAL, max = 0;

    for (unsigned s = 0; s < c->nr_series; s++)
        for (unsigned i = 0; i < t->nr; i++)
            if (value[s][i] > 0) {
                min = value[s][i] < min ? value[s][i] : min;
                max = value[s][i] > max ? value[s][i] : max;
            }
    if (max <= 0)
        return;
    log_axis(&y, min, max);
    x = begin_time(f, c, t, &y);
    for (unsigned s = 0; s < c->nr_series; s++) {
        bool draws = false;
        fprintf(f, "<path class=\"curve s-%s\" d=\"", c->series[s].ink);
        for (unsigned i = 0; i < t->nr; i++) {
            double v = value[s][i];
            if (v > 0)
                fprintf(f, "%c%.1f %.1fH%.1f", draws ? 'L' : 'M', place(&x, t->end * i / t->nr), place(&y, v), place(&x, t->end * (i + 1) / t->nr));
            draws = v > 0;
        }
        fputs("\"/>\n", f);
    }
    fputs("</svg>\n", f);
}
