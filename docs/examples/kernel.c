/*
 * A kernel in one C file: multiboot 1, 32 bits. It writes to the screen and to COM1 how much
 * memory the loader found, and ends the emulator with a status by isa-debug-exit. By hand:
 *   cc -m32 -O2 -ffreestanding -fno-pic -mgeneral-regs-only -fno-stack-protector -c kernel.c
 *   ld -m elf_i386 -Ttext 0x100000 -e start -o kernel.elf kernel.o
 *   kiln -kernel kernel.elf -device isa-debug-exit,iobase=0xf4,iosize=0x04 -serial stdio
 * The same options start it in qemu-system-i386. The exit status is (3 << 1) | 1 = 7.
 */
#include <stdint.h>

struct multiboot_info {
    uint32_t flags, mem_lower, mem_upper; /* KiB below 640 KiB, and from 1 MiB on */
};

static uint8_t stack[4096] __attribute__((used));

/*
 * The header: magic, flags (we want the memory sizes), and what makes the sum zero; it must lie in
 * the file's first 8 KiB. The loader gives no stack; EAX is its magic, EBX points at what it knows.
 */
__asm__(".text\n"
        "    .balign 4\n"
        "    .long 0x1BADB002, 2, -(0x1BADB002 + 2)\n"
        "    .globl start\n"
        "start:\n"
        "    movl $stack + 4096, %esp\n"
        "    pushl %ebx\n"
        "    pushl %eax\n"
        "    call kernel_main\n"
        "1:  hlt\n"
        "    jmp 1b\n");

static void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static volatile uint16_t *cell = (volatile uint16_t *)0xB8000; /* 80 x 25 of them */

static void print(const char *s)
{
    for (; *s; s++) {
        *cell++ = (uint16_t)(0x1F00 | *s); /* white on blue */
        while (!(in8(0x3FD) & 0x20)) {     /* COM1 is busy */
        }
        out8(0x3F8, (uint8_t)*s);
    }
}

static void print_number(uint32_t n)
{
    char digits[11] = {0}, *p = digits + 10;
    do {
        *--p = (char)('0' + n % 10);
    } while (n /= 10);
    print(p);
}

void kernel_main(uint32_t magic, const struct multiboot_info *info)
{
    if (magic != 0x2BADB002) {
        out8(0xF4, 0);
    }
    print("Hello from C. Memory above 1 MiB: ");
    print_number(info->mem_upper);
    print(" KiB.");
    out8(0xF4, 3);
}
