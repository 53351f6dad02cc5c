/*
 * The PS/2 mouse: commands E6h to FFh, packets of three bytes, or of four with a wheel.
 * IBM PS/2 Hardware Interface Technical Reference, "Mouse"; Microsoft's IntelliMouse: three sample
 * rates one after the other, 200, 100, 80 or 200, 200, 80, bring the wheel and two more buttons.
 */
#include "devices/ps2.h"

enum { ACK = 0xfa, RESEND = 0xfe, PACKET = 4 };

static void set_defaults(struct ps2_mouse *m)
{
    m->reporting = m->remote = m->wrap = m->scaling = 0;
    m->resolution = 2;
    m->rate = 100;
    m->dx = m->dy = m->dz = 0;
}

void ps2_mouse_reset(struct ps2_mouse *m)
{
    *m = (struct ps2_mouse){ 0 };
    set_defaults(m);
}

static int within(int v, int most)
{
    return v < -most ? -most : v > most ? most : v;
}

static void send_packet(struct ps2_mouse *m)
{
    int dx = within(m->dx, 255), dy = within(m->dy, 255), dz = m->id ? within(m->dz, 7) : 0;

    if (!ps2_queue_room(&m->out, PACKET))
        return;
    ps2_queue_put(&m->out, (u8)(0x08 | (m->buttons & 7) | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0)));
    ps2_queue_put(&m->out, (u8)dx);
    ps2_queue_put(&m->out, (u8)dy);
    if (m->id == 3)
        ps2_queue_put(&m->out, (u8)dz);
    else if (m->id == 4)
        ps2_queue_put(&m->out, (u8)((dz & 15) | (m->buttons & 0x18) << 1));
    m->dx -= dx;
    m->dy -= dy;
    m->dz = m->id ? m->dz - dz : 0;
}

/* Which kind of mouse the last three sample rates have asked for. */
static void set_rate(struct ps2_mouse *m, u8 rate)
{
    if (m->knock[0] == 200 && rate == 80 && (m->knock[1] == 100 || m->knock[1] == 200))
        m->id = m->knock[1] == 100 ? 3 : 4;
    m->knock[0] = m->knock[1];
    m->knock[1] = m->rate = rate;
}

static bool near(i64 moved)
{
    enum { FAR = 1 << 20 };

    return moved > -FAR && moved < FAR;
}

bool ps2_mouse_plausible(const struct ps2_mouse *m)
{
    return near(m->dx) && near(m->dy) && near(m->dz);
}

void ps2_mouse_move(struct ps2_mouse *m, int dx, int dy, int dz, unsigned buttons)
{
    bool changed = (buttons & 31) != m->buttons;

    m->buttons = buttons & 31;
    if (near((i64)m->dx + dx))
        m->dx += dx;
    if (near((i64)m->dy + dy))
        m->dy += dy;
    if (near((i64)m->dz + dz) && m->id)
        m->dz += dz;
    if (!m->reporting || m->remote || m->wrap)
        return;
    /* A packet under way is not interrupted; movement adds up until there is room. */
    while ((changed || m->dx || m->dy || m->dz) && m->out.count <= 2 * PACKET) {
        send_packet(m);
        changed = false;
    }
}

void ps2_mouse_write(struct ps2_mouse *m, u8 v)
{
    u8 command = m->command;

    m->command = 0;
    if (command) { /* parameter of E8h, F3h */
        if (command == 0xe8)
            m->resolution = v & 3;
        else
            set_rate(m, v);
        ps2_queue_put(&m->out, ACK);
        return;
    }
    if (m->wrap && v != 0xec && v != 0xff) {
        ps2_queue_put(&m->out, v);
        return;
    }
    m->out.count = 0;
    if (v < 0xe6) {
        ps2_queue_put(&m->out, RESEND);
        return;
    }
    ps2_queue_put(&m->out, ACK);
    switch (v) {
    case 0xe6: m->scaling = 0; break;
    case 0xe7: m->scaling = 1; break;
    case 0xe8: case 0xf3: m->command = v; break;
    case 0xe9:
        ps2_queue_put(&m->out, (u8)(m->remote << 6 | m->reporting << 5 | m->scaling << 4 |
                                    (m->buttons & 1) << 2 | (m->buttons & 2) >> 1 |
                                    (m->buttons & 4) >> 1));
        ps2_queue_put(&m->out, m->resolution);
        ps2_queue_put(&m->out, m->rate);
        break;
    case 0xea: m->remote = 0; break;
    case 0xeb: send_packet(m); break;
    case 0xec: m->wrap = 0; break;
    case 0xee: m->wrap = 1; break;
    case 0xf0: m->remote = 1; break;
    case 0xf2: ps2_queue_put(&m->out, m->id); break;
    case 0xf4: m->reporting = 1; break;
    case 0xf5: m->reporting = 0; break;
    case 0xf6: set_defaults(m); break;
    case 0xff:
        ps2_mouse_reset(m);
        ps2_queue_put(&m->out, ACK);
        ps2_queue_put(&m->out, 0xaa);
        ps2_queue_put(&m->out, 0x00);
        break;
    default:
        m->out.count = 0;
        ps2_queue_put(&m->out, RESEND);
        break;
    }
}

const struct state_field ps2_mouse_fields[] = {
    STATE_STRUCT(struct ps2_mouse, out, ps2_queue_fields), STATE(struct ps2_mouse, command),
    STATE_UPTO(struct ps2_mouse, reporting, 1), STATE_UPTO(struct ps2_mouse, remote, 1),
    STATE_UPTO(struct ps2_mouse, wrap, 1), STATE_UPTO(struct ps2_mouse, scaling, 1),
    STATE_UPTO(struct ps2_mouse, resolution, 3), STATE(struct ps2_mouse, rate),
    STATE_UPTO(struct ps2_mouse, id, 4), STATE_BYTES(struct ps2_mouse, knock),
    STATE_UPTO(struct ps2_mouse, buttons, 31), STATE(struct ps2_mouse, dx), STATE(struct ps2_mouse, dy),
    STATE(struct ps2_mouse, dz),
    STATE_END,
};
