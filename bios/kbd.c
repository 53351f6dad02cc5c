/* The keyboard: i8042 controller test and set-up, IRQ 1, and INT 16h.
 *
 * Documents: IBM PS/2 technical reference (8042 commands), PS/2 and AT BIOS interface reference
 * (INT 09h, 16h, BDA bits). The keyboard sends set 2, the controller translates to set 1.
 * UNIMPL: the LEDs are not driven. */
#include "kbd.h"
#include "bda.h"
#include "chips.h"
#include "console.h"
#include "entry.h"

enum {
    DATA = 0x60,
    STATUS = 0x64,
    ST_OUT_FULL = 0x01,
    ST_IN_FULL = 0x02,
    CMD_READ_BYTE = 0x20,
    CMD_WRITE_BYTE = 0x60,
    CMD_DISABLE_MOUSE = 0xA7,
    CMD_SELF_TEST = 0xAA,
    CMD_TEST_KBD = 0xAB,
    CMD_DISABLE_KBD = 0xAD,
    CMD_ENABLE_KBD = 0xAE,
    CB_IRQ1 = 0x01,
    CB_SYSTEM = 0x04,
    CB_KBD_OFF = 0x10,
    CB_MOUSE_OFF = 0x20,
    CB_TRANSLATE = 0x40,

    /* BDA 17h */
    F1_RSHIFT = 0x01,
    F1_LSHIFT = 0x02,
    F1_CTRL = 0x04,
    F1_ALT = 0x08,
    F1_SCROLL = 0x10,
    F1_NUM = 0x20,
    F1_CAPS = 0x40,
    F1_INSERT = 0x80,
    /* BDA 18h */
    F2_LCTRL = 0x01,
    F2_LALT = 0x02,
    F2_SYSREQ = 0x04,
    F2_PAUSED = 0x08,
    F2_SCROLL = 0x10,
    F2_NUM = 0x20,
    F2_CAPS = 0x40,
    F2_INSERT = 0x80,
    /* BDA 96h */
    M_E1 = 0x01,
    M_E0 = 0x02,
    M_RCTRL = 0x04,
    M_RALT = 0x08,
    M_ENHANCED = 0x10,

    SC_CTRL = 0x1D,
    SC_LSHIFT = 0x2A,
    SC_RSHIFT = 0x36,
    SC_PRINT = 0x37,
    SC_ALT = 0x38,
    SC_CAPS = 0x3A,
    SC_NUM = 0x45,
    SC_SCROLL = 0x46,
    SC_INSERT = 0x52,
    SC_DELETE = 0x53,
    SC_SYSREQ = 0x54,
    IO_US = 50000
};

static bool controller_ok;

bool kbc_ok(void)
{
    return controller_ok;
}

static bool wait_input_empty(void)
{
    struct deadline d;
    if (!(inb(STATUS) & ST_IN_FULL))
        return true;
    deadline_start(&d, IO_US);
    while (inb(STATUS) & ST_IN_FULL) {
        if (deadline_passed(&d))
            return false;
    }
    return true;
}

bool kbc_command(u8 command)
{
    if (!wait_input_empty())
        return false;
    outb(STATUS, command);
    return true;
}

bool kbc_write_data(u8 byte)
{
    if (!wait_input_empty())
        return false;
    outb(DATA, byte);
    return true;
}

bool kbc_read_data(u8 *byte, u32 us)
{
    struct deadline d;
    deadline_start(&d, us);
    while (!(inb(STATUS) & ST_OUT_FULL)) {
        if (deadline_passed(&d))
            return false;
    }
    *byte = inb(DATA);
    return true;
}

bool kbc_modify_command_byte(u8 clear, u8 set)
{
    u8 b;
    return kbc_command(CMD_READ_BYTE) && kbc_read_data(&b, IO_US) &&
           kbc_command(CMD_WRITE_BYTE) && kbc_write_data((u8)((b & ~clear) | set));
}

static bool keyboard_command(u8 byte)
{
    u8 answer = 0;
    return kbc_write_data(byte) && kbc_read_data(&answer, IO_US) && answer == 0xFA;
}

static void init_keyboard(void)
{
    u8 answer = 0;
    if (!keyboard_command(0xFF)) {
        post_fail("kbd", "keyboard does not acknowledge reset");
        return;
    }
    if (!kbc_read_data(&answer, 800000) || answer != 0xAA)
        post_fail("kbd", "keyboard self test gives %02Xh", answer);
    if (!keyboard_command(0xF4))
        post_fail("kbd", "keyboard does not take ENABLE");
}

