# The guest's ways between the rings: entry to ring 3 and back, SYSCALL, INT 80h, page faults, and
# other exceptions, which are the end. Interrupts are never on.
    .text
    .code64

# u64 call_user(function, arena, iterations): function(arena, iterations) in ring 3
    .globl call_user
call_user:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, saved_stack
    movq %rdi, %r10
    movq %rsi, %rdi
    movq %rdx, %rsi
    movl $user_stack_top, %esp
    movl $user_start, %ecx
    movl $2, %r11d
    sysretq
user_start:
    callq *%r10
    movq %rax, %rdi
    xorl %eax, %eax
    syscall

# SYSCALL: RAX 0 leaves ring 3 with RDI as the result; another is counted and goes back.
    .globl syscall_entry
syscall_entry:
    testl %eax, %eax
    jz 1f
    incq syscall_count
    sysretq
1:  movq saved_stack, %rsp
    movq %rdi, %rax
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret

    .globl int_entry
int_entry:
    incq int_count
    iretq

# #PF at FAULT_PAGE is counted, and the instruction, of 2 bytes, passed over.
    .globl page_fault_entry
page_fault_entry:
    pushq %rax
    movq %cr2, %rax
    cmpq $0xf00000, %rax        # FAULT_PAGE
    jne 1f
    popq %rax
    addq $8, %rsp
    incq fault_count
    addq $2, (%rsp)
    iretq
1:  popq %rax
    pushq $14
    jmp stop

# Other exceptions: one entry of 16 bytes each
    .balign 16
    .globl exception_entries
exception_entries:
    .set vector, 0
    .rept 32
    .balign 16
    pushq $vector
    jmp stop
    .set vector, vector + 1
    .endr
stop:
    movq (%rsp), %rdi
    leaq 8(%rsp), %rsi          # error code, if any, and frame
    andq $~15, %rsp
    call guest_exception

# ---- ring 3's halves of the system kernels: u64 f(arena, iterations) ----
    .globl user_syscall
user_syscall:
    movl $1, %eax
    syscall
    decq %rsi
    jnz user_syscall
    movq syscall_count, %rax
    ret

    .globl user_int
user_int:
    int $0x80
    decq %rsi
    jnz user_int
    movq int_count, %rax
    ret

    .globl user_page_fault
user_page_fault:
    movl $0xf00000, %edi        # FAULT_PAGE
1:  movb (%rdi), %al
    decq %rsi
    jnz 1b
    movq fault_count, %rax
    ret

# What smc_beside copies to a page: counts in the middle of the page that it runs in.
    .globl count_beside, count_beside_end
count_beside:
    incq 2048(%rdi)
    decq %rsi
    jnz count_beside
    movq 2048(%rdi), %rax
    ret
count_beside_end:

    .bss
    .globl syscall_count, int_count, fault_count, kernel_stack_top, user_stack_top
    .balign 16
saved_stack:
    .quad 0
syscall_count:
    .quad 0
int_count:
    .quad 0
fault_count:
    .quad 0
    .balign 4096
    .skip 16384
kernel_stack_top:
    .skip 65536
user_stack_top:
