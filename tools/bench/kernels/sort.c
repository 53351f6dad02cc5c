/* 4,096 random numbers sorted by quicksort, short pieces by insertion: branches that nobody predicts. */
#include "tools/bench/kernels/kernel.h"

enum { COUNT = 4096, SHORT = 12 };

void setup_sort(u8 *arena)
{
    arena[0] = 0;
}

static void insertion_sort(u32 *a, u32 n)
{
    for (u32 i = 1; i < n; i++) {
        u32 v = a[i], j = i;

        for (; j && a[j - 1] > v; j--)
            a[j] = a[j - 1];
        a[j] = v;
    }
}

static NO_INLINE void quicksort(u32 *a, u32 n)
{
    while (n > SHORT) {
        u32 pivot = a[n / 2], i = 0, j = n - 1;

        for (;;) {
            while (a[i] < pivot)
                i++;
            while (a[j] > pivot)
                j--;
            if (i >= j)
                break;
            u32 t = a[i];
            a[i++] = a[j];
            a[j--] = t;
        }
        quicksort(a, i);
        a += i;
        n -= i;
    }
    insertion_sort(a, n);
}

u64 kernel_sort(u8 *arena, u64 iterations)
{
    u32 *a = (u32 *)arena;
    u64 sum = 0, random = 1;

    while (iterations--) {
        for (u32 i = 0; i < COUNT; i++)
            a[i] = next_random(&random);
        quicksort(a, COUNT);
        for (u32 i = 1; i < COUNT; i++)
            if (a[i - 1] > a[i])
                return 0; /* not sorted */
        sum = mix(sum, a[COUNT / 3]);
    }
    return sum;
}
