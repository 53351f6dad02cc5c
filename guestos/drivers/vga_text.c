/*
 * Text memory of mode 3 at B8000h: a character and an attribute byte per cell. The mode itself is
 * the firmware's; the CRTC's cursor registers (IBM VGA: 0Ah, 0Bh, 0Eh, 0Fh) and its start address
 * (0Ch, 0Dh) are ours. Without an adapter, writes go nowhere and nothing is read back.
 */
#include "guestos/drivers/vga_text.h"
#include "guestos/kernel/string.h"
#include "guestos/kernel/x86.h"
#include "guestos/mm/layout.h"

#define COLUMNS           80u
#define ROWS              25u
#define TAB               8u
#define BLANK             0x0720u /* grey on black, space */
#define CRTC              0x3D4   /* index; data at + 1 */
#define CRTC_CURSOR_START 0x0A
#define CRTC_CURSOR_END   0x0B
#define CRTC_START_HIGH   0x0C
#define CRTC_CURSOR_HIGH  0x0E
#define CRTC_CURSOR_LOW   0x0F

static u32 row, column;

static volatile u16 *cell(u32 r, u32 c)
{
    return (volatile u16 *)direct(VGA_TEXT) + r * COLUMNS + c;
}

static void crtc_write(u8 index, u8 value)
{
    out8(CRTC, index);
    out8(CRTC + 1, value);
}

static u8 crtc_read(u8 index)
{
    out8(CRTC, index);
    return in8(CRTC + 1);
}

static void show_cursor(void)
{
    u32 at = row * COLUMNS + column;

    crtc_write(CRTC_CURSOR_HIGH, (u8)(at >> 8));
    crtc_write(CRTC_CURSOR_LOW, (u8)at);
}

static void blank_row(u32 r)
{
    for (u32 c = 0; c < COLUMNS; c++) {
        *cell(r, c) = BLANK;
    }
}

static void new_line(void)
{
    column = 0;
    if (++row < ROWS) {
        return;
    }
    row = ROWS - 1;
    memmove((void *)cell(0, 0), (const void *)cell(1, 0), (ROWS - 1) * COLUMNS * sizeof(u16));
    blank_row(ROWS - 1);
}

void vga_text_init(void)
{
    u32 at = (u32)crtc_read(CRTC_CURSOR_HIGH) << 8 | crtc_read(CRTC_CURSOR_LOW);

    crtc_write(CRTC_START_HIGH, 0);
    crtc_write(CRTC_START_HIGH + 1, 0);
    crtc_write(CRTC_CURSOR_START, 13); /* an underline, scan lines 13 and 14; bit 5 clear: on */
    crtc_write(CRTC_CURSOR_END, 14);
    row = at / COLUMNS;
    if (row >= ROWS) {
        row = ROWS - 1;
    }
    column = 0;
    if (at % COLUMNS) {
        new_line();
    }
    show_cursor();
}

void vga_text_put(char c)
{
    switch (c) {
    case '\n': new_line(); break;
    case '\r': column = 0; break;
    case '\b': column -= column > 0; break;
    case '\t': do { vga_text_put(' ');
        } while (column % TAB);
        break;
    default:
        *cell(row, column) = (u16)((BLANK & 0xFF00) | (u8)c);
        if (++column == COLUMNS) {
            new_line();
        }
        break;
    }
    show_cursor();
}

void vga_text_clear(void)
{
    for (u32 r = 0; r < ROWS; r++) {
        blank_row(r);
    }
    row = column = 0;
    show_cursor();
}
