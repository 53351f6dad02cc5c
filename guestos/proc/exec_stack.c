/*
 * The stack that a new program finds (System V ABI, AMD64, 3.4.1), written into its address space
 * from the top down, the last string first:
 *
 *   USER_STACK_TOP  0, the program's path, environment strings, argument strings, 16 random bytes,
 *                   "x86_64", then from RSP up: argc, argv[], 0, envp[], 0, auxv
 */
#include "guestos/drivers/random.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/string.h"
#include "guestos/kernel/x86.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/user.h"
#include "guestos/mm/vm.h"
#include "guestos/abi/errno.h"
#include "guestos/proc/exec.h"
#include "guestos/proc/process.h"

#define MAX_STRING_BYTES (32u * PAGE_BYTES)
#define MAX_STRINGS      65536u
#define STACK_START      (132u * 1024) /* mapped from the start; it grows */

static int push_bytes(struct exec *e, const void *from, size_t len)
{
    if (len > e->sp - e->bottom) {
        return -E2BIG;
    }
    e->sp -= len;
    return vm_write(e->vm, e->sp, from, len);
}

static int push_string(struct exec *e, const char *s, size_t len)
{
    ASSERT(e->nr_strings < e->max_strings);
    int error = push_bytes(e, s, len + 1);
    e->string[e->nr_strings++] = e->sp;
    return error;
}

int exec_push_argument(struct exec *e, const char *s)
{
    e->argc++;
    return push_string(e, s, strlen(s));
}

/* How many addresses a NULL-ended array in user memory has; no array is an empty one. */
static int count_strings(u64 array, u32 *count)
{
    u64 at = 1;

    for (*count = 0; array; ++*count) {
        if (*count == MAX_STRINGS) {
            return -E2BIG;
        }
        if (GET_USER(at, array + 8ul * *count)) {
            return -EFAULT;
        }
        if (!at) {
            break;
        }
    }
    return 0;
}

/* Into e->buffer, which grows for the rare long one; its length. */
static long take_string(struct exec *e, u64 at)
{
    long len = string_from_user(e->buffer, at, e->buffer_bytes);

    if (len == -ENAMETOOLONG && e->buffer_bytes < MAX_STRING_BYTES) {
        kfree(e->buffer);
        e->buffer_bytes = MAX_STRING_BYTES;
        e->buffer = kmalloc(e->buffer_bytes);
        len = e->buffer ? string_from_user(e->buffer, at, e->buffer_bytes) : -ENOMEM;
    }
    return len == -ENAMETOOLONG ? -E2BIG : len;
}

/* An array's strings from `first` on, the last one at first. */
static int push_user_array(struct exec *e, u64 array, u32 first, u32 count)
{
    u64 at;

    for (u32 i = count; i > first; i--) {
        if (GET_USER(at, array + 8ul * (i - 1))) {
            return -EFAULT;
        }
        long len = take_string(e, at);
        int error = len < 0 ? (int)len : push_string(e, e->buffer, (size_t)len);
        if (error) {
            return error;
        }
    }
    return 0;
}

static u32 kernel_strings(const char *const *array)
{
    u32 n = 0;

    while (array[n]) {
        n++;
    }
    return n;
}

static int push_kernel_array(struct exec *e, const char *const *array, u32 count)
{
    int error = 0;

    for (u32 i = count; i > 0 && !error; i--) {
        error = push_string(e, array[i - 1], strlen(array[i - 1]));
    }
    return error;
}

int exec_count(struct exec *e, const struct exec_strings *from)
{
    if (from->kernel_argv) {
        e->argc = kernel_strings(from->kernel_argv);
        e->envc = kernel_strings(from->kernel_envp);
        return 0;
    }
    int error = count_strings(from->argv, &e->argc);
    return error ? error : count_strings(from->envp, &e->envc);
}

