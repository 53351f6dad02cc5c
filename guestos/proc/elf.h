/* Programs in memory: the ELF file's segments into an address space. */
#ifndef GUESTOS_PROC_ELF_H
#define GUESTOS_PROC_ELF_H

#include "guestos/abi/elf.h"

struct file;
struct vm;

struct elf_image {
    u64 entry;       /* of the program itself */
    u64 start;       /* where to begin: the interpreter's entry, or the program's */
    u64 headers;     /* the program headers in memory, or 0 */
    u64 interpreter; /* where it was loaded, or 0 */
    u64 end;         /* behind the last segment: the heap begins here */
    u16 nr_headers;
};

/* Maps a file (and its interpreter) into an empty address space. head: the file's first bytes,
 * head_len of them. -ENOEXEC: no ELF of ours; -EINVAL, -ENOMEM, and what reading and mapping give.
 */
int elf_load(struct vm *, struct file *, const void *head, size_t head_len, struct elf_image *);

#endif
