/*
 * See text_screenshot.h.
 */
#include "host/text_screenshot.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_MAX = 64 * 1024 };

bool text_screenshot_name(const char *path)
{
    size_t len = strlen(path);
    return len > 4 && !strcmp(path + len - 4, ".txt");
}

int text_save_machine(struct machine *m, const char *path)
{
    char *text = malloc(TEXT_MAX);
    if (!text)
        abort();
    size_t len = machine_screen_text(m, text, TEXT_MAX);
    const char *why = len ? NULL : "the screen is in a graphics mode or off; try a .png file";
    FILE *f = len ? fopen(path, "w") : NULL;
    if (f) {
        bool good = fputs(text, f) >= 0 && fputc('\n', f) >= 0;
        good = fclose(f) == 0 && good;
        why = good ? NULL : strerror(errno);
    } else if (!why) {
        why = strerror(errno);
    }
    if (why)
        fprintf(stderr, "kiln: %s: no screenshot: %s\n", path, why);
    free(text);
    return why ? -1 : 0;
}
