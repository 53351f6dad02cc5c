/*
 * screendump: PPM (netpbm's ppm(5), P6), PNG, or the text of the screen.
 */
#include "host/screen_dump.h"
#include "host/png_screenshot.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static bool ends_in(const char *path, const char *ending)
{
    size_t a = strlen(path), b = strlen(ending);

    return a > b && !strcmp(path + a - b, ending);
}

static int finish(FILE *f, const char *path, char *err, size_t err_len)
{
    bool bad = ferror(f);

    if (fclose(f) || bad) {
        snprintf(err, err_len, "cannot write %s: %s", path, strerror(errno));
        return -1;
    }
    return 0;
}

static int dump_text(struct machine *m, const char *path, char *err, size_t err_len)
{
    enum { MAX = 64 * 1024 };
    char *text = malloc(MAX);
    FILE *f = fopen(path, "w");

    if (!f || !text) {
        snprintf(err, err_len, "cannot write %s: %s", path, strerror(errno));
        free(text);
        return -1;
    }
    machine_screen_text(m, text, MAX);
    fprintf(f, "%s\n", text);
    free(text);
    return finish(f, path, err, err_len);
}

static int dump_ppm(const struct screen *s, const char *path, char *err, size_t err_len)
{
    FILE *f = fopen(path, "wb");

    if (!f) {
        snprintf(err, err_len, "cannot write %s: %s", path, strerror(errno));
        return -1;
    }
    fprintf(f, "P6\n%u %u\n255\n", s->w, s->h);
    for (size_t i = 0; i < (size_t)s->w * s->h; i++) {
        u32 px = s->px[i];
        u8 rgb[3] = {(u8)(px >> 16), (u8)(px >> 8), (u8)px};

        fwrite(rgb, 3, 1, f);
    }
    return finish(f, path, err, err_len);
}

int screen_dump(struct machine *m, const char *path, const char *format, char *err, size_t err_len)
{
    struct screen s = {0};
    int bad;

    if (!format)
        format = ends_in(path, ".png") ? "png" : ends_in(path, ".txt") ? "txt" : "ppm";
    if (!strcmp(format, "txt"))
        return dump_text(m, path, err, err_len);
    if (strcmp(format, "ppm") && strcmp(format, "png")) {
        snprintf(err, err_len, "no format '%s'; ppm, png or txt", format);
        return -1;
    }
    s.px = calloc(SCREEN_MAX_W * SCREEN_MAX_H, sizeof(*s.px));
    if (!s.px)
        abort();
    machine_render(m, &s);
    bad = !strcmp(format, "png") ? png_write_screen(&s, path, err, err_len)
                                 : dump_ppm(&s, path, err, err_len);
    free(s.px);
    return bad;
}
