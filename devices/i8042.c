/*
 * The 8042 as in the PS/2: ports 60h and 64h, commands, translation of set 2 to set 1, and the
 * board's port 92h. IBM PS/2 Hardware Interface Technical Reference, "Keyboard and auxiliary
 * device controller"; Intel 8042 data sheet for status bits.
 *
 * A byte needs about a millisecond over the wire from a device, in virtual time. The controller's
 * own answers are there at once.
 */
#include "devices/i8042.h"

enum status { ST_OBF = 1, ST_SYS = 4, ST_COMMAND = 8, ST_UNLOCKED = 0x10, ST_MOUSE = 0x20 };
enum mode { MODE_IRQ1 = 1, MODE_IRQ12 = 2, MODE_SYS = 4, MODE_KBD_OFF = 0x10, MODE_MOUSE_OFF = 0x20,
            MODE_TRANSLATE = 0x40 };
enum outport { OUT_RUN = 1, OUT_A20 = 2, OUT_IRQ1 = 0x10, OUT_IRQ12 = 0x20 };
enum { BYTE_NS = 1000000 };

/* Set 2 to set 1, as the 8042's program has it. */
static const u8 translate[0x90] = {
    0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
    0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
    0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
    0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
    0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
    0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
    0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
    0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
    0x80, 0x81, 0x82, 0x41, 0x54, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f,
};

static void drive(struct i8042 *k)
{
    bool full = k->status & ST_OBF;

    irq_set(&k->cfg.irq1, full && !k->from_mouse && (k->mode & MODE_IRQ1));
    irq_set(&k->cfg.irq12, full && k->from_mouse && (k->mode & MODE_IRQ12));
    irq_set(&k->cfg.a20, (k->outport & OUT_A20) || k->fast_a20);
}

static void fill(struct i8042 *k, u8 byte, bool mouse)
{
    k->out = byte;
    k->from_mouse = mouse;
    k->status = (u8)((k->status & ~ST_MOUSE) | ST_OBF | (mouse ? ST_MOUSE : 0));
    drive(k);
}

static bool kbd_waiting(const struct i8042 *k)
{
    return k->kbd.out.count && !(k->mode & MODE_KBD_OFF);
}

static bool mouse_waiting(const struct i8042 *k)
{
    return k->mouse.out.count && !(k->mode & MODE_MOUSE_OFF);
}

/* Starts the next transfer, if the output buffer is free and someone has a byte. */
static void schedule(struct i8042 *k)
{
    if (k->status & ST_OBF)
        return;
    if (k->nr_replies) {
        u8 byte = k->reply[0];
        k->nr_replies--;
        memmove(k->reply, k->reply + 1, sizeof(k->reply) - 1);
        fill(k, byte, false);
    } else if ((kbd_waiting(k) || mouse_waiting(k)) && !timer_armed(&k->transfer)) {
        timer_arm(&k->transfer, clock_now(k->dev.env.clk) + BYTE_NS);
    }
}

static void reply(struct i8042 *k, u8 byte)
{
    if (k->nr_replies < sizeof(k->reply))
        k->reply[k->nr_replies++] = byte;
    schedule(k);
}

/* A keyboard byte through the translation. False: it was a prefix and yields none. */
static bool translated(struct i8042 *k, u8 *byte)
{
    if (!(k->mode & MODE_TRANSLATE))
        return true;
    if (*byte == 0xf0) {
        k->f0_prefix = 0x80;
        return false;
    }
    if (*byte < sizeof(translate))
        *byte = translate[*byte] | k->f0_prefix;
    k->f0_prefix = 0;
    return true;
}

static void transferred(void *dev, u64 now_ns)
{
    struct i8042 *k = dev;

    (void)now_ns;
    if (k->status & ST_OBF)
        return;
    if (kbd_waiting(k)) {
        u8 byte = ps2_queue_get(&k->kbd.out);
        while (!translated(k, &byte)) {
            if (!k->kbd.out.count)
                return;
            byte = ps2_queue_get(&k->kbd.out);
        }
        TRACE(k->dev.env.trace, kbd_scancode, (u64)byte);
        fill(k, byte, false);
    } else if (mouse_waiting(k)) {
        fill(k, ps2_queue_get(&k->mouse.out), true);
    }
}

static void repeated(void *dev, u64 now_ns)
{
    struct i8042 *k = dev;

    if (!k->kbd.repeat)
        return;
    ps2_keyboard_key(&k->kbd, k->kbd.repeat, true);
    timer_arm(&k->typematic, now_ns + ps2_keyboard_period_ns(&k->kbd));
    schedule(k);
}

