/*
 * A screenshot read back by libpng has the screen's dots, so that what is said of the picture holds for
 * the file; and nothing is left where none can be written.
 */
#include "host/png_screenshot.h"
#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

enum { W = 67, H = 41 };

static void dots_come_back(void **state)
{
    char path[] = "/tmp/kiln-png-XXXXXX", err[256] = "";
    u32 px[W * H], seed = 1;
    u8 rgb[3 * W * H];
    png_image image = { .version = PNG_IMAGE_VERSION };

    (void)state;
    for (unsigned i = 0; i < W * H; i++)
        px[i] = seed = seed * 1664525 + 1013904223; /* the upper byte is not the screen's */
    close(mkstemp(path));
    assert_int_equal(png_write_screen(&(struct screen){ px, W, H, 4, 3 }, path, err, sizeof(err)), 0);
    assert_true(png_image_begin_read_from_file(&image, path));
    assert_int_equal(image.width, W);
    assert_int_equal(image.height, H);
    image.format = PNG_FORMAT_RGB;
    assert_true(png_image_finish_read(&image, NULL, rgb, 0, NULL));
    for (unsigned i = 0; i < W * H; i++)
        assert_int_equal(rgb[3 * i] << 16 | rgb[3 * i + 1] << 8 | rgb[3 * i + 2], px[i] & 0xffffff);
    unlink(path);
}

static void no_file_says_why(void **state)
{
    u32 px = 0;
    char err[256] = "";

    (void)state;
    assert_int_equal(png_write_screen(&(struct screen){ &px, 1, 1, 4, 3 }, "/nowhere/s.png", err, sizeof(err)), -1);
    assert_non_null(strstr(err, "/nowhere/s.png"));
    assert_non_null(strstr(err, "No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dots_come_back),
        cmocka_unit_test(no_file_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
