# A boot sector for tests of displays: text in colours, a cursor, and each key as INT 16h, function
# 10h, returns it. F2: graphics mode 13h; F3: 40 columns; any other key: back to 80.
    .code16
    .globl _start
_start:
    xorw %ax, %ax
    movw %ax, %ds
    movw $0x3, %ax
    int $0x10
    movw $0xb800, %ax
    movw %ax, %es
paint:
    movw $lines, %si
1:  lodsw
    testw %ax, %ax
    js 3f
    movw %ax, %di
    lodsb
    movb %al, %ah
2:  lodsb
    testb %al, %al
    jz 1b
    stosw
    jmp 2b
3:  movb $2, %ah                      # cursor to row 5, column 10
    movb $0, %bh
    movw $0x050a, %dx
    int $0x10
key:
    movb $0x10, %ah
    int $0x16
    movw %ax, %bx
    movw $0x0013, %ax
    cmpb $0x3c, %bh                   # F2
    je mode
    movb $0x01, %al
    cmpb $0x3d, %bh                   # F3
    je mode
    movb $0x0f, %ah                   # which mode is it?
    pushw %bx
    int $0x10
    popw %bx
    cmpb $3, %al
    jne back
    movw $160 * 6 + 18, %di
    movw $4, %cx
4:  rolw $4, %bx
    movw %bx, %ax
    andb $15, %al
    addb $'0', %al
    cmpb $'9', %al
    jbe 5f
    addb $'A' - '9' - 1, %al
5:  movb $0x07, %ah
    stosw
    loop 4b
    jmp key
back:
    movw $0x0003, %ax
mode:
    int $0x10
    jmp paint

lines:                                # offset, attribute, text, 0
    .word 0
    .byte 0x1e
    .asciz "yellow on blue"
    .word 160
    .byte 0x4f
    .asciz "white on red"
    .word 320
    .byte 0x82
    .asciz "green, blinking"
    .word 480
    .byte 0x07
    .asciz "box \332\304\277 \360"
    .word 960
    .byte 0x07
    .asciz "last key:"
    .word 160 * 24
    .byte 0x30
    .asciz "the last row"
    .word -1
    .org 510
    .word 0xaa55