void i8042_key(struct i8042 *k, u16 code, bool down)
{
    ps2_keyboard_key(&k->kbd, code, down);
    if (!k->kbd.repeat)
        timer_cancel(&k->typematic);
    else if (down)
        timer_arm(&k->typematic, clock_now(k->dev.env.clk) + ps2_keyboard_delay_ns(&k->kbd));
    schedule(k);
}

void i8042_mouse(struct i8042 *k, int dx, int dy, int dz, unsigned buttons)
{
    ps2_mouse_move(&k->mouse, dx, dy, dz, buttons);
    schedule(k);
}

bool i8042_keyboard_idle(const struct i8042 *k)
{
    return !k->kbd.out.count && !(k->status & ST_OBF) && k->kbd.scanning && !(k->mode & MODE_KBD_OFF);
}

static void write_outport(struct i8042 *k, u8 v)
{
    k->outport = v;
    if (!(v & OUT_RUN))
        k->cfg.power.request(k->cfg.power.sink, POWER_RESET, 0);
    drive(k);
}

/* Port 64h. */
static void run_command(struct i8042 *k, u8 v)
{
    k->command = 0;
    if (v >= 0x20 && v <= 0x3f) {
        reply(k, v == 0x20 ? k->mode : k->ram[v & 31]);
        return;
    }
    switch (v) {
    case 0xa7: k->mode |= MODE_MOUSE_OFF; break;
    case 0xa8: k->mode &= (u8)~MODE_MOUSE_OFF; break;
    case 0xa9: reply(k, 0x00); break; /* mouse interface test: no error */
    case 0xaa:
        k->status |= ST_SYS;
        reply(k, k->cfg.broken ? 0xfc : 0x55);
        break;
    case 0xab: reply(k, 0x00); break; /* keyboard interface test */
    case 0xad: k->mode |= MODE_KBD_OFF; break;
    case 0xae: k->mode &= (u8)~MODE_KBD_OFF; break;
    case 0xc0: reply(k, 0x80); break; /* input port: not inhibited */
    case 0xd0: reply(k, (u8)((k->outport & ~(OUT_IRQ1 | OUT_IRQ12)) | (k->status & ST_OBF ? OUT_IRQ1 : 0))); break;
    case 0xdd: write_outport(k, k->outport & (u8)~OUT_A20); break;
    case 0xdf: write_outport(k, k->outport | OUT_A20); break;
    default:
        if ((v >= 0x60 && v <= 0x7f) || (v >= 0xd1 && v <= 0xd4)) {
            k->command = v; /* takes a parameter */
        } else if (v >= 0xf0) { /* pulses output bits low; bit 0 is RESET */
            if (!(v & 1))
                k->cfg.power.request(k->cfg.power.sink, POWER_RESET, 0);
        } else {
            guest_error(k->dev.env.log, "i8042: unknown command %02x", v);
        }
        break;
    }
    schedule(k);
}

/* Port 60h. */
static void write_data(struct i8042 *k, u8 v)
{
    u8 command = k->command;

    k->command = 0;
    if (command == 0x60) {
        k->mode = v;
        k->status = (u8)((k->status & ~ST_SYS) | (v & MODE_SYS ? ST_SYS : 0));
        drive(k);
    } else if (command > 0x60 && command <= 0x7f) {
        k->ram[command & 31] = v;
    } else if (command == 0xd1) {
        write_outport(k, v);
    } else if (command == 0xd2) {
        fill(k, v, false);
    } else if (command == 0xd3) {
        fill(k, v, true);
    } else if (command == 0xd4) {
        k->mode &= (u8)~MODE_MOUSE_OFF;
        ps2_mouse_write(&k->mouse, v);
    } else {
        k->mode &= (u8)~MODE_KBD_OFF; /* writing to the keyboard enables its clock */
        k->f0_prefix = 0;
        ps2_keyboard_write(&k->kbd, v);
        if (!k->kbd.repeat)
            timer_cancel(&k->typematic);
    }
    schedule(k);
}

static u64 data_read(void *dev, u64 off, unsigned size)
{
    struct i8042 *k = dev;
    u8 v = k->out;

    (void)off;
    (void)size;
    if (k->status & ST_OBF) {
        k->status &= (u8) ~(ST_OBF | ST_MOUSE);
        drive(k);
        schedule(k);
    }
    return v;
}

static void data_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct i8042 *k = dev;

    (void)off;
    (void)size;
    k->status &= (u8)~ST_COMMAND;
    write_data(k, (u8)v);
}

