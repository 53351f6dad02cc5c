/*
 * The line editor. It draws with backspace and spaces only, which is all that the screen and every
 * terminal understand. Up recalls the last line.
 */
#include "guestos/tty/vt.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/shell.h"
#include "guestos/kernel/string.h"

#define CTRL(letter) ((letter) - 'A' + 1)
#define MAX_LINE     78 /* with its prompt a line never wraps: backspace cannot go up */

static char last[MAX_LINE + 1];

static u32 erase(u32 len)
{
    while (len) {
        print("\b \b");
        len--;
    }
    return 0;
}

void shell_read_line(const char *prompt, char *line, u32 size)
{
    u32 len = 0;
    u32 max = MAX_LINE;

    for (const char *p = prompt; *p; p++) {
        max--;
    }
    if (max > size - 1) {
        max = size - 1;
    }
    print("%s", prompt);
    for (;;) {
        u16 key = console_get();
        switch (key) {
        case '\n':
            print("\n");
            line[len] = 0;
            if (len) {
                string_copy(last, line, sizeof last);
            }
            return;
        case '\b':
            if (len) {
                erase(1);
                len--;
            }
            break;
        case CTRL('C'):
            print("^C\n%s", prompt);
            len = 0;
            break;
        case CTRL('U'): len = erase(len); break;
        case CTRL('L'):
            vt_clear();
            line[len] = 0;
            print("%s%s", prompt, line);
            break;
        case KEY_UP:
            len = erase(len);
            for (; last[len] && len < max; len++) {
                line[len] = last[len];
                console_put(last[len]);
            }
            break;
        default:
            if (key >= ' ' && key < 0x7F && len < max) {
                line[len++] = (char)key;
                console_put((char)key);
            }
            break;
        }
    }
}
