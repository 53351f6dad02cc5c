/* Text for the console, and the last of it. */
#include "guestos/kernel/console.h"
#include "guestos/kernel/format.h"
#include "guestos/kernel/log.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/traps.h"
#include "guestos/kernel/x86.h"

static void to_console(struct format_sink *sink, char c)
{
    (void)sink;
    log_put(c);
    console_put(c);
}

void vprint(const char *format, va_list args)
{
    struct format_sink sink = {to_console};

    vformat(&sink, format, args);
}

void print(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprint(format, args);
    va_end(args);
}

void panic(const char *format, ...)
{
    va_list args;

    __asm__ volatile("cli");
    print("\nEmber stops: ");
    va_start(args, format);
    vprint(format, args);
    va_end(args);
    print("\n");
    print_callers((u64)__builtin_frame_address(0));
    halt_forever();
}
