/* Host tool: font text files to the ROM's C tables.  mkfont FONT13 FONT8 > fonts.inc
 *
 * 8x16 and 8x14 place the 13 rows of FONT13 in a taller cell (baseline at row 11 and 10); 8x8 is
 * FONT8. Shades, box drawing and blocks (codes B0h to DFh) must meet at the cells' edges, so they
 * are drawn here for each height. */
#include <stdio.h>
#include <string.h>

/* Arms of B3h to DAh: up, down, left, right; 0 none, 1 single, 2 double. DBh to DFh are blocks. */
static const char arms[][5] = {
    "1100", "1110", "1120", "2210", "0210", "0120", "2220", "2200", "0220", "2020", "2010", "1020",
    "0110", "1001", "1011", "0111", "1101", "0011", "1111", "1102", "2201", "2002", "0202", "2022",
    "0222", "2202", "0022", "2222", "1022", "2011", "0122", "0211", "2001", "1002", "0102", "0201",
    "2211", "1122", "1010", "0101"};

static void hline(unsigned char *g, int y, int from, int to)
{
    for (int x = from; x <= to; x++)
        g[y] |= (unsigned char)(0x80 >> x);
}

static void vline(unsigned char *g, int x, int from, int to)
{
    for (int y = from; y <= to; y++)
        g[y] |= (unsigned char)(0x80 >> x);
}

/* The lines of one arm pair meet in the middle; double lines are at 2 and 5 across, m-1 and m+1
 * down. Where double crosses double, the inner part stays open. */
static void draw_box(unsigned char *g, int h, const char *a)
{
    int m = h / 2 - 1 + (h == 8), up = a[0] - '0', down = a[1] - '0';
    int left = a[2] - '0', right = a[3] - '0';
    int v2 = up == 2 || down == 2, h2 = left == 2 || right == 2;
    int top = m - h2, bottom = m + h2, west = v2 ? 2 : 3, east = v2 ? 5 : 3;
    if (up == 1)
        vline(g, 3, 0, left == 2 && right == 2 && !down ? top : bottom);
    if (down == 1)
        vline(g, 3, left == 2 && right == 2 && !up ? bottom : top, h - 1);
    if (left == 1)
        hline(g, m, 0, up == 2 && down == 2 && !right ? west : east);
    if (right == 1)
        hline(g, m, up == 2 && down == 2 && !left ? east : west, 7);
    if (up == 2) {
        vline(g, 2, 0, left == 2 ? top : bottom);
        vline(g, 5, 0, right == 2 ? top : bottom);
    }
    if (down == 2) {
        vline(g, 2, left == 2 ? bottom : top, h - 1);
        vline(g, 5, right == 2 ? bottom : top, h - 1);
    }
    if (left == 2) {
        hline(g, top, 0, up == 2 ? 2 : east);
        hline(g, bottom, 0, down == 2 ? 2 : east);
    }
    if (right == 2) {
        hline(g, top, up == 2 ? 5 : west, 7);
        hline(g, bottom, down == 2 ? 5 : west, 7);
    }
    /* A T or corner whose far side is closed: the outer line runs through. */
    if (left == 2 && right == 2 && up != 2)
        hline(g, top, 0, 7);
    if (left == 2 && right == 2 && down != 2)
        hline(g, bottom, 0, 7);
    if (up == 2 && down == 2 && left != 2)
        vline(g, 2, 0, h - 1);
    if (up == 2 && down == 2 && right != 2)
        vline(g, 5, 0, h - 1);
    if (up == 2 && left == 2 && !down && !right) {
        vline(g, 5, top, bottom);
        hline(g, bottom, 2, 5);
    }
    if (up == 2 && right == 2 && !down && !left) {
        vline(g, 2, top, bottom);
        hline(g, bottom, 2, 5);
    }
    if (down == 2 && left == 2 && !up && !right) {
        vline(g, 5, top, bottom);
        hline(g, top, 2, 5);
    }
    if (down == 2 && right == 2 && !up && !left) {
        vline(g, 2, top, bottom);
        hline(g, top, 2, 5);
    }
}

static int draw_special(unsigned char *g, int h, int code)
{
    static const unsigned char shade[3][2] = {{0x22, 0x88}, {0xAA, 0x55}, {0xDD, 0x77}};
    if (code < 0xB0 || code > 0xDF)
        return 0;
    memset(g, 0, 16);
    if (code <= 0xB2) {
        for (int y = 0; y < h; y++)
            g[y] = shade[code - 0xB0][y & 1];
    } else if (code <= 0xDA) {
        draw_box(g, h, arms[code - 0xB3]);
    } else {
        for (int y = 0; y < h; y++) {
            int upper = y < h / 2;
            g[y] = code == 0xDB                  ? 0xFF
                   : code == 0xDC                ? (upper ? 0 : 0xFF)
                   : code == 0xDD                ? 0xF0
                   : code == 0xDE                ? 0x0F
                   : /* DFh */ upper             ? 0xFF
                                                 : 0;
        }
    }
    return 1;
}

static int load(const char *path, int rows, unsigned char glyphs[256][16])
{
    char line[256];
    int nr = 0;
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        perror(path);
        return 0;
    }
    while (fgets(line, sizeof line, f) != NULL) {
        unsigned code, row;
        int at = 0, used;
        if (line[0] == '#')
            continue;
        if (sscanf(line, "%x%n", &code, &at) != 1 || code > 255)
            break;
        for (int y = 0; y < rows; y++, at += used) {
            if (sscanf(line + at, "%x%n", &row, &used) != 1) {
                fprintf(stderr, "%s: glyph %02x has fewer than %d rows\n", path, code, rows);
                fclose(f);
                return 0;
            }
            glyphs[code][y] = (unsigned char)row;
        }
        nr++;
    }
    fclose(f);
    if (nr != 256)
        fprintf(stderr, "%s: %d glyphs, not 256\n", path, nr);
    return nr == 256;
}

static void emit(int h, int rows, int offset, unsigned char glyphs[256][16])
{
    printf("const u8 font_8x%d[256 * %d] ROMDATA = {\n", h, h);
    for (int c = 0; c < 256; c++) {
        unsigned char g[16] = {0};
        if (!draw_special(g, h, c))
            memcpy(g + offset, glyphs[c], (size_t)rows);
        for (int y = 0; y < h; y++)
            printf("%d,", g[y]);
        printf("\n");
    }
    printf("};\n");
}

int main(int argc, char **argv)
{
    static unsigned char f13[256][16], f8[256][16];
    if (argc != 3 || !load(argv[1], 13, f13) || !load(argv[2], 8, f8)) {
        fprintf(stderr, "usage: mkfont FONT13 FONT8 > fonts.inc\n");
        return 1;
    }
    emit(16, 13, 1, f13);
    emit(14, 13, 0, f13);
    emit(8, 8, 0, f8);
    return 0;
}
