/*
 * The basic vocabulary: fixed-width integers, bit helpers, ASSERT.
 * Every header of the emulator may include this one; it includes only libc.
 */
#ifndef CORE_TYPES_H
#define CORE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t i8;
typedef int16_t i16;
typedef int32_t i32;
typedef int64_t i64;

#define ARRAY_LEN(a)  (sizeof(a) / sizeof((a)[0]))
#define LIKELY(x)     __builtin_expect(!!(x), 1)
#define UNLIKELY(x)   __builtin_expect(!!(x), 0)
#define CONTAINER_OF(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))

#define BIT(n) (1ull << (n))

/* Bits hi..lo of v, shifted down. */
static inline u64 bits(u64 v, unsigned hi, unsigned lo)
{
    return (v >> lo) & (~0ull >> (63 - (hi - lo)));
}

/* All ones of size bytes (1 to 8). */
static inline u64 size_mask(unsigned size)
{
    return ~0ull >> (64 - 8 * size);
}

/* Little-endian access to untyped bytes: guest memory is never read through a cast pointer. */
static inline u64 load_le(const void *p, unsigned size)
{
    u64 v = 0;

    switch (size) { /* PERF: a copy of a size that is not known is a call, or REP MOVS */
    case 1: memcpy(&v, p, 1); break;
    case 2: memcpy(&v, p, 2); break;
    case 4: memcpy(&v, p, 4); break;
    case 8: memcpy(&v, p, 8); break;
    default: memcpy(&v, p, size);
    }
    return v;
}

static inline void store_le(void *p, u64 v, unsigned size)
{
    switch (size) {
    case 1: memcpy(p, &v, 1); break;
    case 2: memcpy(p, &v, 2); break;
    case 4: memcpy(p, &v, 4); break;
    case 8: memcpy(p, &v, 8); break;
    default: memcpy(p, &v, size);
    }
}

/* A broken invariant of ours, never of the guest's: prints and aborts, in release builds too. */
_Noreturn void assert_failed(const char *file, int line, const char *what);
#define ASSERT(cond) ((cond) ? (void)0 : assert_failed(__FILE__, __LINE__, #cond))

#endif