static u64 status_read(void *dev, u64 off, unsigned size)
{
    (void)off;
    (void)size;
    return ((struct i8042 *)dev)->status;
}

static void command_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct i8042 *k = dev;

    (void)off;
    (void)size;
    k->status |= ST_COMMAND;
    run_command(k, (u8)v);
}

static u64 port92_read(void *dev, u64 off, unsigned size)
{
    (void)off;
    (void)size;
    return (u64)((struct i8042 *)dev)->fast_a20 << 1;
}

static void port92_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct i8042 *k = dev;

    (void)off;
    (void)size;
    k->fast_a20 = v >> 1 & 1;
    if (!k->fast_a20) /* the gate is one on this board: clearing it here clears it */
        k->outport &= (u8)~OUT_A20;
    drive(k);
    if (v & 1)
        k->cfg.power.request(k->cfg.power.sink, POWER_RESET, 0);
}

static int i8042_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops data = { data_read, data_write, 1 };
    static const struct bus_ops command = { status_read, command_write, 1 };
    static const struct bus_ops port92 = { port92_read, port92_write, 1 };
    struct i8042 *k = CONTAINER_OF(dev, struct i8042, dev);

    (void)err;
    k->cfg = *(const struct i8042_cfg *)cfg;
    timer_init(&k->transfer, dev->env.clk, transferred, k);
    timer_init(&k->typematic, dev->env.clk, repeated, k);
    k->data = (struct bus_region){ .base = 0x60, .len = 1, .ops = &data, .dev = k, .name = "i8042 data" };
    k->command_port = (struct bus_region){ .base = 0x64, .len = 1, .ops = &command, .dev = k, .name = "i8042 command" };
    k->port92 = (struct bus_region){ .base = 0x92, .len = 1, .ops = &port92, .dev = k, .name = "port 92h" };
    return bus_map(dev->env.io, &k->data) | bus_map(dev->env.io, &k->command_port) |
           bus_map(dev->env.io, &k->port92);
}

static void i8042_reset(struct dev *dev, enum reset_kind kind)
{
    struct i8042 *k = CONTAINER_OF(dev, struct i8042, dev);

    (void)kind;
    k->status = ST_UNLOCKED | ST_COMMAND;
    k->mode = MODE_IRQ1 | MODE_IRQ12;
    k->out = k->command = k->from_mouse = k->f0_prefix = k->nr_replies = 0;
    memset(k->reply, 0, sizeof(k->reply));
    memset(k->ram, 0, sizeof(k->ram));
    k->outport = OUT_RUN | OUT_A20;
    k->fast_a20 = 1;
    ps2_keyboard_reset(&k->kbd);
    ps2_mouse_reset(&k->mouse);
    timer_cancel(&k->transfer);
    timer_cancel(&k->typematic);
    drive(k);
}

static void i8042_loaded(struct dev *dev)
{
    drive(CONTAINER_OF(dev, struct i8042, dev));
}

static int i8042_check(const struct dev *dev, char err[160])
{
    if (ps2_mouse_plausible(&CONTAINER_OF(dev, struct i8042, dev)->mouse))
        return 0;
    snprintf(err, 160, "i8042: the mouse has moved farther than it can");
    return -1;
}

static void i8042_fini(struct dev *dev)
{
    struct i8042 *k = CONTAINER_OF(dev, struct i8042, dev);

    timer_cancel(&k->transfer);
    timer_cancel(&k->typematic);
}

static const struct state_field i8042_fields[] = {
    STATE_STRUCT(struct i8042, kbd, ps2_keyboard_fields),
    STATE_STRUCT(struct i8042, mouse, ps2_mouse_fields), STATE(struct i8042, status),
    STATE(struct i8042, mode), STATE(struct i8042, out), STATE(struct i8042, command),
    STATE_UPTO(struct i8042, from_mouse, 1), STATE(struct i8042, outport),
    STATE_UPTO(struct i8042, fast_a20, 1),
    STATE_BYTES(struct i8042, ram), STATE(struct i8042, f0_prefix),
    STATE_BYTES(struct i8042, reply), STATE_UPTO(struct i8042, nr_replies, 4),
    STATE_TIMER(struct i8042, transfer), STATE_TIMER(struct i8042, typematic), STATE_END,
};
static const struct state_desc i8042_state = { "i8042", 1, i8042_fields };
const struct dev_class i8042_class = { "i8042", i8042_init, i8042_reset, i8042_loaded, i8042_fini,
                                       &i8042_state, i8042_check };
