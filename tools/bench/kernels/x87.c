/* Long double: polynomials by Horner's rule, a matrix of 80-bit numbers, square roots. */
#include "tools/bench/kernels/kernel.h"

enum { TERMS = 12, N = 6 };

void setup_x87(u8 *arena)
{
    u64 random = 19;
    long double *d = (long double *)arena;

    for (u32 i = 0; i < TERMS + 3 * N * N; i++)
        d[i] = (long double)next_random(&random) / 2147483648.0L + 0.25L;
}

static long double square_root(long double x)
{
    __asm__("fsqrt" : "+t"(x));
    return x;
}

u64 kernel_x87(u8 *arena, u64 iterations)
{
    long double *terms = (long double *)arena, *a = terms + TERMS, *b = a + N * N, *c = b + N * N;
    long double x = 0.5L;
    u64 sum = 0;

    while (iterations--) {
        for (u32 turn = 0; turn < 8; turn++) {
            long double y = terms[0];
            for (u32 i = 1; i < TERMS; i++)
                y = y * x + terms[i];
            x = square_root(y) / (y + 1.0L);
        }
        for (u32 i = 0; i < N; i++) {
            for (u32 j = 0; j < N; j++) {
                long double s = 0;
                for (u32 k = 0; k < N; k++)
                    s += a[i * N + k] * b[k * N + j];
                c[i * N + j] = s;
            }
        }
        a[iterations % (N * N)] = c[iterations % (N * N)] * x / 4.0L + 0.25L; /* never denormal */
    }
    for (u32 i = 0; i < N * N; i++) {
        u64 word[2] = {0};
        __asm__("fstpt %0" : "=m"(word) : "t"(c[i]) : "st");
        sum = mix(mix(sum, word[0]), word[1] & 0xffff);
    }
    return sum;
}
