/*
 * ELF64 executables, static, static-PIE or with an interpreter. Nothing in the file is believed:
 * sizes and addresses are checked here or by vm_map(). Pages come later, by faults.
 */
#include "guestos/proc/elf.h"
#include "guestos/fs/vfs.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/vm.h"

#define PIE_BASE     0x0000555555554000ul /* where a position-independent program goes */
#define MAX_HEADERS  512u
#define PAGE_DOWN(a) ROUND_DOWN((u64)(a), (u64)PAGE_BYTES)
#define PAGE_UP(a)   ROUND_UP((u64)(a), (u64)PAGE_BYTES)

struct elf_file {
    struct file *file;
    struct elf_header header;
    struct elf_program_header *program; /* kmalloc */
    u64 begin, end;                     /* of all PT_LOADs, as linked; page-aligned */
    u64 bias;
};

static int read_exactly(struct file *file, void *to, u64 len, u64 pos)
{
    long got = file_read_kernel(file, to, len, pos);

    return got < 0 ? (int)got : (u64)got == len ? 0 : -ENOEXEC;
}

static bool is_ours(const struct elf_header *h)
{
    return memcmp(h->ident, "\177ELF", 4) == 0 && h->ident[4] == ELFCLASS64 &&
           h->ident[5] == ELFDATA2LSB && (h->type == ET_EXEC || h->type == ET_DYN) &&
           h->machine == EM_X86_64 &&
           h->program_header_bytes == sizeof(struct elf_program_header) &&
           h->nr_program_headers > 0 && h->nr_program_headers <= MAX_HEADERS;
}

static bool segment_makes_sense(const struct elf_program_header *p)
{
    return p->file_bytes <= p->memory_bytes && p->vaddr < USER_END && p->memory_bytes < USER_END &&
           p->vaddr + p->memory_bytes <= USER_END &&
           p->vaddr % PAGE_BYTES == p->offset % PAGE_BYTES &&
           p->offset + p->file_bytes >= p->offset;
}

static int read_headers(struct elf_file *e)
{
    u64 len = e->header.nr_program_headers * sizeof *e->program;

    e->program = kmalloc(len);
    if (!e->program) {
        return -ENOMEM;
    }
    int error = read_exactly(e->file, e->program, len, e->header.program_headers);
    e->begin = ~0ul;
    for (u32 i = 0; !error && i < e->header.nr_program_headers; i++) {
        const struct elf_program_header *p = &e->program[i];
        if (p->type != PT_LOAD || !p->memory_bytes) {
            continue;
        }
        if (!segment_makes_sense(p)) {
            return -ENOEXEC;
        }
        e->begin = MIN(e->begin, PAGE_DOWN(p->vaddr));
        e->end = MAX(e->end, PAGE_UP(p->vaddr + p->memory_bytes));
    }
    return error ? error : e->end ? 0 : -ENOEXEC;
}

/* Zeroes from `from` to the end of its page: what the file has there is not the program's. */
static int clear_tail(struct vm *vm, u64 from)
{
    static const u8 zeroes[256];
    u64 end = PAGE_UP(from);

    while (from < end) {
        u64 len = MIN(end - from, sizeof zeroes);
        int error = vm_write(vm, from, zeroes, len);
        if (error < 0) {
            return error;
        }
        from += len;
    }
    return 0;
}

static int map_segment(struct vm *vm, const struct elf_file *e, const struct elf_program_header *p)
{
    u32 prot = (p->flags & PF_R ? PROT_READ : 0) | (p->flags & PF_W ? PROT_WRITE : 0) |
               (p->flags & PF_X ? PROT_EXEC : 0);
    u64 begin = p->vaddr + e->bias;
    u64 file_end = begin + p->file_bytes, memory_end = begin + p->memory_bytes;
    long at = PAGE_DOWN(begin);

    if (p->file_bytes) {
        at = vm_map(vm, PAGE_DOWN(begin), file_end - PAGE_DOWN(begin), prot,
                    MAP_PRIVATE | MAP_FIXED, e->file, PAGE_DOWN(p->offset), NULL);
    }
    u64 zero_begin = p->file_bytes ? PAGE_UP(file_end) : PAGE_DOWN(begin);
    if (at >= 0 && PAGE_UP(memory_end) > zero_begin) {
        at = vm_map(vm, zero_begin, memory_end - zero_begin, prot,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, NULL, 0, NULL);
    }
    if (at >= 0 && p->file_bytes && memory_end > file_end && prot & PROT_WRITE) {
        at = clear_tail(vm, file_end);
    }
    return at < 0 ? (int)at : 0;
}

