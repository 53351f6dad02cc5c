/*
 * What the parts of the loader offer each other. Everything runs in 32-bit protected mode, on one
 * CPU, with interrupts off; the BIOS is reached through bios_call().
 *
 * A function that returns bool and can fail says why by error(), whose text is then in
 * error_text(): so a menu can show it and go on. fail() is for what leaves nothing to do.
 *
 *   00000500   BIOS data area ends, free       00010000  bounce buffer for disk reads, 32 KiB
 *   00007C00   stack, downwards, both modes    00020000  variables (.bss), below 00070000
 *   00008000   code, constants, and BIOS_DATA: below 64 KiB, where one address works as
 *              0000:offset and as a flat pointer
 */
#ifndef GUESTOS_BOOT_LOADER_H
#define GUESTOS_BOOT_LOADER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECTOR_BYTES   512u
#define EFLAGS_CF      1u
#define BOUNCE_ADDR    0x10000u /* physical; 64 KiB aligned, so that a transfer never wraps */
#define BOUNCE_SECTORS 64u      /* 32 KiB: below the 127 that some BIOSes allow at once */
#define MAX_RANGES     64
#define PAGE_BYTES     4096u
#define LOW_MEMORY_END 0x100000u /* below it are the BIOS and this loader */
#define BIOS_DATA      __attribute__((section(".data.bios"))) /* variables that the BIOS reaches */

/* ORDER: loader_entry.S loads and stores the fields by offset. */
struct bios_regs {
    uint32_t eax, ebx, ecx, edx, esi, edi, ebp;
    uint16_t ds, es;
    uint16_t flags, reserved; /* out only */
};

/* One range of the firmware's memory map; ACPI 6.4, 15.1 (INT 15h, E820h). */
struct memory_range {
    uint64_t base, bytes;
    uint32_t type; /* 1: usable RAM */
};

struct memory_map {
    struct memory_range range[MAX_RANGES];
    uint32_t nr_ranges;
    uint32_t lower_kib; /* RAM from 0 */
    uint32_t upper_kib; /* RAM from 1 MiB to the first hole */
    const char *source; /* the call that gave it, for messages */
};

struct disk {
    uint8_t drive; /* BIOS number */
    bool has_edd;
    uint32_t nr_heads, nr_track_sectors; /* where there is no EDD */
};

/* loader_entry.S */
void bios_call(uint32_t vector, struct bios_regs *regs);
void bios_idle(void); /* until the next interrupt, which the BIOS serves */
_Noreturn void enter_kernel(uint32_t entry, uint32_t magic, const void *info);

/* string.c. %s %u %x only. error() keeps its text for error_text(), and returns false. */
void format(void (*put)(char c), const char *format, va_list args);
bool error(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *error_text(void);

/* screen.c: text through INT 10h, mirrored on COM1. */
void screen_init(void);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void screen_clear(void);
/* Replaces a row from 0 to 24; the cursor stays behind the text, which is cut to the screen. */
void screen_row(uint32_t row, bool bright, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void screen_cursor(uint32_t row, uint32_t column);
bool serial_get(uint8_t *byte);

/* a20.c: returns how it was enabled, for the message; fails if it cannot be. */
const char *a20_enable(void);

/* memory.c */
void memory_detect(struct memory_map *map);
bool memory_is_usable(const struct memory_map *map, uint64_t base, uint64_t bytes);

/* disk.c */
void disk_open(struct disk *disk, uint8_t drive);
bool disk_read(const struct disk *disk, uint32_t lba, uint32_t nr_sectors, void *to);

/* lib/memory.c: what the compiler may call too */
void *memset(void *to, int value, size_t len_bytes);
void *memcpy(void *to, const void *from, size_t len_bytes);
int memcmp(const void *a, const void *b, size_t len_bytes);
size_t strlen(const char *s);

static inline uint8_t in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

#endif
