/*
 * -accel: the engine and how it is to run; lock step of two.
 *
 *     interp[,KEY=VALUE ..] | jit[,KEY=VALUE ..] | lockstep[,interp|,jit][,KEY=VALUE ..]
 */
#include "host/option_parser.h"
#include "host/option_text.h"
#include <stdlib.h>

/* ---- a fault on purpose ---- */

static bool register_number(const char *name, u64 *n)
{
    static const char *const names[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                        "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

    for (*n = 0; *n < ARRAY_LEN(names); (*n)++)
        if (!strcmp(names[*n], name))
            return true;
    return false;
}

/* "ICOUNT:rbx" or "ICOUNT:0x5000", a physical address. */
static bool plant(struct lockstep_options *l, char *text)
{
    char *where = strchr(text, ':');

    if (!strcmp(text, "none")) {
        l->plant = PLANT_NOTHING;
        return true;
    }
    if (!where)
        return false;
    *where++ = 0;
    l->plant = register_number(where, &l->plant_where) ? PLANT_REGISTER : PLANT_MEMORY;
    return option_count(text, &l->plant_icount) &&
           (l->plant == PLANT_REGISTER || option_u64(where, &l->plant_where));
}

/* ---- the keys ---- */

/* Of the table below, whose rows are at these numbers. ORDER: lockstep_keys. */
enum { KEY_BLOCKS, KEY_EVERY, KEY_HASH, KEY_PLANT, KEY_SAVE };
static const struct {
    const char *name, *what;
} lockstep_keys[] = {
    [KEY_BLOCKS] = {"blocks", "N"},
    [KEY_EVERY] = {"every", "N"},
    [KEY_HASH] = {"hash", "on|off"},
    [KEY_PLANT] = {"plant", "ICOUNT:REGISTER|ICOUNT:ADDRESS|none"},
    [KEY_SAVE] = {"save", "FOLDER"},
};

/* Whether lock step has the key, and takes the value. */
static bool lockstep_key(struct option_parser *p, const char *name, char *value)
{
    struct lockstep_options *l = &p->o->lockstep;
    unsigned key = 0;

    while (key < ARRAY_LEN(lockstep_keys) && strcmp(lockstep_keys[key].name, name))
        key++;
    switch (value ? key : ARRAY_LEN(lockstep_keys)) {
    case KEY_BLOCKS: return option_count(value, &l->blocks);
    case KEY_EVERY: return option_count(value, &l->every) && l->every;
    case KEY_HASH: return option_bool(value, &l->hash);
    case KEY_PLANT: return plant(l, value);
    case KEY_SAVE: l->save = option_keep(p, value); return true;
    }
    return false;
}

static bool bad_key(struct option_parser *p, const char *accel, const char *item)
{
    char text[300] = "";
    size_t n = 0;

    for (unsigned i = 0; p->o->lockstep.on && i < ARRAY_LEN(lockstep_keys); i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, ", %s=%s", lockstep_keys[i].name, lockstep_keys[i].what);
    return option_fail(p, "-accel %s has no '%s'; it takes %scache=MiB (1 to 1024), hot=N, block=N, tlb=N (%d to %d), "
                          "check=on, perf=on, gdb=on%s", accel, item, p->o->lockstep.on ? "interp, jit, " : "", TLB_CAPACITY_MIN,
                       TLB_CAPACITY_MAX, text);
}

static bool accel_keys(struct option_parser *p, const char *accel, const char *list)
{
    bool good = true;
    char *item;

    while (good && (item = option_next_item(&list))) {
        char *whole = option_keep(p, item), *value = option_split_value(item);

        if (p->o->lockstep.on && (!strcmp(whole, "jit") || !strcmp(whole, "interp")))
            p->o->engine = whole;
        else
            good = engine_option(&p->o->engine_options, &p->o->tlb_capacity, item, value) ||
                   (p->o->lockstep.on && lockstep_key(p, item, value)) || bad_key(p, accel, whole);
        free(item);
    }
    return good;
}

bool option_accel(struct option_parser *p, const char *arg)
{
    static const struct {
        const char *name, *engine;
        bool lockstep;
    } accels[] = {
        {"interp", "interp", false},
        {"jit", "jit", false},
        {"tcg", "jit", false},
        {"lockstep", "jit", true},
    };
    static const char *const hypervisors[] = {"kvm", "hvf", "whpx", "xen", "nvmm"};
    size_t n = strcspn(arg, ",:");

    for (unsigned i = 0; i < ARRAY_LEN(accels); i++) {
        if (strlen(accels[i].name) != n || strncmp(arg, accels[i].name, n))
            continue;
        p->o->engine = accels[i].engine;
        p->o->lockstep.on = accels[i].lockstep;
        p->o->accel = option_keep(p, arg);
        return !arg[n] || accel_keys(p, accels[i].name, arg + n + 1);
    }
    for (unsigned i = 0; i < ARRAY_LEN(hypervisors); i++)
        if (strlen(hypervisors[i]) == n && !strncmp(arg, hypervisors[i], n))
            return option_note(p, "%s is not used; %s runs the guest", hypervisors[i], p->o->engine);
    return option_fail(p, "no accelerator '%s'; try -accel jit or -accel interp", arg);
}

bool opt_accel(struct option_parser *p, const struct option_row *row, const char *arg)
{
    (void)row;
    return option_accel(p, arg);
}
