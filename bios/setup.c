/* Set-up: boot order, waiting time, date and time. A row is changed where the bar stands; nothing is
 * written before F10. */
#include "boot.h"
#include "chips.h"
#include "console.h"
#include "entry.h"
#include "io.h"
#include "memory.h"

enum { BAR = 0x70, PLAIN = 0x07, BRIGHT = 0x0F };
enum { SCAN_ESC = 0x01, SCAN_UP = 0x48, SCAN_DOWN = 0x50, SCAN_F9 = 0x43, SCAN_F10 = 0x44 };
enum { ROW_WAIT, ROW_YEAR, ROW_MONTH, ROW_DAY, ROW_HOUR, ROW_MINUTE, NR_OTHERS };
enum { FIRST_LINE = 3, OTHERS_LINE = 18 };

struct screen {
    struct settings s;
    u8 slot[NR_SLOTS], nr_on, nr_slots; /* the rows: slots of the order, then those that are off */
    u16 date[5];             /* year, month, day, hour, minute */
    bool date_changed;
};

static const struct { const char *name; u16 min, max; } date_row[5] = {
    {"year", 1980, 2099}, {"month", 1, 12}, {"day", 1, 31}, {"hour", 0, 23}, {"minute", 0, 59}};

static u8 days_in(u16 year, u16 month)
{
    static const u8 days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return (u8)(days[month - 1] + (month == 2 && year % 4 == 0)); /* 1980 to 2099 */
}

static u16 from_bcd(u8 v)
{
    return (u16)((v >> 4) * 10 + (v & 15));
}

static u8 to_bcd(u16 v)
{
    return (u8)(v / 10 << 4 | v % 10);
}

static void read_clock(struct screen *sc)
{
    struct call_regs date = {.eax = 0x0400}, time = {.eax = 0x0200};
    call_int(0x1A, &date);
    call_int(0x1A, &time);
    sc->date[0] = (u16)(from_bcd(date.ch) * 100 + from_bcd(date.cl));
    sc->date[1] = from_bcd(date.dh);
    sc->date[2] = from_bcd(date.dl);
    sc->date[3] = from_bcd(time.ch);
    sc->date[4] = from_bcd(time.cl);
    for (unsigned i = 0; i < 5; i++) { /* a clock that was never set may hold anything */
        if (sc->date[i] < date_row[i].min || sc->date[i] > date_row[i].max)
            sc->date[i] = date_row[i].min;
    }
}

static void write_clock(const struct screen *sc)
{
    struct call_regs date = {.eax = 0x0500}, time = {.eax = 0x0300};
    date.ch = to_bcd(sc->date[0] / 100);
    date.cl = to_bcd(sc->date[0] % 100);
    date.dh = to_bcd(sc->date[1]);
    date.dl = to_bcd(sc->date[2]);
    time.ch = to_bcd(sc->date[3]);
    time.cl = to_bcd(sc->date[4]);
    call_int(0x1A, &date);
    call_int(0x1A, &time);
    rtc_start_ticks();
}

/* Slots of IDE drives are always shown, others where something is there. */
static bool shown(u8 slot)
{
    return slot == SLOT_ROM || (slot >= SLOT_IDE && slot < SLOT_IDE + IDE_DRIVES) || boot_slot_present(slot);
}

/* The slots that the order leaves out are shown behind it, so that they can be put back. */
static void list_rows(struct screen *sc)
{
    u32 on = 0;
    sc->nr_slots = 0;
    for (unsigned i = 0; i < NR_SLOTS && sc->s.order[i] != SLOT_NONE; i++) {
        on |= 1u << sc->s.order[i];
        if (shown(sc->s.order[i]))
            sc->slot[sc->nr_slots++] = sc->s.order[i];
    }
    sc->nr_on = sc->nr_slots;
    for (u8 slot = SLOT_ROM; slot <= SLOT_LAST; slot++) {
        if (!(on >> slot & 1) && shown(slot))
            sc->slot[sc->nr_slots++] = slot;
    }
}

static void show_row(const struct screen *sc, unsigned row, bool bar)
{
    if (row < sc->nr_slots) {
        con_at((u8)(FIRST_LINE + row), 2, bar ? BAR : PLAIN);
        if (row < sc->nr_on)
            con_printf(" %u%s   ", row + 1, row < 9 ? " " : "");
        else
            con_printf(" off  ");
        menu_slot(sc->slot[row]);
        con_fill(78);
        return;
    }
    unsigned k = row - sc->nr_slots; /* three to a line */
    con_at((u8)(OTHERS_LINE + k / 3), (u8)(2 + k % 3 * 26), bar ? BAR : PLAIN);
    if (k == ROW_WAIT) {
        con_printf(" wait for a key  %u s", sc->s.wait);
    } else {
        unsigned i = k - ROW_YEAR;
        con_printf(" %s  ", date_row[i].name);
        con_printf(i == 0 ? "%u" : "%02u", sc->date[i]);
    }
    con_fill((u8)(26 + k % 3 * 26));
}

