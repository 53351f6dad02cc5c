/* A boot sector that goes to 64-bit mode, takes a breakpoint, and ends in a triple fault: a page
 * fault, for which its IDT is too short. */
    .code16
    .globl _start
_start:
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x7c00, %sp
    movw $0x1000, %di /* page tables at 1000h, 2000h, 3000h */
    movw $0x1800, %cx
    rep stosw
    movl $0x2003, 0x1000
    movl $0x3003, 0x2000
    movl $0x83, 0x3000
    movl $0x20, %eax
    movl %eax, %cr4
    movl $0x1000, %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx
    rdmsr
    orl $0x100, %eax
    wrmsr
    lgdt gdtr
    movl %cr0, %eax
    orl $0x80000001, %eax
    movl %eax, %cr0
    ljmp $8, $long_mode

    .code64
    .globl long_mode, back
long_mode:
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $0x7000, %esp
    lidt idtr
    xorl %eax, %eax
    int3
    movl $0x40000000, %ebx
    movq %rax, (%rbx)
back:
    iretq

    .balign 8
gdt: .quad 0, 0x00209b0000000000, 0x0000930000000000
gdtr: .word 23
    .long gdt
    .balign 8
idt: .quad 0, 0, 0, 0, 0, 0
    .word back, 8, 0x8e00, 0
    .quad 0
idt_end:
idtr: .word idt_end - idt - 1
    .quad idt

    .org 510
    .word 0xaa55
