# A boot sector that prints a line and stops. Built and run by hand:
#   as --32 -o boot_sector.o boot_sector.S
#   ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o boot_sector.img boot_sector.o
#   kiln boot_sector.img           or: qemu-system-i386 boot_sector.img
        .code16
        .globl  _start
_start: xorw    %ax, %ax
        movw    %ax, %ds                # "text" counts from segment 0
        movw    $text, %si
        cld
next:   lodsb
        movw    $0x0007, %bx            # page 0, grey
        movb    $0x0E, %ah              # INT 10h, AH=0Eh: write a character, move the cursor
        testb   %al, %al
        jz      stop
        int     $0x10
        jmp     next
stop:   hlt
        jmp     stop
text:   .asciz  "Hello from 512 bytes.\r\n"
        .org    510
        .word   0xAA55                  # the BIOS starts nothing without it
