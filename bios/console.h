/* POST's words to the user. */
#ifndef SPARK_CONSOLE_H
#define SPARK_CONSOLE_H

#include "types.h"

/* Where text goes from now on: INT 10h once a video BIOS is there, else COM1. Text that came
 * before is kept (a little of it) and printed first. */
enum console_target { CONSOLE_NONE, CONSOLE_VIDEO, CONSOLE_SERIAL };
void console_open(enum console_target target);
void console_clear(void);
/* %s %c %u %d %x (with width and 0), nothing else. \n makes CR LF. */
void con_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* For screens: where text goes on, in what attribute (07h is plain), and blanks up to a column. */
void con_at(u8 row, u8 column, u8 attribute);
void con_fill(u8 column);
bool con_has_screen(void);

/* A part that failed its test: named on the screen with why, and remembered for the boot screen. */
void post_fail(const char *part, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void post_list_failures(void); /* names the parts again, for the screen of a failed boot */

#endif
