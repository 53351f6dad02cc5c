/*
 * The choice of a processor: a model's name, and features added to it and taken away, as -cpu has
 * them. See cpu/cpu_model.h.
 */
#ifndef MACHINE_PROCESSOR_H
#define MACHINE_PROCESSOR_H

#include "core/types.h"

struct machine;

struct processor {
    const char *model; /* not owned; static */
    u64 features;
};

struct processor processor_default(void);

/* false: no such model. */
bool processor_model(struct processor *, const char *name);

/* Offers the feature, or does not. '.', '_' and '-' are the same in names. */
enum processor_change { PROCESSOR_CHANGED, PROCESSOR_NO_FEATURE, PROCESSOR_NOT_THERE };
enum processor_change processor_change(struct processor *, const char *feature, bool on);

/* For lists: NULL ends them. */
const char *processor_model_name(unsigned i, const char **what);
const char *processor_feature_name(unsigned i);
u64 processor_features_digest(const struct processor *);

/* The names of the features that this host would have to have and has not, joined by blanks.
 * false: none. */
bool processor_host_lacks(const struct processor *, char *names, size_t cap);

#endif
