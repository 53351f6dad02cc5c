/* A boot sector and the 15 sectors after it, for what is called from protected mode: finds the BIOS32
 * directory, asks it for the PCI BIOS, calls that and APM's 32-bit entry, each beside its real-mode
 * interface, and prints what they return on COM1. Lines that begin with "?" need not be the other
 * BIOS's; pm.expect says what the standards want there. */
    .include "sector.inc"
    .include "report.inc"

/* Calls the 32-bit entry far_target with regs' registers, which come back: eax, ebx, ecx, edx, esi, edi,
 * and CF in `carry_flag`. Selectors: 08h our code, 10h flat data, 18h F0000h code, 20h F0000h data, 28h our 16-bit code,
 * 30h our data with real mode's limit. */
call32:
    pushaw
    cli
    lgdtl gdtr
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $0x08, $1f
    .code32
1:  movw $0x10, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movzwl %sp, %esp
    movl regs, %eax
    movl regs + 4, %ebx
    movl regs + 8, %ecx
    movl regs + 12, %edx
    movl regs + 16, %esi
    movl regs + 20, %edi
    lcalll *far_target
    movl %eax, regs
    setc %al
    movb %al, carry_flag
    movl %ebx, regs + 4
    movl %ecx, regs + 8
    movl %edx, regs + 12
    movl %esi, regs + 16
    movl %edi, regs + 20
    ljmpl $0x28, $2f
    .code16
2:  movw $0x30, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl %cr0, %eax
    andb $0xfe, %al
    movl %eax, %cr0
    ljmpw $0, $3f
3:  xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    sti
    popaw
    ret

    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff          /* 08h */
    .quad 0x00cf93000000ffff          /* 10h */
    .quad 0x00409b0f0000ffff          /* 18h: base F0000h, 32 bits */
    .quad 0x0000930f0000ffff          /* 20h */
    .quad 0x00009b000000ffff          /* 28h */
    .quad 0x000093000000ffff          /* 30h */
gdtr:
    .word gdtr - gdt - 1
    .long gdt
far_target: .long 0
    .word 0x08
regs: .long 0, 0, 0, 0, 0, 0
carry_flag: .byte 0
bios32: .long 0
pci_entry: .long 0

/* PCI name, eax, ebx, ecx, edx, esi, edi, mask: by the 32-bit entry, then by INT 1Ah; prints AH and CF, BX,
 * ECX, EDX of both. */
    .macro BOTH name, eax, ebx=0, ecx=0, edx=0, esi=0, edi=0
    movl $\eax, regs
    movl $\ebx, regs + 4
    movl $\ecx, regs + 8
    movl $\edx, regs + 12
    movl $\esi, regs + 16
    movl $\edi, regs + 20
    movl pci_entry, %eax
    movl %eax, far_target
    movw $0x18, far_target + 4
    call call32
    SAY "\name 32"
    call show
    movl $\eax, %eax
    movl $\ebx, %ebx
    movl $\ecx, %ecx
    movl $\edx, %edx
    movl $\esi, %esi
    movl $\edi, %edi
    int $0x1a
    movl %eax, regs
    setc carry_flag
    movl %ebx, regs + 4
    movl %ecx, regs + 8
    movl %edx, regs + 12
    SAY "\name 16"
    call show
    .endm
show:
    movw regs, %ax
    movb carry_flag, %al
    HEX %ax
    movw regs + 4, %ax
    HEX %ax
    movw regs + 10, %ax
    HEX %ax
    movw regs + 8, %ax
    HEX %ax
    movw regs + 12, %ax
    HEX %ax
    ret

main:
    movw $0x00e3, %ax
    xorw %dx, %dx
    int $0x14
    SAY "start"
    movw $0xe000, %ax                 /* _32_ on a 16-byte boundary, with a right sum */
1:  movw %ax, %es
    cmpl $0x5f32335f, %es:0
    jne 3f
    xorw %si, %si
    xorb %bl, %bl
2:  addb %es:(%si), %bl
    incw %si
    cmpw $16, %si
    jb 2b
    testb %bl, %bl
    jz 4f
3:  incw %ax
    jnz 1b
    SAY "no BIOS32"
    jmp done
