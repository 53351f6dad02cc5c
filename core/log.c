/*
 * Diagnostics: log masks, guest errors and missing functions, counted per site.
 */
#include "core/log.h"
#include <stdarg.h>
#include <stdlib.h>

void assert_failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "kiln: internal error: %s:%d: %s does not hold\n", file, line, what);
    abort();
}

void log_init(struct log *l, FILE *out, u32 mask)
{
    *l = (struct log){ .out = out, .mask = mask };
}

void log_fini(struct log *l)
{
    for (u32 i = 0; i < l->nr_sites; i++)
        free(l->sites[i].first);
    free(l->sites);
    l->sites = NULL;
    l->nr_sites = l->cap_sites = 0;
}

const char *log_parse_mask(const char *list, u32 *mask)
{
    static const struct {
        const char *name;
        u32 item;
    } items[] = {
        { "int", LOG_INT },         { "exec", LOG_EXEC },
        { "in_asm", LOG_IN_ASM },   { "cpu", LOG_CPU },
        { "unimp", LOG_UNIMP },     { "cpu_reset", LOG_CPU_RESET },
        { "guest_errors", LOG_GUEST_ERRORS },
    };

    for (const char *p = list; *p;) {
        size_t n = strcspn(p, ","), i;

        for (i = 0; i < ARRAY_LEN(items); i++)
            if (strlen(items[i].name) == n && !strncmp(items[i].name, p, n))
                break;
        if (i == ARRAY_LEN(items))
            return p;
        *mask |= items[i].item;
        p += n + (p[n] == ',');
    }
    return NULL;
}

void log_printf(struct log *l, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vfprintf(l->out, format, ap);
    va_end(ap);
}

/* The site of a format string, made at its first use. NULL: the host has no memory. */
static struct log_site *site_of(struct log *l, const char *format, enum log_kind kind, va_list ap)
{
    struct log_site *s;
    char text[256];

    for (u32 i = 0; i < l->nr_sites; i++)
        if (l->sites[i].format == format)
            return &l->sites[i];
    if (l->nr_sites == l->cap_sites) {
        u32 cap = l->cap_sites ? 2 * l->cap_sites : 16;
        struct log_site *more = realloc(l->sites, cap * sizeof(*more));

        if (!more)
            return NULL;
        l->sites = more;
        l->cap_sites = cap;
    }
    vsnprintf(text, sizeof(text), format, ap);
    s = &l->sites[l->nr_sites++];
    *s = (struct log_site){ format, strdup(text), 0, kind };
    return s;
}

void guest_error(struct log *l, const char *format, ...)
{
    struct log_site *s;
    va_list ap;

    va_start(ap, format);
    s = site_of(l, format, LOG_KIND_GUEST_ERROR, ap);
    va_end(ap);
    if (s)
        s->count++;
    if (log_on(l, LOG_GUEST_ERRORS)) {
        va_start(ap, format);
        vfprintf(l->out, format, ap);
        va_end(ap);
        fputc('\n', l->out);
    }
}

void unimplemented(struct log *l, const char *format, ...)
{
    struct log_site *s;
    va_list ap;

    va_start(ap, format);
    s = site_of(l, format, LOG_KIND_UNIMPLEMENTED, ap);
    va_end(ap);
    if (s && s->count++ == 0)
        fprintf(l->out, "kiln: not there yet: %s\n", s->first);
    else if (log_on(l, LOG_UNIMP)) {
        va_start(ap, format);
        vfprintf(l->out, format, ap);
        va_end(ap);
        fputc('\n', l->out);
    }
}
