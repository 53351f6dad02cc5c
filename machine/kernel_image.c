/*
 * Multiboot 1 kernels for -kernel. See machine/kernel_image.h.
 *
 * The image handed over is one piece from the kernel's lowest address: the kernel, then each
 * module on a page boundary. The information structure lies at MBI_PA with what the structure
 * points to behind it; memory sizes and the map are filled in by the option ROM, which asks the
 * BIOS for them as any boot loader would.
 *
 * DEVIATION: a video mode asked for by bit 2 of the header's flags is not set.
 */
#include "machine/kernel_image.h"
#include "machine/rom_file.h"
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    FILE_MAX = 256 << 20,
    HEADER_WITHIN = 8192, /* 3.1 */
    HEADER_MAGIC = 0x1badb002,
    HAS_VIDEO = 1 << 2,
    HAS_ADDRESSES = 1 << 16,
    KNOWN_REQUIRED = 0x7,  /* bits 0 to 15 that we understand */
    MBI_PA = 0x2500,
    MBI_ROOM = 0xf00,      /* up to 3400h */
    MAX_MODULES = 16,
    LOWEST_LOAD = 0x4000,  /* the option ROM works below */
};

/* Keys of fw_cfg: QEMU's docs/specs/fw_cfg.txt and its multiboot loader. */
enum { KEY_KERNEL_ADDR = 0x07, KEY_KERNEL_SIZE = 0x08, KEY_INITRD_ADDR = 0x0a,
       KEY_INITRD_SIZE = 0x0b, KEY_KERNEL_ENTRY = 0x10, KEY_KERNEL_DATA = 0x11,
       KEY_INITRD_DATA = 0x12 };

/* The information structure: offsets (3.3). */
enum { MBI_FLAGS = 0, MBI_BOOT_DEVICE = 12, MBI_CMDLINE = 16, MBI_MODS_COUNT = 20,
       MBI_MODS_ADDR = 24, MBI_LOADER_NAME = 64, MBI_SIZE = 120, MODULE_SIZE = 16 };
enum { MBI_HAS = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9 };

struct image {
    u8 *bytes; /* owned */
    u64 pa, len, limit;
    u32 entry;
    u8 mbi[MBI_ROOM];
    u32 mbi_used;
    const char *path;
    char *err;
};

static int fail(struct image *im, const char *why)
{
    snprintf(im->err, MACHINE_ERR_LEN, "-kernel %s: %s", im->path, why);
    return -1;
}

/* Makes the image reach up to end, zero-filled. */
static int grow(struct image *im, u64 end)
{
    u8 *more;

    if (end <= im->pa + im->len)
        return 0;
    if (end > im->limit)
        return fail(im, "it does not fit into the guest's memory; try more with -m");
    more = realloc(im->bytes, end - im->pa);
    if (!more)
        return fail(im, "the host has no memory for it");
    memset(more + im->len, 0, end - im->pa - im->len);
    im->bytes = more;
    im->len = end - im->pa;
    return 0;
}

static int put(struct image *im, u64 pa, const u8 *from, u64 len, u64 mem_len)
{
    if (pa < LOWEST_LOAD || pa + mem_len < pa)
        return fail(im, "it asks to be loaded below 4000h, where the BIOS and the loader work; link it higher");
    if (pa < 0x100000 && pa + mem_len > 0xa0000)
        fprintf(stderr, "kiln: -kernel %s: its bytes between A0000h and FFFFFh are lost: there is "
                        "no memory; link it at 1 MiB or above\n", im->path);
    if (grow(im, pa + mem_len))
        return -1;
    memcpy(im->bytes + (pa - im->pa), from, len);
    return 0;
}

/* ---- the kernel ---- */

/* The header's place in the file, or -1 (3.1.1). */
static i64 find_header(const u8 *file, u64 len)
{
    for (u64 at = 0; at + 12 <= len && at + 12 <= HEADER_WITHIN; at += 4)
        if (load_le(file + at, 4) == HEADER_MAGIC &&
            (u32)(load_le(file + at, 4) + load_le(file + at + 4, 4) + load_le(file + at + 8, 4)) == 0)
            return (i64)at;
    return -1;
}

/* The address fields of the header say what to load (3.1.3). */
static int load_by_addresses(struct image *im, const u8 *file, u64 len, u64 at)
{
    u64 header_pa, load_pa, load_end, bss_end, off, n;

    if (at + 32 > len)
        return fail(im, "its multiboot header is cut off");
    header_pa = load_le(file + at + 12, 4);
    load_pa = load_le(file + at + 16, 4);
    load_end = load_le(file + at + 20, 4);
    bss_end = load_le(file + at + 24, 4);
    im->entry = (u32)load_le(file + at + 28, 4);
    if (load_pa > header_pa || header_pa - load_pa > at)
        return fail(im, "the addresses in its multiboot header contradict each other");
    off = at - (header_pa - load_pa);
    if (load_end == 0)
        load_end = load_pa + len - off;
    if (load_end < load_pa || load_end - load_pa > len - off)
        return fail(im, "its multiboot header wants more bytes than the file has");
    if (bss_end < load_end)
        bss_end = load_end;
    n = load_end - load_pa;
    im->pa = load_pa;
    return put(im, load_pa, file + off, n, bss_end - load_pa);
}

