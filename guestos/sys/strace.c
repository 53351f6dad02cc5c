/* See strace.h. Two lines a call, as calls may sleep: what goes in, and what comes out. */
#include "guestos/sys/strace.h"
#include "guestos/abi/errno.h"
#include "guestos/kernel/console.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/user.h"
#include "guestos/proc/process.h"

#define MAX_STRING 64

static bool all;

static const struct {
    i16 number;
    const char *name;
} errors[] = {
#define ERROR(number, name, text) {number, #name},
#include "guestos/abi/errno.def"
#undef ERROR
    {ERESTARTSYS, "ERESTARTSYS"},
    {ERESTARTNOHAND, "ERESTARTNOHAND"},
    {ERESTART_RESTARTBLOCK, "ERESTART_RESTARTBLOCK"},
};

bool strace_on(void)
{
    return all || this_process()->traced;
}

void strace_all(bool on)
{
    all = on;
}

static void print_string(u64 at)
{
    char text[MAX_STRING];
    long len = string_from_user(text, at, sizeof text);

    if (len == -EFAULT) {
        print("0x%lx", at);
        return;
    }
    console_put('"');
    for (u32 i = 0; i < sizeof text - 1 && (len < 0 || i < len); i++) {
        if (text[i] >= ' ' && text[i] < 0x7F) {
            console_put(text[i]);
        } else {
            print("\\x%02x", (u8)text[i]);
        }
    }
    print(len < 0 ? "\"..." : "\"");
}

static void print_octal(u64 value)
{
    char digits[24];
    u32 at = sizeof digits;

    do {
        digits[--at] = (char)('0' + (value & 7));
        value >>= 3;
    } while (value);
    console_put('0');
    while (at < sizeof digits) {
        console_put(digits[at++]);
    }
}

static void print_argument(char letter, u64 value)
{
    switch (letter) {
    case 'd': print("%d", (i32)value); break;
    case 'u': print("%lu", value); break;
    case 'o': print_octal((u32)value); break;
    case 's': print_string(value); break;
    default: print("0x%lx", value); break;
    }
}

void strace_enter(const char *name, const char *arguments, u64 number, const u64 *arg)
{
    print("[%u] ", current()->tid);
    if (name) {
        print("%s(", name);
    } else {
        print("call_%lu(", number);
    }
    for (u32 i = 0; i < 6 && arguments[i]; i++) {
        print("%s", i ? ", " : "");
        print_argument(arguments[i], arg[i]);
    }
    print(")\n");
}

void strace_leave(const char *name, long result)
{
    print("[%u] %s = ", current()->tid, name ? name : "?");
    for (u32 i = 0; i < ARRAY_LEN(errors); i++) {
        if (result == -errors[i].number) {
            print("-%s\n", errors[i].name);
            return;
        }
    }
    print(result < 0 || result > 0xFFFF ? "0x%lx\n" : "%ld\n", result);
}
