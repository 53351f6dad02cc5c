/* Text: cursor, pages, scrolling, characters, teletype and strings (INT 10h 01h to 0Ah, 0Eh, 13h),
 * in text modes directly and in graphics modes through pixels.c. */
#include "vga.h"

enum { BEL = 7, BS = 8, LF = 10, CR = 13 };

static u8 columns(void)
{
    return peek8(BDA, B_COLUMNS);
}

u16 page_offset(u8 page)
{
    return (u16)(page * peek16(BDA, B_PAGE_SIZE));
}

static u16 text_segment(const struct mode *m)
{
    return (u16)(MODE(m, segment_high) << 8);
}

static u16 cell(u8 page, u8 row, u8 column)
{
    return (u16)(page_offset(page) + (row * columns() + column) * 2);
}

/* Cursor position and start address of the active page into the CRTC. */
void cursor_show(void)
{
    u16 crtc = peek16(BDA, B_CRTC), shape = peek16(BDA, B_CURSOR_SHAPE);
    u8 page = peek8(BDA, B_PAGE), height = peek8(BDA, B_CHAR_HEIGHT);
    u8 start = (u8)(shape >> 8), end = (u8)shape;
    /* Emulation: shapes are given for cells of 8 lines (cleared by 40:87 bit 0). */
    if (!(peek8(BDA, B_EGA_INFO) & 1) && height > 8 && (start & 0x1F) < 8 && (end & 0x1F) < 8 &&
        !(start & 0x20)) {
        u8 s = start & 0x1F, e = end & 0x1F;
        if (e - s <= 2 && e >= 6 && s >= 5) { /* an underline stays one, at the cell's foot */
            start = (u8)(height - (e - s) - 2);
            end = (u8)(height - 2);
        } else {
            start = (u8)(s * height / 8);
            end = (u8)((e + 1) * height / 8 - 1);
        }
    }
    out_index(crtc, 0x0A, start);
    out_index(crtc, 0x0B, end);
    u16 first = page_offset(page) >> 1, pos = peek16(BDA, B_CURSOR + page * 2);
    u16 at = (u16)(first + (pos >> 8) * columns() + (pos & 0xFF));
    out_index(crtc, 0x0E, (u8)(at >> 8));
    out_index(crtc, 0x0F, (u8)at);
}

static void cursor_set(u8 page, u8 row, u8 column)
{
    poke16(BDA, B_CURSOR + (page & 7) * 2, (u16)(row << 8 | column));
    if (page == peek8(BDA, B_PAGE) && MODE(mode_now(), kind) == TEXT)
        cursor_show();
}

static void select_page(u8 page)
{
    const struct mode *m = mode_now();
    u16 crtc = peek16(BDA, B_CRTC), start = page_offset(page);
    if (page > 7 || MODE(m, kind) == LINEAR)
        return;
    poke8(BDA, B_PAGE, page);
    poke16(BDA, B_PAGE_START, start);
    if (MODE(m, kind) == TEXT)
        start >>= 1;
    out_index(crtc, 0x0C, (u8)(start >> 8));
    out_index(crtc, 0x0D, (u8)start);
    if (MODE(m, kind) == TEXT)
        cursor_show();
}

static void copy_words(u16 seg, u16 to, u16 from, u16 count)
{
    u32 si = from, di = to, cx = count;
    __asm__ volatile("pushw %%ds\n\tpushw %%es\n\tmovw %w3, %%ds\n\tmovw %w3, %%es\n\t"
                     "rep movsw\n\tpopw %%es\n\tpopw %%ds"
                     : "+S"(si), "+D"(di), "+c"(cx)
                     : "r"(seg)
                     : "memory");
}

static void fill_words(u16 seg, u16 to, u16 value, u16 count)
{
    for (; count > 0; count--, to += 2)
        poke16(seg, to, value);
}

static void scroll(u8 page, u8 lines, bool down, u8 top, u8 left, u8 bottom, u8 right, u8 attr)
{
    const struct mode *m = mode_now();
    u8 last_row = peek8(BDA, B_ROWS), last_column = (u8)(columns() - 1);
    if (bottom > last_row)
        bottom = last_row;
    if (right > last_column)
        right = last_column;
    if (top > bottom || left > right)
        return;
    u8 height = (u8)(bottom - top + 1), width = (u8)(right - left + 1);
    if (lines == 0 || lines > height)
        lines = height;
    if (MODE(m, kind) != TEXT) {
        graphics_scroll(m, lines, down, top, left, bottom, right, attr);
        return;
    }
    u16 seg = text_segment(m), blank = (u16)(attr << 8 | ' ');
    for (u8 i = 0; i < height; i++) {
        u8 row = down ? (u8)(bottom - i) : (u8)(top + i);
        if (i + lines < height)
            copy_words(seg, cell(page, row, left),
                       cell(page, down ? (u8)(row - lines) : (u8)(row + lines), left), width);
        else
            fill_words(seg, cell(page, row, left), blank, width);
    }
}