void kbd_init(void)
{
    u8 v = 0;
    controller_ok = false;
    if (inb(STATUS) == 0xFF) {
        post_fail("kbd", "controller does not answer (status FFh)");
        return;
    }
    if (!kbc_command(CMD_DISABLE_KBD) || !kbc_command(CMD_DISABLE_MOUSE)) {
        post_fail("kbd", "controller does not take commands");
        return;
    }
    for (unsigned i = 0; i < 32 && inb(STATUS) & ST_OUT_FULL; i++)
        (void)inb(DATA);
    if (!kbc_command(CMD_SELF_TEST) || !kbc_read_data(&v, IO_US)) {
        post_fail("kbd", "controller self test does not finish");
        return;
    }
    if (v != 0x55) {
        post_fail("kbd", "controller self test gives %02Xh, not 55h", v);
        return;
    }
    if (!kbc_command(CMD_TEST_KBD) || !kbc_read_data(&v, IO_US) || v != 0)
        post_fail("kbd", "keyboard line test gives %02Xh", v);
    controller_ok = true;
    kbc_command(CMD_WRITE_BYTE);
    kbc_write_data(CB_SYSTEM | CB_MOUSE_OFF | CB_TRANSLATE); /* interrupts off while it resets */
    kbc_command(CMD_ENABLE_KBD);
    init_keyboard();
    kbc_command(CMD_WRITE_BYTE);
    kbc_write_data(CB_SYSTEM | CB_MOUSE_OFF | CB_TRANSLATE | CB_IRQ1);
}

/* ---- the buffer at 40:1E ---- */

static u16 advance(u16 at)
{
    at += 2;
    return at >= bda16(BDA_KBD_END) ? bda16(BDA_KBD_START) : at;
}

void kbd_store_key(u16 key)
{
    u16 tail = bda16(BDA_KBD_TAIL), next = advance(tail);
    if (next == bda16(BDA_KBD_HEAD))
        return; /* UNIMPL: no beep */
    bda_set16(tail, key);
    bda_set16(BDA_KBD_TAIL, next);
}

/* ---- IRQ 1 ---- */

static void change(u32 where, u8 bits, bool on)
{
    u8 v = bda8(where);
    bda_set8(where, on ? v | bits : v & (u8)~bits);
}

static void user_int(u8 vector)
{
    struct call_regs c = {0};
    call_int(vector, &c);
}

static void sysreq(bool released)
{
    struct call_regs c = {0};
    c.ax = (u16)(0x8500 | released);
    call_int(0x15, &c);
}

static _Noreturn void reset_warm(void)
{
    bda_set16(BDA_RESET_FLAG, 0x1234);
    kbc_command(0xFE); /* pulse the reset line */
    for (unsigned i = 0; i < 1000; i++)
        (void)inb(STATUS);
    outb(0xCF9, 0x02);
    outb(0xCF9, 0x06);
    halt_forever();
}

static void toggle(u8 f1, u8 f2, bool released)
{
    bool held = bda8(BDA_KBD_FLAGS2) & f2;
    change(BDA_KBD_FLAGS2, f2, !released);
    if (!released && !held)
        bda_set8(BDA_KBD_FLAGS1, bda8(BDA_KBD_FLAGS1) ^ f1);
}