4:  movl %es:4, %eax
    movl %eax, bios32
    xorw %ax, %ax
    movw %ax, %es
    movl $0x49435024, regs            /* $PCI */
    movl $0, regs + 4
    movl bios32, %eax
    movl %eax, far_target
    movw $0x08, far_target + 4
    call call32
    SAY "directory"
    movzbw regs, %ax
    HEX %ax
    movw regs + 6, %ax                /* base F0000h: the code segment that the calls are made with */
    HEX %ax
    movl regs + 12, %eax
    movl %eax, pci_entry
    movl $0x58585824, regs            /* $XXX */
    movl $0, regs + 4
    movl bios32, %eax
    movl %eax, far_target
    movw $0x08, far_target + 4
    call call32
    SAY "unknown service"
    movzbw regs, %ax
    HEX %ax

    BOTH "present", 0xb101
    BOTH "piix", 0xb102, 0, 0x7000, 0x8086
    BOTH "no such device", 0xb102, 0, 0x7777, 0x8086
    BOTH "second piix", 0xb102, 0, 0x7000, 0x8086, 1
    BOTH "?all ones", 0xb102, 0, 0x7000, 0xffff
    BOTH "vga", 0xb103, 0, 0x030000
    BOTH "no such class", 0xb103, 0, 0x770000
    BOTH "byte", 0xb108, 0x0008, 0, 0, 0, 0x0e
    BOTH "word", 0xb109, 0x0008, 0, 0, 0, 0x02
    BOTH "dword", 0xb10a, 0x0008, 0, 0, 0, 0x08
    BOTH "?odd word", 0xb109, 0x0008, 0, 0, 0, 0x03
    BOTH "?odd dword", 0xb10a, 0x0008, 0, 0, 0, 0x0a
    BOTH "?far register", 0xb10a, 0x0008, 0, 0, 0, 0x100
    BOTH "write byte", 0xb10b, 0x0009, 0x40, 0, 0, 0x0d
    BOTH "read it", 0xb108, 0x0009, 0, 0, 0, 0x0d
    BOTH "write word", 0xb10c, 0x0009, 0x2000, 0, 0, 0x0c
    BOTH "read word", 0xb109, 0x0009, 0, 0, 0, 0x0c
    BOTH "write dword", 0xb10d, 0x0009, 0x1000, 0, 0, 0x0c
    BOTH "read dword", 0xb10a, 0x0009, 0, 0, 0, 0x0c

    movw $0x5300, %ax                 /* APM: there? */
    xorw %bx, %bx
    int $0x15
    SAY "apm"
    call carry
    HEX %ax
    HEX %bx
    HEX %cx
    movw $0x5303, %ax                 /* connect, 32 bits */
    xorw %bx, %bx
    int $0x15
    movl %ebx, far_target
    SAY "connect"
    call carry
    HEX %ax                           /* F000: selector 18h is right for it */
    movw $0x18, far_target + 4
    movl $0x530a, regs
    movl $1, regs + 4
    call call32
    SAY "power"
    movzbw carry_flag, %ax
    HEX %ax
    movw regs + 4, %ax
    HEX %ax
    movl $0x530b, regs
    call call32
    SAY "event"
    movw regs, %ax
    movb carry_flag, %al
    HEX %ax
    movw $0x5304, %ax
    xorw %bx, %bx
    int $0x15
    SAY "?disconnect"
    call carry
    movb %ah, %al
    xorb %ah, %ah
    HEX %ax

    SAY "?89h"                        /* not every BIOS has it; this does not come back */
    movw $table, %si
    movw $0x2028, %bx
    movb $0x89, %ah
    int $0x15
    jc done
    movw %cs, %cx
    movw %ds, %dx
    movw %ss, %di
    HEX %cx
    HEX %dx
    HEX %di
    movw %es, %di
    HEX %di
    inb $0x21, %al
    xorb %ah, %ah
    HEX %ax
done:                                 /* SAY writes by CS, which protected mode does not allow */
    movw $the_end, %si
2:  movb (%si), %al
    incw %si
    testb %al, %al
    jz 1f
    call putc
    jmp 2b
1:  hlt
    jmp 1b

the_end: .asciz "\nend"
    .balign 8
table:
    .quad 0
    .word 63
    .long table
    .word 0
    .word 0x3ff
    .long 0x00000000
    .word 0
    .quad 0x000093000000ffff          /* 18h: DS */
    .quad 0x000093000000ffff          /* 20h: ES */
    .quad 0x000093000000ffff          /* 28h: SS */
    .quad 0x00009b000000ffff          /* 30h: CS */
    .quad 0
    .org 16 * 512
