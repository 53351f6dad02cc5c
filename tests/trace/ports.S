/* A boot sector that writes 41h and 42h to port 2F0h around a few instructions, three times, by
 * OUT and by OUTSB, and then halts for good. */
    .code16
    .globl _start, watched, between, end
_start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw $0x2f0, %dx
    movw $2, %cx
again:
    movw $0x4142, %ax
    outw %ax, %dx /* 4142h is neither */
    movb $0x41, %al
    outb %al, %dx
watched:
    incw %bx
    nop
    movb $0x42, %al
    outb %al, %dx
between:
    decw %bp
    loop again
    movw $bytes, %si
    cld
    outsb
watched_too:
    incw %bx
    outsb
    decw %bp
end:
    hlt
bytes:
    .byte 0x41, 0x42
    .org 510
    .word 0xaa55
