/*
 * What the loaders' fuzz targets begin with: a multiboot kernel in ELF with symbols and lines,
 * never run. Built without a library.
 */
__attribute__((section(".multiboot"), used)) static const unsigned header[] = {
    0x1badb002, 0x00000003, 0u - 0x1badb002 - 3,
};

volatile int counter = 7;
static int zeros[100];

static int step(int n)
{
    zeros[n % 100] += counter;
    return zeros[(n + 1) % 100] + 1;
}

int work(int n)
{
    for (int i = 0; i < n; i++)
        counter += step(i);
    return counter;
}

void _start(void)
{
    for (;;)
        work(3);
}