static int map_all(struct vm *vm, const struct elf_file *e)
{
    for (u32 i = 0; i < e->header.nr_program_headers; i++) {
        const struct elf_program_header *p = &e->program[i];
        if (p->type == PT_LOAD && p->memory_bytes) {
            int error = map_segment(vm, e, p);
            if (error) {
                return error;
            }
        }
    }
    return 0;
}

/* Where the program headers are in memory: some PT_LOAD holds them, or nobody sees them. */
static u64 headers_in_memory(const struct elf_file *e)
{
    u64 offset = e->header.program_headers;

    for (u32 i = 0; i < e->header.nr_program_headers; i++) {
        const struct elf_program_header *p = &e->program[i];
        if (p->type == PT_LOAD && offset >= p->offset && offset - p->offset < p->file_bytes) {
            return offset - p->offset + p->vaddr + e->bias;
        }
    }
    return 0;
}

/* Room for an interpreter: wherever there is some. */
static int place_interpreter(struct vm *vm, struct elf_file *e)
{
    long at =
        vm_map(vm, 0, e->end - e->begin, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, NULL, 0, NULL);

    if (at < 0) {
        return (int)at;
    }
    e->bias = (u64)at - e->begin;
    return vm_unmap(vm, (u64)at, e->end - e->begin);
}

static int load_interpreter(struct vm *vm, const char *path, struct elf_image *image)
{
    struct elf_file e = {0};
    int error = file_open(AT_FDCWD, path, O_RDONLY, 0, &e.file);

    if (error) {
        return error;
    }
    error = read_exactly(e.file, &e.header, sizeof e.header, 0);
    if (!error && !is_ours(&e.header)) {
        error = -ENOEXEC;
    }
    error = error ? error : read_headers(&e);
    if (!error && e.header.type == ET_DYN) {
        error = place_interpreter(vm, &e);
    }
    error = error ? error : map_all(vm, &e);
    image->start = e.header.entry + e.bias;
    image->interpreter = e.begin + e.bias;
    kfree(e.program);
    file_put(e.file);
    return error;
}

/* The interpreter's path, kmalloc; NULL with *error 0: there is none. */
static char *interpreter_path(const struct elf_file *e, int *error)
{
    *error = 0;
    for (u32 i = 0; i < e->header.nr_program_headers; i++) {
        const struct elf_program_header *p = &e->program[i];
        if (p->type != PT_INTERP) {
            continue;
        }
        if (p->file_bytes < 2 || p->file_bytes > PATH_MAX) {
            *error = -ENOEXEC;
            return NULL;
        }
        char *path = kmalloc(p->file_bytes);
        *error = path ? read_exactly(e->file, path, p->file_bytes, p->offset) : -ENOMEM;
        if (!*error && path[p->file_bytes - 1] != 0) {
            *error = -ENOEXEC;
        }
        if (*error) {
            kfree(path);
            path = NULL;
        }
        return path;
    }
    return NULL;
}

int elf_load(struct vm *vm, struct file *file, const void *head, size_t head_len,
             struct elf_image *image)
{
    struct elf_file e = {.file = file};

    *image = (struct elf_image){0};
    if (head_len < sizeof e.header) {
        return -ENOEXEC;
    }
    memcpy(&e.header, head, sizeof e.header);
    if (!is_ours(&e.header)) {
        return -ENOEXEC;
    }
    int error = read_headers(&e);
    if (!error && e.header.type == ET_DYN) {
        e.bias = PIE_BASE - e.begin;
    }
    char *path = error ? NULL : interpreter_path(&e, &error);
    error = error ? error : map_all(vm, &e);
    image->entry = image->start = e.header.entry + e.bias;
    image->end = e.end + e.bias;
    image->headers = error ? 0 : headers_in_memory(&e);
    image->nr_headers = e.header.nr_program_headers;
    if (!error && path) {
        error = load_interpreter(vm, path, image);
    }
    kfree(path);
    kfree(e.program);
    return error;
}
