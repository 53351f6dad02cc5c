/*
 * The life of a device, in four calls.
 */
#include "core/dev.h"

int dev_init(struct dev *d, const struct dev_class *class, const struct dev_env *env,
             const void *cfg, char err[160])
{
    d->class = class;
    d->env = *env;
    return class->init ? class->init(d, cfg, err) : 0;
}

void dev_reset(struct dev *d, enum reset_kind kind)
{
    if (d->class->reset)
        d->class->reset(d, kind);
}

int dev_check(const struct dev *d, char err[160])
{
    return d->class->check ? d->class->check(d, err) : 0;
}

void dev_loaded(struct dev *d)
{
    if (d->class->loaded)
        d->class->loaded(d);
}

void dev_fini(struct dev *d)
{
    if (d->class->fini)
        d->class->fini(d);
}
