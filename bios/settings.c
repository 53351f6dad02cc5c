/* Settings in CMOS cells 60h to 6Fh, which neither a PC's firmware nor QEMU or Bochs uses:
 *     60h 'S' 'K', 62h version, 63h seconds of wait, 64h to 6Dh boot order, 6Eh sum of 60h to 6Dh.
 * A sum or a value that is none brings the defaults: the battery was flat, or another wrote there. */
#include "settings.h"
#include "io.h"

enum { AT = 0x60, VERSION = 1, WAIT = 3, ORDER = 4, ORDER_MAX = 10, SUM = 14 };

void settings_default(struct settings *s)
{
    for (u8 i = 0; i < NR_SLOTS; i++)
        s->order[i] = (u8)(SLOT_ROM + i);
    s->wait = 1;
}

static u16 sum(void)
{
    u16 v = 0;
    for (u8 i = 0; i < SUM; i++)
        v = (u16)(v + cmos_read((u8)(AT + i)));
    return v;
}

static bool order_good(const u8 *order)
{
    u32 seen = 0;
    for (unsigned i = 0; i < NR_SLOTS; i++) {
        u8 slot = order[i];
        if (slot > SLOT_LAST || (slot != SLOT_NONE && (seen >> slot & 1)) ||
            (slot != SLOT_NONE && (seen & 1)))
            return false;
        seen |= 1u << slot;
    }
    return true;
}

void settings_load(struct settings *s)
{
    for (u8 i = 0; i < NR_SLOTS; i++)
        s->order[i] = cmos_read((u8)(AT + ORDER + i));
    s->wait = cmos_read(AT + WAIT);
    if (cmos_read(AT) != 'S' || cmos_read(AT + 1) != 'K' || cmos_read(AT + 2) != VERSION ||
        (cmos_read(AT + SUM) | cmos_read(AT + SUM + 1) << 8) != sum() || s->wait > WAIT_MAX ||
        !order_good(s->order))
        settings_default(s);
}

void settings_store(const struct settings *s)
{
    cmos_write(AT, 'S');
    cmos_write(AT + 1, 'K');
    cmos_write(AT + 2, VERSION);
    cmos_write(AT + WAIT, s->wait);
    for (u8 i = 0; i < ORDER_MAX; i++)
        cmos_write((u8)(AT + ORDER + i), i < NR_SLOTS ? s->order[i] : SLOT_NONE);
    u16 v = sum();
    cmos_write(AT + SUM, (u8)v);
    cmos_write(AT + SUM + 1, (u8)(v >> 8));
}

const char *slot_name(u8 slot)
{
    static const char *const names[] = {"option ROM", "primary master", "primary slave",
                                        "secondary master", "secondary slave"};
    return names[slot - SLOT_ROM];
}
