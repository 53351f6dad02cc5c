/*
 * -cpu MODEL[,+feature][,-feature][,feature=on|off], in QEMU's words, and -seed.
 */
#include "host/option_parser.h"
#include "host/option_text.h"
#include <stdlib.h>

enum { MAX_NAMES = 80 };

/* Properties of QEMU's models that are on or off, and no CPUID bits. */
static const char *const properties[] = { "check", "enforce", "host-phys-bits", "migratable" };

/* Models of QEMU's that scripts name, and what comes nearest. */
static const struct { const char *begin, *model; } stand_ins[] = {
    {"host", "max"},     {"kvm64", "qemu64"},     {"base", "qemu64"},    {"core2duo", "qemu64"},
    {"Conroe", "qemu64"}, {"Penryn", "qemu64"},   {"phenom", "qemu64"},  {"Opteron", "qemu64"},
    {"Nehalem", "x86-64-v2"}, {"Westmere", "x86-64-v2"}, {"Denverton", "x86-64-v2"},
    {"SandyBridge", "max"}, {"IvyBridge", "max"}, {"Haswell", "max"},    {"Broadwell", "max"},
    {"Skylake", "max"},  {"Cascadelake", "max"},  {"Cooperlake", "max"}, {"Icelake", "max"},
    {"SapphireRapids", "max"}, {"Snowridge", "max"}, {"EPYC", "max"},    {"Dhyana", "max"},
    {"x86-64-v3", "max"}, {"x86-64-v4", "max"},   {"x86-64-v1", "qemu64"}, {"x86-64", "qemu64"},
};

static void list(FILE *out)
{
    const char *name, *what;
    unsigned column = 80;
    fprintf(out, "Available CPUs:\n");
    for (unsigned i = 0; (name = processor_model_name(i, &what)) != NULL; i++)
        fprintf(out, "x86 %-14s %s\n", name, what);
    fprintf(out, "\nRecognized CPUID flags:");
    for (unsigned i = 0; (name = processor_feature_name(i)) != NULL; i++) {
        column += (unsigned)strlen(name) + 1;
        if (column > 78) {
            fprintf(out, "\n ");
            column = 2 + (unsigned)strlen(name);
        }
        fprintf(out, " %s", name);
    }
    fprintf(out, "\n");
}

static bool choose_model(struct option_parser *p, const char *name)
{
    struct processor *cpu = &p->o->processor;
    const char *names[MAX_NAMES], *what, *near;
    unsigned nr = 0;
    if (processor_model(cpu, name))
        return true;
    for (unsigned i = 0; i < ARRAY_LEN(stand_ins); i++)
        if (!strncmp(name, stand_ins[i].begin, strlen(stand_ins[i].begin)) &&
            processor_model(cpu, stand_ins[i].model))
            return option_note(p, "%s is not there, and no run depends on the host; %s comes "
                                  "nearest", name, cpu->model);
    while (nr < MAX_NAMES && (names[nr] = processor_model_name(nr, &what)) != NULL)
        nr++;
    near = option_nearest(name, names, nr);
    if (near)
        return option_fail(p, "no model '%s'; did you mean %s?", name, near);
    return option_fail(p, "no model '%s'; -cpu help lists them", name);
}

static bool change(struct option_parser *p, const char *name, bool on)
{
    const char *names[MAX_NAMES], *near;
    unsigned nr = 0;
    for (unsigned i = 0; i < ARRAY_LEN(properties); i++)
        if (!strcmp(name, properties[i]))
            return option_note(p, "%s has no effect here", name);
    switch (processor_change(&p->o->processor, name, on)) {
    case PROCESSOR_CHANGED: return true;
    case PROCESSOR_NOT_THERE:
        return option_note(p, "%s is not there yet, and CPUID says so", name);
    case PROCESSOR_NO_FEATURE: break;
    }
    while (nr < MAX_NAMES && (names[nr] = processor_feature_name(nr)) != NULL)
        nr++;
    near = option_nearest(name, names, nr);
    if (near)
        return option_fail(p, "no feature '%s'; did you mean %s?", name, near);
    if (!on)
        return true; /* what is not known is not there */
    return option_fail(p, "no feature '%s'; -cpu help lists them", name);
}

bool opt_cpu(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    const char *whole = arg;
    bool good = true;
    char *item;
    if (!strcmp(arg, "?") || !strcmp(arg, "help")) {
        list(p->out);
        return p->done = true;
    }
    if (!*arg || *arg == ',')
        return option_fail(p, "needs a model, such as max");
    for (bool first = true; good && (item = option_next_item(&arg)); first = false) {
        char *value = option_split_value(item);
        if (first)
            good = choose_model(p, item);
        else if (*item == '+' || *item == '-')
            good = change(p, item + 1, *item == '+');
        else if (!value || !strcmp(value, "on") || !strcmp(value, "off"))
            good = change(p, item, !value || !strcmp(value, "on"));
        else
            option_note(p, "%s=%s has no effect here", item, value);
        free(item);
    }
    p->o->cpu = option_keep(p, whole);
    return good;
}

bool opt_seed(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    if (!option_u64(arg, &p->o->seed))
        return option_fail(p, "%s: a number", arg);
    return true;
}
