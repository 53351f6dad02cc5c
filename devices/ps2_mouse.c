/*
 * The PS/2 mouse: commands E6h to FFh and three-byte packets.
 * IBM PS/2 Hardware Interface Technical Reference, "Mouse".
 */
#include "devices/ps2.h"

enum { ACK = 0xfa, RESEND = 0xfe, PACKET = 3 };

static void set_defaults(struct ps2_mouse *m)
{
    m->reporting = m->remote = m->wrap = m->scaling = 0;
    m->resolution = 2;
    m->rate = 100;
    m->dx = m->dy = 0;
}

void ps2_mouse_reset(struct ps2_mouse *m)
{
    *m = (struct ps2_mouse){ 0 };
    set_defaults(m);
}

static void send_packet(struct ps2_mouse *m)
{
    int dx = m->dx < -255 ? -255 : m->dx > 255 ? 255 : m->dx;
    int dy = m->dy < -255 ? -255 : m->dy > 255 ? 255 : m->dy;

    if (!ps2_queue_room(&m->out, PACKET))
        return;
    ps2_queue_put(&m->out, (u8)(0x08 | m->buttons | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0)));
    ps2_queue_put(&m->out, (u8)dx);
    ps2_queue_put(&m->out, (u8)dy);
    m->dx -= dx;
    m->dy -= dy;
}

static bool near(i64 moved)
{
    enum { FAR = 1 << 20 };

    return moved > -FAR && moved < FAR;
}

bool ps2_mouse_plausible(const struct ps2_mouse *m)
{
    return near(m->dx) && near(m->dy);
}

void ps2_mouse_move(struct ps2_mouse *m, int dx, int dy, unsigned buttons)
{
    bool changed = (buttons & 7) != m->buttons;

    m->buttons = buttons & 7;
    if (near((i64)m->dx + dx))
        m->dx += dx;
    if (near((i64)m->dy + dy))
        m->dy += dy;
    if (!m->reporting || m->remote || m->wrap)
        return;
    /* A packet under way is not interrupted; movement adds up until there is room. */
    while ((changed || m->dx || m->dy) && m->out.count <= 2 * PACKET) {
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
            m->rate = v;
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
    case 0xf2: ps2_queue_put(&m->out, 0x00); break;
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
    STATE_UPTO(struct ps2_mouse, buttons, 7), STATE(struct ps2_mouse, dx), STATE(struct ps2_mouse, dy),
    STATE_END,
};
