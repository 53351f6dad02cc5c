/*
 * The PS/2 keyboard: commands EDh to FFh, scan code sets 1 and 2, typematic repeat.
 * IBM PS/2 Hardware Interface Technical Reference, "Keyboard". Codes of set 2 come from set 1's
 * through the inverse of the 8042's translation table.
 *
 * UNIMPL: scan code set 3 is accepted as a setting but keys are sent as in set 2.
 */
#include "devices/ps2.h"

enum { ACK = 0xfa, RESEND = 0xfe, BAT_OK = 0xaa, ECHO = 0xee, PAUSE_KEY = 0xe11d };

bool ps2_queue_room(const struct ps2_queue *q, unsigned n)
{
    return q->count + n <= PS2_QUEUE;
}

void ps2_queue_put(struct ps2_queue *q, u8 byte)
{
    if (ps2_queue_room(q, 1))
        q->bytes[(q->head + q->count++) % PS2_QUEUE] = byte;
}

u8 ps2_queue_get(struct ps2_queue *q)
{
    u8 v = q->bytes[q->head];

    q->head = (q->head + 1) % PS2_QUEUE;
    q->count--;
    return v;
}

const struct state_field ps2_queue_fields[] = {
    STATE_BYTES(struct ps2_queue, bytes), STATE_UPTO(struct ps2_queue, head, PS2_QUEUE - 1),
    STATE_UPTO(struct ps2_queue, count, PS2_QUEUE), STATE_END,
};

/* Set 2 codes of the set 1 codes 00h to 58h. */
static const u8 set2[0x59] = {
    0x00, 0x76, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x4e, 0x55, 0x66, 0x0d,
    0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43, 0x44, 0x4d, 0x54, 0x5b, 0x5a, 0x14, 0x1c, 0x1b,
    0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e, 0x12, 0x5d, 0x1a, 0x22, 0x21, 0x2a,
    0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7c, 0x11, 0x29, 0x58, 0x05, 0x06, 0x04, 0x0c, 0x03,
    0x0b, 0x83, 0x0a, 0x01, 0x09, 0x77, 0x7e, 0x6c, 0x75, 0x7d, 0x7b, 0x6b, 0x73, 0x74, 0x79, 0x69,
    0x72, 0x7a, 0x70, 0x71, 0x7f, 0x60, 0x61, 0x78, 0x07,
};

void ps2_keyboard_reset(struct ps2_keyboard *k)
{
    *k = (struct ps2_keyboard){ .scanning = 1, .set = 2, .rate = 0x2b };
}

static void parameter(struct ps2_keyboard *k, u8 v)
{
    u8 command = k->command;

    k->command = 0;
    ps2_queue_put(&k->out, ACK);
    switch (command) {
    case 0xed: k->leds = v & 7; break;
    case 0xf0:
        if (v == 0)
            ps2_queue_put(&k->out, k->set);
        else if (v <= 3)
            k->set = v;
        break;
    case 0xf3: k->rate = v & 0x7f; break;
    }
}

void ps2_keyboard_write(struct ps2_keyboard *k, u8 v)
{
    if (k->command && v < 0x80) {
        parameter(k, v);
        return;
    }
    k->command = 0;
    if (v != ECHO)
        k->out.count = 0; /* a command ends what was being sent */
    switch (v) {
    case 0xed: case 0xf0: case 0xf3: /* LEDs, scan code set, typematic rate */
        k->command = v;
        ps2_queue_put(&k->out, ACK);
        break;
    case ECHO: ps2_queue_put(&k->out, ECHO); break;
    case 0xf2: /* identify: MF2 */
        ps2_queue_put(&k->out, ACK);
        ps2_queue_put(&k->out, 0xab);
        ps2_queue_put(&k->out, 0x83);
        break;
    case 0xf4:
        k->scanning = 1;
        ps2_queue_put(&k->out, ACK);
        break;
    case 0xf5: case 0xf6: /* default, disabled and enabled */
        k->scanning = v == 0xf6;
        k->set = 2;
        k->rate = 0x2b;
        k->repeat = 0;
        ps2_queue_put(&k->out, ACK);
        break;
    case 0xf7: case 0xf8: case 0xf9: case 0xfa: /* set 3's key types */
        ps2_queue_put(&k->out, ACK);
        break;
    case 0xff:
        ps2_keyboard_reset(k);
        ps2_queue_put(&k->out, ACK);
        ps2_queue_put(&k->out, BAT_OK);
        break;
    default: ps2_queue_put(&k->out, RESEND); break;
    }
}

static void send_pause(struct ps2_keyboard *k)
{
    static const u8 in_set1[] = { 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5 };
    static const u8 in_set2[] = { 0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77 };
    const u8 *p = k->set == 1 ? in_set1 : in_set2;
    unsigned n = k->set == 1 ? sizeof(in_set1) : sizeof(in_set2);

    if (ps2_queue_room(&k->out, n))
        while (n--)
            ps2_queue_put(&k->out, *p++);
}

void ps2_keyboard_key(struct ps2_keyboard *k, u16 code, bool down)
{
    u8 base = code & 0x7f;

    if (!k->scanning)
        return;
    if (code == PAUSE_KEY) {
        if (down)
            send_pause(k);
        return;
    }
    k->repeat = down ? code : k->repeat == code ? 0 : k->repeat;
    if (base == 0 || base >= sizeof(set2) || !ps2_queue_room(&k->out, 3))
        return; /* the buffer is full: hardware sends an overrun code; the key is lost */
    if (code >> 8 == 0xe0)
        ps2_queue_put(&k->out, 0xe0);
    if (k->set == 1) {
        ps2_queue_put(&k->out, (u8)(base | (down ? 0 : 0x80)));
    } else {
        if (!down)
            ps2_queue_put(&k->out, 0xf0);
        ps2_queue_put(&k->out, set2[base]);
    }
}

u64 ps2_keyboard_delay_ns(const struct ps2_keyboard *k)
{
    return ((k->rate >> 5 & 3) + 1) * 250000000ull;
}

/* (8 + A) * 2^B * 4.17 ms: A bits 2..0, B bits 4..3. */
u64 ps2_keyboard_period_ns(const struct ps2_keyboard *k)
{
    return (8ull + (k->rate & 7)) * (1u << (k->rate >> 3 & 3)) * 4170000;
}

const struct state_field ps2_keyboard_fields[] = {
    STATE_STRUCT(struct ps2_keyboard, out, ps2_queue_fields), STATE(struct ps2_keyboard, command),
    STATE_UPTO(struct ps2_keyboard, scanning, 1), STATE_UPTO(struct ps2_keyboard, set, 3),
    STATE_UPTO(struct ps2_keyboard, leds, 7), STATE_UPTO(struct ps2_keyboard, rate, 0x7f),
    STATE(struct ps2_keyboard, repeat), STATE_END,
};
