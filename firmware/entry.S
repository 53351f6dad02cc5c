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

    /* Video parameter pointers that 40:A8 leads to: seven far pointers, none used but the first. */
    .section .romdata, "a"
    .globl save_table
save_table:
    .skip 28
    .section .note.GNU-stack, "", @progbits
