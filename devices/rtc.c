/*
 * MC146818A. Motorola data sheet: registers A to D, update cycle, alarm, periodic interrupt.
 *
 * Seconds advance in a timer once a virtual second; all else is reckoned when looked at.
 *
 * DEVIATION: daylight saving (register B bit 0) does nothing, as on the PIIX3.
 */
#include "devices/rtc.h"

enum reg { SEC, SEC_ALARM, MIN, MIN_ALARM, HOUR, HOUR_ALARM, WDAY, DAY, MONTH, YEAR, A, B, C, D,
           FIRST_CELL = 0x10, CENTURY = 0x32 };
enum reg_b { B_24H = 2, B_BINARY = 4, B_UIE = 0x10, B_AIE = 0x20, B_PIE = 0x40, B_SET = 0x80 };
enum reg_c { C_UF = 0x10, C_AF = 0x20, C_PF = 0x40, C_IRQF = 0x80 };
enum { UPDATE_NS = 244000, ALARM_ANY = 0xc0, HOUR_PM = 0x80, D_VALID = 0x80 };

static bool dividing(const struct rtc *r)
{
    return (r->ram[A] & 0x70) == 0x20;
}

static u8 encode(const struct rtc *r, unsigned v)
{
    return (u8)(r->ram[B] & B_BINARY ? v : v / 10 << 4 | v % 10);
}

static unsigned decode(const struct rtc *r, u8 v)
{
    return r->ram[B] & B_BINARY ? v : (v >> 4) * 10u + (v & 15);
}

static unsigned get_hour(const struct rtc *r)
{
    u8 v = r->ram[HOUR];
    unsigned h;

    if (r->ram[B] & B_24H)
        return decode(r, v);
    h = decode(r, v & ~HOUR_PM) % 12;
    return v & HOUR_PM ? h + 12 : h;
}

static void set_hour(struct rtc *r, unsigned h)
{
    if (r->ram[B] & B_24H)
        r->ram[HOUR] = encode(r, h);
    else
        r->ram[HOUR] = (u8)(encode(r, h % 12 ? h % 12 : 12) | (h >= 12 ? HOUR_PM : 0));
}

static unsigned days_in(unsigned month, unsigned year)
{
    static const u8 days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month >= 1 && month <= 12 ? days[month - 1] + (month == 2 && leap) : 31;
}

static void set_date(struct rtc *r, u64 seconds)
{
    u64 days = seconds / 86400;
    unsigned rest = (unsigned)(seconds % 86400), year = 1970, month = 1;

    r->ram[WDAY] = encode(r, (unsigned)((days + 4) % 7) + 1);
    for (;; year++) {
        unsigned n = days_in(2, year) + 337;
        if (days < n)
            break;
        days -= n;
    }
    while (days >= days_in(month, year))
        days -= days_in(month++, year);
    r->ram[SEC] = encode(r, rest % 60);
    r->ram[MIN] = encode(r, rest / 60 % 60);
    set_hour(r, rest / 3600);
    r->ram[DAY] = encode(r, (unsigned)days + 1);
    r->ram[MONTH] = encode(r, month);
    r->ram[YEAR] = encode(r, year % 100);
    r->ram[CENTURY] = (u8)(year / 1000 << 4 | year / 100 % 10);
}

static void tick_date(struct rtc *r)
{
    unsigned sec = decode(r, r->ram[SEC]) + 1, min = decode(r, r->ram[MIN]), hour = get_hour(r);
    unsigned day = decode(r, r->ram[DAY]), month = decode(r, r->ram[MONTH]);
    unsigned year = decode(r, r->ram[YEAR]), wday = decode(r, r->ram[WDAY]);
    unsigned century = (r->ram[CENTURY] >> 4) * 10u + (r->ram[CENTURY] & 15);

    if (sec >= 60) {
        sec = 0;
        if (++min >= 60) {
            min = 0;
            if (++hour >= 24) {
                hour = 0;
                wday = wday % 7 + 1;
                if (++day > days_in(month, century * 100 + year)) {
                    day = 1;
                    if (++month > 12) {
                        month = 1;
                        if (++year > 99) {
                            year = 0;
                            century++;
                        }
                    }
                }
            }
        }
    }
    r->ram[SEC] = encode(r, sec);
    r->ram[MIN] = encode(r, min);
    set_hour(r, hour);
    r->ram[WDAY] = encode(r, wday);
    r->ram[DAY] = encode(r, day);
    r->ram[MONTH] = encode(r, month);
    r->ram[YEAR] = encode(r, year);
    r->ram[CENTURY] = (u8)(century / 10 << 4 | century % 10);
}

