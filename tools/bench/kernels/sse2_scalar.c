/* Five bodies that attract each other: scalar doubles with divisions and square roots. */
#include "tools/bench/kernels/kernel.h"

enum { BODIES = 5, STEPS = 16 };

struct body {
    double x, y, z, vx, vy, vz, mass;
};

static double square_root(double x)
{
    double r;
    __asm__("sqrtsd %1, %0" : "=x"(r) : "x"(x));
    return r;
}

void setup_sse2_scalar(u8 *arena)
{
    u64 random = 13;
    double *d = (double *)arena;

    for (u32 i = 0; i < BODIES * sizeof(struct body) / 8; i++)
        d[i] = (double)next_random(&random) / 2147483648.0 + 0.5;
}

static void step(struct body *b)
{
    for (u32 i = 0; i < BODIES; i++) {
        for (u32 j = i + 1; j < BODIES; j++) {
            double dx = b[i].x - b[j].x, dy = b[i].y - b[j].y, dz = b[i].z - b[j].z;
            double d2 = dx * dx + dy * dy + dz * dz + 0.01;
            double mag = 0.001 / (d2 * square_root(d2));

            b[i].vx -= dx * b[j].mass * mag;
            b[i].vy -= dy * b[j].mass * mag;
            b[i].vz -= dz * b[j].mass * mag;
            b[j].vx += dx * b[i].mass * mag;
            b[j].vy += dy * b[i].mass * mag;
            b[j].vz += dz * b[i].mass * mag;
        }
    }
    for (u32 i = 0; i < BODIES; i++) {
        b[i].x += 0.001 * b[i].vx;
        b[i].y += 0.001 * b[i].vy;
        b[i].z += 0.001 * b[i].vz;
    }
}

u64 kernel_sse2_scalar(u8 *arena, u64 iterations)
{
    u64 sum = 0;

    while (iterations--)
        for (u32 i = 0; i < STEPS; i++)
            step((struct body *)arena);
    for (u32 i = 0; i < BODIES * sizeof(struct body) / 8; i++)
        sum = mix(sum, ((u64 *)arena)[i]);
    return sum;
}
