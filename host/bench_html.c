/*
 * The page of the benchmark's kernels: charts, then the same table as on standard output. Ratios are of one
 * round; the dot is the median, the line goes from the least to the most.
 */
#include "host/bench_facts.h"
#include "host/bench_results.h"
#include "host/svg_chart.h"

static const struct svg_series places[NR_PLACES] = {
    [PLACE_JIT] = {"JIT", "jit"},
    [PLACE_INTERP] = {"interpreter", "interp"},
    [PLACE_NATIVE] = {"native", "native"},
};

static struct svg_value value_of(const double *v, unsigned nr, double scale)
{
    struct svg_value x = {.mid = bench_median(v, nr) * scale};

    x.low = x.high = x.mid;
    for (unsigned i = 0; i < nr; i++) {
        x.low = v[i] * scale < x.low ? v[i] * scale : x.low;
        x.high = v[i] * scale > x.high ? v[i] * scale : x.high;
    }
    return x;
}

/* Native's own rounds, in parts of their median. */
static struct svg_value native_value(const struct bench_row *r)
{
    const double *v = r->seconds[PLACE_NATIVE];
    double median = bench_median(v, r->nr[PLACE_NATIVE]);

    return median > 0 ? value_of(v, r->nr[PLACE_NATIVE], 1 / median) : (struct svg_value){0};
}

static struct svg_value ratio_value(const struct bench_row *r, enum bench_place a, enum bench_place b)
{
    double q[BENCH_MAX_RUNS];
    unsigned nr = bench_ratios(r, a, b, q);

    return value_of(q, nr, 1);
}

static bool has_native(const struct bench_row *r)
{
    return r->nr[PLACE_NATIVE];
}

/* ---- the charts ---- */

static void put_native(FILE *f, const struct bench_results *b)
{
    struct svg_row row[BENCH_KERNELS];
    unsigned nr = 0;

    for (unsigned i = 0; i < b->image->nr_kernels; i++) {
        const struct bench_row *r = &b->row[i];
        if (!has_native(r))
            continue;
        row[nr] = (struct svg_row){.label = b->image->kernel[i].name};
        for (unsigned e = 0; e < NR_ENGINES; e++)
            row[nr].value[e] = ratio_value(r, PLACE_NATIVE, e);
        row[nr++].value[PLACE_NATIVE] = native_value(r);
    }
    if (!nr)
        return;
    fputs("<h2>Beside native</h2>\n<p>The time of an iteration as a multiple of what it takes on the host, from the same object "
          "file. The dot is the median of the rounds, the line goes from the least to the most; the axis is logarithmic.</p>\n", f);
    svg_dots(f, &(struct svg_chart){.title = "Times of kernels as multiples of native", .unit = "times native (less is better)",
                                    .series = places, .nr_series = NR_PLACES, .base = 1}, row, nr);
}

/* Of kernels that only a guest can run: or of all, where there is nothing native. */
static void put_times(FILE *f, const struct bench_results *b)
{
    struct svg_row row[BENCH_KERNELS];
    unsigned nr = 0;

    for (unsigned i = 0; i < b->image->nr_kernels; i++) {
        const struct bench_row *r = &b->row[i];
        if (has_native(r) || !(r->nr[PLACE_JIT] + r->nr[PLACE_INTERP]))
            continue;
        row[nr] = (struct svg_row){.label = b->image->kernel[i].name};
        for (unsigned e = 0; e < NR_ENGINES; e++)
            row[nr].value[e] = value_of(r->seconds[e], r->nr[e], 1e9);
        nr++;
    }
    if (!nr)
        return;
    fputs("<h2>Time of an iteration</h2>\n<p>Of kernels that did not run on the host: privileged instructions, faults, devices, code that "
          "changes.</p>\n", f);
    svg_dots(f, &(struct svg_chart){.title = "Times of kernels that only a guest runs", .unit = "nanoseconds an iteration (less is better)",
                                    .series = places, .nr_series = NR_ENGINES}, row, nr);
}

