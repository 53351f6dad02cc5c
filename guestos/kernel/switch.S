/*
 * void switch_stacks(u64 *save_rsp, u64 load_rsp): leaves one thread in the middle of this function
 * and goes on where another was left in it. What C expects to survive a call lies on the stacks.
 */
        .text
        .globl  switch_stacks
switch_stacks:
        pushq   %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        ret

/*
 * Where a new thread's first switch "returns" to. ORDER: thread.c prepares RBX and R12.
 * A kernel thread calls R12(RBX); a user thread (R12 = 0) goes to user mode by the frame at RSP.
 */
        .globl  thread_first
thread_first:
        call    sched_begin
        testq   %r12, %r12
        jz      trap_return
        movq    %rbx, %rdi
        xorl    %ebp, %ebp
        call    *%r12
        call    thread_exit

        .section .note.GNU-stack, "", @progbits
