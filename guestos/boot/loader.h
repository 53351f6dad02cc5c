/*
 * What the parts of the loader offer each other. Everything runs in 32-bit protected mode, on one
 * CPU, with interrupts off; the BIOS is reached through bios_call().
 */
#ifndef GUESTOS_BOOT_LOADER_H
#define GUESTOS_BOOT_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECTOR_BYTES   512u
#define EFLAGS_CF      1u
#define BOUNCE_ADDR    0x10000u /* physical; 64 KiB aligned, so that a transfer never wraps */
#define BOUNCE_SECTORS 64u      /* 32 KiB: below the 127 that some BIOSes allow at once */
#define MAX_RANGES     64

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
_Noreturn void enter_kernel(uint32_t entry, uint32_t magic, const void *info);

/* screen.c: text through INT 10h, mirrored on COM1. %s %u %x only. */
void screen_init(void);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* a20.c: returns how it was enabled, for the message; fails if it cannot be. */
const char *a20_enable(void);

/* memory.c */
void memory_detect(struct memory_map *map);
bool memory_is_usable(const struct memory_map *map, uint64_t base, uint64_t bytes);

/* disk.c: sectors go to the bounce buffer, at most BOUNCE_SECTORS of them. */
void disk_open(struct disk *disk, uint8_t drive);
void disk_read(const struct disk *disk, uint32_t lba, uint32_t nr_sectors);

/* kernel_file.c: a stream; begin with the file's head, then feed it the file front to back. */
struct kernel_segment {
    uint32_t offset, paddr, file_bytes, mem_bytes;
};
struct kernel_file {
    const struct memory_map *map;
    uint32_t file_bytes, entry;
    struct kernel_segment segment[16];
    uint32_t nr_segments;
};
void kernel_begin(struct kernel_file *kernel, const struct memory_map *map, const uint8_t *head,
                  uint32_t head_bytes, uint32_t file_bytes);
void kernel_feed(struct kernel_file *kernel, uint32_t offset, const uint8_t *data,
                 uint32_t len_bytes);

/* memory operations that the compiler may call too */
void *memset(void *to, int value, size_t len_bytes);
void *memcpy(void *to, const void *from, size_t len_bytes);
int memcmp(const void *a, const void *b, size_t len_bytes);

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
