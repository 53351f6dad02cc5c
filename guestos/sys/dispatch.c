/*
 * The system call table, made from syscalls.def, and what happens to a call that is not in it: it
 * gives ENOSYS and is reported, each number once per program.
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

static u8 reported[MAX_CALL + 1]; /* by which program, roughly: the low byte of its pid */

static void report(u64 number, const struct call *call, const u64 *arg, u64 rip)
{
    u8 program = (u8)(this_process()->pid | 1);

    if (number <= MAX_CALL) {
        if (reported[number] == program) {
            return;
        }
        reported[number] = program;
    }
    print("%s[%u]: system call %lu (%s) is not implemented; arguments %lx %lx %lx, called at %lx\n",
          this_process()->name, this_process()->pid, number, call ? call->name : "no name", arg[0],
          arg[1], arg[2], rip);
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
