/* The kernel's vocabulary: fixed-width integers and two helpers. No floating point, no libc. */
#ifndef GUESTOS_KERNEL_TYPES_H
#define GUESTOS_KERNEL_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
