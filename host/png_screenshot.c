/*
 * Screenshots: the guest's own pixels, one to one; the shape of a pixel on a monitor goes into
 * the file's pHYs chunk.
 */
#include "host/png_screenshot.h"
#include <errno.h>
#include <png.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void set_error(png_structp png, png_const_charp message)
{
    char *err = png_get_error_ptr(png);
    snprintf(err, 128, "%s", message);
    png_longjmp(png, 1);
}

static void ignore_warning(png_structp png, png_const_charp message)
{
    (void)png, (void)message;
}

static int write_png(FILE *f, const struct screen *s, u8 *row, char err[128])
{
    png_structp png =
        png_create_write_struct(PNG_LIBPNG_VER_STRING, err, set_error, ignore_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info || setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        return -1;
    }
    png_init_io(png, f);
    png_set_IHDR(png, info, s->w, s->h, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (s->aspect_w && s->aspect_h) /* pixels per unit across and down, for an equal picture */
        png_set_pHYs(png, info, s->w * s->aspect_h, s->h * s->aspect_w, PNG_RESOLUTION_UNKNOWN);
    png_write_info(png, info);
    for (unsigned y = 0; y < s->h; y++) {
        for (unsigned x = 0; x < s->w; x++) {
            u32 px = s->px[y * s->w + x];
            row[3 * x] = (u8)(px >> 16);
            row[3 * x + 1] = (u8)(px >> 8);
            row[3 * x + 2] = (u8)px;
        }
        png_write_row(png, row);
    }
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    return 0;
}

int png_write_screen(const struct screen *s, const char *path, char *err, size_t err_len)
{
    char why[128] = "the screen is empty";
    char *part = malloc(strlen(path) + 8);
    u8 *row = malloc(3 * (size_t)s->w + 1);
    int r = -1;
    if (!part || !row)
        abort();
    sprintf(part, "%s.part", path);
    FILE *f = s->w && s->h ? fopen(part, "wb") : NULL;
    if (!f && s->w)
        snprintf(why, sizeof(why), "%s", strerror(errno));
    if (f) {
        r = write_png(f, s, row, why);
        if (fclose(f) != 0 && r == 0) {
            r = -1;
            snprintf(why, sizeof(why), "%s", strerror(errno));
        }
        if (r == 0 && rename(part, path) < 0) {
            r = -1;
            snprintf(why, sizeof(why), "%s", strerror(errno));
        }
        if (r < 0)
            unlink(part);
    }
    if (r < 0)
        snprintf(err, err_len, "%s: no screenshot: %s", path, why);
    free(part);
    free(row);
    return r;
}

int png_save_machine(struct machine *m, const char *path)
{
    char err[512];
    struct screen s = {.px = malloc((size_t)SCREEN_MAX_W * SCREEN_MAX_H * sizeof(u32))};
    if (!s.px)
        abort();
    machine_render(m, &s);
    int r = png_write_screen(&s, path, err, sizeof(err));
    if (r < 0)
        fprintf(stderr, "kiln: %s\n", err);
    free(s.px);
    return r;
}

void png_new_name(char *out, size_t cap)
{
    char stamp[32];
    time_t now = time(NULL);
    struct tm tm;
    localtime_r(&now, &tm);
    strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
    snprintf(out, cap, "kiln-%s.png", stamp);
    for (unsigned n = 2; n < 100 && access(out, F_OK) == 0; n++)
        snprintf(out, cap, "kiln-%s-%u.png", stamp, n);
}
