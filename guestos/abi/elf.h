/* ELF for x86-64: the parts that execve reads. System V ABI, chapters 4 and 5. */
#ifndef GUESTOS_ABI_ELF_H
#define GUESTOS_ABI_ELF_H

#include "guestos/kernel/types.h"

struct elf_header {
    u8 ident[16];
    u16 type, machine;
    u32 version;
    u64 entry, program_headers, section_headers;
    u32 flags;
    u16 header_bytes, program_header_bytes, nr_program_headers;
    u16 section_header_bytes, nr_section_headers, name_section;
};

struct elf_program_header {
    u32 type, flags;
    u64 offset, vaddr, paddr, file_bytes, memory_bytes, align;
};

enum { ELFCLASS64 = 2, ELFDATA2LSB = 1, ET_EXEC = 2, ET_DYN = 3, EM_X86_64 = 62 };
enum { PT_LOAD = 1, PT_INTERP = 3, PT_PHDR = 6 };
enum { PF_X = 1, PF_W = 2, PF_R = 4 };

/* The auxiliary vector */
enum {
    AT_NULL = 0,
    AT_PHDR = 3,
    AT_PHENT = 4,
    AT_PHNUM = 5,
    AT_PAGESZ = 6,
    AT_BASE = 7,
    AT_FLAGS = 8,
    AT_ENTRY = 9,
    AT_UID = 11,
    AT_EUID = 12,
    AT_GID = 13,
    AT_EGID = 14,
    AT_PLATFORM = 15,
    AT_HWCAP = 16,
    AT_CLKTCK = 17,
    AT_SECURE = 23,
    AT_RANDOM = 25,
    AT_EXECFN = 31,
    AT_MINSIGSTKSZ = 51,
};

#endif