static void update_irq(struct rtc *r)
{
    bool on = (r->ram[C] & r->ram[B] & (C_UF | C_AF | C_PF)) != 0;

    r->ram[C] = (u8)((r->ram[C] & ~C_IRQF) | (on ? C_IRQF : 0));
    irq_set(&r->cfg.irq8, on);
}

static bool alarm_matches(const struct rtc *r)
{
    static const u8 pairs[3][2] = { { SEC, SEC_ALARM }, { MIN, MIN_ALARM }, { HOUR, HOUR_ALARM } };

    for (unsigned i = 0; i < 3; i++) {
        u8 alarm = r->ram[pairs[i][1]];
        if ((alarm & ALARM_ANY) != ALARM_ANY && alarm != r->ram[pairs[i][0]])
            return false;
    }
    return true;
}

static void arm_second(struct rtc *r)
{
    u64 now = clock_now(r->dev.env.clk);

    if (dividing(r) && !r->cfg.broken)
        timer_arm(&r->second, r->base_ns + ((now - r->base_ns) / NS_PER_SEC + 1) * NS_PER_SEC);
    else
        timer_cancel(&r->second);
}

static void second_fired(void *dev, u64 now_ns)
{
    struct rtc *r = dev;

    (void)now_ns;
    if (!(r->ram[B] & B_SET)) {
        tick_date(r);
        r->ram[C] |= C_UF | (alarm_matches(r) ? C_AF : 0);
        update_irq(r);
    }
    arm_second(r);
}

/* The periodic rate: 32768 Hz >> (RS - 1); RS 1 and 2 are 256 and 128 Hz (table 5). */
static u64 period_clocks(const struct rtc *r)
{
    unsigned rs = r->ram[A] & 15;

    if (rs == 0)
        return 0;
    return 1u << (rs < 3 ? rs + 6 : rs - 1);
}

static void arm_periodic(struct rtc *r)
{
    u64 n = period_clocks(r), ticks, now = clock_now(r->dev.env.clk);

    if (!n || !dividing(r) || !(r->ram[B] & B_PIE) || r->cfg.broken) {
        timer_cancel(&r->periodic);
        return;
    }
    ticks = clock_muldiv(now - r->base_ns, 32768, NS_PER_SEC) / n + 1;
    timer_arm(&r->periodic, r->base_ns + clock_muldiv(ticks * n, NS_PER_SEC, 32768) + 1);
}

static void periodic_fired(void *dev, u64 now_ns)
{
    struct rtc *r = dev;

    (void)now_ns;
    r->ram[C] |= C_PF;
    update_irq(r);
    arm_periodic(r);
}

static bool update_in_progress(const struct rtc *r)
{
    u64 into = (clock_now(r->dev.env.clk) - r->base_ns) % NS_PER_SEC;

    return dividing(r) && !(r->ram[B] & B_SET) && into >= NS_PER_SEC - UPDATE_NS;
}

static u8 read_reg(struct rtc *r, u8 i)
{
    u8 v = r->ram[i];

    switch (i) {
    case A: return (u8)(v | (update_in_progress(r) ? 0x80 : 0));
    case C:
        r->ram[C] = 0;
        update_irq(r);
        return v;
    case D: return D_VALID;
    }
    return v;
}

static void write_reg(struct rtc *r, u8 i, u8 v)
{
    bool was_dividing = dividing(r);

    switch (i) {
    case A:
        r->ram[A] = v & 0x7f;
        if (!was_dividing && dividing(r)) /* the first update follows half a second later */
            r->base_ns = clock_now(r->dev.env.clk) - NS_PER_SEC / 2;
        arm_second(r);
        arm_periodic(r);
        break;
    case B:
        r->ram[B] = (u8)(v & (v & B_SET ? ~B_UIE : 0xff));
        arm_periodic(r);
        update_irq(r);
        break;
    case C: case D: break;
    default: r->ram[i] = v; break;
    }
}

static u64 rtc_read(void *dev, u64 off, unsigned size)
{
    struct rtc *r = dev;

    (void)size;
    if (r->cfg.broken || off == 0)
        return 0xff; /* the index is write-only */
    return read_reg(r, r->index);
}

