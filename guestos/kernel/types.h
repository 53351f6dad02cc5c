/* The kernel's vocabulary: fixed-width integers and a few helpers. No floating point, no libc. */
#ifndef GUESTOS_KERNEL_TYPES_H
#define GUESTOS_KERNEL_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t i8;
typedef int16_t i16;
typedef int32_t i32;
typedef int64_t i64;

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)    ((a) < (b) ? (a) : (b))
#define MAX(a, b)    ((a) > (b) ? (a) : (b))

/* to: a power of two */
#define ROUND_UP(n, to)   (((n) + (to)-1) & ~((__typeof__(n))(to)-1))
#define ROUND_DOWN(n, to) ((n) & ~((__typeof__(n))(to)-1))

/* The struct whose member p points to. */
#define CONTAINER_OF(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))

#define NS_PER_S  1000000000ul
#define NS_PER_MS 1000000ul

#endif
