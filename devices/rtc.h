/* The real-time clock with CMOS memory: Motorola MC146818A data sheet, PIIX3's extended bank. */
#ifndef DEVICES_RTC_H
#define DEVICES_RTC_H

#include "core/dev.h"

struct rtc_cfg {
    struct irq_line irq8;
    u64 start_seconds; /* since 1970: the date at power-on */
    bool broken;       /* no chip answers */
};

struct rtc {
    struct dev dev;
    struct rtc_cfg cfg;
    struct bus_region region, extended;
    struct timer second;   /* the end of the next update */
    struct timer periodic; /* the next periodic interrupt, while PIE is set */
    u8 index, ext_index;
    u8 ram[128];     /* 0 to 0Dh: the registers; times as the guest sees them */
    u8 ext_ram[128];
    u64 base_ns;     /* virtual time at which the divider last restarted */
};

extern const struct dev_class rtc_class;

/* Cells that firmware reads: battery-backed, so they survive resets. */
enum { RTC_CELLS = 256 }; /* both banks */
void rtc_set_cmos(struct rtc *, u8 index, u8 value);
u8 rtc_get_cmos(const struct rtc *, u8 index);

/* All of it at once. The clock, the century and what a reset means to firmware (diagnosis and
 * shutdown code) are not taken over: they begin anew with the machine. */
void rtc_set_battery(struct rtc *, const u8 cells[RTC_CELLS]);
void rtc_get_battery(const struct rtc *, u8 cells[RTC_CELLS]);

#endif
