/*
 * Right sums for altered logs.
 */
#include "tests/replay/log_sums.h"
#include "machine/record_format.h"
#include <inttypes.h>
#include <stdio.h>

enum { SUM_LINE = 21 }; /* "sum ", 16 digits, a line's end */

size_t log_head_length(const u8 *log, size_t len)
{
    for (size_t i = 0; i + 5 < len; i++)
        if (!memcmp(log + i, "\nsum ", 5)) {
            const u8 *end = memchr(log + i + 1, '\n', len - i - 1);

            return end ? (size_t)(end + 1 - log) : 0;
        }
    return 0;
}

void log_set_sums(u8 *log, size_t len)
{
    size_t head = log_head_length(log, len), at = head;
    char line[SUM_LINE + 1];
    u64 sum;

    if (head < SUM_LINE + 1)
        return;
    snprintf(line, sizeof(line), "sum %016" PRIx64 "\n", state_hash_bytes(0, log, head - SUM_LINE));
    memcpy(log + head - SUM_LINE, line, SUM_LINE);
    sum = state_hash_bytes(0, log, head);
    while (len - at >= BLOCK_HEADER) {
        u64 size = load_le(log + at + 4, 4);

        if (size > len - at - BLOCK_HEADER)
            return;
        sum = block_sum(sum, (u32)load_le(log + at, 4) >> 16, log + at + BLOCK_HEADER, (u32)size);
        store_le(log + at + 8, sum, 8);
        at += BLOCK_HEADER + size;
    }
}
