/*
 * The benchmark guest: prepares the processor, runs what the table asks for and says so on port E9h:
 *
 *     kiln-bench 1
 *     B sieve 1200            newline: the clock starts
 *     E sieve 1d2c...         the E: the clock stops; a checksum
 *     S cr3-pcid              left out: the processor has not what it takes
 *     END
 *
 * A line that begins with ! is the end, and says why. Port 80h is written after each E and S line and
 * END, so that an emulator which can stop at a port does it there.
 */
#include "tools/bench/guest/guest.h"

enum { CONSOLE = 0xe9, STEP_PORT = 0x80, SELECTOR_CODE = 8, SELECTOR_TSS = 0x30 };

struct gate {
    u16 low, selector;
    u8 ist, type;
    u16 middle;
    u32 high, zero;
};

extern u64 gdt[];
extern u8 kernel_stack_top[];
static struct gate idt[256];
static u32 tss[26];

/* ---- words ---- */

static void say(const char *text)
{
    while (*text)
        out8(CONSOLE, (u8)*text++);
}

static void say_number(u64 v, unsigned base)
{
    char digits[24];
    unsigned n = 0;

    do
        digits[n++] = "0123456789abcdef"[v % base];
    while (v /= base);
    while (n)
        out8(CONSOLE, (u8)digits[--n]);
}

static __attribute__((noreturn)) void halt(void)
{
    out8(STEP_PORT, 0);
    for (;;)
        __asm__ volatile("cli; hlt");
}

__attribute__((noreturn)) void guest_exception(u64 vector, const u64 *frame)
{
    say("!exception ");
    say_number(vector, 10);
    for (unsigned i = 0; i < 4; i++) {
        say(" ");
        say_number(frame[i], 16);
    }
    say("\n");
    halt();
}

/* ---- the processor ---- */

static void set_gate(unsigned vector, const void *entry, unsigned dpl)
{
    u64 at = (u64)entry;

    idt[vector] = (struct gate){(u16)at, SELECTOR_CODE, 0, (u8)(0x8e | dpl << 5), (u16)(at >> 16),
                                (u32)(at >> 32), 0};
}

static void write_msr(u32 msr, u64 value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)));
}

static void prepare(void)
{
    struct {
        u16 limit;
        u64 base;
    } __attribute__((packed)) idtr = {sizeof(idt) - 1, (u64)idt};
    u64 base = (u64)tss, stack = (u64)kernel_stack_top - 4096; /* below: guest_main's own */

    for (unsigned v = 0; v < 32; v++)
        set_gate(v, exception_entries + 16 * v, 0);
    set_gate(14, page_fault_entry, 0);
    set_gate(0x80, int_entry, 3);
    __asm__ volatile("lidt %0" : : "m"(idtr));
    tss[1] = (u32)stack; /* RSP0 */
    tss[25] = sizeof(tss) << 16; /* no I/O map */
    gdt[SELECTOR_TSS / 8] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40;
    __asm__ volatile("ltr %w0" : : "r"(SELECTOR_TSS));
    write_msr(0xc0000081, (u64)SELECTOR_CODE << 32 | 0x18ull << 48); /* STAR */
    write_msr(0xc0000082, (u64)syscall_entry);                       /* LSTAR */
    write_msr(0xc0000084, 0x47700);                                  /* FMASK */
    ((u64 *)TABLES)[FAULT_PAGE >> 12] = 0;
    __asm__ volatile("invlpg (%0)" : : "r"(FAULT_PAGE));
}

/* ---- the work ---- */

/* setup() as call_user() wants it: the function is the second argument. */
static u64 call_setup(u8 *arena, u64 setup)
{
    ((void (*)(u8 *))setup)(arena);
    return 0;
}

static void run(const struct entry *e)
{
    u8 *arena = (u8 *)ARENA;
    u64 sum;

    if (e->guest_only && !system_possible(e->code)) {
        say("S ");
        say(e->name);
        say("\n");
        out8(STEP_PORT, 2);
        return;
    }
    if (e->code->setup)
        call_user(call_setup, arena, (u64)e->code->setup);
    say("B ");
    say(e->name);
    say(" ");
    say_number(e->iterations, 10);
    say("\n");
    sum = e->guest_only ? e->code->run(arena, e->iterations)
                        : call_user(e->code->run, arena, e->iterations);
    say("E ");
    say(e->name);
    say(" ");
    say_number(sum, 16);
    say("\n");
    out8(STEP_PORT, 1);
}

void guest_main(void)
{
    prepare();
    say("kiln-bench 1\n");
    for (u32 round = 0; round < table.rounds; round++)
        for (u32 i = 0; i < table.nr_entries; i++)
            if (table.entry[i].iterations)
                run(&table.entry[i]);
    say("END\n");
    halt();
}