int exec_push_strings(struct exec *e, const struct exec_strings *from, u32 skip_arguments)
{
    u32 first = MIN(skip_arguments, e->argc);
    int error = push_string(e, e->path, strlen(e->path));

    e->nr_strings = 0; /* that one is not among the pointers */
    e->path_at = e->vm->env_end = e->sp;
    if (!error) {
        error = from->kernel_envp ? push_kernel_array(e, from->kernel_envp, e->envc)
                                  : push_user_array(e, from->envp, 0, e->envc);
    }
    e->vm->args_end = e->vm->env_begin = e->sp;
    if (!error) {
        error = from->kernel_argv ? push_kernel_array(e, from->kernel_argv, e->argc)
                                  : push_user_array(e, from->argv, first, e->argc);
    }
    e->argc -= first;
    return error;
}

int exec_begin_stack(struct exec *e)
{
    u64 limit = this_process()->limit[RLIMIT_STACK].soft;

    e->buffer_bytes = PAGE_BYTES;
    e->buffer = kmalloc(e->buffer_bytes);
    e->max_strings = e->argc + e->envc + 2 * EXEC_MAX_SCRIPTS + 2;
    e->string = kmalloc(e->max_strings * sizeof *e->string);
    e->vm = vm_create();
    if (!e->buffer || !e->string || !e->vm) {
        return -ENOMEM;
    }
    e->vm->stack_limit_bytes = limit;
    long at = vm_map(e->vm, USER_STACK_TOP - STACK_START, STACK_START, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, NULL, 0, "[stack]");
    if (at < 0) {
        return (int)at;
    }
    e->sp = USER_STACK_TOP - 8; /* eight zero bytes end it */
    u64 room = MAX(MIN(limit / 4, 2ul << 20), STACK_START - PAGE_BYTES);
    e->bottom = USER_STACK_TOP - room;
    return 0;
}

static int push_auxv(struct exec *e, const struct elf_image *image)
{
    const struct process *p = this_process();
    const u64 auxv[][2] = {
        {AT_HWCAP, cpuid(1, 0).edx},
        {AT_PAGESZ, PAGE_BYTES},
        {AT_CLKTCK, 100},
        {AT_PHDR, image->headers},
        {AT_PHENT, sizeof(struct elf_program_header)},
        {AT_PHNUM, image->nr_headers},
        {AT_BASE, image->interpreter},
        {AT_FLAGS, 0},
        {AT_ENTRY, image->entry},
        {AT_UID, p->cred.uid},
        {AT_EUID, e->euid},
        {AT_GID, p->cred.gid},
        {AT_EGID, e->egid},
        {AT_SECURE, e->has_exec_id},
        {AT_RANDOM, e->random_at},
        {AT_PLATFORM, e->platform_at},
        {AT_EXECFN, e->path_at},
        {AT_NULL, 0},
    };

    return push_bytes(e, auxv, sizeof auxv);
}

/* argc, argv, envp: string[] holds the environment's addresses, then the arguments', each from the
 * last. They go down in that very order. */
static int push_pointers(struct exec *e)
{
    u64 zero = 0, argc = e->argc;
    u32 at = 0;
    int error = push_bytes(e, &zero, sizeof zero);

    for (; at < e->nr_strings && !error; at++) {
        if (at == e->envc) {
            error = push_bytes(e, &zero, sizeof zero);
        }
        error = error ? error : push_bytes(e, &e->string[at], sizeof e->string[at]);
    }
    if (e->argc == 0) {
        error = error ? error : push_bytes(e, &zero, sizeof zero);
    }
    return error ? error : push_bytes(e, &argc, sizeof argc);
}

int exec_finish_stack(struct exec *e, const struct elf_image *image)
{
    static const char platform[] = "x86_64";
    u8 random[16];

    e->vm->args_begin = e->sp;
    random_bytes(random, sizeof random);
    int error = push_bytes(e, random, sizeof random);
    e->random_at = e->sp;
    error = error ? error : push_bytes(e, platform, sizeof platform);
    e->platform_at = e->sp;
    /* RSP is to be a multiple of 16 at argc: auxv is, the pointers are 3 + argc + envc words. */
    e->sp = ROUND_DOWN(e->sp, 16ul);
    if ((e->argc + e->envc + 3) % 2) {
        e->sp -= 8;
    }
    error = error ? error : push_auxv(e, image);
    return error ? error : push_pointers(e);
}
