/* The MC146818 clock: its test, INT 1Ah 00h to 07h, INT 70h, and the waits of INT 15h 83h/86h
 * that are timed by its 1024 Hz periodic interrupt (MC146818A data sheet, AT technical ref.). */
#include "chips.h"
#include "bda.h"
#include "console.h"
#include "entry.h"

enum {
    SEC = 0x00,
    SEC_ALARM = 0x01,
    MIN = 0x02,
    MIN_ALARM = 0x03,
    HOUR = 0x04,
    HOUR_ALARM = 0x05,
    DAY = 0x07,
    MONTH = 0x08,
    YEAR = 0x09,
    REG_A = 0x0A,
    REG_B = 0x0B,
    REG_C = 0x0C,
    REG_D = 0x0D,
    CENTURY = 0x32,
    A_UIP = 0x80,
    A_RATE = 0x26, /* 32768 Hz base, 1024 Hz periodic */
    B_SET = 0x80,
    B_PIE = 0x40,
    B_AIE = 0x20,
    B_BINARY = 0x04,
    B_24H = 0x02,
    B_DST = 0x01,
    C_PF = 0x40,
    C_AF = 0x20,
    D_VALID = 0x80,
    PERIOD_US = 976,
    PATIENCE_US = 200000 /* an emulator's timers come late when its host is busy */
};

static bool ok;

static u8 from_bcd(u8 v)
{
    return (u8)((v >> 4) * 10 + (v & 15));
}

static bool bcd_below(u8 v, u8 limit)
{
    return (v & 15) < 10 && v >> 4 < 10 && from_bcd(v) < limit;
}

/* A moment without an update in progress; false if that never comes. */
static bool quiet(void)
{
    struct deadline d;
    deadline_start(&d, PATIENCE_US); /* an update lasts at most 2.2 ms */
    while (cmos_read(REG_A) & A_UIP) {
        if (deadline_passed(&d))
            return false;
    }
    return true;
}

/* Ticks are seen through the divider chain: with the periodic flag at 8192 Hz one must come
 * within a millisecond; waiting for the second hand would cost a second of boot time. The
 * interrupt is enabled for that (IRQ 8 is masked): some emulations run the divider only then. */
static bool divider_runs(void)
{
    cmos_write(REG_A, 0x23);
    cmos_write(REG_B, cmos_read(REG_B) | B_PIE);
    (void)cmos_read(REG_C);
    struct deadline d;
    deadline_start(&d, PATIENCE_US);
    bool pf = false;
    while (!(pf = cmos_read(REG_C) & C_PF) && !deadline_passed(&d))
        ;
    cmos_write(REG_B, cmos_read(REG_B) & (u8)~B_PIE);
    cmos_write(REG_A, A_RATE);
    (void)cmos_read(REG_C);
    return pf;
}

void rtc_init(void)
{
    u8 d = cmos_read(REG_D), b = cmos_read(REG_B);
    ok = false;
    if (d == 0xFF && b == 0xFF && cmos_read(REG_A) == 0xFF) {
        post_fail("rtc", "registers read FFh");
        return;
    }
    ok = true;
    if (!(d & D_VALID)) {
        post_fail("rtc", "register D says %02Xh: battery or RAM not valid", d);
        ok = false;
    }
    cmos_write(REG_A, A_RATE);
    cmos_write(REG_B, (u8)((b & B_DST) | B_24H));
    (void)cmos_read(REG_C);
    if (!quiet()) {
        post_fail("rtc", "update in progress never ends");
        ok = false;
    } else if (!divider_runs()) {
        post_fail("rtc", "clock does not tick");
        ok = false;
    } else if (!bcd_below(cmos_read(SEC), 60) || !bcd_below(cmos_read(MIN), 60) ||
               !bcd_below(cmos_read(HOUR), 24)) {
        post_fail("rtc", "time %02X:%02X:%02X is none", cmos_read(HOUR), cmos_read(MIN),
                  cmos_read(SEC));
        ok = false;
    }
}

bool rtc_ok(void)
{
    return ok;
}

void rtc_start_ticks(void)
{
    u32 ticks = 0;
    if (ok && quiet()) {
        u32 s = (from_bcd(cmos_read(HOUR)) * 60u + from_bcd(cmos_read(MIN))) * 60u +
                from_bcd(cmos_read(SEC));
        ticks = s * 18 + s * 2065 / 10000; /* 18.2065 Hz */
    }
    bda_set32(BDA_TICKS, ticks);
    bda_set8(BDA_MIDNIGHT, 0);
}

