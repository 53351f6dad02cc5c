/* Packed doubles: a product of 24 by 24 matrices, and y += a * x over 8 KiB with a running maximum. */
#include "tools/bench/kernels/kernel.h"

typedef double pair __attribute__((vector_size(16)));

enum { N = 24, WORDS = 512 };

void setup_sse2_packed(u8 *arena)
{
    u64 random = 17;
    double *d = (double *)arena;

    for (u32 i = 0; i < 3 * N * N + 2 * 2 * WORDS; i++)
        d[i] = (double)next_random(&random) / 2147483648.0 + 0.5;
}

static void multiply(pair *c, const double *a, const pair *b)
{
    for (u32 i = 0; i < N; i++) {
        for (u32 j = 0; j < N / 2; j += 4) {
            pair s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
            for (u32 k = 0; k < N; k++) {
                pair f = {a[i * N + k], a[i * N + k]};
                const pair *row = b + k * (N / 2) + j;
                s0 += f * row[0];
                s1 += f * row[1];
                s2 += f * row[2];
                s3 += f * row[3];
            }
            pair *out = c + i * (N / 2) + j;
            out[0] = s0;
            out[1] = s1;
            out[2] = s2;
            out[3] = s3;
        }
    }
}

u64 kernel_sse2_packed(u8 *arena, u64 iterations)
{
    double *a = (double *)arena;
    pair *b = (pair *)(a + N * N), *c = (pair *)(a + 2 * N * N);
    pair *x = (pair *)(a + 3 * N * N), *y = x + WORDS;
    pair most = {0}, half = {0.5, 0.5};
    u64 sum = 0;

    while (iterations--) {
        multiply(c, a, b);
        a[iterations % (N * N)] = 1.0 - 0.5 * a[iterations % (N * N)];
        pair f = c[iterations % (N * N / 2)] * (pair){1e-3, 1e-3};
        for (u32 i = 0; i < WORDS; i++) {
            y[i] = y[i] * half + f * x[i];
            __asm__("maxpd %1, %0" : "+x"(most) : "x"(y[i]));
        }
    }
    for (u32 i = 0; i < 2 * WORDS; i++)
        sum = mix(sum, ((u64 *)y)[i]);
    return mix(sum, ((union { pair p; u64 u[2]; }){most}).u[0]);
}
