/*
 * execve(2). The new address space is built beside the old one: until it is complete, a failure
 * leaves the caller as it was. A script's first line, "#!interpreter [argument]", puts these two
 * and the script's path in front of the arguments. The stack is exec_stack.c's.
 */
#include "guestos/fs/fd.h"
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
#include "guestos/proc/exec.h"
#include "guestos/proc/fork.h"
#include "guestos/proc/signal.h"
#include "guestos/sys/syscall.h"

#define RFLAGS_START 0x202ul

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

    e->head[EXEC_HEAD_BYTES - 1] = 0;
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
    int error = exec_push_argument(e, e->path);
    if (!error && argument) {
        error = exec_push_argument(e, argument);
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

static int load(struct exec *e, struct elf_image *image)
{
    for (u32 scripts = 0; is_script(e); scripts++) {
        int error = scripts == EXEC_MAX_SCRIPTS ? -ELOOP : enter_script(e);
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
    fpu_reset(t->fpu); /* here: a switch before would save the old program's over it */
    thread_load_user_side(t);
    spin_unlock(&process_lock);
    vfork_done();
    if (old) {
        vm_put(old);
    }
}

/* The strings come from the program, or from the kernel for the first one. */
static int build(struct exec *e, const struct exec_strings *from, struct elf_image *image)
{
    int error = open_program(e);

    name_after(e, e->path);
    bool script = is_script(e);
    error = error ? error : exec_count(e, from);
    error = error ? error : exec_begin_stack(e);
    error = error ? error : exec_push_strings(e, from, script);
    error = error ? error : load(e, image);
    if (!error && (script || e->argc == 0)) {
        error = exec_push_argument(e, e->path);
    }
    look_at_ids(e);
    return error ? error : exec_finish_stack(e, image);
}

/* Takes over path, which begins at dirfd. */
static int execve(int dirfd, char *path, u32 open_flags, const struct exec_strings *from)
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
    return error
               ? error
               : execve(AT_FDCWD, path, 0, &(struct exec_strings){.argv = arg[1], .envp = arg[2]});
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
                  &(struct exec_strings){.argv = arg[2], .envp = arg[3]});
}

void exec_first(const char *path, const char *const argv[], const char *const envp[])
{
    char *copy = kstrdup(path);
    int error = copy ? execve(AT_FDCWD, copy, 0,
                              &(struct exec_strings){.kernel_argv = argv, .kernel_envp = envp})
                     : -ENOMEM;

    if (error) {
        panic("%s cannot be started as the first process: error %d (see errno(3))", path, -error);
    }
}
