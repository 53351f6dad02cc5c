/* The PS/2 mouse: INT 15h AH=C2h, and IRQ 12, which collects packets and calls the driver's far
 * routine with four words on the stack (IBM PS/2 BIOS reference, "pointing device interface").
 * State is kept in the EBDA at the PS/2's offsets: 22h handler, 26h index, 27h flags, 28h packet. */
#include "bda.h"
#include "chips.h"
#include "entry.h"
#include "kbd.h"

enum {
    E_HANDLER = 0x22,
    E_INDEX = 0x26,
    E_FLAGS = 0x27, /* bit 7: handler set; bits 2-0: packet size - 1 */
    E_PACKET = 0x28,
    TO_MOUSE = 0xD4,
    CB_IRQ1 = 0x01,
    CB_IRQ12 = 0x02,
    CB_MOUSE_OFF = 0x20,
    ACK = 0xFA,
    BAD_FUNCTION = 0x01,
    BAD_INPUT = 0x02,
    INTERFACE_ERROR = 0x03,
    NO_HANDLER = 0x05,
    IO_US = 50000
};

static bool present;

/* Sends bytes to the mouse and takes its answers; the keyboard's and the mouse's IRQs are off
 * meanwhile. */
static bool send(u8 byte)
{
    u8 answer = 0;
    return kbc_command(TO_MOUSE) && kbc_write_data(byte) && kbc_read_data(&answer, IO_US) &&
           answer == ACK;
}

static bool command(u8 byte, u8 *answers, unsigned nr)
{
    if (!kbc_modify_command_byte(CB_IRQ1 | CB_IRQ12, 0))
        return false;
    bool good = send(byte);
    for (unsigned i = 0; good && i < nr; i++)
        good = kbc_read_data(&answers[i], 800000);
    kbc_modify_command_byte(0, CB_IRQ1 | CB_IRQ12);
    return good;
}

static bool command_with(u8 byte, u8 argument)
{
    if (!kbc_modify_command_byte(CB_IRQ1 | CB_IRQ12, 0))
        return false;
    bool good = send(byte) && send(argument);
    kbc_modify_command_byte(0, CB_IRQ1 | CB_IRQ12);
    return good;
}

void mouse_init(void)
{
    u8 v = 0xFF;
    present = false;
    if (!kbc_ok())
        return;
    kbc_command(0xA8); /* auxiliary port on */
    kbc_modify_command_byte(CB_IRQ1 | CB_MOUSE_OFF, 0);
    if (kbc_command(0xA9) && kbc_read_data(&v, IO_US) && v == 0) {
        u8 answer[2] = {0, 0};
        present = send(0xFF) && kbc_read_data(&answer[0], 800000) && answer[0] == 0xAA &&
                  kbc_read_data(&answer[1], IO_US);
    }
    kbc_modify_command_byte(0, CB_IRQ1 | (present ? CB_IRQ12 : CB_MOUSE_OFF));
    if (present) {
        bda_set16(BDA_EQUIPMENT, bda16(BDA_EQUIPMENT) | 0x0004);
        poke8(EBDA_SEG, E_FLAGS, 2);
    }
}

static u8 serve(struct regs *r)
{
    static const u8 rates[] = {10, 20, 40, 60, 80, 100, 200};
    u8 answer[3];
    switch (r->al) {
    case 0x00: /* enable, disable */
        if (r->bh > 1)
            return BAD_INPUT;
        if (r->bh == 1 && !(peek8(EBDA_SEG, E_FLAGS) & 0x80))
            return NO_HANDLER;
        poke8(EBDA_SEG, E_INDEX, 0);
        return command(r->bh ? 0xF4 : 0xF5, answer, 0) ? 0 : INTERFACE_ERROR;
    case 0x05: /* initialise: BH packet size */
        if (r->bh < 1 || r->bh > 8)
            return BAD_INPUT;
        poke8(EBDA_SEG, E_FLAGS, (u8)((peek8(EBDA_SEG, E_FLAGS) & 0x80) | (r->bh - 1)));
        /* fall through */
    case 0x01: /* reset: BAT result AA, then the type */
        poke8(EBDA_SEG, E_INDEX, 0);
        if (!command(0xFF, answer, 2))
            return INTERFACE_ERROR;
        r->bl = answer[0];
        r->bh = answer[1];
        return 0;
    case 0x02: /* sample rate */
        if (r->bh >= sizeof rates)
            return BAD_INPUT;
        return command_with(0xF3, rates[r->bh]) ? 0 : INTERFACE_ERROR;
    case 0x03: /* resolution */
        if (r->bh > 3)
            return BAD_INPUT;
        return command_with(0xE8, r->bh) ? 0 : INTERFACE_ERROR;
    case 0x04: /* type */
        if (!command(0xF2, answer, 1))
            return INTERFACE_ERROR;
        r->bh = answer[0];
        return 0;
    case 0x06:
        if (r->bh == 1 || r->bh == 2)
            return command(r->bh == 1 ? 0xE6 : 0xE7, answer, 0) ? 0 : INTERFACE_ERROR;
        if (r->bh != 0)
            return BAD_INPUT;
        if (!command(0xE9, answer, 3))
            return INTERFACE_ERROR;
        r->bl = answer[0];
        r->cl = answer[1];
        r->dl = answer[2];
        return 0;
    case 0x07: /* the driver's routine, 0:0 for none */
        poke32(EBDA_SEG, E_HANDLER, (u32)r->es << 16 | r->bx);
        poke8(EBDA_SEG, E_FLAGS, (u8)((peek8(EBDA_SEG, E_FLAGS) & 0x7F) |
                                      (r->es != 0 || r->bx != 0 ? 0x80 : 0)));
        return 0;
    }
    return BAD_FUNCTION;
}

void mouse_services(struct regs *r)
{
    r->ah = present ? serve(r) : INTERFACE_ERROR;
    set_cf(r, r->ah != 0);
}

/* IRQ 12. */
void int74_mouse(struct regs *r)
{
    (void)r;
    u8 status = inb(0x64);
    if ((status & 0x21) != 0x21) {
        pic_eoi(12);
        return;
    }
    u8 byte = inb(0x60), flags = peek8(EBDA_SEG, E_FLAGS), index = peek8(EBDA_SEG, E_INDEX);
    if (!(flags & 0x80)) {
        pic_eoi(12);
        return;
    }
    poke8(EBDA_SEG, E_PACKET + index, byte);
    if (index < (flags & 7)) {
        poke8(EBDA_SEG, E_INDEX, index + 1);
        pic_eoi(12);
        return;
    }
    poke8(EBDA_SEG, E_INDEX, 0);
    pic_eoi(12);
    u16 words[4] = {peek8(EBDA_SEG, E_PACKET), peek8(EBDA_SEG, E_PACKET + 1),
                    peek8(EBDA_SEG, E_PACKET + 2), 0};
    far_call_words(peek32(EBDA_SEG, E_HANDLER), words);
}
