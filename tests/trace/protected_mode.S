/* A boot sector that goes to 32-bit protected mode, takes a breakpoint and a divide error, and
 * ends in a triple fault: #UD, for which its IDT is too short. */
    .code16
    .globl _start
_start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss
    movw $0x7c00, %sp
    int $0x12
    lgdt gdtr
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmp $8, $protected

    .code32
    .globl protected, skip, back
protected:
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $0x7000, %esp
    lidt idtr
    xorl %eax, %eax
    int3
    xorl %ecx, %ecx
    call divide
    ud2
    .type divide, @function
divide:
    divl %ecx
    ret
    .size divide, . - divide
skip: /* #DE: behind the instruction */
    addl $2, (%esp)
    iretl
back:
    iretl

    .balign 8
gdt: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdtr: .word 23
    .long gdt
    .balign 8
idt: .word skip, 8, 0x8e00, 0
    .quad 0, 0
    .word back, 8, 0x8e00, 0
idt_end:
idtr: .word idt_end - idt - 1
    .long idt

    .org 510
    .word 0xaa55