static void put_faster(FILE *f, const struct bench_results *b)
{
    struct svg_row row[BENCH_KERNELS];
    unsigned nr = 0;

    for (unsigned i = 0; i < b->image->nr_kernels; i++) {
        row[nr] = (struct svg_row){.label = b->image->kernel[i].name};
        row[nr].value[0] = ratio_value(&b->row[i], PLACE_JIT, PLACE_INTERP);
        nr += row[nr].value[0].mid > 0;
    }
    if (!nr)
        return;
    fputs("<h2>JIT beside interpreter</h2>\n<p>How many times as fast the JIT is; the line over the bar goes from the least to the most. "
          "Left of the dashed line it would be slower.</p>\n", f);
    svg_bars(f, &(struct svg_chart){.title = "How many times as fast as the interpreter the JIT is", .unit = "times as fast (more is better)",
                                    .series = (struct svg_series[]){{"JIT : interpreter", "jit"}}, .nr_series = 1, .base = 1}, row, nr);
}

/* ---- the tables ---- */

static void put_mean(FILE *f, double v)
{
    fprintf(f, v > 0 ? "<td>%.2f</td>" : "<td>-</td>", v);
}

static void put_means(FILE *f, const struct bench_results *b)
{
    struct bench_mean_row m;
    unsigned next = 0;

    if (!bench_next_mean(b, &next, &m))
        return;
    fputs("<h2>Geometric means, times native</h2>\n<table id=\"means\">\n<tr><th>group</th><th>kernels</th><th>JIT</th><th>interpreter</th></tr>\n", f);
    next = 0;
    while (bench_next_mean(b, &next, &m)) {
        fputs("<tr><td>", f);
        html_text(f, m.group ? m.group : "all user kernels");
        fprintf(f, "</td><td>%u</td>", m.nr);
        put_mean(f, m.jit);
        put_mean(f, m.interp);
        fputs("</tr>\n", f);
    }
    fputs("</table>\n", f);
}

static void put_table(FILE *f, const struct bench_results *b)
{
    fputs("<h2>All numbers</h2>\n<p>Seconds are processor time of as many iterations as the JIT ran; the spread is that of the last ratio "
          "before it, (most - least) / median.</p>\n<div class=\"scroll\"><table id=\"kernels\">\n<tr>", f);
    for (unsigned c = 0; c < NR_COLUMNS; c++)
        fprintf(f, "<th%s>%s%s%s</th>", c == COLUMN_STATES ? " class=\"words\"" : "", bench_headings[c].name,
                *bench_headings[c].below ? " " : "", bench_headings[c].below);
    fputs("</tr>\n", f);
    for (unsigned i = 0; i < b->image->nr_kernels; i++) {
        if (!b->row[i].wanted)
            continue;
        struct bench_cells cells = bench_cells(b, i);
        bool bad = b->row[i].verdict && strcmp(b->row[i].verdict, "equal") && strcmp(b->row[i].verdict, "left out") &&
                   strcmp(b->row[i].verdict, "not compared");
        fputs("<tr>", f);
        for (unsigned c = 0; c < NR_COLUMNS; c++) {
            fprintf(f, "<td%s>", c != COLUMN_STATES ? "" : bad ? " class=\"words bad\"" : " class=\"words\"");
            html_text(f, cells.text[c]);
            fputs("</td>", f);
        }
        fputs("</tr>\n", f);
    }
    fputs("</table></div>\n", f);
}

bool bench_html(const struct bench_results *b, struct html_page *p, char *err, size_t err_len)
{
    unsigned nr, nr_equal = bench_agreed(b, &nr);
    char text[200];
    FILE *f;

    html_begin(p, "kiln bench: engines beside native");
    f = p->f;
    bench_facts_begin(f, b->o);
    if (bench_runs_in(b->o, PLACE_JIT) && bench_runs_in(b->o, PLACE_INTERP))
        snprintf(text, sizeof(text), "checksums, instructions and state hashes equal after %u of %u kernels%s", nr_equal, nr,
                 nr_equal == nr ? "" : "; the table says where not");
    else
        snprintf(text, sizeof(text), "one engine only: states were not compared");
    html_item(f, "States", text);
    bench_facts_end(f);
    put_native(f, b);
    put_times(f, b);
    put_faster(f, b);
    put_means(f, b);
    put_table(f, b);
    return html_end(p, err, err_len);
}
