/*
 * Interrupt entries: one stub per vector pushes the error code (0 where the CPU has none) and the
 * vector; the rest is common and builds struct trap_frame (traps.h). SDM 3A, 6.14.
 */
        .set    NR_STUBS, 48            /* 32 exceptions, 16 interrupt lines */
        /* Vectors with an error code: 8, 10 to 14, 17, 21, 29, 30. SDM 3A, table 6-1; APM 2, 8.2 */
        .set    HAVE_ERROR_CODE, 0x60227D00

        .text
        .balign 16
        .globl  trap_stubs              /* ORDER: traps.c takes TRAP_STUB_BYTES from one to the next */
trap_stubs:
        .set    vector, 0
        .rept   NR_STUBS
        .balign 16
        .if     vector >= 32 || !((HAVE_ERROR_CODE >> vector) & 1)
        pushq   $0
        .endif
        pushq   $vector
        jmp     trap_entry
        .set    vector, vector + 1
        .endr

trap_entry:
        cld
        pushq   %r15
        pushq   %r14
        pushq   %r13
        pushq   %r12
        pushq   %r11
        pushq   %r10
        pushq   %r9
        pushq   %r8
        pushq   %rbp
        pushq   %rdi
        pushq   %rsi
        pushq   %rdx
        pushq   %rcx
        pushq   %rbx
        pushq   %rax
        movq    %rsp, %rdi
        call    trap_dispatch           /* the CPU aligned RSP to 16; 22 words keep it so */
        popq    %rax
        popq    %rbx
        popq    %rcx
        popq    %rdx
        popq    %rsi
        popq    %rdi
        popq    %rbp
        popq    %r8
        popq    %r9
        popq    %r10
        popq    %r11
        popq    %r12
        popq    %r13
        popq    %r14
        popq    %r15
        addq    $16, %rsp
        iretq

/*
 * int trap_try(void (*f)(void)): calls f. Returns -1 if f returned; an exception in f is reported,
 * f is abandoned, and the exception's vector is returned (trap_dispatch goes to trap_resume with
 * RSP = trap_recovery and EAX = vector).
 */
        .globl  trap_try, trap_resume, trap_recovery
trap_try:
        pushq   %rbp
        movq    %rsp, %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        pushq   %rbp
        movq    %rsp, trap_recovery
        call    *%rdi
        movl    $-1, %eax
trap_resume:
        movq    $0, trap_recovery
        popq    %rbp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        ret

        .bss
        .balign 8
trap_recovery:
        .skip   8

        .section .note.GNU-stack, "", @progbits