bool rtc_services(struct regs *r)
{
    u8 b;
    switch (r->ah) {
    case 0x00:
        r->cx = (u16)(bda32(BDA_TICKS) >> 16);
        r->dx = (u16)bda32(BDA_TICKS);
        r->al = bda8(BDA_MIDNIGHT);
        bda_set8(BDA_MIDNIGHT, 0);
        r->ah = 0;
        set_cf(r, false);
        return true;
    case 0x01:
        bda_set32(BDA_TICKS, (u32)r->cx << 16 | r->dx);
        bda_set8(BDA_MIDNIGHT, 0);
        r->ah = 0;
        set_cf(r, false);
        return true;
    case 0x02: /* read the time */
        set_cf(r, true);
        if (!quiet())
            return true;
        r->ch = cmos_read(HOUR);
        r->cl = cmos_read(MIN);
        r->dh = cmos_read(SEC);
        r->dl = cmos_read(REG_B) & B_DST;
        r->ax = r->ch;
        set_cf(r, false);
        return true;
    case 0x03: /* set the time */
        (void)quiet();
        b = cmos_read(REG_B);
        cmos_write(REG_B, b | B_SET);
        cmos_write(SEC, r->dh);
        cmos_write(MIN, r->cl);
        cmos_write(HOUR, r->ch);
        b = (u8)((b & (B_PIE | B_AIE)) | B_24H | (r->dl & B_DST));
        cmos_write(REG_B, b);
        r->ah = 0;
        r->al = b;
        set_cf(r, false);
        return true;
    case 0x04: /* read the date */
        set_cf(r, true);
        if (!quiet())
            return true;
        r->cl = cmos_read(YEAR);
        r->dh = cmos_read(MONTH);
        r->dl = cmos_read(DAY);
        r->ch = cmos_read(CENTURY);
        r->ax = r->ch;
        set_cf(r, false);
        return true;
    case 0x05: /* set the date */
        (void)quiet();
        b = cmos_read(REG_B);
        cmos_write(REG_B, b | B_SET);
        cmos_write(YEAR, r->cl);
        cmos_write(MONTH, r->dh);
        cmos_write(DAY, r->dl);
        cmos_write(CENTURY, r->ch);
        b &= (u8)~B_SET;
        cmos_write(REG_B, b);
        r->ah = 0;
        r->al = b;
        set_cf(r, false);
        return true;
    case 0x06: /* set the alarm; INT 4Ah when it comes */
        set_cf(r, true);
        b = cmos_read(REG_B);
        r->ax = 0;
        if (b & B_AIE)
            return true;
        (void)quiet();
        cmos_write(SEC_ALARM, r->dh);
        cmos_write(MIN_ALARM, r->cl);
        cmos_write(HOUR_ALARM, r->ch);
        pic_unmask(8);
        cmos_write(REG_B, (u8)((b & ~B_SET) | B_AIE));
        set_cf(r, false);
        return true;
    case 0x07:
        b = cmos_read(REG_B) & (u8) ~(B_SET | B_AIE);
        cmos_write(REG_B, b);
        r->ah = 0;
        r->al = b;
        set_cf(r, false);
        return true;
    }
    return false;
}

static void periodic_on(void)
{
    pic_unmask(8);
    cmos_write(REG_A, A_RATE);
    cmos_write(REG_B, cmos_read(REG_B) | B_PIE);
}

static void periodic_off(void)
{
    cmos_write(REG_B, cmos_read(REG_B) & (u8)~B_PIE);
    bda_set8(BDA_WAIT_ACTIVE, 0);
}

void rtc_wait_services(struct regs *r)
{
    if (r->ah == 0x83 && r->al == 1) {
        periodic_off();
        set_cf(r, false);
        return;
    }
    if (bda8(BDA_WAIT_ACTIVE) & 1) { /* one wait at a time */
        r->ah = r->ah == 0x83 ? 0x00 : 0x83;
        set_cf(r, true);
        return;
    }
    u32 us = (u32)r->cx << 16 | r->dx;
    if (r->ah == 0x83) {
        bda_set32(BDA_WAIT_PTR, (u32)r->es << 16 | r->bx);
        bda_set32(BDA_WAIT_US, us);
        bda_set8(BDA_WAIT_ACTIVE, 1);
        periodic_on();
        r->ah = 0;
        set_cf(r, false);
        return;
    }
    /* 86h: the same with a flag of our own, bit 7 of WAIT_ACTIVE, and halted while waiting. */
    if (!ok) {
        for (; us > 1000000; us -= 1000000)
            delay_us(1000000);
        delay_us(us);
        set_cf(r, false);
        return;
    }
    bda_set32(BDA_WAIT_PTR, (u32)BDA_SEG << 16 | BDA_WAIT_ACTIVE);
    bda_set32(BDA_WAIT_US, us);
    bda_set8(BDA_WAIT_ACTIVE, 1);
    periodic_on();
    while (!(bda8(BDA_WAIT_ACTIVE) & 0x80))
        irq_halt();
    bda_set8(BDA_WAIT_ACTIVE, 0);
    set_cf(r, false);
}

/* IRQ 8. */
void int70_rtc(struct regs *r)
{
    (void)r;
    u8 c = cmos_read(REG_C) & cmos_read(REG_B);
    if (c & C_PF && bda8(BDA_WAIT_ACTIVE) & 1) {
        u32 left = bda32(BDA_WAIT_US);
        if (left > PERIOD_US) {
            bda_set32(BDA_WAIT_US, left - PERIOD_US);
        } else {
            u32 where = bda32(BDA_WAIT_PTR);
            periodic_off();
            poke8((u16)(where >> 16), where & 0xFFFF,
                  peek8((u16)(where >> 16), where & 0xFFFF) | 0x80);
        }
    }
    if (c & C_AF) {
        struct call_regs user = {0};
        call_int(0x4A, &user);
    }
    pic_eoi(8);
}
