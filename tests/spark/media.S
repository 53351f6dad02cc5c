/* A boot sector and the sector after it, for any medium: says on COM1 which drive it came from, reads its
 * second sector anew (by CHS, or from a CD without emulation by EDD at the address that
 * -boot-info-table left at offset 12) and prints the text in it, then what 08h and 4B01h say. */
    .code16
    .globl _start
_start:
    jmp 1f
    .org 64                           /* the boot information table */
1:  xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x7c00, %sp
    cld
    movb %dl, drive
    movw $say_drive, %si
    call text
    movb %dl, %al
    call hex
    cmpb $0xe0, %dl
    jae cd
    movw $0x0201, %ax
    movw $2, %cx
    xorb %dh, %dh
    movw $0x9000, %bx
    int $0x13
    jc failed
    movw $0x9000, %si
    jmp 2f
cd: movl 0x7c0c, %eax
    movl %eax, packet_lba
    movw $packet, %si
    movb $0x42, %ah
    int $0x13
    jc failed
    movw $0x9200, %si                 /* the second 512 bytes of the sector */
2:  call text
    movb drive, %dl
    cmpb $0xe0, %dl
    jae 3f
    pushw %es
    movb $0x08, %ah
    int $0x13
    popw %es
    jc failed
    pushw %dx
    movw $say_chs, %si
    call text
    movb %ch, %al
    call hex
    movb %cl, %al
    call hex
    popw %ax
    movb %ah, %al
    call hex
3:  movw $0x4b01, %ax
    movb drive, %dl
    movw $0x9000, %si
    int $0x13
    jc 4f
    movw $say_cd, %si
    call text
    movb 0x9001, %al
    call hex
    movb 0x9002, %al
    call hex
4:  movw $say_end, %si
    call text
5:  hlt
    jmp 5b
failed:
    pushw %ax
    movw $say_failed, %si
    call text
    popw %ax
    movb %ah, %al
    call hex
    jmp 4b

putc:
    pushw %dx
    movw $0x3f8, %dx
    outb %al, %dx
    popw %dx
    ret
text:
    lodsb
    testb %al, %al
    jz 1f
    call putc
    jmp text
1:  ret
hex:
    pushw %ax
    shrb $4, %al
    call digit
    popw %ax
    andb $15, %al
digit:
    addb $'0', %al
    cmpb $'9', %al
    jbe putc
    addb $7, %al
    jmp putc

drive: .byte 0
packet: .byte 16, 0, 1, 0
    .word 0x9000, 0
packet_lba: .long 0, 0
say_drive: .asciz "drive "
say_chs: .asciz ", CHS "
say_cd: .asciz ", CD "
say_failed: .asciz ", failed "
say_end: .asciz ", end\n"
    .org 510
    .word 0xaa55
    .asciz ", second sector"
    .org 1024
