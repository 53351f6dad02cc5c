/* Exceptions and their error codes in words. SDM 3A 6.3.1, 6.13, 4.7. */
#ifndef MACHINE_EVENT_WORDS_H
#define MACHINE_EVENT_WORDS_H

#include "core/types.h"

/* "#GP" for 13; "INT" for what is no exception. */
const char *vector_short_name(unsigned vector);
/* "general protection" for 13; "" for what is no exception. */
const char *vector_long_name(unsigned vector);

/* The error code of a vector as words joined by sep: "not present, write, user" for #PF,
 * "IDT entry 8, external" for the codes that name a selector, "" for 0 of those. */
void error_code_words(char *out, size_t cap, unsigned vector, u32 error, const char *sep);

/* "rm16", "pm32", "lm64" ...: docs/TRACE.md has the list. Always four letters. */
const char *mode_name(u32 mode);

#endif
