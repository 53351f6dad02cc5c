/*
 * Interrupt entries: one stub per vector pushes the error code (0 where the CPU has none) and the
 * vector; the rest is common and builds struct trap_frame (traps.h). SDM 3A, 6.14.
 */
        .set    NR_STUBS, 48            /* 32 exceptions, 16 interrupt lines */
        /* Vectors with an error code: 8, 10 to 14, 17, 21, 29, 30. SDM 3A, table 6-1; APM 2, 8.2 */
        .set    HAVE_ERROR_CODE, 0x60227D00

#include "guestos/kernel/cpu.h"
#include "guestos/mm/smap.inc"

        .set    CPU_USER_RSP, 16        /* ORDER: percpu.h */
        .set    CPU_KERNEL_RSP, 24
        .set    FRAME_RCX, 2 * 8        /* ORDER: traps.h */
        .set    FRAME_R11, 10 * 8
        .set    FRAME_RIP, 17 * 8
        .set    FRAME_CS, 18 * 8
        .set    FRAME_RFLAGS, 19 * 8
        .set    RFLAGS_RF_TF, 0x10100
        .set    TRAP_SYSCALL, 0x100
        .set    MSR_GS_BASE, 0xC0000101
        .set    VECTOR_NMI, 2
        .set    VECTOR_DF, 8

        .macro  SAVE_REGISTERS
        .irp    reg, r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax
        pushq   %\reg
        .endr
        .endm

        .macro  RESTORE_REGISTERS
        .irp    reg, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
        popq    %\reg
        .endr
        addq    $16, %rsp
        .endm

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
        .if     vector == VECTOR_NMI || vector == VECTOR_DF
        jmp     paranoid_entry
        .else
        jmp     trap_entry
        .endif
        .set    vector, vector + 1
        .endr

/* From user mode GS.base is the program's: the kernel's comes from KERNEL_GS_BASE. */
trap_entry:
        cld
        testb   $3, 24(%rsp)            /* CS */
        jz      1f
        swapgs
1:      USER_CLOSE
        SAVE_REGISTERS
        movq    %rsp, %rdi
        call    trap_dispatch           /* the CPU aligned RSP to 16; 22 words keep it so */

/* The way back; RSP points to a struct trap_frame. Interrupts are off. */
        .globl  trap_return
trap_return:
        cli
        movq    %rsp, %rdi
        call    trap_leave              /* signals, other threads' turn; returns with IF = 0 */
        testb   $3, FRAME_CS(%rsp)
        jz      1f
        /* SYSRET is faster than IRET, if RCX and R11 are to hold what it takes from there. Not with
         * TF or RF, nor to a non-canonical RIP, with which Intel's CPUs fault in ring 0. */
        movq    FRAME_RIP(%rsp), %rcx
        movq    FRAME_RFLAGS(%rsp), %r11
        cmpq    %rcx, FRAME_RCX(%rsp)
        jne     2f
        cmpq    %r11, FRAME_R11(%rsp)
        jne     2f
        testl   $RFLAGS_RF_TF, %r11d
        jnz     2f
        shrq    $47, %rcx
        jnz     2f
        swapgs
        RESTORE_REGISTERS
        movq    24(%rsp), %rsp          /* the frame's last words: RIP, CS, RFLAGS, RSP, SS */
        sysretq
2:      swapgs
1:      RESTORE_REGISTERS
        iretq

/*
 * NMI and double fault may hit where GS.base is not yet, or no more, the kernel's, though CS says
 * kernel. The kernel's base is a high address. RBX remembers whether it was swapped.
 */
paranoid_entry:
        cld
        USER_CLOSE
        SAVE_REGISTERS
        xorl    %ebx, %ebx
        movl    $MSR_GS_BASE, %ecx
        rdmsr
        testl   %edx, %edx
        js      1f
        swapgs
        movl    $1, %ebx
1:      movq    %rsp, %rdi
        call    trap_dispatch
        testl   %ebx, %ebx
        jz      1f
        swapgs
1:      RESTORE_REGISTERS
        iretq

/*
 * SYSCALL: RCX = RIP, R11 = RFLAGS, RSP still the program's; interrupts are off (SFMASK). Builds
 * the same frame as an interrupt, with the call's number as `error`. SDM 2B, SYSCALL.
 */
        .globl  syscall_entry
syscall_entry:
        swapgs
        movq    %rsp, %gs:CPU_USER_RSP
        movq    %gs:CPU_KERNEL_RSP, %rsp
        pushq   $USER_DS | 3
        pushq   %gs:CPU_USER_RSP
        pushq   %r11
        pushq   $USER_CS | 3
        pushq   %rcx
        pushq   %rax
        pushq   $TRAP_SYSCALL
        SAVE_REGISTERS
        movq    %rsp, %rdi
        xorl    %ebp, %ebp              /* ends the chain of stack frames */
        call    syscall_dispatch
        jmp     trap_return

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