static void put_cell(const struct mode *m, u8 page, u8 row, u8 column, u8 c, u8 attr, bool keep)
{
    if (MODE(m, kind) != TEXT) {
        glyph_draw(m, column, row, page, c, attr);
        return;
    }
    u16 at = cell(page, row, column);
    poke8(text_segment(m), at, c);
    if (!keep)
        poke8(text_segment(m), (u16)(at + 1), attr);
}

/* AH=08h in graphics modes: the glyph that the pixels show, against the background 0. */
static u8 recognise(const struct mode *m, u8 page, u8 row, u8 column)
{
    u8 height = peek8(BDA, B_CHAR_HEIGHT);
    u16 font = peek16(0, 0x43 * 4), seg = peek16(0, 0x43 * 4 + 2);
    for (u16 c = 0; c < 256; c++) {
        bool same = 1;
        for (u8 y = 0; same && y < height; y++) {
            u8 bits = 0;
            for (u8 x = 0; x < 8; x++)
                bits = (u8)(bits << 1 | (pixel_get(m, (u16)(column * 8 + x),
                                                   (u16)(row * height + y), page) != 0));
            same = bits == peek8(seg, (u16)(font + c * height + y));
        }
        if (same)
            return (u8)c;
    }
    return 0;
}

static void beep(void)
{
    u8 gate = inb(0x61);
    outb(0x43, 0xB6);
    outb(0x42, 0x34); /* 896 Hz */
    outb(0x42, 0x05);
    outb(0x61, gate | 3);
    for (u16 i = 0; i < 50000; i++) /* a port access takes about a microsecond */
        (void)inb(0x61);
    outb(0x61, gate);
}

/* One character at the page's cursor; attr is used if `colored`, or as colour in graphics. */
static void teletype(u8 page, u8 c, u8 attr, bool colored)
{
    const struct mode *m = mode_now();
    u16 pos = peek16(BDA, B_CURSOR + (page & 7) * 2);
    u8 row = (u8)(pos >> 8), column = (u8)pos, last_row = peek8(BDA, B_ROWS);
    if (c == BEL) {
        beep();
        return;
    }
    if (c == BS) {
        if (column > 0)
            column--;
    } else if (c == CR) {
        column = 0;
    } else if (c == LF) {
        row++;
    } else {
        put_cell(m, page, row, column, c, attr, !colored);
        if (++column >= columns()) {
            column = 0;
            row++;
        }
    }
    if (row > last_row) {
        u8 fill = 0;
        if (MODE(m, kind) == TEXT) /* the new line takes the attribute at the cursor */
            fill = peek8(text_segment(m), (u16)(cell(page, last_row, column) + 1));
        scroll(page, 1, 0, 0, 0, last_row, (u8)(columns() - 1), fill);
        row = last_row;
    }
    cursor_set(page, row, column);
}

static void write_string(struct regs *r)
{
    u8 page = r->bh & 7;
    u16 at = r->bp, old = peek16(BDA, B_CURSOR + page * 2);
    if (r->al > 3)
        return;
    cursor_set(page, r->dh, r->dl);
    for (u16 i = 0; i < r->cx; i++) {
        u8 c = peek8(r->es, at++), attr = r->bl;
        if (r->al & 2)
            attr = peek8(r->es, at++);
        teletype(page, c, attr, 1);
    }
    if (!(r->al & 1))
        cursor_set(page, (u8)(old >> 8), (u8)old);
}

void text_services(struct regs *r)
{
    const struct mode *m = mode_now();
    u8 page = r->bh & 7;
    u16 pos = peek16(BDA, B_CURSOR + page * 2);
    switch (r->ah) {
    case 0x01:
        poke16(BDA, B_CURSOR_SHAPE, r->cx);
        cursor_show();
        break;
    case 0x02: cursor_set(page, r->dh, r->dl); break;
    case 0x03:
        r->ax = 0;
        r->cx = peek16(BDA, B_CURSOR_SHAPE);
        r->dx = pos;
        break;
    case 0x04: r->ah = 0; break; /* no light pen */
    case 0x05: select_page(r->al); break;
    case 0x06:
    case 0x07:
        scroll(peek8(BDA, B_PAGE), r->al, r->ah == 0x07, r->ch, r->cl, r->dh, r->dl, r->bh);
        break;
    case 0x08:
        if (MODE(m, kind) == TEXT)
            r->ax = peek16(text_segment(m), cell(page, (u8)(pos >> 8), (u8)pos));
        else
            r->ax = recognise(m, page, (u8)(pos >> 8), (u8)pos);
        break;
    case 0x09:
    case 0x0A: {
        u8 row = (u8)(pos >> 8), column = (u8)pos;
        if (MODE(m, kind) == LINEAR)
            page = 0;
        for (u16 i = 0; i < r->cx; i++) {
            put_cell(m, page, row, column, r->al, r->bl, r->ah == 0x0A);
            if (++column >= columns()) {
                column = 0;
                if (++row > peek8(BDA, B_ROWS))
                    break;
            }
        }
        break;
    }
    case 0x0E: teletype(peek8(BDA, B_PAGE), r->al, r->bl, 0); break;
    case 0x13: write_string(r); break;
    }
}
