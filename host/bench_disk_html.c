/*
 * The page of a disk that ran under both engines: times and speed, who ran the instructions over the guest's
 * time, how fast that was, and where the time goes. The numbers are those of the text.
 */
#include "host/bench_disk.h"
#include "host/bench_facts.h"
#include "host/svg_chart.h"
#include <inttypes.h>

static const struct svg_series engines[NR_ENGINES] = {
    [PLACE_JIT] = {"JIT", "jit"},
    [PLACE_INTERP] = {"interpreter", "interp"},
};

static void extremes(const struct bench_disk_runs *r, double *low, double *high)
{
    *low = *high = r->seconds[0];
    for (unsigned i = 1; i < r->nr; i++) {
        *low = r->seconds[i] < *low ? r->seconds[i] : *low;
        *high = r->seconds[i] > *high ? r->seconds[i] : *high;
    }
}

static void put_engines(FILE *f, const struct bench_disk_results *b)
{
    struct svg_row seconds[NR_ENGINES] = {0}, mips[NR_ENGINES] = {0};
    unsigned nr = 0;

    for (unsigned e = 0; e < NR_ENGINES; e++) {
        const struct bench_disk_runs *r = &b->runs[e];
        double low, high, insns = (double)r->insns / 1e6;
        if (!r->nr)
            continue;
        extremes(r, &low, &high);
        seconds[nr].label = mips[nr].label = engines[e].name;
        seconds[nr].value[e] = (struct svg_value){low, bench_disk_seconds(r), high};
        mips[nr].value[e] = (struct svg_value){insns / high, bench_disk_mips(r), insns / low};
        nr++;
    }
    fputs("<h2>Time and speed</h2>\n<p>From power-on to the end that was asked for. The bar is the median of the rounds, the line goes from the "
          "least to the most.</p>\n", f);
    svg_bars(f, &(struct svg_chart){.title = "Processor time", .unit = "seconds of processor time (less is better)", .series = engines,
                                    .nr_series = NR_ENGINES}, seconds, nr);
    svg_bars(f, &(struct svg_chart){.title = "Speed", .unit = "MIPS: million guest instructions a second (more is better)", .series = engines,
                                    .nr_series = NR_ENGINES}, mips, nr);
}

static void put_table(FILE *f, const struct bench_disk_results *b)
{
    fputs("<div class=\"scroll\"><table id=\"engines\">\n<tr><th>engine</th><th>instructions</th><th>seconds</th><th>MIPS</th><th>spread</th>"
          "<th>interpreted</th><th class=\"words\">state hash</th></tr>\n", f);
    for (unsigned e = 0; e < NR_ENGINES; e++) {
        const struct bench_disk_runs *r = &b->runs[e];
        if (r->nr)
            fprintf(f, "<tr><td>%s</td><td>%" PRIu64 "</td><td>%.3f</td><td>%.1f</td><td>%.0f%%</td><td>%.2f%%</td><td class=\"words\">"
                       "<code>%016" PRIx64 "</code></td></tr>\n", r->name, r->insns, bench_disk_seconds(r), bench_disk_mips(r),
                    bench_spread(r->seconds, r->nr) * 100, r->insns ? 100 * (double)r->interpreted / (double)r->insns : 0, r->hash);
    }
    fputs("</table></div>\n", f);
}

/* ---- over the guest's time ---- */

/* All intervals, the last of which the run's end has cut: it counts as a whole one. */
static struct svg_time time_of(const struct tiers *t)
{
    return (struct svg_time){.end = (double)t->ticks * t->nr / 1e9, .unit = "seconds of guest time", .nr = t->nr};
}

static void put_tiers(FILE *f, const struct bench_disk_runs *r)
{
    static const struct svg_series tiers[] = {{"interpreted", "interp"}, {"in translated code", "jit"}};
    double interpreted[TIERS_MAX], translated[TIERS_MAX];
    const double *const parts[] = {interpreted, translated};
    const struct svg_time t = time_of(&r->tiers);

    for (unsigned i = 0; i < r->tiers.nr; i++) {
        const struct tier_counts *c = &r->tiers.at[i];
        interpreted[i] = c->insns ? (double)c->interpreted / (double)c->insns : -1;
        translated[i] = c->insns ? 1 - interpreted[i] : -1;
    }
    fprintf(f, "<h2>Tiers over time</h2>\n<p>Under the JIT: which part of the guest's instructions was interpreted, and which ran in translated "
               "code, by intervals of %g ms of guest time. Of all instructions %.2f%% were interpreted. Where nothing is drawn the guest "
               "halted, and time was skipped.</p>\n", (double)r->tiers.ticks / 1e6, 100 * (double)r->interpreted / (double)r->insns);
    svg_parts(f, &(struct svg_chart){.title = "Interpreted and translated, over the guest's time", .unit = "% of the guest's instructions",
                                     .series = tiers, .nr_series = 2}, &t, parts);
}

static void put_speed(FILE *f, const struct bench_disk_results *b)
{
    double mips[NR_ENGINES][TIERS_MAX];
    const double *values[NR_ENGINES];
    struct svg_series series[NR_ENGINES];
    const struct tiers *t = NULL;
    unsigned nr = 0;

    for (unsigned e = 0; e < NR_ENGINES; e++) {
        if (!b->runs[e].looked)
            continue;
        t = &b->runs[e].tiers;
        for (unsigned i = 0; i < t->nr; i++) {
            const struct tier_counts *c = &t->at[i];
            mips[nr][i] = c->insns && c->seconds > 0 ? (double)c->insns / c->seconds / 1e6 : -1;
        }
        series[nr] = engines[e];
        values[nr] = mips[nr];
        nr++;
    }
    if (!t)
        return;
    const struct svg_time time = time_of(t);
    fprintf(f, "<h2>Speed over time</h2>\n<p>Guest instructions by seconds of processor time, in the same intervals of %g ms. Devices, "
               "translating and looking are in it; the axis is logarithmic.</p>\n", (double)t->ticks / 1e6);
    svg_curves(f, &(struct svg_chart){.title = "Speed over the guest's time", .unit = "MIPS", .series = series, .nr_series = nr}, &time, values);
}

bool bench_disk_html(const struct bench_disk_results *b, struct html_page *p, char *err, size_t err_len)
{
    const struct bench_disk_runs *jit = &b->runs[PLACE_JIT], *interp = &b->runs[PLACE_INTERP];
    char text[160];
    FILE *f;

    html_begin(p, "kiln bench: a disk under both engines");
    f = p->f;
    bench_facts_begin(f, b->o);
    snprintf(text, sizeof(text), "%.3f seconds", jit->nr ? jit->guest_seconds : interp->guest_seconds);
    html_item(f, "Guest time", text);
    if (jit->nr && interp->nr) {
        snprintf(text, sizeof(text), "%.2f times as fast as the interpreter", bench_disk_seconds(interp) / bench_disk_seconds(jit));
        html_item(f, "JIT", text);
        snprintf(text, sizeof(text), "%s; %s", b->equal ? "equal: both engines end in the same state" : "the engines end in different states",
                 b->repeats ? "all runs of an engine, the one that looks too, are alike" : "runs of one engine differ");
    } else {
        snprintf(text, sizeof(text), "one engine only; %s", b->repeats ? "its runs are alike" : "its runs differ");
    }
    html_item(f, "State hashes", text);
    bench_facts_end(f);
    put_engines(f, b);
    put_table(f, b);
    if (jit->looked && jit->insns)
        put_tiers(f, jit);
    put_speed(f, b);
    if (b->o->nr_symbol_files)
        function_times_html(&b->functions, f);
    return html_end(p, err, err_len);
}