/* Modifier keys; true if `scan` was one. */
static bool modifier(u8 scan, bool released, bool e0)
{
    u8 flags;
    switch (scan) {
    case SC_LSHIFT:
    case SC_RSHIFT:
        if (!e0) /* E0 2A and E0 36 are only padding around grey keys */
            change(BDA_KBD_FLAGS1, scan == SC_LSHIFT ? F1_LSHIFT : F1_RSHIFT, !released);
        return true;
    case SC_CTRL:
        if (e0)
            change(BDA_KBD_MODE, M_RCTRL, !released);
        else
            change(BDA_KBD_FLAGS2, F2_LCTRL, !released);
        change(BDA_KBD_FLAGS1, F1_CTRL,
               bda8(BDA_KBD_FLAGS2) & F2_LCTRL || bda8(BDA_KBD_MODE) & M_RCTRL);
        return true;
    case SC_ALT:
        if (e0)
            change(BDA_KBD_MODE, M_RALT, !released);
        else
            change(BDA_KBD_FLAGS2, F2_LALT, !released);
        flags = bda8(BDA_KBD_FLAGS2) & F2_LALT || bda8(BDA_KBD_MODE) & M_RALT;
        change(BDA_KBD_FLAGS1, F1_ALT, flags);
        if (!flags && bda8(BDA_ALT_PAD) != 0) {
            kbd_store_key(bda8(BDA_ALT_PAD));
            bda_set8(BDA_ALT_PAD, 0);
        }
        return true;
    case SC_CAPS: toggle(F1_CAPS, F2_CAPS, released); return true;
    case SC_NUM:
        if (bda8(BDA_KBD_FLAGS1) & F1_CTRL) { /* Ctrl+NumLock on old keyboards: pause */
            if (!released)
                change(BDA_KBD_FLAGS2, F2_PAUSED, true);
        } else {
            toggle(F1_NUM, F2_NUM, released);
        }
        return true;
    case SC_SCROLL:
        if (bda8(BDA_KBD_FLAGS1) & F1_CTRL || e0) { /* Ctrl+Break */
            if (!released) {
                bda_set8(BDA_BREAK, 0x80);
                bda_set16(BDA_KBD_HEAD, bda16(BDA_KBD_START));
                bda_set16(BDA_KBD_TAIL, bda16(BDA_KBD_START));
                user_int(0x1B);
                kbd_store_key(0);
            }
        } else {
            toggle(F1_SCROLL, F2_SCROLL, released);
        }
        return true;
    case SC_SYSREQ: sysreq(released); return true;
    }
    return false;
}

/* Keys with an E0 prefix: cursor block, and the keypad's Enter and slash. */
static u16 grey_key(u8 scan, u8 flags)
{
    const struct key *k = &keymap[scan];
    if (scan == 0x1C) /* keypad Enter */
        return flags & F1_ALT ? 0xA600 : flags & F1_CTRL ? 0xE00A : 0xE00D;
    if (scan == 0x35)
        return flags & F1_ALT ? 0xA400 : flags & F1_CTRL ? 0x9500 : 0xE02F;
    if (scan >= 0x5B && scan <= 0x5D) /* Windows keys: nothing */
        return 0;
    if (k->kind != KEY_PAD)
        return 0;
    if (flags & F1_ALT)
        return (u16)((scan + 0x50) << 8); /* 97h to A3h */
    return (u16)((flags & F1_CTRL ? k->code[KEY_CTRL] : k->code[KEY_PLAIN]) | 0xE0);
}

static u16 white_key(u8 scan, u8 flags)
{
    const struct key *k = &keymap[scan];
    if (flags & F1_ALT) {
        static const u8 digit[] = {7, 8, 9, 0xFF, 4, 5, 6, 0xFF, 1, 2, 3, 0};
        if (k->kind == KEY_PAD && scan <= SC_INSERT) {
            bda_set8(BDA_ALT_PAD, (u8)(bda8(BDA_ALT_PAD) * 10 + digit[scan - 0x47]));
            return 0;
        }
        bda_set8(BDA_ALT_PAD, 0);
        return k->code[KEY_ALT];
    }
    if (flags & F1_CTRL)
        return k->code[KEY_CTRL];
    bool shift = flags & (F1_LSHIFT | F1_RSHIFT);
    if (k->kind == KEY_LETTER && flags & F1_CAPS)
        shift = !shift;
    if (k->kind == KEY_PAD && flags & F1_NUM)
        shift = !shift;
    u16 code = k->code[shift ? KEY_SHIFT : KEY_PLAIN];
    return code;
}

static void key_event(u8 raw)
{
    u8 mode = bda8(BDA_KBD_MODE), scan = raw & 0x7F;
    bool released = raw & 0x80, e0 = mode & M_E0;
    if (raw == 0xE0 || raw == 0xE1) {
        change(BDA_KBD_MODE, raw == 0xE0 ? M_E0 : M_E1, true);
        return;
    }
    if (mode & M_E1) { /* E1 1D 45 E1 9D C5: Pause; the 45 or C5 ends a half */
        if (scan == SC_NUM) {
            change(BDA_KBD_MODE, M_E1, false);
            if (!released)
                change(BDA_KBD_FLAGS2, F2_PAUSED, true);
        }
        return;
    }
    change(BDA_KBD_MODE, M_E0, false);
    if (modifier(scan, released, e0))
        return;
    if (scan == SC_INSERT && released)
        change(BDA_KBD_FLAGS2, F2_INSERT, false);
    if (released || scan >= KEYS)
        return;
    u8 flags = bda8(BDA_KBD_FLAGS1);
    if (bda8(BDA_KBD_FLAGS2) & F2_PAUSED) { /* any key ends a pause and is swallowed */
        change(BDA_KBD_FLAGS2, F2_PAUSED, false);
        return;
    }
    if (scan == SC_DELETE && (flags & (F1_CTRL | F1_ALT)) == (F1_CTRL | F1_ALT))
        reset_warm();
    if (scan == SC_PRINT && e0) {
        if (!(flags & F1_CTRL))
            user_int(0x05);
        else
            kbd_store_key(0x7200);
        return;
    }
    u16 key = e0 ? grey_key(scan, flags) : white_key(scan, flags);
    if (scan == SC_INSERT && (key & 0xFF) != '0' && !(flags & (F1_ALT | F1_CTRL)))
        toggle(F1_INSERT, F2_INSERT, false);
    if (key != 0)
        kbd_store_key(key);
}

