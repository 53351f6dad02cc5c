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
 * Where a new thread's first switch "returns" to. ORDER: thread.c prepares RBX and R12: R12(RBX) is
 * called if there is one, then the way leads to user mode by the frame at RSP.
 */
        .globl  thread_first
thread_first:
        xorl    %ebp, %ebp              /* ends the chain of stack frames */
        call    sched_begin
        testq   %r12, %r12
        jz      trap_return
        movq    %rbx, %rdi
        call    *%r12
        jmp     trap_return

        .section .note.GNU-stack, "", @progbits
