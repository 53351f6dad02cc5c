/*
 * Diagnostics: names of -d, guest errors and missing functions, counted per site.
 */
#include "core/log.h"
#include <ctype.h>
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

/* ---- names ---- */

#define ALL                                                                                        \
    (LOG_INT | LOG_EXEC | LOG_IN_ASM | LOG_CPU | LOG_CPU_RESET | LOG_GUEST_ERRORS | LOG_UNIMP |    \
     LOG_PCALL | LOG_MMU)
#define NO_TRANSLATOR "no effect: the translator goes from guest to host code at once; try out_asm"
#define USER_MODE     "no effect: it belongs to QEMU's emulation of one process"

const struct log_name log_names[] = {
    { "int", LOG_INT, NULL, "exceptions, and interrupts in protected mode, with the registers" },
    { "exec", LOG_EXEC, NULL, "each block of code as it is entered" },
    { "in_asm", LOG_IN_ASM, NULL, "the instructions of each block when it first runs" },
    { "out_asm", LOG_OUT_ASM, NULL, "-accel jit: host code of each translation, beside the guest's" },
    { "cpu", LOG_CPU, NULL, "the registers before each block" },
    { "pcall", LOG_PCALL, NULL, "far calls, far returns and IRETs in protected mode" },
    { "mmu", LOG_MMU, NULL, "writes to CR0, CR3 and CR4; A20; what enters and leaves the TLB" },
    { "cpu_reset", LOG_CPU_RESET, NULL, "the registers before each reset; triple faults" },
    { "guest_errors", LOG_GUEST_ERRORS, NULL, "what the guest does that manuals forbid" },
    { "unimp", LOG_UNIMP, NULL, "what the guest wants and is not there, each time" },
    { "invalid_mem", 0, "bus_unclaimed", "ports and addresses that nothing answers" },
    { "all", ALL, NULL, "all of these but out_asm and invalid_mem" },
    { "nochain", 0, NULL, "no effect: exec and cpu show every block in any case" },
    { "op", 0, NULL, NO_TRANSLATOR },
    { "op_opt", 0, NULL, NO_TRANSLATOR },
    { "op_ind", 0, NULL, NO_TRANSLATOR },
    { "op_plugin", 0, NULL, NO_TRANSLATOR },
    { "fpu", 0, NULL, "no effect: there are no x87 and SSE registers yet to show" },
    { "vpu", 0, NULL, "no effect: there are no vector registers yet to show" },
    { "page", 0, NULL, USER_MODE "; try mmu, or the monitor's info mem" },
    { "strace", 0, NULL, USER_MODE "; try int" },
    { "plugin", 0, NULL, "no effect: there are no plugins; try kiln trace" },
    { "tid", 0, NULL, "no effect: there is one thread, so one file" },
};
const unsigned nr_log_names = ARRAY_LEN(log_names);

const struct log_name *log_name_find(const char *name)
{
    for (unsigned i = 0; i < nr_log_names; i++)
        if (!strcmp(log_names[i].name, name))
            return &log_names[i];
    return NULL;
}

void log_print_names(FILE *f)
{
    fprintf(f, "Log items (comma separated):\n");
    for (unsigned i = 0; i < nr_log_names; i++)
        fprintf(f, "%-15s %s\n", log_names[i].name, log_names[i].help);
    fprintf(f, "%-15s %s\n", "trace:PATTERN", "device events; trace:help lists them");
}

bool log_range_parse(const char *text, struct log_range *r)
{
    char *end, sign;
    u64 a, b;

    if (!isdigit((u8)*text))
        return false;
    a = strtoull(text, &end, 0);
    sign = *end++;
    if (sign == '.' && *end == '.')
        end++;
    else if (sign != '+' && sign != '-')
        return false;
    text = end;
    if (!isdigit((u8)*text))
        return false;
    b = strtoull(text, &end, 0);
    if (*end || (sign != '.' && !b))
        return false;
    r->first = sign == '-' ? a - (b - 1) : a;
    r->last = sign == '-' ? a : sign == '+' ? a + (b - 1) : b;
    return r->first <= r->last;
}

/* ---- messages ---- */

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
