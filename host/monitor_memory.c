/*
 * Monitor commands that look at memory and numbers: x, xp, print. Formats are QEMU's.
 */
#include "host/monitor_commands.h"
#include "machine/debug.h"
#include "machine/inspect.h"
#include <ctype.h>
#include <inttypes.h>

struct format {
    u64 count;
    char kind; /* x d u o c i */
    unsigned size;
};

/* "/10xw": a count, a kind, a size, the latter two in any order. */
static bool take_format(const char **args, struct format *f)
{
    const char *p = *args;

    *f = (struct format){1, 'x', 4};
    if (*p != '/')
        return true;
    p++;
    if (isdigit((u8)*p))
        for (f->count = 0; isdigit((u8)*p); p++)
            f->count = f->count < 1000000 ? f->count * 10 + (u64)(*p - '0') : f->count;
    for (; *p && !isspace((u8)*p); p++) {
        if (strchr("xduoci", *p))
            f->kind = *p;
        else if (strchr("bhwg", *p))
            f->size = *p == 'b' ? 1 : *p == 'h' ? 2 : *p == 'w' ? 4 : 8;
        else
            return false;
    }
    while (isspace((u8)*p))
        p++;
    *args = p;
    return true;
}

static void put_char(FILE *out, u8 c)
{
    static const struct {
        u8 c;
        const char *text;
    } named[] = {{'\'', "\\'"}, {'\\', "\\\\"}, {'\n', "\\n"}, {'\r', "\\r"}};

    for (unsigned i = 0; i < ARRAY_LEN(named); i++)
        if (named[i].c == c) {
            fprintf(out, "'%s'", named[i].text);
            return;
        }
    if (c >= 32 && c <= 126)
        fprintf(out, "'%c'", c);
    else
        fprintf(out, "'\\x%02x'", c);
}

static void put_value(FILE *out, u64 v, const struct format *f)
{
    unsigned bits = 8 * f->size, decimal = (bits * 10 + 32) / 33;
    i64 sign = (i64)(v << (64 - bits)) >> (64 - bits);

    switch (f->kind) {
    case 'o': fprintf(out, "%#*" PRIo64, (int)(bits + 2) / 3, v); break;
    case 'u': fprintf(out, "%*" PRIu64, (int)decimal, v); break;
    case 'd': fprintf(out, "%*" PRId64, (int)decimal, sign); break;
    case 'c': put_char(out, (u8)v); break;
    default: fprintf(out, "0x%0*" PRIx64, (int)bits / 4, v); break;
    }
}

static void dump(const struct monitor_call *c, struct format f, u64 at, bool physical)
{
    unsigned in_line;

    if (f.kind == 'c')
        f.size = 1;
    in_line = f.kind == 'c' ? 8 : f.size == 1 ? 8 : 16 / f.size;
    while (f.count) {
        u8 bytes[16];
        unsigned n = f.count < in_line ? (unsigned)f.count : in_line, len = n * f.size;
        u64 got = physical ? machine_peek_phys(c->m, at, bytes, len)
                           : machine_read_linear(c->m, at, bytes, len);

        fprintf(c->out, "%016" PRIx64 ":", at);
        if (got < len) {
            fprintf(c->out, " Cannot access memory\n");
            return;
        }
        for (unsigned i = 0; i < n; i++) {
            fputc(' ', c->out);
            put_value(c->out, load_le(bytes + i * f.size, f.size), &f);
        }
        fputc('\n', c->out);
        f.count -= n;
        at += len;
    }
}

/* The format and the expression, which must be all. */
static bool take_all(const struct monitor_call *c, struct format *f, u64 *value)
{
    const char *args = c->args, *why;

    if (!take_format(&args, f)) {
        fprintf(c->out, "invalid char in format: '%s'\n", args);
        return false;
    }
    if (!monitor_expression(c->m, &args, value, &why)) {
        fprintf(c->out, "%s\n", why);
        return false;
    }
    if (*args) {
        fprintf(c->out, "extraneous characters at the end of line: '%s'\n", args);
        return false;
    }
    return true;
}

static void examine(const struct monitor_call *c, bool physical)
{
    struct format f;
    u64 at;

    if (!take_all(c, &f, &at))
        return;
    if (f.kind == 'i')
        inspect_code(c->m, c->out, at, physical, f.count);
    else
        dump(c, f, at, physical);
}

static void do_x(const struct monitor_call *c)
{
    examine(c, false);
}
static void do_xp(const struct monitor_call *c)
{
    examine(c, true);
}

static void do_print(const struct monitor_call *c)
{
    struct format f;
    u64 v;

    if (!take_all(c, &f, &v))
        return;
    switch (f.kind) {
    case 'o': fprintf(c->out, "%#" PRIo64 "\n", v); break;
    case 'u': fprintf(c->out, "%" PRIu64 "\n", v); break;
    case 'd': fprintf(c->out, "%" PRId64 "\n", (i64)v); break;
    case 'c':
        put_char(c->out, (u8)v);
        fputc('\n', c->out);
        break;
    default: fprintf(c->out, "%#" PRIx64 "\n", v); break;
    }
}

static void do_translate(const struct monitor_call *c)
{
    const char *args = c->args, *why;
    u64 lin, pa;

    if (!monitor_expression(c->m, &args, &lin, &why))
        fprintf(c->out, "%s\n", why);
    else if (machine_linear_to_phys(c->m, lin, &pa))
        fprintf(c->out, "gpa: %#" PRIx64 "\n", pa);
    else
        fprintf(c->out, "Unmapped\n");
}

const struct monitor_command monitor_memory_commands[] = {
    {"x", "/fmt addr", "linear memory: count, x d u o c i, b h w g; as x/8xw $rsp", do_x},
    {"xp", "/fmt addr", "physical memory", do_xp},
    {"print|p", "/fmt expr", "value of an expression of numbers and $registers", do_print},
    {"gva2gpa", "addr", "physical address of a linear one", do_translate},
    {NULL, NULL, NULL, NULL},
};
