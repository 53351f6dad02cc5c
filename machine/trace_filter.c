/*
 * The words of --from, --to and --filter.
 */
#include "machine/trace_filter.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* An instruction count: digits, with K, M or G for thousands, millions, milliards. */
static bool parse_count(const char *s, u64 *v)
{
    static const char suffixes[] = "KMG";
    const char *suffix;
    char *end;

    if (!isdigit((unsigned char)*s))
        return false;
    *v = strtoull(s, &end, 10);
    if (!*end)
        return true;
    suffix = strchr(suffixes, toupper((unsigned char)*end));
    if (!suffix || end[1])
        return false;
    for (const char *p = suffixes; p <= suffix; p++)
        *v *= 1000;
    return true;
}

static bool parse_hex(const char *s, size_t len, u64 *v)
{
    char *end;

    if (len < 3 || s[0] != '0' || tolower((unsigned char)s[1]) != 'x')
        return false;
    *v = strtoull(s, &end, 16);
    return end == s + len;
}

/* "N[=V]", behind "port:"; decimal or 0x. */
static bool parse_port(const char *s, struct trace_point *p)
{
    char *end;
    u64 port = strtoull(s, &end, 0);

    if (!isdigit((unsigned char)*s) || port > 0xffff || (*end && *end != '='))
        return false;
    p->kind = POINT_PORT;
    p->port = (u16)port;
    p->any_value = !*end;
    if (!*end)
        return true;
    s = end + 1;
    p->value = strtoull(s, &end, 0);
    return isdigit((unsigned char)*s) && !*end && p->value <= 0xffffffff;
}

static int parse_point(struct trace_point *p, const char *option, const char *word,
                       const struct symbols *symbols, char *err, size_t err_len)
{
    u64 len;

    *p = (struct trace_point){.kind = POINT_NONE};
    if (!word)
        return 0;
    if (!strncmp(word, "port:", 5)) {
        if (parse_port(word + 5, p))
            return 0;
        snprintf(err, err_len,
                 "%s %s: not a port and the value that is written to it; try port:0x80 or "
                 "port:0x80=0x41",
                 option, word);
        return -1;
    }
    if (parse_hex(word, strlen(word), &p->value)) {
        p->kind = POINT_ADDRESS;
        return 0;
    }
    if (parse_count(*word == '#' ? word + 1 : word, &p->value)) {
        p->kind = POINT_COUNT;
        return 0;
    }
    if (symbols_value(symbols, word, &p->value, &len)) {
        p->kind = POINT_ADDRESS;
        return 0;
    }
    snprintf(err, err_len,
             "%s %s: neither a count (1000, 10M) nor an address (0x7c00) nor a port (port:0x80), "
             "and no symbol of that name is known; give its ELF file with --sym",
             option, word);
    return -1;
}

static int add_range(struct trace_filter *f, u64 first, u64 last, char *err, size_t err_len)
{
    if (f->nr_ranges == FILTER_MAX_RANGES) {
        snprintf(err, err_len, "--filter: at most %u ranges", FILTER_MAX_RANGES);
        return -1;
    }
    f->range[f->nr_ranges].first = first;
    f->range[f->nr_ranges++].last = last;
    return 0;
}

/* One term: word[0] to word[len - 1]. */
static int parse_term(struct trace_filter *f, const char *word, size_t len,
                      const struct symbols *symbols, char *err, size_t err_len)
{
    const char *dash = memchr(word, '-', len);
    u64 first, last;

    if (len == 5 && !strncmp(word, "cpl=", 4) && word[4] >= '0' && word[4] <= '3') {
        f->cpl = word[4] - '0';
        return 0;
    }
    if (len > 4 && !strncmp(word, "sym=", 4)) {
        char name[256];

        snprintf(name, sizeof(name), "%.*s", (int)len - 4, word + 4);
        if (symbols_value(symbols, name, &first, &last))
            return add_range(f, first, first + last - 1, err, err_len);
        snprintf(err, err_len,
                 "--filter sym=%s: no symbol of that name is known; give its ELF file with --sym",
                 name);
        return -1;
    }
    if (parse_hex(word, len, &first))
        return add_range(f, first, first, err, err_len);
    if (dash && parse_hex(word, (size_t)(dash - word), &first) &&
        parse_hex(dash + 1, len - (size_t)(dash + 1 - word), &last) && last >= first)
        return add_range(f, first, last, err, err_len);
    snprintf(err, err_len, "--filter %.*s: not understood; try 0x7c00-0x7dff, cpl=3 or sym=main",
             (int)len, word);
    return -1;
}

int trace_filter_parse(struct trace_filter *f, const struct trace_options *o,
                       const struct symbols *symbols, char *err, size_t err_len)
{
    *f = (struct trace_filter){.cpl = -1};
    if (parse_point(&f->start, "--from", o->start, symbols, err, err_len) ||
        parse_point(&f->stop, "--to", o->stop, symbols, err, err_len))
        return -1;
    for (const char *p = o->filter; p && *p;) {
        size_t len = strcspn(p, ",");

        if (parse_term(f, p, len, symbols, err, err_len))
            return -1;
        p += len + (p[len] == ',');
    }
    return 0;
}
