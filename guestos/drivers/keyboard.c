/*
 * 8042 (IBM PC AT Technical Reference, 1-40) and scan code set 1, which the controller makes of the
 * keyboard's set 2. The mouse port is left off.
 *
 * UNIMPL: the LEDs do not follow Caps Lock and Num Lock; Pause and Print Screen do nothing.
 */
#include "guestos/drivers/keyboard.h"
#include "guestos/drivers/random.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/traps.h"
#include "guestos/kernel/x86.h"
#include "guestos/mm/layout.h"
#include "guestos/tty/vt.h"

#define KBC_DATA          0x60
#define KBC_STATUS        0x64
#define KBC_COMMAND       0x64
#define KBC_OBF           0x01 /* a byte for us */
#define KBC_IBF           0x02 /* our last byte is still there */
#define KBC_READ_CONFIG   0x20
#define KBC_WRITE_CONFIG  0x60
#define KBC_DISABLE_MOUSE 0xA7
#define KBC_DISABLE_KBD   0xAD
#define KBC_ENABLE_KBD    0xAE
#define KBC_PULSE_RESET   0xFE
#define CONFIG_KBD_IRQ    0x01
#define CONFIG_MOUSE_IRQ  0x02
#define CONFIG_KBD_OFF    0x10
#define CONFIG_MOUSE_OFF  0x20
#define CONFIG_TRANSLATE  0x40
#define MAX_POLLS         100000u /* of about a microsecond each */
#define KBD_IRQ           1

#define ESCAPE 0x1B

#define CODE_EXTENDED 0xE0
#define CODE_PAUSE    0xE1 /* two bytes follow, twice */
#define CODE_RELEASED 0x80

/* The firmware's idea of the locks, which the LEDs show: IBM BIOS Interface Reference, 40:17. */
#define BDA_SHIFT_FLAGS 0x417
#define BDA_NUM_LOCK    0x20
#define BDA_CAPS_LOCK   0x40

enum {
    SHIFT_LEFT = 1,
    SHIFT_RIGHT = 2,
    SHIFT = SHIFT_LEFT | SHIFT_RIGHT,
    CTRL_LEFT = 4,
    CTRL_RIGHT = 8,
    CTRL = CTRL_LEFT | CTRL_RIGHT,
    ALT_LEFT = 16,
    ALT_RIGHT = 32,
    ALT = ALT_LEFT | ALT_RIGHT,
};

static bool extended, caps_lock, num_lock, to_tty;
static u32 held; /* SHIFT_, CTRL_ and ALT_ bits */
static u32 skip; /* bytes of a Pause sequence still to come */

/* By scan code, 00h to 39h, then as the keypad is laid out. Zero: no character. */
static const char plain[0x3A] = "\0\x1B"
                                "1234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[0x3A] =
    "\0\x1B"
    "!@#$%^&*()_+\b\tQWERTYUIOP{}\n\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";
static const char keypad_digits[] = "789-456+1230."; /* 47h to 53h */
static const u16 keypad_keys[] = {
    KEY_HOME, KEY_UP,  KEY_PAGE_UP, '-',           KEY_LEFT,   0,         KEY_RIGHT,
    '+',      KEY_END, KEY_DOWN,    KEY_PAGE_DOWN, KEY_INSERT, KEY_DELETE};

#define CODE_ENTER        0x1C
#define CODE_CTRL         0x1D
#define CODE_SHIFT_LEFT   0x2A
#define CODE_SLASH        0x35
#define CODE_SHIFT_RIGHT  0x36
#define CODE_ALT          0x38
#define CODE_CAPS_LOCK    0x3A
#define CODE_F1           0x3B /* to F10; the last two came later */
#define CODE_F11          0x57
#define CODE_F12          0x58
#define CODE_NUM_LOCK     0x45
#define CODE_KEYPAD_FIRST 0x47
#define CODE_KEYPAD_LAST  0x53

static bool modifier(u8 code, bool pressed)
{
    u32 bit = 0;

    if (code == CODE_CTRL) {
        bit = extended ? CTRL_RIGHT : CTRL_LEFT;
    } else if (code == CODE_ALT) {
        bit = extended ? ALT_RIGHT : ALT_LEFT;
    } else if (code == CODE_SHIFT_LEFT || code == CODE_SHIFT_RIGHT) {
        /* E0 2A and E0 36 are not keys: they wrap cursor keys while Num Lock is on. */
        bit = extended ? 0 : code == CODE_SHIFT_LEFT ? SHIFT_LEFT : SHIFT_RIGHT;
    } else {
        return false;
    }
    held = pressed ? held | bit : held & ~bit;
    return true;
}

/* What Control makes of a character; 0: nothing. ASCII columns 4 and 5, and what DEC's keyboards
 * have for digits. */
