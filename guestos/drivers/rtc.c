/*
 * MC146818A (Motorola data sheet, "Address Map", registers A and B); the century in 32h, where PCs
 * keep it. A time is taken when two readings agree, since an update may begin between them.
 * UNIMPL: setting it, alarms, /dev/rtc, the century register's place in ACPI's FADT.
 */
#include "guestos/drivers/rtc.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/lock.h"
#include "guestos/kernel/percpu.h"
#include "guestos/kernel/string.h"
#include "guestos/kernel/x86.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71

enum {
    SECONDS = 0,
    MINUTES = 2,
    HOURS = 4,
    DAY = 7,
    MONTH = 8,
    YEAR = 9,
    A = 10,
    B = 11,
    CENTURY = 0x32
};
#define A_UPDATING 0x80
#define B_24_HOURS 0x02
#define B_BINARY   0x04
#define HOURS_PM   0x80
#define MAX_TRIES  10
#define UPDATE_NS  (10 * NS_PER_MS) /* an update takes 2 ms */
#define NR_FIELDS  7u

static const u8 registers[NR_FIELDS] = {SECONDS, MINUTES, HOURS, DAY, MONTH, YEAR, CENTURY};

static u8 cmos_read(u8 reg)
{
    out8(CMOS_INDEX, reg);
    return in8(CMOS_DATA);
}

static void read_fields(u8 field[NR_FIELDS])
{
    u64 end = clock_monotonic() + UPDATE_NS;

    while ((cmos_read(A) & A_UPDATING) && clock_monotonic() < end) {
    }
    for (u32 i = 0; i < NR_FIELDS; i++) {
        field[i] = cmos_read(registers[i]);
    }
}

static bool read_twice(u8 field[NR_FIELDS])
{
    u8 again[NR_FIELDS];

    for (u32 try = 0; try < MAX_TRIES; try++) {
        read_fields(field);
        read_fields(again);
        if (memcmp(field, again, NR_FIELDS) == 0) {
            return true;
        }
    }
    return false;
}

static u32 from_bcd(u32 value)
{
    return (value >> 4) * 10 + (value & 15);
}

/* Days from 1970 to a date of the Gregorian calendar: years begin in March, so that the day that
 * may be missing is the last one. */
static u64 days_since_1970(u32 year, u32 month, u32 day)
{
    u64 y = month <= 2 ? year - 1 : year;
    u64 m = month <= 2 ? month + 9 : month - 3;

    return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

void rtc_init(void)
{
    u8 raw[NR_FIELDS];
    u32 field[NR_FIELDS];

    irq_off();
    bool good = read_twice(raw);
    u8 b = cmos_read(B);
    irq_back();
    bool pm = raw[2] & HOURS_PM && !(b & B_24_HOURS);
    raw[2] &= b & B_24_HOURS ? 0xFF : (u8)~HOURS_PM;
    for (u32 i = 0; i < NR_FIELDS; i++) {
        field[i] = b & B_BINARY ? raw[i] : from_bcd(raw[i]);
    }
    u32 hour = b & B_24_HOURS ? field[2] : field[2] % 12 + (pm ? 12 : 0);
    u32 century = field[6] >= 19 && field[6] <= 22 ? field[6] : 20; /* 20: nobody keeps it there */
    u32 year = century * 100 + field[5];
    if (!good || year < 1970 || field[4] < 1 || field[4] > 12 || field[3] < 1 || field[3] > 31 ||
        hour > 23 || field[1] > 59 || field[0] > 59) {
        print("RTC: no date in it; the clock begins at 1970\n");
        return;
    }
    u64 s =
        days_since_1970(year, field[4], field[3]) * 86400 + hour * 3600 + field[1] * 60 + field[0];
    clock_set_realtime(s * NS_PER_S);
}
