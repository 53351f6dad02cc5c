/* The battery-backed clock, which knows the date while the machine is off. UTC is assumed. */
#ifndef GUESTOS_DRIVERS_RTC_H
#define GUESTOS_DRIVERS_RTC_H

void rtc_init(void); /* sets the wall clock; says so if that cannot be done */

#endif