static u16 control_key(char c)
{
    static const char digits[] = "\x1B\x1C\x1D\x1E\x1F\x7F"; /* 3 to 8 */

    if (c == ' ' || c == '2' || c == '@' || c == '`') {
        return KEY_NUL;
    }
    if (c >= '3' && c <= '8') {
        return (u8)digits[c - '3'];
    }
    if (c == '/' || c == '-') {
        return '_' & 0x1F;
    }
    return (c >= 'a' && c <= 'z') || (c >= '[' && c <= '_') ? c & 0x1F : 0;
}

static u16 character_of(u8 code)
{
    bool shift = held & SHIFT;
    char c = plain[code];

    if (c == '\n') {
        return KEY_ENTER;
    }
    if (c == '\b') {
        return held & CTRL ? '\b' : KEY_BACKSPACE;
    }
    if (c == '\t') {
        return shift ? KEY_BACK_TAB : '\t';
    }
    if ((held & CTRL) && c && c != ESCAPE) {
        return control_key(c);
    }
    if (c >= 'a' && c <= 'z') {
        shift = shift != caps_lock;
    }
    return (u8)(shift ? shifted[code] : c);
}

static u16 key_of(u8 code)
{
    if (code >= CODE_KEYPAD_FIRST && code <= CODE_KEYPAD_LAST) {
        u32 at = code - CODE_KEYPAD_FIRST;
        return !extended && num_lock != !!(held & SHIFT) ? (u8)keypad_digits[at] : keypad_keys[at];
    }
    if (extended) {
        return code == CODE_ENTER ? KEY_ENTER : code == CODE_SLASH ? '/' : 0;
    }
    if (code >= CODE_F1 && code < CODE_F1 + 10) {
        return KEY_F1 + (code - CODE_F1);
    }
    if (code == CODE_F11 || code == CODE_F12) {
        return KEY_F1 + 10 + (code - CODE_F11);
    }
    return code < sizeof plain ? character_of(code) : 0;
}

static void deliver(u16 key)
{
    if (!to_tty) {
        console_input(key);
    } else if ((held & SHIFT) && (key == KEY_PAGE_UP || key == KEY_PAGE_DOWN)) {
        vt_look_back(key == KEY_PAGE_UP ? 1 : -1);
    } else {
        vt_key(key, held & ALT);
    }
}

static void receive(u8 byte)
{
    if (skip) {
        skip--;
        return;
    }
    if (byte == CODE_PAUSE) {
        skip = 2;
        return;
    }
    if (byte == CODE_EXTENDED) {
        extended = true;
        return;
    }
    u8 code = byte & ~CODE_RELEASED;
    bool pressed = !(byte & CODE_RELEASED);
    if (!modifier(code, pressed) && pressed) {
        u16 key = key_of(code);
        if (code == CODE_CAPS_LOCK) {
            caps_lock = !caps_lock;
        } else if (code == CODE_NUM_LOCK && !extended) {
            num_lock = !num_lock;
        } else if (key) {
            deliver(key);
        }
    }
    extended = false;
}

static void interrupt(void *unused)
{
    (void)unused;
    if (in8(KBC_STATUS) & KBC_OBF) {
        u8 byte = in8(KBC_DATA);
        random_add(byte);
        receive(byte);
    }
}

static bool wait_status(u8 mask, u8 value)
{
    for (u32 i = 0; i < MAX_POLLS; i++) {
        if ((in8(KBC_STATUS) & mask) == value) {
            return true;
        }
    }
    return false;
}

static bool send(u16 port, u8 byte)
{
    if (!wait_status(KBC_IBF, 0)) {
        return false;
    }
    out8(port, byte);
    return true;
}

bool keyboard_init(void)
{
    u8 locks = *(const u8 *)direct(BDA_SHIFT_FLAGS);

    num_lock = locks & BDA_NUM_LOCK;
    caps_lock = locks & BDA_CAPS_LOCK;
    if (in8(KBC_STATUS) == 0xFF || !send(KBC_COMMAND, KBC_DISABLE_KBD) ||
        !send(KBC_COMMAND, KBC_DISABLE_MOUSE)) {
        return false;
    }
    while (in8(KBC_STATUS) & KBC_OBF) { /* typed before: for nobody */
        in8(KBC_DATA);
    }
    if (!send(KBC_COMMAND, KBC_READ_CONFIG) || !wait_status(KBC_OBF, KBC_OBF)) {
        return false;
    }
    u8 config = in8(KBC_DATA);
    config |= CONFIG_KBD_IRQ | CONFIG_TRANSLATE | CONFIG_MOUSE_OFF;
    config &= (u8) ~(CONFIG_MOUSE_IRQ | CONFIG_KBD_OFF);
    irq_attach(KBD_IRQ, interrupt, NULL);
    return send(KBC_COMMAND, KBC_WRITE_CONFIG) && send(KBC_DATA, config) &&
           send(KBC_COMMAND, KBC_ENABLE_KBD) && wait_status(KBC_IBF, 0);
}

void keyboard_to_tty(void)
{
    to_tty = true;
}

void keyboard_pulse_reset(void)
{
    send(KBC_COMMAND, KBC_PULSE_RESET);
}
