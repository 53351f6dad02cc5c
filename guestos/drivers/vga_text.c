/*
 * Text memory of mode 3 at B8000h: a character and an attribute byte per cell. The mode itself is
 * the firmware's; the CRTC's cursor registers (IBM VGA: 0Ah, 0Bh, 0Eh, 0Fh) and its start address
 * (0Ch, 0Dh) are ours. Without an adapter, writes go nowhere and nothing is read back.
 */
#include "guestos/drivers/vga_text.h"
#include "guestos/kernel/x86.h"
#include "guestos/mm/layout.h"

#define CRTC              0x3D4 /* index; data at + 1 */
#define CRTC_CURSOR_START 0x0A
#define CRTC_CURSOR_END   0x0B
#define CRTC_START_HIGH   0x0C
#define CRTC_START_LOW    0x0D
#define CRTC_CURSOR_HIGH  0x0E
#define CRTC_CURSOR_LOW   0x0F
#define CURSOR_OFF        0x20 /* in CRTC_CURSOR_START */
#define CURSOR_FIRST      13   /* an underline: scan lines 13 and 14 */
#define CURSOR_LAST       14

static volatile u16 *cell(u32 row, u32 column)
{
    return (volatile u16 *)direct(VGA_TEXT) + row * VGA_COLUMNS + column;
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

void vga_text_init(u16 cells[VGA_ROWS][VGA_COLUMNS], u32 *row, u32 *column)
{
    u32 at = (u32)crtc_read(CRTC_CURSOR_HIGH) << 8 | crtc_read(CRTC_CURSOR_LOW);

    crtc_write(CRTC_START_HIGH, 0);
    crtc_write(CRTC_START_LOW, 0);
    crtc_write(CRTC_CURSOR_END, CURSOR_LAST);
    *row = MIN(at / VGA_COLUMNS, VGA_ROWS - 1);
    *column = at % VGA_COLUMNS;
    for (u32 i = 0; i < VGA_ROWS * VGA_COLUMNS; i++) {
        cells[i / VGA_COLUMNS][i % VGA_COLUMNS] = *cell(i / VGA_COLUMNS, i % VGA_COLUMNS);
    }
}

void vga_text_write(u32 row, u32 column, const u16 *cells, u32 nr_cells)
{
    volatile u16 *to = cell(row, column);

    __asm__ volatile("rep movsw" : "+D"(to), "+S"(cells), "+c"(nr_cells) : : "memory");
}

void vga_text_cursor(u32 row, u32 column, bool visible)
{
    static u16 shown = 0xFFFF;
    u16 at = (u16)(row * VGA_COLUMNS + column);
    u16 wanted = visible ? at : 0xFFFE;

    if (wanted == shown) {
        return;
    }
    crtc_write(CRTC_CURSOR_START, visible ? CURSOR_FIRST : CURSOR_FIRST | CURSOR_OFF);
    if (visible) {
        crtc_write(CRTC_CURSOR_HIGH, (u8)(at >> 8));
        crtc_write(CRTC_CURSOR_LOW, (u8)at);
    }
    shown = wanted;
}