void int09_keyboard(struct regs *r)
{
    (void)r;
    if (!(inb(STATUS) & ST_OUT_FULL)) {
        pic_eoi(1);
        return;
    }
    struct call_regs c = {0};
    c.ax = (u16)(0x4F00 | inb(DATA));
    c.flags = FLAG_CF;
    call_int(0x15, &c); /* a hook may change the scan code, or swallow it by clearing CF */
    if (c.flags & FLAG_CF)
        key_event(c.al);
    pic_eoi(1);
    while (bda8(BDA_KBD_FLAGS2) & F2_PAUSED)
        irq_halt();
}

/* ---- INT 16h ---- */

/* The old functions 00h, 01h hide what an 84-key keyboard could not send. */
static bool translate_old(u16 *key)
{
    u8 ascii = (u8)*key, scan = (u8)(*key >> 8);
    if (scan == 0xE0) { /* keypad Enter and slash */
        *key = ascii == '/' ? 0x352F : (u16)(0x1C00 | ascii);
        return true;
    }
    if (ascii == 0xF0 && scan != 0)
        return false;
    if (ascii == 0xE0 && scan != 0) {
        *key = (u16)(scan << 8);
        return true;
    }
    return scan <= 0x84 || scan == 0; /* F11, F12 and the like do not exist */
}

static u16 translate_new(u16 key)
{
    return (u8)key == 0xF0 && key >> 8 != 0 ? key & 0xFF00 : key;
}

/* The next key, which stays in the buffer; false if there is none. Drops what `old` must not see. */
static bool peek_key(bool old, u16 *key)
{
    for (;;) {
        u16 head = bda16(BDA_KBD_HEAD);
        if (head == bda16(BDA_KBD_TAIL))
            return false;
        *key = bda16(head);
        if (!old) {
            *key = translate_new(*key);
            return true;
        }
        if (translate_old(key))
            return true;
        bda_set16(BDA_KBD_HEAD, advance(head));
    }
}

void int16_keyboard(struct regs *r)
{
    u16 key;
    switch (r->ah) {
    case 0x00:
    case 0x10:
        while (!peek_key(r->ah == 0x00, &key))
            irq_halt();
        bda_set16(BDA_KBD_HEAD, advance(bda16(BDA_KBD_HEAD)));
        r->ax = key;
        break;
    case 0x01:
    case 0x11:
        if (peek_key(r->ah == 0x01, &key)) {
            r->ax = key;
            set_zf(r, false);
        } else {
            set_zf(r, true);
            irq_window(); /* a program that polls with IF = 0 still gets its keys */
        }
        break;
    case 0x02: r->al = bda8(BDA_KBD_FLAGS1); break;
    case 0x03: /* typematic rate: BL rate, BH delay */
        if (r->al == 5 && controller_ok) {
            /* The answers must not arrive as scan codes. */
            kbc_modify_command_byte(CB_IRQ1, 0);
            if (keyboard_command(0xF3))
                keyboard_command((u8)((r->bh & 3) << 5 | (r->bl & 31)));
            kbc_modify_command_byte(0, CB_IRQ1);
        }
        break;
    case 0x05: {
        u16 tail = bda16(BDA_KBD_TAIL);
        r->al = advance(tail) == bda16(BDA_KBD_HEAD);
        if (r->al == 0)
            kbd_store_key(r->cx);
        break;
    }
    case 0x09: r->al = 0x20; break; /* functions 10h to 12h are there */
    case 0x12: {
        u8 f2 = bda8(BDA_KBD_FLAGS2), mode = bda8(BDA_KBD_MODE);
        r->al = bda8(BDA_KBD_FLAGS1);
        r->ah = (u8)((f2 & 0x73) | (f2 & F2_SYSREQ) << 5 | (mode & (M_RCTRL | M_RALT)));
        break;
    }
    }
}
