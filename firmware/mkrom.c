/* Host tool: pads the option ROM to the size in its head and makes its bytes add up to 0.
 * mkrom IN OUT */
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    static unsigned char rom[65536];
    FILE *f;
    if (argc != 3 || (f = fopen(argv[1], "rb")) == NULL) {
        fprintf(stderr, "usage: mkrom IN OUT\n");
        return 1;
    }
    size_t len = fread(rom, 1, sizeof rom, f), size = rom[2] * 512u;
    fclose(f);
    if (len < 32 || len >= size || rom[0] != 0x55 || rom[1] != 0xAA) {
        fprintf(stderr, "%s: %zu bytes do not fit an option ROM of %zu\n", argv[1], len, size);
        return 1;
    }
    unsigned char sum = 0;
    for (size_t i = 0; i < size; i++)
        sum = (unsigned char)(sum + rom[i]);
    rom[size - 1] = (unsigned char)-sum;
    f = fopen(argv[2], "wb");
    if (f == NULL || fwrite(rom, 1, size, f) != size || fclose(f) != 0) {
        perror(argv[2]);
        return 1;
    }
    return 0;
}
