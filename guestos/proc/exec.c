/*
 * execve(2). The new address space is built beside the old one: until it is complete, a failure
 * leaves the caller as it was. Arguments go straight to the new stack, the last one first:
 *
 *   USER_STACK_TOP  0, the program's path, environment strings, argument strings (growing down),
 *                   16 random bytes, "x86_64", then from RSP up: argc, argv[], 0, envp[], 0, auxv
 *
 * (System V ABI, AMD64, 3.4.1). A script's first line, "#!interpreter [argument]", puts these two
 * and the script's path in front of the arguments.
 */
#include "guestos/drivers/random.h"
#include "guestos/fs/vfs.h"
#include "guestos/kernel/cpu.h"
#include "guestos/kernel/fpu.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/percpu.h"
#include "guestos/kernel/string.h"
#include "guestos/kernel/x86.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/vm.h"
#include "guestos/proc/elf.h"
#include "guestos/proc/fork.h"
#include "guestos/proc/signal.h"
#include "guestos/sys/syscall.h"

#define HEAD_BYTES         256u /* of the file: an ELF header, or a script's first line */
#define MAX_SCRIPTS        5u   /* interpreters that are scripts */
#define MAX_STRING_BYTES   (32u * PAGE_BYTES)
#define MAX_STRINGS        65536u
#define STACK_START        (132u * 1024) /* mapped from the start; it grows */
#define RFLAGS_START       0x202ul
#define MSR_FS_BASE        0xC0000100u
#define MSR_KERNEL_GS_BASE 0xC0000102u

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
    char head[HEAD_BYTES];
    u32 head_len;
    char name[16];    /* of the process: the program's, or the script's */
    bool has_exec_id; /* a setuid or setgid program */
    u32 euid, egid;
};

/* ---- strings to the new stack */

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

/* ---- the file, and what a script makes of it */

static int may_execute(struct exec *e)
{
    struct inode *inode = e->file->inode;

    if (!S_ISREG(inode->mode)) {
        return -EACCES;
    }
    int error = inode_permission(inode, MAY_EXEC);
    return error ? error : inode->mode & 0111 ? 0 : -EACCES;
}

