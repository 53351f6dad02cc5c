/*
 * What a page of kiln bench says of where its numbers come from: the host, Kiln, the command line, the day.
 */
#ifndef HOST_BENCH_FACTS_H
#define HOST_BENCH_FACTS_H

#include "host/options.h"
#include <stdio.h>

/* A definition list; extra rows (html_item) may follow before bench_facts_end(). */
void bench_facts_begin(FILE *, const struct options *);
void bench_facts_end(FILE *);

#endif
