/*
 * The cells of a terminal, and what moves them. They are kept in memory, because reading the
 * adapter's is slow, and because most of what scrolls by is never looked at.
 */
#include "guestos/tty/screen.h"
#include "guestos/kernel/string.h"

static void touch(struct screen *s, u32 row, u32 from, u32 to)
{
    s->dirty_from[row] = (u8)MIN(s->dirty_from[row], from);
    s->dirty_to[row] = (u8)MAX(s->dirty_to[row], to);
}

static void touch_all(struct screen *s)
{
    for (u32 row = 0; row < VGA_ROWS; row++) {
        touch(s, row, 0, VGA_COLUMNS);
    }
}

void screen_clear(struct screen *s, u32 row, u32 from, u32 to)
{
    for (u32 column = from; column < to; column++) {
        s->cells[row][column] = (u16)(s->blank << 8 | ' ');
    }
    touch(s, row, from, to);
}

void screen_clear_rows(struct screen *s, u32 from, u32 to)
{
    for (u32 row = from; row < to; row++) {
        screen_clear(s, row, 0, VGA_COLUMNS);
    }
}

void screen_reset(struct screen *s)
{
    s->attribute = s->blank = 0x07; /* grey on black */
    s->top = 0;
    s->bottom = VGA_ROWS;
    s->cursor_visible = s->autowrap = true;
    s->insert = s->wrap_pending = false;
}

void screen_init(struct screen *s)
{
    screen_reset(s);
    memset(s->dirty_from, (int)VGA_COLUMNS, sizeof s->dirty_from);
    vga_text_init(s->cells, &s->row, &s->column);
    if (s->column) {
        s->column = 0;
        screen_line_feed(s);
    }
    screen_refresh(s);
}

/* ---- to the adapter */

void screen_refresh(struct screen *s)
{
    for (u32 row = 0; row < VGA_ROWS; row++) {
        u32 from = s->dirty_from[row], to = s->dirty_to[row];
        if (from < to && row >= s->look_back) {
            vga_text_write(row, from, &s->cells[row - s->look_back][from], to - from);
        } else if (from < to) {
            u32 line = s->nr_history - s->look_back + row;
            vga_text_write(row, from, &s->history[line % SCREEN_HISTORY][from], to - from);
        }
        s->dirty_from[row] = VGA_COLUMNS;
        s->dirty_to[row] = 0;
    }
    vga_text_cursor(s->row, s->column, s->cursor_visible && !s->look_back);
}

void screen_look_back(struct screen *s, i32 lines)
{
    i32 most = (i32)MIN(s->nr_history, SCREEN_HISTORY);
    i32 back = MAX(MIN((i32)s->look_back + lines, most), 0);

    if (back != (i32)s->look_back) {
        s->look_back = (u32)back;
        touch_all(s);
    }
}

/* ---- movement */

void screen_move(struct screen *s, i32 row, i32 column)
{
    s->row = (u32)MAX(MIN(row, (i32)VGA_ROWS - 1), 0);
    s->column = (u32)MAX(MIN(column, (i32)VGA_COLUMNS - 1), 0);
    s->wrap_pending = false;
}

void screen_scroll(struct screen *s, u32 top, i32 lines)
{
    u32 height = s->bottom - top;
    u32 n = MIN((u32)(lines < 0 ? -lines : lines), height);

    if (lines > 0 && top == 0 && s->bottom == VGA_ROWS) {
        for (u32 i = 0; i < n; i++) {
            memcpy(s->history[s->nr_history++ % SCREEN_HISTORY], s->cells[i], sizeof s->cells[i]);
        }
    }
    memmove(s->cells[lines > 0 ? top : top + n], s->cells[lines > 0 ? top + n : top],
            (height - n) * sizeof s->cells[0]);
    for (u32 row = top; row < s->bottom; row++) {
        touch(s, row, 0, VGA_COLUMNS);
    }
    screen_clear_rows(s, lines > 0 ? s->bottom - n : top, lines > 0 ? s->bottom : top + n);
}

void screen_line_feed(struct screen *s)
{
    s->wrap_pending = false;
    if (s->row + 1 == s->bottom) {
        screen_scroll(s, s->top, 1);
    } else if (s->row + 1 < VGA_ROWS) {
        s->row++;
    }
}

void screen_line_feed_back(struct screen *s)
{
    s->wrap_pending = false;
    if (s->row == s->top) {
        screen_scroll(s, s->top, -1);
    } else if (s->row > 0) {
        s->row--;
    }
}

void screen_shift(struct screen *s, i32 columns)
{
    u32 width = VGA_COLUMNS - s->column;
    u32 n = MIN((u32)(columns < 0 ? -columns : columns), width);
    u16 *from = &s->cells[s->row][s->column];

    if (columns > 0) {
        memmove(from + n, from, (width - n) * sizeof *from);
        screen_clear(s, s->row, s->column, s->column + n);
    } else {
        memmove(from, from + n, (width - n) * sizeof *from);
        screen_clear(s, s->row, VGA_COLUMNS - n, VGA_COLUMNS);
    }
    touch(s, s->row, s->column, VGA_COLUMNS);
}

void screen_put(struct screen *s, u8 glyph)
{
    if (s->wrap_pending && s->autowrap) {
        s->column = 0;
        screen_line_feed(s);
    }
    if (s->insert) {
        screen_shift(s, 1);
    }
    s->cells[s->row][s->column] = (u16)(s->attribute << 8 | glyph);
    touch(s, s->row, s->column, s->column + 1);
    if (s->column + 1 < VGA_COLUMNS) {
        s->column++;
    } else {
        s->wrap_pending = true;
    }
}