static int open_program(struct exec *e)
{
    if (e->file) {
        file_allow_write(e->file->inode);
        file_put(e->file);
        e->file = NULL;
    }
    struct file *file;
    int error = file_open(e->dirfd, e->path, O_RDONLY | O_NONBLOCK | e->open_flags, 0, &file);
    if (error) {
        return error;
    }
    e->file = file;
    error = file_deny_write(file->inode);
    if (error) {
        file_put(file);
        e->file = NULL;
        return error;
    }
    error = may_execute(e);
    if (error) {
        return error;
    }
    memset(e->head, 0, sizeof e->head);
    long got = file_read_kernel(file, e->head, sizeof e->head, 0);
    e->head_len = got > 0 ? (u32)got : 0;
    return got < 0 ? (int)got : 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Cuts "#!interpreter argument" into its two words. False: no interpreter is named. */
static bool parse_script(struct exec *e, char **interpreter, char **argument)
{
    char *at = e->head + 2, *end = strchr(e->head, '\n');

    e->head[HEAD_BYTES - 1] = 0;
    if (end) {
        *end = 0;
    } else {
        end = e->head + strlen(e->head);
    }
    while (end > at && is_blank(end[-1])) {
        *--end = 0;
    }
    while (is_blank(*at)) {
        at++;
    }
    *interpreter = at;
    while (*at && !is_blank(*at)) {
        at++;
    }
    char *word_end = at;
    while (is_blank(*at)) {
        at++;
    }
    *argument = *at ? at : NULL;
    *word_end = 0;
    return **interpreter;
}

/* Puts interpreter, argument and the script's path before the arguments (which already lack their
 * first), and goes on with the interpreter. */
static int enter_script(struct exec *e)
{
    char *interpreter, *argument;

    if (!parse_script(e, &interpreter, &argument)) {
        return -ENOEXEC;
    }
    int error = push_string(e, e->path, strlen(e->path));
    e->argc++;
    if (!error && argument) {
        error = push_string(e, argument, strlen(argument));
        e->argc++;
    }
    char *path = error ? NULL : kstrdup(interpreter);
    if (!path) {
        return error ? error : -ENOMEM;
    }
    kfree(e->path);
    e->path = path;
    e->dirfd = AT_FDCWD;
    e->open_flags = 0;
    return open_program(e);
}

static bool is_script(const struct exec *e)
{
    return e->head_len >= 2 && e->head[0] == '#' && e->head[1] == '!';
}

/* ---- building */

static void look_at_ids(struct exec *e)
{
    struct process *p = this_process();

    e->euid = p->cred.euid;
    e->egid = p->cred.egid;
    if (!e->file || p->no_new_privs) {
        return;
    }
    struct inode *inode = e->file->inode;
    if (inode->mode & S_ISUID) {
        e->euid = inode->uid;
    }
    if ((inode->mode & (S_ISGID | 0010)) == (S_ISGID | 0010)) {
        e->egid = inode->gid;
    }
    e->has_exec_id = e->euid != p->cred.euid || e->egid != p->cred.egid;
}

static int begin(struct exec *e, const struct process *p)
{
    u64 limit = p->limit[RLIMIT_STACK].soft;

    e->buffer_bytes = PAGE_BYTES;
    e->buffer = kmalloc(e->buffer_bytes);
    e->max_strings = e->argc + e->envc + 2 * MAX_SCRIPTS + 2;
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

static int finish_stack(struct exec *e, const struct elf_image *image)
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

static int load(struct exec *e, struct elf_image *image)
{
    for (u32 scripts = 0; is_script(e); scripts++) {
        int error = scripts == MAX_SCRIPTS ? -ELOOP : enter_script(e);
        if (error) {
            return error;
        }
    }
    /* The last interpreter's own name is its argv[0]; a program has the caller's. */
    return elf_load(e->vm, e->file, e->head, e->head_len, image);
}

static void drop(struct exec *e)
{
    if (e->file) {
        file_allow_write(e->file->inode);
        file_put(e->file);
    }
    if (e->vm) {
        vm_put(e->vm);
    }
    kfree(e->buffer);
    kfree(e->string);
    kfree(e->path);
}

/* ---- the switch; it cannot fail any more */

static void take_ids(struct process *p, const struct exec *e)
{
    p->cred.euid = p->cred.suid = p->cred.fsuid = e->euid;
    p->cred.egid = p->cred.sgid = p->cred.fsgid = e->egid;
    p->dumpable = !e->has_exec_id;
}

static void reset_signals(struct process *p, struct thread *t)
{
    struct signal_actions *own = p->actions;

    if (own->users > 1) {
        struct signal_actions *copy = actions_copy(own);
        if (copy) { /* else they stay shared */
            spin_lock(&p->signal_lock);
            p->actions = copy;
            spin_unlock(&p->signal_lock);
            actions_put(own);
        }
    }
    spin_lock(&p->signal_lock);
    for (u32 i = 1; i <= NR_SIGNALS; i++) {
        struct abi_sigaction *a = &p->actions->of[i];
        *a = (struct abi_sigaction){.handler = a->handler == SIG_IGN ? SIG_IGN : SIG_DFL};
    }
    t->alt_stack = (struct abi_stack){0};
    spin_unlock(&p->signal_lock);
}

static void name_after(struct exec *e, const char *path)
{
    const char *name = path;

    for (const char *at = path; *at; at++) {
        name = *at == '/' && at[1] ? at + 1 : name;
    }
    string_copy(e->name, name, sizeof e->name);
}

static void start_at(struct thread *t, u64 rip, u64 rsp)
{
    *t->user = (struct trap_frame){
        .rip = rip, .rsp = rsp, .cs = USER_CS | 3, .ss = USER_DS | 3, .rflags = RFLAGS_START};
    t->fs_base = t->gs_base = 0;
    t->clear_child_tid = t->robust_list = 0;
    fpu_reset(t->fpu);
}

static void commit(struct exec *e, const struct elf_image *image)
{
    struct thread *t = current();
    struct process *p = t->process;
    struct vm *old = p->vm;

    e->vm->brk_begin = e->vm->brk_end = image->end;
    e->vm->stack_begin = e->sp;
    e->vm->exe = e->file; /* with the denial of writing, which vm_put() takes back */
    e->file = NULL;
    take_ids(p, e);
    string_copy(p->name, e->name, sizeof p->name);
    string_copy(t->name, e->name, sizeof t->name);
    start_at(t, image->start, e->sp);
    p->did_exec = true;
    spin_lock(&process_lock);
    p->vm = e->vm;
    e->vm = NULL;
    vm_switch(p->vm);
    fpu_load(t->fpu);
    wrmsr(MSR_FS_BASE, 0);
    wrmsr(MSR_KERNEL_GS_BASE, 0);
    spin_unlock(&process_lock);
    vfork_done();
    if (old) {
        vm_put(old);
    }
}

/* The strings come from the program, or from the kernel for the first one. */
struct strings {
    u64 argv, envp;
    const char *const *kernel_argv, *const *kernel_envp;
};

static int count(struct exec *e, const struct strings *from)
{
    if (from->kernel_argv) {
        e->argc = kernel_strings(from->kernel_argv);
        e->envc = kernel_strings(from->kernel_envp);
        return 0;
    }
    int error = count_strings(from->argv, &e->argc);
    return error ? error : count_strings(from->envp, &e->envc);
}

static int push_strings(struct exec *e, const struct strings *from)
{
    u32 first = is_script(e) && e->argc ? 1 : 0;
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

static int build(struct exec *e, const struct strings *from, struct elf_image *image)
{
    int error = open_program(e);

    name_after(e, e->path);
    error = error ? error : count(e, from);
    error = error ? error : begin(e, this_process());
    error = error ? error : push_strings(e, from);
    bool script = is_script(e);
    error = error ? error : load(e, image);
    if (!error && (script || e->argc == 0)) {
        error = push_string(e, e->path, strlen(e->path));
        e->argc++;
    }
    look_at_ids(e);
    return error ? error : finish_stack(e, image);
}

/* Takes over path, which begins at dirfd. */
static int execve(int dirfd, char *path, u32 open_flags, const struct strings *from)
{
    struct process *p = this_process();
    struct elf_image image;
    struct exec *e = kmalloc(sizeof *e);

    if (!e) {
        kfree(path);
        return -ENOMEM;
    }
    e->path = path;
    e->dirfd = dirfd;
    e->open_flags = open_flags;
    int error = build(e, from, &image);
    if (!error) {
        exit_other_threads();
        error = current()->exiting ? -EINTR : 0;
    }
    if (!error) {
        fd_table_unshare(p);
        fd_close_on_exec(p->files);
        reset_signals(p, current());
        timers_delete(p);
        commit(e, &image);
    }
    drop(e);
    kfree(e);
    return error;
}

static int path_from_user(u64 from, char **path)
{
    *path = kmalloc(PATH_MAX);
    long len = *path ? string_from_user(*path, from, PATH_MAX) : -ENOMEM;
    if (len < 0) {
        kfree(*path);
        return (int)len;
    }
    return 0;
}

long sys_execve(const u64 *arg)
{
    char *path;
    int error = path_from_user(arg[0], &path);

    if (!error && !*path) {
        kfree(path);
        error = -ENOENT;
    }
    return error ? error
                 : execve(AT_FDCWD, path, 0, &(struct strings){.argv = arg[1], .envp = arg[2]});
}

#define AT_EMPTY_PATH       0x1000u
#define AT_SYMLINK_NOFOLLOW 0x100u

static void name_of_descriptor(char *to, u32 fd)
{
    static const char folder[] = "/proc/self/fd/";
    char digits[10];
    u32 n = 0;

    do {
        digits[n++] = (char)('0' + fd % 10);
        fd /= 10;
    } while (fd);
    memcpy(to, folder, sizeof folder - 1);
    to += sizeof folder - 1;
    while (n) {
        *to++ = digits[--n];
    }
    *to = 0;
}

/* execveat(2): with AT_EMPTY_PATH and "" the file that dirfd is, known as /proc/self/fd/N. */
long sys_execveat(const u64 *arg)
{
    char *path;
    int dirfd = (int)arg[0];
    u32 flags = (u32)arg[4];

    if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) {
        return -EINVAL;
    }
    int error = path_from_user(arg[1], &path);
    if (error) {
        return error;
    }
    if (!*path && flags & AT_EMPTY_PATH) {
        struct file *file = fd_get(dirfd);
        if (!file) {
            kfree(path);
            return -EBADF;
        }
        file_put(file);
        name_of_descriptor(path, (u32)dirfd);
    } else if (!*path) {
        kfree(path);
        return -ENOENT;
    }
    return execve(dirfd, path, flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0,
                  &(struct strings){.argv = arg[2], .envp = arg[3]});
}

void exec_first(const char *path, const char *const argv[], const char *const envp[])
{
    char *copy = kstrdup(path);
    int error = copy ? execve(AT_FDCWD, copy, 0,
                              &(struct strings){.kernel_argv = argv, .kernel_envp = envp})
                     : -ENOMEM;

    if (error) {
        panic("%s cannot be started as the first process: error %d (see errno(3))", path, -error);
    }
}
