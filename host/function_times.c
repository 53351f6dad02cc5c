/* See function_times.h. A function's seconds are its part of the samples times the run's seconds. */
#include "host/function_times.h"
#include "host/svg_chart.h"
#include <inttypes.h>
#include <stdlib.h>

static struct function_time *entry(struct function_times *t, const char *name)
{
    struct function_time *e;

    for (e = t->function; e < t->function + t->nr; e++)
        if (!strncmp(e->name, name, FUNCTION_NAME - 1))
            return e;
    if (t->nr == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 256;
        t->function = realloc(t->function, t->cap * sizeof(*t->function));
        if (!t->function)
            abort();
    }
    e = &t->function[t->nr++];
    *e = (struct function_time){0};
    snprintf(e->name, sizeof(e->name), "%s", name);
    return e;
}

void function_times_add(struct function_times *t, enum bench_place engine, struct profile *p, double seconds)
{
    unsigned nr;
    const struct profile_function *f = profile_functions(p, &nr);

    t->seconds[engine] = seconds;
    t->samples[engine] = profile_samples(p);
    for (unsigned i = 0; i < nr; i++) {
        struct function_time *e = entry(t, f[i].name);
        e->samples[engine] += f[i].samples;
        e->translated[engine] += f[i].translated;
    }
}

static int by_time(const void *a, const void *b)
{
    const struct function_time *x = a, *y = b;

    for (unsigned e = 0; e < NR_ENGINES; e++)
        if (x->samples[e] != y->samples[e])
            return x->samples[e] > y->samples[e] ? -1 : 1;
    return strcmp(x->name, y->name);
}

void function_times_sort(struct function_times *t)
{
    if (t->nr)
        qsort(t->function, t->nr, sizeof(*t->function), by_time);
}

void function_times_free(struct function_times *t)
{
    free(t->function);
    *t = (struct function_times){0};
}

double function_seconds(const struct function_times *t, const struct function_time *e, enum bench_place engine)
{
    return t->samples[engine] ? t->seconds[engine] * (double)e->samples[engine] / (double)t->samples[engine] : 0;
}

/* ---- cells: the same in both tables ---- */

enum { CELL_FUNCTION, CELL_JIT, CELL_JIT_PART, CELL_C_PART, CELL_INTERP, CELL_INTERP_PART, CELL_FASTER, NR_CELLS };
static const struct {
    const char *name;
    int width;
} headings[NR_CELLS] = {
    [CELL_FUNCTION] = {"function", -34}, [CELL_JIT] = {"jit s", 9},      [CELL_JIT_PART] = {"part", 8},
    [CELL_C_PART] = {"in C", 7},         [CELL_INTERP] = {"interp s", 10}, [CELL_INTERP_PART] = {"part", 8},
    [CELL_FASTER] = {"interp : jit", 14},
};
struct cells {
    char text[NR_CELLS][FUNCTION_NAME];
};

static struct cells cells_of(const struct function_times *t, const struct function_time *e)
{
    static const u8 seconds_at[NR_ENGINES] = {CELL_JIT, CELL_INTERP}, part_at[NR_ENGINES] = {CELL_JIT_PART, CELL_INTERP_PART};
    double s[NR_ENGINES];
    struct cells c;

    for (unsigned i = 0; i < NR_CELLS; i++)
        strcpy(c.text[i], "-");
    snprintf(c.text[CELL_FUNCTION], FUNCTION_NAME, "%s", e->name);
    for (unsigned p = 0; p < NR_ENGINES; p++) {
        s[p] = function_seconds(t, e, p);
        if (!t->samples[p])
            continue;
        snprintf(c.text[seconds_at[p]], FUNCTION_NAME, "%.3f", s[p]);
        snprintf(c.text[part_at[p]], FUNCTION_NAME, "%.1f%%", 100 * (double)e->samples[p] / (double)t->samples[p]);
    }
    if (e->samples[PLACE_JIT])
        snprintf(c.text[CELL_C_PART], FUNCTION_NAME, "%.0f%%",
                 100 * (double)(e->samples[PLACE_JIT] - e->translated[PLACE_JIT]) / (double)e->samples[PLACE_JIT]);
    if (s[PLACE_JIT] > 0 && s[PLACE_INTERP] > 0)
        snprintf(c.text[CELL_FASTER], FUNCTION_NAME, "%.2f", s[PLACE_INTERP] / s[PLACE_JIT]);
    return c;
}

static unsigned shown(const struct function_times *t)
{
    return t->nr < FUNCTIONS_SHOWN ? t->nr : FUNCTIONS_SHOWN;
}

void function_times_print(const struct function_times *t)
{
    printf("\nprocessor time by function (samples: jit %" PRIu64 ", interp %" PRIu64 ")\n", t->samples[PLACE_JIT], t->samples[PLACE_INTERP]);
    for (unsigned i = 0; i < NR_CELLS; i++)
        printf("%*s", headings[i].width, headings[i].name);
    putchar('\n');
    for (unsigned n = 0; n < shown(t); n++) {
        struct cells c = cells_of(t, &t->function[n]);
        for (unsigned i = 0; i < NR_CELLS; i++)
            printf(i ? "%*s" : "%*s ", i ? headings[i].width : headings[i].width + 1, c.text[i]);
        putchar('\n');
    }
}

void function_times_html(const struct function_times *t, FILE *f)
{
    struct svg_row row[FUNCTIONS_SHOWN] = {0};
    struct svg_series series[NR_ENGINES];
    static const struct svg_series both[NR_ENGINES] = {{"JIT", "jit"}, {"interpreter", "interp"}};
    unsigned nr_series = 0;

    for (unsigned p = 0; p < NR_ENGINES; p++) {
        if (!t->samples[p])
            continue;
        series[nr_series] = both[p];
        for (unsigned n = 0; n < shown(t); n++) {
            double s = function_seconds(t, &t->function[n], p);
            row[n].label = t->function[n].name;
            row[n].value[nr_series] = (struct svg_value){s, s, s};
        }
        nr_series++;
    }
    fprintf(f, "<h2>Time by function</h2>\n<p>Where the guest was once in a millisecond of the host's time, in a round of its own: %" PRIu64
               " samples of the JIT, %" PRIu64 " of the interpreter. The panels have different axes. “In C” is the part of the JIT's "
               "samples that did not fall into translated code.</p>\n", t->samples[PLACE_JIT], t->samples[PLACE_INTERP]);
    if (nr_series)
        svg_panels(f, &(struct svg_chart){.title = "Processor time by function", .unit = "seconds of processor time", .series = series,
                                          .nr_series = nr_series}, row, shown(t));
    fputs("<div class=\"scroll\"><table id=\"functions\">\n<tr>", f);
    for (unsigned i = 0; i < NR_CELLS; i++)
        fprintf(f, "<th>%s</th>", headings[i].name);
    fputs("</tr>\n", f);
    for (unsigned n = 0; n < shown(t); n++) {
        struct cells c = cells_of(t, &t->function[n]);
        fputs("<tr>", f);
        for (unsigned i = 0; i < NR_CELLS; i++) {
            fputs("<td>", f);
            html_text(f, c.text[i]);
            fputs("</td>", f);
        }
        fputs("</tr>\n", f);
    }
    fputs("</table></div>\n", f);
}