static void rtc_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct rtc *r = dev;

    (void)size;
    if (off == 0)
        r->index = v & 0x7f; /* bit 7 masks NMI, of which this board has no source */
    else if (!r->cfg.broken)
        write_reg(r, r->index, (u8)v);
}

static u64 ext_read(void *dev, u64 off, unsigned size)
{
    struct rtc *r = dev;

    (void)size;
    return r->cfg.broken ? 0xff : off == 0 ? r->ext_index : r->ext_ram[r->ext_index];
}

static void ext_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct rtc *r = dev;

    (void)size;
    if (off == 0)
        r->ext_index = v & 0x7f;
    else
        r->ext_ram[r->ext_index] = (u8)v;
}

void rtc_set_cmos(struct rtc *r, u8 index, u8 value)
{
    r->ram[index & 0x7f] = value;
}

u8 rtc_get_cmos(const struct rtc *r, u8 index)
{
    return r->ram[index & 0x7f];
}

void rtc_set_battery(struct rtc *r, const u8 cells[RTC_CELLS])
{
    for (unsigned i = FIRST_CELL; i < sizeof(r->ram); i++)
        if (i != CENTURY)
            r->ram[i] = cells[i];
    memcpy(r->ext_ram, cells + sizeof(r->ram), sizeof(r->ext_ram));
}

void rtc_get_battery(const struct rtc *r, u8 cells[RTC_CELLS])
{
    memcpy(cells, r->ram, sizeof(r->ram));
    memcpy(cells + sizeof(r->ram), r->ext_ram, sizeof(r->ext_ram));
}

static int rtc_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops ops = { rtc_read, rtc_write, 1 };
    static const struct bus_ops ext = { ext_read, ext_write, 1 };
    struct rtc *r = CONTAINER_OF(dev, struct rtc, dev);

    (void)err;
    r->cfg = *(const struct rtc_cfg *)cfg;
    timer_init(&r->second, dev->env.clk, second_fired, r);
    timer_init(&r->periodic, dev->env.clk, periodic_fired, r);
    r->ram[A] = 0x26;
    r->ram[B] = B_24H;
    set_date(r, r->cfg.start_seconds);
    r->region = (struct bus_region){ .base = 0x70, .len = 2, .ops = &ops, .dev = r, .name = "rtc" };
    r->extended = (struct bus_region){ .base = 0x72, .len = 2, .ops = &ext, .dev = r, .name = "rtc extended" };
    return bus_map(dev->env.io, &r->region) | bus_map(dev->env.io, &r->extended);
}

/* The battery keeps time and memory; RESET clears the interrupt enables (data sheet, RESET). */
static void rtc_reset(struct dev *dev, enum reset_kind kind)
{
    struct rtc *r = CONTAINER_OF(dev, struct rtc, dev);

    (void)kind;
    r->index = r->ext_index = 0;
    r->ram[B] &= (u8) ~(B_PIE | B_AIE | B_UIE | 8);
    r->ram[C] = 0;
    update_irq(r);
    arm_periodic(r);
    if (!timer_armed(&r->second))
        arm_second(r);
}

static void rtc_loaded(struct dev *dev)
{
    update_irq(CONTAINER_OF(dev, struct rtc, dev));
}

/* The divider cannot have restarted in the future; at most half a second before power-on. */
static int rtc_check(const struct dev *dev, char err[160])
{
    const struct rtc *r = CONTAINER_OF(dev, struct rtc, dev);
    u64 now = clock_now(dev->env.clk);

    if (now - r->base_ns <= now + NS_PER_SEC / 2)
        return 0;
    snprintf(err, 160, "mc146818: its divider restarts in the future");
    return -1;
}

static void rtc_fini(struct dev *dev)
{
    struct rtc *r = CONTAINER_OF(dev, struct rtc, dev);

    timer_cancel(&r->second);
    timer_cancel(&r->periodic);
}

static const struct state_field rtc_fields[] = {
    STATE_UPTO(struct rtc, index, 0x7f), STATE_UPTO(struct rtc, ext_index, 0x7f),
    STATE_BYTES(struct rtc, ram),
    STATE_BYTES(struct rtc, ext_ram), STATE(struct rtc, base_ns), STATE_TIMER(struct rtc, second),
    STATE_TIMER(struct rtc, periodic), STATE_END,
};
static const struct state_desc rtc_state = { "mc146818", 1, rtc_fields };
const struct dev_class rtc_class = { "mc146818", rtc_init, rtc_reset, rtc_loaded, rtc_fini,
                                     &rtc_state, rtc_check };
