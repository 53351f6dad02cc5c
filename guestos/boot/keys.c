/* Waiting halts the processor: the BIOS clock wakes it 18 times a second, and a key at once. */
#include "guestos/boot/keys.h"
#include "guestos/boot/loader.h"

#define TICKS_PER_DAY  0x1800B0u
#define SEQUENCE_POLLS 20000 /* about 20 ms: the bytes of a sequence follow each other closely */

/* BIOS data area, 40:6C. Not INT 1Ah, which would eat the midnight flag that the OS may want. */
uint32_t clock_ticks(void)
{
    uint32_t ticks;

    __asm__ volatile("movl 0x46C, %0" : "=r"(ticks));
    return ticks;
}

uint32_t clock_since(uint32_t then)
{
    uint32_t now = clock_ticks();

    return now >= then ? now - then : now + TICKS_PER_DAY - then;
}

/* Scan codes of keys without a character; IBM PC/AT Technical Reference, INT 16h. */
static uint32_t from_scan_code(uint32_t scan)
{
    switch (scan) {
    case 0x47: return KEY_HOME;
    case 0x48: return KEY_UP;
    case 0x4B: return KEY_LEFT;
    case 0x4D: return KEY_RIGHT;
    case 0x4F: return KEY_END;
    case 0x50: return KEY_DOWN;
    case 0x53: return KEY_DELETE;
    default: return KEY_NONE;
    }
}

static uint32_t keyboard_poll(void)
{
    struct bios_regs r = {.eax = 0x0100};

    bios_call(0x16, &r);
    if (r.flags & 0x40) { /* ZF: none */
        return KEY_NONE;
    }
    r = (struct bios_regs){.eax = 0x0000};
    bios_call(0x16, &r);
    uint32_t character = r.eax & 0xFF;
    return character == 0 || character == 0xE0 ? from_scan_code(r.eax >> 8 & 0xFF) : character;
}

static bool next_byte(uint8_t *byte)
{
    for (uint32_t i = 0; i < SEQUENCE_POLLS; i++) {
        if (serial_get(byte)) {
            return true;
        }
    }
    return false;
}

/* After ESC: "[A", "OA", "[3~" and their like. */
static uint32_t sequence(void)
{
    uint8_t byte, number = 0;

    if (!next_byte(&byte)) {
        return KEY_ESC;
    }
    if (byte != '[' && byte != 'O') {
        return KEY_NONE; /* Alt with a key */
    }
    while (next_byte(&byte) && (byte == ';' || (byte >= '0' && byte <= '9'))) {
        number = (uint8_t)(number * 10 + (byte - '0'));
    }
    switch (byte) {
    case 'A': return KEY_UP;
    case 'B': return KEY_DOWN;
    case 'C': return KEY_RIGHT;
    case 'D': return KEY_LEFT;
    case 'H': return KEY_HOME;
    case 'F': return KEY_END;
    case '~': return number == 1 ? KEY_HOME : number == 3 ? KEY_DELETE : number == 4 ? KEY_END : 0;
    default: return KEY_NONE;
    }
}

static uint32_t serial_poll(void)
{
    uint8_t byte;

    if (!serial_get(&byte)) {
        return KEY_NONE;
    }
    switch (byte) {
    case 27: return sequence();
    case 127: return KEY_BACKSPACE;
    case '\n': return KEY_ENTER;
    default: return byte;
    }
}

uint32_t key_wait(uint32_t ticks)
{
    uint32_t start = clock_ticks();

    for (;;) {
        uint32_t key = keyboard_poll();
        if (!key) {
            key = serial_poll();
        }
        if (key || (ticks != FOREVER && clock_since(start) >= ticks)) {
            return key;
        }
        bios_idle();
    }
}
