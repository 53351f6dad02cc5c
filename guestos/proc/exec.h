/* execve in the making: what proc/exec.c and proc/exec_stack.c hand to each other. */
#ifndef GUESTOS_PROC_EXEC_H
#define GUESTOS_PROC_EXEC_H

#include "guestos/proc/elf.h"

#define EXEC_HEAD_BYTES  256u /* of the file: an ELF header, or a script's first line */
#define EXEC_MAX_SCRIPTS 5u   /* interpreters that are scripts */

struct exec {
    struct vm *vm;
    struct file *file;
    int dirfd; /* where the path begins */
    u32 open_flags;
    char *path;     /* kmalloc: of the program, at last of the interpreter */
    u64 sp, bottom; /* in the new stack: the last string; the lowest that it may become */
    u64 *string;    /* kmalloc: addresses, environment first, arguments after, each from the last */
    u32 nr_strings, argc, envc, max_strings;
    u64 path_at;
    char *buffer; /* kmalloc: for one string */
    size_t buffer_bytes;
    u64 random_at, platform_at;
    char head[EXEC_HEAD_BYTES];
    u32 head_len;
    char name[16];    /* of the process: the program's, or the script's */
    bool has_exec_id; /* a setuid or setgid program */
    u32 euid, egid;
};

/* The strings come from the program, or from the kernel for the first one. */
struct exec_strings {
    u64 argv, envp;
    const char *const *kernel_argv, *const *kernel_envp;
};

/* All of these: 0, -E2BIG, -EFAULT, -ENOMEM. */
int exec_count(struct exec *, const struct exec_strings *); /* into argc and envc */
int exec_begin_stack(struct exec *);                        /* a new address space with a stack */
/* The path, the environment, the arguments (without the first skip_arguments). */
int exec_push_strings(struct exec *, const struct exec_strings *, u32 skip_arguments);
int exec_push_argument(struct exec *, const char *); /* in front of the arguments */
int exec_finish_stack(struct exec *, const struct elf_image *);

#endif
