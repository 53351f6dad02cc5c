/*
 * Expressions that monitor commands take: signed 64-bit numbers, $rax and other registers, 'c',
 * operators with QEMU's priorities: * / %, then & | ^, then + -.
 */
#include "host/monitor_commands.h"
#include "machine/debug.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

enum { DEPTH_MAX = 64 };

struct parser {
    struct machine *m;
    const char *p, *why;
    unsigned depth;
};

static u64 sum(struct parser *x);

static u64 fail(struct parser *x, const char *why)
{
    if (!x->why)
        x->why = why;
    return 0;
}

static char next(struct parser *x)
{
    while (isspace((u8)*x->p))
        x->p++;
    return *x->p;
}

static u64 number(struct parser *x)
{
    char *end;
    u64 v;

    if (!isdigit((u8)*x->p))
        return fail(x, *x->p ? "invalid char in expression" : "unexpected end of expression");
    errno = 0;
    v = strtoull(x->p, &end, 0);
    if (errno == ERANGE)
        return fail(x, "number too large");
    x->p = end;
    return v;
}

static u64 reg(struct parser *x)
{
    const char *name = ++x->p;
    size_t len = 0;
    u64 v;

    while (isalnum((u8)name[len]) || name[len] == '_')
        len++;
    x->p += len;
    return len && machine_reg_by_name(x->m, name, len, &v) ? v : fail(x, "unknown register");
}

static u64 unary(struct parser *x)
{
    u64 v;

    if (++x->depth > DEPTH_MAX)
        return fail(x, "expression too deep");
    switch (next(x)) {
    case '+':
        x->p++;
        v = unary(x);
        break;
    case '-':
        x->p++;
        v = -unary(x);
        break;
    case '~':
        x->p++;
        v = ~unary(x);
        break;
    case '(':
        x->p++;
        v = sum(x);
        if (next(x) != ')')
            return fail(x, "')' expected");
        x->p++;
        break;
    case '$': v = reg(x); break;
    case '\'':
        if (!x->p[1] || x->p[2] != '\'')
            return fail(x, "character constant expected");
        v = (u8)x->p[1];
        x->p += 3;
        break;
    default: v = number(x); break;
    }
    x->depth--;
    return v;
}

static u64 product(struct parser *x)
{
    u64 v = unary(x);

    for (char op; !x->why && ((op = next(x)) == '*' || op == '/' || op == '%');) {
        u64 w;

        x->p++;
        w = unary(x);
        if (op == '*')
            v *= w;
        else if (w == 0)
            return fail(x, "division by zero");
        else if (w == ~0ull) /* by -1: the one division that can overflow */
            v = op == '/' ? -v : 0;
        else
            v = (u64)(op == '/' ? (i64)v / (i64)w : (i64)v % (i64)w);
    }
    return v;
}

static u64 logical(struct parser *x)
{
    u64 v = product(x);

    for (char op; !x->why && ((op = next(x)) == '&' || op == '|' || op == '^');) {
        u64 w;

        x->p++;
        w = product(x);
        v = op == '&' ? v & w : op == '|' ? v | w : v ^ w;
    }
    return v;
}

static u64 sum(struct parser *x)
{
    u64 v = logical(x);

    for (char op; !x->why && ((op = next(x)) == '+' || op == '-');) {
        u64 w;

        x->p++;
        w = logical(x);
        v = op == '+' ? v + w : v - w;
    }
    return v;
}

bool monitor_expression(struct machine *m, const char **args, u64 *value, const char **why)
{
    struct parser x = {.m = m, .p = *args};

    *value = sum(&x);
    next(&x);
    *args = x.p;
    *why = x.why;
    return !x.why;
}
