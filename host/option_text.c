/*
 * The small grammars inside option arguments; see option_text.h. Nothing here prints.
 */
#include "host/option_text.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

char *option_next_item(const char **list)
{
    const char *p = *list;
    if (!p)
        return NULL;
    char *item = malloc(strlen(p) + 1);
    if (!item)
        abort();
    size_t n = 0;
    for (; *p; p++) {
        if (*p == ',') {
            if (p[1] != ',')
                break;
            p++;
        }
        item[n++] = *p;
    }
    item[n] = 0;
    *list = *p ? p + 1 : NULL;
    return item;
}

char *option_split_value(char *item)
{
    char *eq = strchr(item, '=');
    if (!eq)
        return NULL;
    *eq = 0;
    return eq + 1;
}

bool option_u64(const char *text, u64 *out)
{
    if (!text || text[0] < '0' || text[0] > '9')
        return false;
    char *end;
    errno = 0;
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    *out = strtoull(text, &end, hex ? 16 : 10);
    return errno == 0 && *end == 0 && (!hex || text[2]);
}

bool option_count(const char *text, u64 *out)
{
    u64 unit = 1, n;
    size_t len = strlen(text);
    char number[32];
    if (len == 0 || len >= sizeof(number))
        return false;
    memcpy(number, text, len + 1);
    char last = number[len - 1];
    unit = last == 'K' ? 1000 : last == 'M' ? 1000000 : last == 'G' ? 1000000000 : 1;
    if (unit > 1)
        number[len - 1] = 0;
    if (!option_u64(number, &n) || __builtin_mul_overflow(n, unit, &n))
        return false;
    *out = n;
    return true;
}

bool option_size(const char *text, u64 default_unit, u64 *out)
{
    static const char suffixes[] = "BKMGT";
    char number[32];
    size_t len = text ? strlen(text) : 0;
    if (len == 0 || len >= sizeof(number))
        return false;
    memcpy(number, text, len + 1);
    u64 unit = default_unit;
    char last = number[len - 1];
    if (last >= 'a' && last <= 'z' && !(number[1] == 'x'))
        last -= 32;
    const char *s = strchr(suffixes, last);
    if (s && number[1] != 'x') {
        unit = 1ull << (10 * (s - suffixes));
        number[len - 1] = 0;
    }
    return option_u64(number, out) && !__builtin_mul_overflow(*out, unit, out);
}

bool option_seconds(const char *text, double *out)
{
    if (!text || !strchr("0123456789.", text[0]) || !text[0] || strpbrk(text, "xXpP"))
        return false;
    char *end;
    *out = strtod(text, &end);
    return *end == 0 && *out >= 0 && *out < 1e9;
}

bool option_date(const char *text, u64 *out)
{
    struct tm tm = {0};
    int n = 0;
    if (sscanf(text, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &n) != 3)
        return false;
    if (text[n] == 'T') {
        int m = 0;
        if (sscanf(text + n, "T%2d:%2d:%2d%n", &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &m) != 3)
            return false;
        n += m;
    }
    if (text[n] || tm.tm_year < 1970 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
        tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59)
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *out = (u64)timegm(&tm);
    return true;
}

bool option_bool(const char *text, bool *out)
{
    static const char *const words[] = {"off", "on", "no", "yes", "false", "true", "0", "1"};
    for (unsigned i = 0; text && i < ARRAY_LEN(words); i++) {
        if (!strcmp(text, words[i])) {
            *out = i & 1;
            return true;
        }
    }
    return false;
}

unsigned option_edit_distance(const char *a, const char *b)
{
    enum { MAX = 40 };
    size_t la = strlen(a), lb = strlen(b);
    if (la > MAX || lb > MAX)
        return MAX;
    unsigned d[MAX + 1][MAX + 1];
    for (size_t i = 0; i <= la; i++) {
        for (size_t j = 0; j <= lb; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            unsigned best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (d[i - 1][j] + 1 < best)
                best = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < best)
                best = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    }
    return d[la][lb];
}
