/*
 * Address line 20. Off, it makes 1 MiB alias 0; the kernel lies at 1 MiB, so it must be on, and be
 * seen to be on. Ways tried, each verified: it is on already; INT 15h AX=2401h; port 92h bit 1
 * (PS/2 fast gate); the keyboard controller's output port bit 1 (8042 command D1h).
 */
#include "guestos/boot/loader.h"

#define PORT_92    0x92
#define KBC_DATA   0x60
#define KBC_STATUS 0x64
#define KBC_IBF    0x02 /* status bit 1: the controller has not read our byte yet */

/* Two addresses that differ in bit 20 only; the lower one is a spare word of ours. */
static volatile uint32_t probe;

static bool a20_is_on(void)
{
    volatile uint32_t *high = (volatile uint32_t *)((uintptr_t)&probe | 0x100000);
    uint32_t saved = *high;
    bool on = true;

    for (uint32_t i = 0; i < 4 && on; i++) {
        probe = 0xA5A50000u + i;
        *high = ~(0xA5A50000u + i);
        on = probe == 0xA5A50000u + i;
    }
    if (on) {
        *high = saved;
    }
    return on;
}

/* The gate may take a moment to follow. */
static bool a20_wait(void)
{
    for (uint32_t i = 0; i < 1000; i++) {
        if (a20_is_on()) {
            return true;
        }
        in8(0x80); /* about 1 us */
    }
    return false;
}

static void kbc_wait(void)
{
    for (uint32_t i = 0; i < 100000 && (in8(KBC_STATUS) & KBC_IBF); i++) {
        in8(0x80);
    }
}

const char *a20_enable(void)
{
    if (a20_is_on()) {
        return "on already";
    }
    struct bios_regs r = {.eax = 0x2401};
    bios_call(0x15, &r);
    if (a20_wait()) {
        return "INT 15h";
    }
    uint8_t value = in8(PORT_92);
    if (value != 0xFF) {
        out8(PORT_92, (uint8_t)((value | 2) & ~1)); /* bit 0 would reset the machine */
        if (a20_wait()) {
            return "port 92h";
        }
    }
    kbc_wait();
    out8(KBC_STATUS, 0xD1);
    kbc_wait();
    out8(KBC_DATA, 0xDF);
    kbc_wait();
    if (a20_wait()) {
        return "8042";
    }
    fail("A20 stays off (tried INT 15h, port 92h and the 8042)");
}
