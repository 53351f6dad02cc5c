/*
 * The small grammars inside option arguments: key=value lists with QEMU's doubled commas, sizes,
 * numbers, dates; and the nearest word for a misspelt one.
 */
#ifndef HOST_OPTION_TEXT_H
#define HOST_OPTION_TEXT_H

#include "core/types.h"

/* Cuts the next item off a list such as "file=a,,b.img,index=1" and moves *list behind it.
 * Returns the item, to be freed by the caller, with ",," made ","; NULL at the end. */
char *option_next_item(const char **list);

/* Splits "key=value" in place; the value is NULL when there is no '='. */
char *option_split_value(char *item);

/* Decimal or 0x. False unless the whole text is a number. */
bool option_u64(const char *text, u64 *out);

/* Things that are counted in tens: "1000000", "1M", "1G". */
bool option_count(const char *text, u64 *out);

/* Bytes: "512" in units of default_unit, or with a suffix K, M, G or T. */
bool option_size(const char *text, u64 default_unit, u64 *out);

/* Seconds, not negative, such as "1.5". */
bool option_seconds(const char *text, double *out);

/* "2006-06-17" or "2006-06-17T16:01:21", as UTC, to seconds since 1970. */
bool option_date(const char *text, u64 *out);

/* on, yes, true, 1 / off, no, false, 0. */
bool option_bool(const char *text, bool *out);

/* Restricted Damerau-Levenshtein: insertions, deletions, replacements, swapped neighbours. */
unsigned option_edit_distance(const char *a, const char *b);

#endif
