/*
 * The choice of a processor: see machine/processor.h.
 */
#include "machine/processor.h"
#include "core/state.h"
#include "cpu/cpu_model.h"
#include <stdio.h>
#include <string.h>

/* Other names for the same, in Linux' and older QEMU's lists. */
static const struct { const char *name, *means; } aliases[] = {
    { "abm", "lzcnt" }, { "pni", "sse3" }, { "xd", "nx" }, { "lahf", "lahf_lm" },
    { "sha_ni", "sha-ni" }, { "pclmuldq", "pclmulqdq" },
};

static struct processor of_model(const struct cpu_model *m)
{
    return (struct processor){ m->name, m->features & cpu_features_there() };
}

struct processor processor_default(void)
{
    return of_model(&cpu_models[0]);
}

bool processor_model(struct processor *p, const char *name)
{
    for (const struct cpu_model *m = cpu_models; m->name; m++)
        if (!strcmp(m->name, name)) {
            *p = of_model(m);
            return true;
        }
    return false;
}

static char same_class(char c)
{
    return c == '.' || c == '_' ? '-' : c;
}

static bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (same_class(*a) != same_class(*b))
            return false;
    return *a == *b;
}

enum processor_change processor_change(struct processor *p, const char *feature, bool on)
{
    for (unsigned i = 0; i < ARRAY_LEN(aliases); i++)
        if (same_name(aliases[i].name, feature))
            feature = aliases[i].means;
    for (unsigned f = FEAT_NONE + 1; f < NR_FEATURES; f++) {
        if (!same_name(cpu_feature_names[f], feature))
            continue;
        if (!(cpu_features_there() & BIT(f)))
            return on ? PROCESSOR_NOT_THERE : PROCESSOR_CHANGED;
        p->features = on ? p->features | BIT(f) : p->features & ~BIT(f);
        return PROCESSOR_CHANGED;
    }
    return PROCESSOR_NO_FEATURE;
}

const char *processor_model_name(unsigned i, const char **what)
{
    *what = cpu_models[i].what;
    return cpu_models[i].name;
}

const char *processor_feature_name(unsigned i)
{
    return i + 1 < NR_FEATURES ? cpu_feature_names[i + 1] : NULL;
}

/* By their names, since numbers change when a feature is added to the list. */
u64 processor_features_digest(const struct processor *p)
{
    u64 sum = 0;

    for (unsigned f = FEAT_NONE + 1; f < NR_FEATURES; f++)
        if (p->features & BIT(f)) /* whatever the order */
            sum ^= state_hash_bytes(0, cpu_feature_names[f], strlen(cpu_feature_names[f]));
    return sum;
}

bool processor_host_lacks(const struct processor *p, char *names, size_t cap)
{
    u64 lacks = cpu_features_host_lacks(p->features);
    size_t n = 0;

    *names = 0;
    for (unsigned f = FEAT_NONE + 1; f < NR_FEATURES; f++)
        if ((lacks & BIT(f)) && n < cap)
            n += (size_t)snprintf(names + n, cap - n, "%s%s", n ? " " : "", cpu_feature_names[f]);
    return lacks != 0;
}