static void show_frame(void)
{
    static const char *const kept[] = {
        "These settings are kept in CMOS memory.",
        "These settings are kept in CMOS memory, in the file of --nvram.",
        "CMOS memory lasts for this run only; kiln --nvram FILE keeps the settings."};
    console_clear();
    con_at(0, 0, BRIGHT);
    con_printf("Spark set-up");
    con_at(0, 50, PLAIN);
    con_printf("%u MiB of memory", (memory_low_end() >> 20) + (u32)(memory_high_bytes() >> 20));
    con_at(FIRST_LINE - 1, 0, PLAIN);
    con_printf("Boot order");
    con_at(OTHERS_LINE + 3, 0, PLAIN);
    con_printf("Up, Down: go to a row     + -: move it, or change it     Space: on, off\n"
               "F9: defaults     F10: keep and boot     Esc: boot without keeping");
    con_at(23, 0, PLAIN);
    con_printf("%s", kept[fwcfg_nvram()]);
}

static unsigned place(const struct screen *sc, unsigned row)
{
    unsigned i = 0;
    while (sc->s.order[i] != sc->slot[row])
        i++;
    return i;
}

/* Moves the slot at `row` of the order by one place; where it is then. */
static unsigned move(struct screen *sc, unsigned row, int by)
{
    unsigned to = row + (unsigned)by;
    if (row >= sc->nr_on || to >= sc->nr_on) /* also when it would be -1 */
        return row;
    unsigned a = place(sc, row), b = place(sc, to);
    sc->s.order[a] = sc->slot[to];
    sc->s.order[b] = sc->slot[row];
    list_rows(sc);
    return to;
}

static void turn(struct screen *sc, unsigned row)
{
    unsigned n = 0;
    if (row < sc->nr_on) {
        for (n = place(sc, row); n + 1 < NR_SLOTS; n++)
            sc->s.order[n] = sc->s.order[n + 1];
        sc->s.order[NR_SLOTS - 1] = SLOT_NONE;
    } else {
        while (sc->s.order[n] != SLOT_NONE)
            n++;
        sc->s.order[n] = sc->slot[row];
    }
    list_rows(sc);
}

static void change_date(struct screen *sc, unsigned i, int by)
{
    u16 max = i == 2 ? days_in(sc->date[0], sc->date[1]) : date_row[i].max;
    u16 v = (u16)(sc->date[i] + by);
    sc->date[i] = v > max || v == 0xFFFF ? date_row[i].min : v < date_row[i].min ? max : v;
    if (sc->date[2] > days_in(sc->date[0], sc->date[1]))
        sc->date[2] = days_in(sc->date[0], sc->date[1]);
    sc->date_changed = true;
}

/* One key at the row of the bar; the row that the bar is on then. */
static unsigned change(struct screen *sc, unsigned row, u8 c)
{
    int by = c == '+' || c == '=' ? 1 : c == '-' ? -1 : 0;
    if (row < sc->nr_slots && c == ' ')
        turn(sc, row);
    else if (by != 0 && row < sc->nr_slots)
        return move(sc, row, -by); /* plus is up */
    else if (by != 0 && row == sc->nr_slots + ROW_WAIT)
        sc->s.wait = (u8)((sc->s.wait + WAIT_MAX + 1 + by) % (WAIT_MAX + 1));
    else if (by != 0)
        change_date(sc, row - sc->nr_slots - ROW_YEAR, by);
    return row;
}

void setup_screen(void)
{
    struct screen sc = {.date_changed = false};
    unsigned bar = 0;
    u8 scan;
    settings_load(&sc.s);
    read_clock(&sc);
    list_rows(&sc);
    show_frame();
    do {
        unsigned rows = sc.nr_slots + (unsigned)NR_OTHERS;
        for (unsigned row = 0; row < rows; row++)
            show_row(&sc, row, row == bar);
        u16 key = menu_key();
        scan = (u8)(key >> 8);
        if (scan == SCAN_UP)
            bar = bar == 0 ? rows - 1 : bar - 1;
        else if (scan == SCAN_DOWN)
            bar = bar + 1 == rows ? 0 : bar + 1;
        else if (scan == SCAN_F9) {
            settings_default(&sc.s);
            list_rows(&sc);
        } else {
            bar = change(&sc, bar, (u8)key);
        }
    } while (scan != SCAN_ESC && scan != SCAN_F10);
    if (scan == SCAN_F10) {
        settings_store(&sc.s);
        if (sc.date_changed)
            write_clock(&sc);
        boot_load_order(SLOT_NONE);
    }
    console_clear();
}
