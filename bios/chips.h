/* The board's small chips: interrupt controllers, timer, clock. */
#ifndef SPARK_CHIPS_H
#define SPARK_CHIPS_H

#include "types.h"

/* pic.c */
void pic_init(void);
void pic_unmask(unsigned irq);
void pic_mask(unsigned irq);
void pic_eoi(unsigned irq);
bool pic_in_service(unsigned irq);

/* apic.c */
void apic_virtual_wire(void);

/* pit.c */
void pit_init(void);
/* A deadline measured with the timer's counter; also ends by count of polls if the timer is dead. */
struct deadline { u32 left, polls; u16 last; };
void deadline_start(struct deadline *d, u32 us);
bool deadline_passed(struct deadline *d);
void delay_us(u32 us);

/* rtc.c */
void rtc_init(void);
void rtc_start_ticks(void); /* loads the BDA's tick count from the time of day */
bool rtc_ok(void);

/* Interrupts 1Ah/00h to 07h; true if the function was one of them. */
struct regs;
bool rtc_services(struct regs *r);
/* INT 15h AH=83h, 86h */
void rtc_wait_services(struct regs *r);

#endif
