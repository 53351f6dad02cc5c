/*
 * What the JIT counts, for --stats and the monitor's info jit.
 */
#include "jit/internal.h"
#include <inttypes.h>

/* Whether row a is to be named before row b. */
static bool more_often(const struct jit_stats *s, unsigned a, unsigned b)
{
    return s->help_rows[a] != s->help_rows[b] ? s->help_rows[a] > s->help_rows[b] : a < b;
}

/* The rows that were run in C most often. */
static void print_help_rows(const struct jit_stats *s, FILE *f)
{
    unsigned last = NR_ROWS;

    fprintf(f, "  rows in C         %" PRIu64, s->helps);
    for (unsigned n = 0; n < 8; n++) {
        unsigned best = NR_ROWS;

        for (unsigned r = 0; r < NR_ROWS; r++)
            if ((last == NR_ROWS || more_often(s, last, r)) && r != last && (best == NR_ROWS || more_often(s, r, best)))
                best = r;
        if (best == NR_ROWS || !s->help_rows[best])
            break;
        fprintf(f, "%s %s %" PRIu64, n ? "," : ":", isa_rows[best].id, s->help_rows[best]);
        last = best;
    }
    fputs("\n", f);
}

static void print_exits(const struct jit_stats *s, FILE *f)
{
    u64 faults = s->enters;

    for (unsigned i = 0; i < NR_EXITS; i++)
        faults -= s->exits[i];
    fprintf(f, "  entries           %" PRIu64 "; %" PRIu64 " blocks were interpreted\n", s->enters, s->interpreted_blocks);
    fprintf(f, "  exits             %" PRIu64 " since the slice had no room, %" PRIu64 " interrupts and stops, %" PRIu64 " halts, %" PRIu64
               " faults,\n                    %" PRIu64 " to blocks that are not translated, %" PRIu64 " to instructions that need a look, %" PRIu64
               " with floating-point exceptions that are not masked\n",
            s->exits[EXIT_BUDGET], s->exits[EXIT_EVENT], s->exits[EXIT_HALT], faults, s->exits[EXIT_COLD], s->exits[EXIT_CARE],
            s->exits[EXIT_STATE]);
}

void jit_print_stats(void *engine, FILE *f)
{
    const struct jit_stats *s = &((const struct jit *)engine)->stats;

    fprintf(f, "  JIT               %" PRIu64 " translations of %" PRIu64 " instructions, %" PRIu64 " KiB of code; %" PRIu64
               " dropped, %" PRIu64 " flushes of all\n", s->translations, s->translated_insns, s->code_bytes >> 10, s->dropped, s->flushes);
    fprintf(f, "  links             %" PRIu64 " made, %" PRIu64 " undone, %" PRIu64 " looked up again after a flush of the TLB; %" PRIu64
               " jumps by address looked up\n", s->links, s->unlinks, s->epoch_misses, s->jump_misses);
    print_exits(s, f);
    fprintf(f, "  slow paths        %" PRIu64 " fills of the fast TLB, %" PRIu64 " ranges on two pages, %" PRIu64 " slots widened, %" PRIu64
               " given up\n", s->fills, s->range_misses, s->slots_widened, s->slots_given_up);
    fprintf(f, "  run in C          %" PRIu64 " accesses to two pages, %" PRIu64 " to devices, pages with code and the like, %" PRIu64
               " after a check\n", s->slow[SLOW_CROSSING], s->slow[SLOW_OTHER], s->slow[SLOW_CHECK]);
    print_help_rows(s, f);
}