/* ELF: the loadable segments at their physical addresses. The entry point may be given as the
 * virtual address of a segment that lies elsewhere. */
static int load_segments(struct image *im, Elf *elf, const u8 *file, u64 len)
{
    GElf_Ehdr eh;
    GElf_Phdr ph;
    size_t nr;
    u64 lowest = UINT64_MAX, entry;

    if (!gelf_getehdr(elf, &eh) || elf_getphdrnum(elf, &nr) || eh.e_ident[EI_DATA] != ELFDATA2LSB ||
        (eh.e_machine != EM_386 && eh.e_machine != EM_X86_64))
        return fail(im, "it is no ELF program for x86");
    entry = eh.e_entry;
    for (size_t i = 0; i < nr; i++)
        if (gelf_getphdr(elf, (int)i, &ph) && ph.p_type == PT_LOAD && ph.p_memsz &&
            ph.p_paddr < lowest)
            lowest = ph.p_paddr;
    if (lowest == UINT64_MAX)
        return fail(im, "it has no loadable segment");
    im->pa = lowest;
    for (size_t i = 0; i < nr; i++) {
        if (!gelf_getphdr(elf, (int)i, &ph) || ph.p_type != PT_LOAD || !ph.p_memsz)
            continue;
        if (ph.p_offset > len || ph.p_filesz > len - ph.p_offset || ph.p_filesz > ph.p_memsz)
            return fail(im, "a segment lies outside of the file; is it cut off?");
        if (put(im, ph.p_paddr, file + ph.p_offset, ph.p_filesz, ph.p_memsz))
            return -1;
        if (eh.e_entry - ph.p_vaddr < ph.p_memsz)
            entry = eh.e_entry - ph.p_vaddr + ph.p_paddr;
    }
    if (entry < im->pa || entry >= im->pa + im->len)
        return fail(im, "its entry point lies outside of what is loaded");
    im->entry = (u32)entry;
    return 0;
}

static int load_elf(struct image *im, u8 *file, u64 len)
{
    Elf *elf;
    int r;

    elf_version(EV_CURRENT);
    elf = elf_memory((char *)file, len);
    if (!elf || elf_kind(elf) != ELF_K_ELF) {
        elf_end(elf);
        return fail(im, "it is neither ELF nor does its multiboot header give addresses");
    }
    r = load_segments(im, elf, file, len);
    elf_end(elf);
    return r;
}

static int load_kernel(struct image *im, u8 *file, u64 len)
{
    i64 at = find_header(file, len);
    u32 flags;

    if (at < 0) {
        bool linux_kernel = len > 0x206 && !memcmp(file + 0x202, "HdrS", 4);

        return fail(im, linux_kernel ? "Linux's own boot protocol is not there yet; boot a disk "
                                       "with GRUB instead"
                                     : "no multiboot 1 header in its first 8192 bytes");
    }
    flags = (u32)load_le(file + at + 4, 4);
    if (flags & 0xffff & ~KNOWN_REQUIRED)
        return fail(im, "its multiboot header requires a feature that no loader has");
    if (flags & HAS_VIDEO)
        fprintf(stderr, "kiln: -kernel %s: it prefers a video mode; it starts in text mode\n",
                im->path);
    return flags & HAS_ADDRESSES ? load_by_addresses(im, file, len, (u64)at)
                                 : load_elf(im, file, len);
}

/* ---- information, command line, modules ---- */

/* Appends to the information structure's page. Returns the address, or 0 when it is full. */
static u32 mbi_append(struct image *im, const void *bytes, size_t len)
{
    u32 at = im->mbi_used;

    if (len > MBI_ROOM - at)
        return 0;
    memcpy(im->mbi + at, bytes, len);
    im->mbi_used = (u32)((at + len + 3) & ~3ull);
    return MBI_PA + at;
}

static u32 mbi_string(struct image *im, const char *s)
{
    return mbi_append(im, s, strlen(s) + 1);
}

static void mbi_set(struct image *im, u32 off, u32 v)
{
    store_le(im->mbi + off, v, 4);
}

