/* A boot sector that does what -d has names for: a guest's error, a function that is missing, a port
 * that nobody answers, A20, far calls of every kind, control registers, paging, INVLPG. It ends in
 * a triple fault. */
    .code16
    .globl _start, protected, f, g, h, after, back, f_near, pages
_start:
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x7c00, %sp
    movw $2, %cx
1:  movb $0x0f, %al /* no command of the 8042 */
    outb %al, $0x64
    movb $0x13, %al /* ICW1: a single 8259 */
    outb %al, $0x20
    loop 1b
    movw $0x2f0, %dx
    outb %al, %dx
    movb $0, %al
    outb %al, $0x92
    movb $2, %al
    outb %al, $0x92
    lcall $0, $real /* real mode: none of pcall's business */
    movw $0x1000, %di /* a page directory at 1000h, one table at 2000h */
    movw $0x1000, %cx
    rep stosw
    movl $0x2003, 0x1000
    movw $0x2000, %di
    movl $3, %eax
2:  stosl
    addl $0x1000, %eax
    cmpl $0x20003, %eax
    jne 2b
    lgdt gdtr
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmp $8, $protected
real:
    lret

    .code32
protected:
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $0x7000, %esp
    lidt idtr
    lcall $8, $f
    lcall *pointer
    lcall $0x18, $0
    data16 lcall $8, $g
    pushl $0x1234
    lcall $8, $h
after:
    int3
    movl $0x1000, %eax
    movl %eax, %cr3
    movl $0x10, %eax
    movl %eax, %cr4
    movl %cr0, %eax
    orl $0x80000000, %eax
    movl %eax, %cr0
pages:
    movl %eax, 0x5000
    invlpg 0x5000
    movl %cr3, %eax
    movl %eax, %cr3
    ud2
f:
    lret
g:
    data16 lret
h:
    lret $4
back:
    iretl

    .balign 8
pointer:
    .long f
    .word 8
    .balign 8
gdt: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
    .word f, 8, 0x8c00, 0
gdtr: .word 31
    .long gdt
    .balign 8
idt: .quad 0, 0, 0
    .word back, 8, 0x8e00, 0
idt_end:
idtr: .word idt_end - idt - 1
    .long idt

    .org 510
    .word 0xaa55
