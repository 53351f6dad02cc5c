/*
 * The system call table, made from syscalls.def, and what happens to a call that is not in it: it
 * gives ENOSYS and is reported, each number once per process.
 */
#include "guestos/kernel/console.h"
#include "guestos/kernel/thread.h"
#include "guestos/proc/process.h"
#include "guestos/sys/strace.h"
#include "guestos/sys/syscall.h"

#define MAX_CALL 450

enum kind { NOT_LISTED, IS_WORKING, IS_REFUSED, IS_UNKNOWN };

static const struct call {
    long (*function)(const u64 *arg);
    const char *name, *arguments;
    i16 error;
    u8 kind;
} calls[MAX_CALL + 1] = {
#define WORKS(number, name, arguments, text)                                                       \
    [number] = {sys_##name, #name, arguments, 0, IS_WORKING},
#define REFUSED(number, name, arguments, error, text)                                              \
    [number] = {NULL, #name, arguments, error, IS_REFUSED},
#define UNKNOWN(number, name, arguments) [number] = {NULL, #name, arguments, ENOSYS, IS_UNKNOWN},
#include "guestos/sys/syscalls.def"
#undef WORKS
#undef REFUSED
#undef UNKNOWN
};

#define MAX_REPORTS 20u /* of one process: it may be trying every number on purpose */

static bool already_reported(struct process *p, u64 number)
{
    u64 *word = number <= MAX_CALL ? &p->reported_calls[number / 64] : NULL;
    u64 bit = 1ul << number % 64;

    if (word && *word & bit) {
        return true;
    }
    if (word) {
        *word |= bit;
    }
    return p->nr_reports++ >= MAX_REPORTS;
}

static void report(u64 number, const struct call *call, const u64 *arg, u64 rip)
{
    struct process *p = this_process();

    if (already_reported(p, number)) {
        return;
    }
    print("%s[%u]: system call %lu (%s) is not implemented; arguments %lx %lx %lx, called at %lx\n",
          p->name, p->pid, number, call ? call->name : "no name", arg[0], arg[1], arg[2], rip);
    if (p->nr_reports == MAX_REPORTS) {
        print("%s[%u]: more of them are not shown\n", p->name, p->pid);
    }
}

void syscall_dispatch(struct trap_frame *frame)
{
    u64 number = frame->error;
    const u64 arg[6] = {frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9};
    const struct call *call =
        number <= MAX_CALL && calls[number].kind != NOT_LISTED ? &calls[number] : NULL;
    long result = -ENOSYS;

    thread_entered(frame);
    __asm__ volatile("sti" : : : "memory");
    if (strace_on()) {
        strace_enter(call ? call->name : NULL, call ? call->arguments : "xxxxxx", number, arg);
    }
    if (call && call->function) {
        result = call->function(arg);
    } else if (call && call->kind == IS_REFUSED) {
        result = -call->error;
    } else {
        report(number, call, arg, frame->rip);
    }
    frame->rax = (u64)result;
    if (strace_on()) {
        strace_leave(call ? call->name : NULL, result);
    }
}