/* One module: "FILE arguments", the whole being its string (3.3, "mods"). */
static int load_module(struct image *im, const char *text, u32 entry_off)
{
    size_t path_len = strcspn(text, " "), len;
    char *path = strndup(text, path_len), err[MACHINE_ERR_LEN];
    u8 *file = path ? rom_file_read(path, FILE_MAX, &len, err, sizeof(err)) : NULL;
    u64 pa = (im->pa + im->len + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    u32 string = mbi_string(im, text);
    int r = 0;

    if (!file) {
        snprintf(im->err, MACHINE_ERR_LEN, "-initrd %s: it cannot be read, or is empty or larger "
                                           "than 256 MiB", text);
        r = -1;
    } else if (!string) {
        r = fail(im, "the strings of -append and -initrd are too long; together they have 3 KiB");
    } else {
        r = put(im, pa, file, len, len);
        mbi_set(im, entry_off, (u32)pa);
        mbi_set(im, entry_off + 4, (u32)(pa + len));
        mbi_set(im, entry_off + 8, string);
    }
    free(file);
    free(path);
    return r;
}

/* The comma-separated list of -initrd. */
static int load_modules(struct image *im, const char *list)
{
    u32 count = 1, table = im->mbi_used;

    for (const char *p = list; *p; p++)
        count += *p == ',';
    if (count > MAX_MODULES)
        return fail(im, "-initrd names more than 16 modules");
    im->mbi_used += count * MODULE_SIZE;
    for (u32 i = 0; i < count; i++) {
        size_t len = strcspn(list, ",");
        char *one = strndup(list, len);
        int r = one ? load_module(im, one, table + i * MODULE_SIZE) : -1;

        free(one);
        if (r)
            return -1;
        list += len + 1;
    }
    mbi_set(im, MBI_MODS_COUNT, count);
    mbi_set(im, MBI_MODS_ADDR, MBI_PA + table);
    return 0;
}

static int fill_mbi(struct image *im, const struct machine_config *cfg)
{
    char line[MBI_ROOM];
    int n = snprintf(line, sizeof(line), "%s%s%s", cfg->kernel, cfg->append ? " " : "",
                     cfg->append ? cfg->append : "");
    u32 cmdline, name;

    im->mbi_used = MBI_SIZE;
    cmdline = n < (int)sizeof(line) ? mbi_string(im, line) : 0;
    name = mbi_string(im, "Kiln");
    if (!cmdline || !name)
        return fail(im, "the command line of -append is too long; it may have 3 KiB");
    mbi_set(im, MBI_FLAGS, MBI_HAS);
    mbi_set(im, MBI_BOOT_DEVICE, 0x8000ffff); /* first hard disk, no partition */
    mbi_set(im, MBI_CMDLINE, cmdline);
    mbi_set(im, MBI_LOADER_NAME, name);
    return cfg->initrd ? load_modules(im, cfg->initrd) : 0;
}

/* ---- fw_cfg ---- */

static int offer(struct pc *pc, const struct image *im, const void *rom, size_t rom_len)
{
    static const char order[] = "/rom@genroms/multiboot.bin";
    const struct { u16 key; u32 value; } numbers[] = {
        { KEY_KERNEL_ENTRY, im->entry }, { KEY_KERNEL_ADDR, (u32)im->pa },
        { KEY_KERNEL_SIZE, (u32)im->len }, { KEY_INITRD_ADDR, MBI_PA },
        { KEY_INITRD_SIZE, MBI_ROOM },
    };
    int r = 0;

    for (unsigned i = 0; i < ARRAY_LEN(numbers); i++)
        r |= fw_cfg_add(&pc->fw_cfg, numbers[i].key, &numbers[i].value, 4);
    r |= fw_cfg_add(&pc->fw_cfg, KEY_KERNEL_DATA, im->bytes, (u32)im->len);
    r |= fw_cfg_add(&pc->fw_cfg, KEY_INITRD_DATA, im->mbi, MBI_ROOM);
    r |= fw_cfg_add_file(&pc->fw_cfg, "genroms/multiboot.bin", rom, (u32)rom_len);
    return r | fw_cfg_add_file(&pc->fw_cfg, "bootorder", order, sizeof(order));
}

int kernel_image_load(struct pc *pc, const struct machine_config *cfg, char err[MACHINE_ERR_LEN])
{
    struct image im = { .path = cfg->kernel, .err = err, .limit = pc->low_ram };
    size_t len, rom_len;
    u8 *rom = rom_file_read(cfg->kernel_rom_path, 64 << 10, &rom_len, err, MACHINE_ERR_LEN);
    u8 *file = rom ? rom_file_read(cfg->kernel, FILE_MAX, &len, err, MACHINE_ERR_LEN) : NULL;
    int r = -1;

    if (file && load_kernel(&im, file, len) == 0 && fill_mbi(&im, cfg) == 0) {
        r = offer(pc, &im, rom, rom_len);
        if (r)
            fail(&im, "the host has no memory for it");
    }
    free(im.bytes);
    free(file);
    free(rom);
    return r ? -1 : 0;
}
