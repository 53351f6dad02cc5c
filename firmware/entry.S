/* The option ROM's head (PCI Firmware Specification 3.0, 5.1), its initialisation entry, and the
 * INT 10h entry. The checksum byte is filled in by mkrom after linking. */
    .code16
    .section .head, "ax"
    .globl rom_start
rom_start:
    .byte 0x55, 0xaa
    .byte rom_blocks                  /* size in 512 bytes */
    jmp init
    .org 0x18
    .word pcir
    .word 0
    .org 0x20
    .asciz "Kiln VGA BIOS"
    .balign 4
pcir:
    .ascii "PCIR"
    .word 0x1234, 0x1111              /* vendor, device */
    .word 0                           /* no vital product data */
    .word 0x18                        /* length of this structure */
    .byte 0                           /* revision */
    .byte 0x00, 0x00, 0x03            /* class: VGA */
    .word rom_blocks
    .word 1                           /* revision of the code */
    .byte 0                           /* x86 */
    .byte 0x80                        /* last image */
    .word 0

    .macro ENTER
    pushal
    pushw %ds
    pushw %es
    pushw %fs
    pushw %gs
    cld
    movl %esp, %ebx
    movw %cs, %ax
    movw %ax, %fs
    movw %ss, %ax
    movw %ax, %ds
    movw %ax, %es
    movzwl %sp, %esp
    movl %esp, %eax
    .endm
    .macro LEAVE
    movl %ebx, %esp
    popw %gs
    popw %fs
    popw %es
    popw %ds
    popal
    .endm

    .text
init:
    ENTER
    calll vga_init
    LEAVE
    lretw

    .globl int10_entry
int10_entry:
    ENTER
    calll int10
    LEAVE
    iretw

/* The far call of ModeInfoBlock's WinFuncPtr: BH, BL, DX as for 4F05h; AX is free. */
    .globl vbe_window_entry
vbe_window_entry:
    movw $0x4f05, %ax
    pushfw
    pushw %cs
    call int10_entry
    lretw

/* ---- VBE's protected-mode interface (4.11): copied by the caller, so it is one piece without
 * addresses. Registers as for 4F05h, 4F07h and 4F09h; near returns. ---- */
    .section .romdata, "a"
    .globl pmi_table, pmi_end
pmi_table:
    .word pmi_window - pmi_table
    .word pmi_start - pmi_table
    .word pmi_palette - pmi_table
    .word 0                           /* no list of ports and memory */
    .code32
/* One register of the display interface: index in al, value in cx; eax and edx are free. */
pmi_write:
    movw $0x1ce, %dx
    movzbl %al, %eax
    outw %ax, %dx
    incl %edx
    movl %ecx, %eax
    outw %ax, %dx
    ret
pmi_read:                             /* index in al; eax is the value */
    movw $0x1ce, %dx
    movzbl %al, %eax
    outw %ax, %dx
    incl %edx
    xorl %eax, %eax
    inw %dx, %ax
    ret
pmi_window:                           /* bank DX of window A */
    pushl %eax
    pushl %ecx
    pushl %edx
    movl %edx, %ecx
    movb $5, %al
    call pmi_write
    popl %edx
    popl %ecx
    popl %eax
    movw $0x004f, %ax
    ret
pmi_start:                            /* DX:CX: where the picture starts, in dwords */
    pushl %ebx
    pushl %ecx
    pushl %edx
    movzwl %cx, %ebx
    shll $16, %edx
    orl %edx, %ebx
    shll $2, %ebx
    movb $3, %al                      /* bytes a pixel */
    call pmi_read
    addl $7, %eax
    shrl $3, %eax
    pushl %eax
    movb $6, %al                      /* a line's bytes: the virtual width */
    call pmi_read
    movl %eax, %ecx
    popl %eax
    pushl %eax
    imull %eax, %ecx
    movl %ebx, %eax
    xorl %edx, %edx
    divl %ecx                         /* eax: the line; edx: bytes in it */
    movl %eax, %ebx
    movl %edx, %eax
    xorl %edx, %edx
    popl %ecx
    divl %ecx
    movl %eax, %ecx
    movb $8, %al
    call pmi_write
    movl %ebx, %ecx
    movb $9, %al
    call pmi_write
    popl %edx
    popl %ecx
    popl %ebx
    movw $0x004f, %ax
    ret
pmi_palette:                          /* CX entries from DX on, at ES:EDI: blue, green, red, nothing */
    pushl %eax
    pushl %ecx
    pushl %edx
    pushl %edi
    movl %edx, %eax
    movw $0x3c8, %dx
    outb %al, %dx
    incl %edx
    movzwl %cx, %ecx
    jecxz 2f
1:  movb %es:2(%edi), %al
    outb %al, %dx
    movb %es:1(%edi), %al
    outb %al, %dx
    movb %es:(%edi), %al
    outb %al, %dx
    addl $4, %edi
    loop 1b
2:  popl %edi
    popl %edx
    popl %ecx
    popl %eax
    movw $0x004f, %ax
    ret
pmi_end:
    .code16
    .text

    /* Video parameter pointers that 40:A8 leads to: seven far pointers, none used but the first. */
    .section .romdata, "a"
    .globl save_table
save_table:
    .skip 28
    .section .note.GNU-stack, "", @progbits
