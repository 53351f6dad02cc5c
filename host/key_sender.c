/*
 * Key names of QEMU (its QKeyCode) and a queue of strokes, paced in virtual time so that a guest
 * keeps up.
 */
#include "host/key_sender.h"
#include "machine/machine.h"
#include <stdlib.h>

#define MS 1000000ull
enum { STROKE_MS = 2, RETRY_MS = 5 };

static const struct key_name {
    const char *name;
    u16 code; /* set 1 */
} key_names[] = {
    {"esc", 0x01},
    {"1", 0x02},
    {"2", 0x03},
    {"3", 0x04},
    {"4", 0x05},
    {"5", 0x06},
    {"6", 0x07},
    {"7", 0x08},
    {"8", 0x09},
    {"9", 0x0a},
    {"0", 0x0b},
    {"minus", 0x0c},
    {"equal", 0x0d},
    {"backspace", 0x0e},
    {"tab", 0x0f},
    {"q", 0x10},
    {"w", 0x11},
    {"e", 0x12},
    {"r", 0x13},
    {"t", 0x14},
    {"y", 0x15},
    {"u", 0x16},
    {"i", 0x17},
    {"o", 0x18},
    {"p", 0x19},
    {"bracket_left", 0x1a},
    {"bracket_right", 0x1b},
    {"ret", 0x1c},
    {"ctrl", 0x1d},
    {"a", 0x1e},
    {"s", 0x1f},
    {"d", 0x20},
    {"f", 0x21},
    {"g", 0x22},
    {"h", 0x23},
    {"j", 0x24},
    {"k", 0x25},
    {"l", 0x26},
    {"semicolon", 0x27},
    {"apostrophe", 0x28},
    {"grave_accent", 0x29},
    {"shift", 0x2a},
    {"backslash", 0x2b},
    {"z", 0x2c},
    {"x", 0x2d},
    {"c", 0x2e},
    {"v", 0x2f},
    {"b", 0x30},
    {"n", 0x31},
    {"m", 0x32},
    {"comma", 0x33},
    {"dot", 0x34},
    {"slash", 0x35},
    {"shift_r", 0x36},
    {"asterisk", 0x37},
    {"kp_multiply", 0x37},
    {"alt", 0x38},
    {"spc", 0x39},
    {"caps_lock", 0x3a},
    {"f1", 0x3b},
    {"f2", 0x3c},
    {"f3", 0x3d},
    {"f4", 0x3e},
    {"f5", 0x3f},
    {"f6", 0x40},
    {"f7", 0x41},
    {"f8", 0x42},
    {"f9", 0x43},
    {"f10", 0x44},
    {"num_lock", 0x45},
    {"scroll_lock", 0x46},
    {"kp_7", 0x47},
    {"kp_8", 0x48},
    {"kp_9", 0x49},
    {"kp_subtract", 0x4a},
    {"kp_4", 0x4b},
    {"kp_5", 0x4c},
    {"kp_6", 0x4d},
    {"kp_add", 0x4e},
    {"kp_1", 0x4f},
    {"kp_2", 0x50},
    {"kp_3", 0x51},
    {"kp_0", 0x52},
    {"kp_decimal", 0x53},
    {"less", 0x56},
    {"f11", 0x57},
    {"f12", 0x58},
    {"kp_enter", 0xe01c},
    {"ctrl_r", 0xe01d},
    {"kp_divide", 0xe035},
    {"print", 0xe037},
    {"sysrq", 0xe037},
    {"alt_r", 0xe038},
    {"home", 0xe047},
    {"up", 0xe048},
    {"pgup", 0xe049},
    {"left", 0xe04b},
    {"right", 0xe04d},
    {"end", 0xe04f},
    {"down", 0xe050},
    {"pgdn", 0xe051},
    {"insert", 0xe052},
    {"delete", 0xe053},
    {"meta_l", 0xe05b},
    {"meta_r", 0xe05c},
    {"menu", 0xe05d},
    {"compose", 0xe05d},
    {"pause", 0xe11d},
};

u16 key_sender_code(const char *name, size_t len)
{
    for (unsigned i = 0; i < ARRAY_LEN(key_names); i++)
        if (strlen(key_names[i].name) == len && !memcmp(key_names[i].name, name, len))
            return key_names[i].code;
    if (len > 2 && len < 8 && name[0] == '0' && name[1] == 'x') { /* a code; 80h is E0h */
        char digits[8], *end;
        unsigned long v;

        memcpy(digits, name, len);
        digits[len] = 0;
        v = strtoul(digits, &end, 16);
        if (!*end && v > 0 && v <= 0xff)
            return (u16)(v & 0x80 ? 0xe000 | (v & 0x7f) : v);
    }
    return 0;
}

static void add(struct key_sender *k, u16 code, bool down, u32 wait_ms)
{
    unsigned at = (k->head + k->len++) % KEYS_WAITING;

    k->queue[at].code = code;
    k->queue[at].down = down;
    k->queue[at].wait_ms = wait_ms;
}

bool key_sender_chord(struct key_sender *k, const u16 *codes, unsigned nr, u32 hold_ms)
{
    if (k->len + 2 * nr > KEYS_WAITING)
        return false;
    for (unsigned i = 0; i < nr; i++)
        add(k, codes[i], true, STROKE_MS);
    for (unsigned i = nr; i--;)
        add(k, codes[i], false, i == nr - 1 ? hold_ms : STROKE_MS);
    return true;
}

void key_sender_poll(struct key_sender *k, struct machine *m)
{
    while (k->len && machine_now_ns(m) >= k->ready_ns) {
        if (!machine_keyboard_ready(m)) {
            k->ready_ns = machine_now_ns(m) + RETRY_MS * MS;
            return;
        }
        input_push(machine_input(m), INPUT_KEY, k->queue[k->head].code, k->queue[k->head].down, 0);
        k->head = (k->head + 1) % KEYS_WAITING;
        k->len--;
        k->ready_ns = machine_now_ns(m) + (k->len ? k->queue[k->head].wait_ms : STROKE_MS) * MS;
    }
}

u64 key_sender_next_ns(const struct key_sender *k)
{
    return k->len ? k->ready_ns : UINT64_MAX;
}
