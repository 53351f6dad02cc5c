/*
 * The parts of an input log, behind the head of machine/identity.h.
 *
 *     head    text, ends with the line "sum ..."
 *     block   header, payload;  SETUP first, then EVENTS blocks, END last
 *
 *     header  0  u32  "KB" and the kind << 16
 *             4  u32  payload's length
 *             8  u64  sum: XXH64 over kind, length and payload, seeded with the sum before it
 *                     (of the first block: the XXH64 of the head)
 *
 *     SETUP   number of arguments; each: length, bytes; 0 or 1, then 256 bytes of NVRAM; u64 hash
 *             of the machine at power-on
 *     EVENTS  each: kind + 1, point, code, value, extra; then 0, point, u64 hash of the processor
 *     END     point, exit status, u64 hash of the machine
 *
 * Numbers without a width are varints: seven bits a byte, low ones first, bit 7 says that more
 * follow. value and extra are zigzagged. A point is two numbers: instructions and charged ticks
 * since the point before it.
 */
#ifndef MACHINE_RECORD_FORMAT_H
#define MACHINE_RECORD_FORMAT_H

#include "core/state.h"

enum record_block { BLOCK_SETUP = 1, BLOCK_EVENTS = 2, BLOCK_END = 3 };
enum { BLOCK_HEADER = 16, BLOCK_MAGIC = 0x424b, BLOCK_MOST = 1 << 24, ARGS_MOST = 256 };

static inline u64 block_sum(u64 seed, u32 kind, const u8 *payload, u32 len)
{
    u8 head[8];

    store_le(head, kind, 4);
    store_le(head + 4, len, 4);
    return state_hash_bytes(state_hash_bytes(seed, head, sizeof(head)), payload, len);
}

static inline u64 zigzag(i64 v)
{
    return (u64)v << 1 ^ (u64)(v >> 63);
}

static inline i64 unzigzag(u64 v)
{
    return (i64)(v >> 1 ^ -(v & 1));
}

#endif
