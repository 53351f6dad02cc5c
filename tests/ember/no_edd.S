/*
 * A boot sector that takes INT 13h's extensions (AH = 41h to 48h) away, as on a BIOS of before 1995,
 * and then starts the MBR that it finds in sector 2 (LBA 1) of the disk. It stays at 9000:0.
 */
        .code16
        .text
        .globl  _start
_start:
        cli
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movw    $0x7C00, %sp
        movw    $0x9000, %bx
        movw    %bx, %es
        cld
        movw    $0x7C00, %si
        xorw    %di, %di
        movw    $256, %cx
        rep movsw
        ljmp    $0x9000, $moved - _start
moved:  movl    0x13 * 4, %eax
        movl    %eax, %es:old - _start
        movw    $hook - _start, 0x13 * 4
        movw    %bx, 0x13 * 4 + 2
        xorw    %ax, %ax
        movw    %ax, %es
        movw    $0x7C00, %bx
        movw    $0x0201, %ax
        movw    $0x0002, %cx
        xorb    %dh, %dh
        int     $0x13
        jc      1f
        ljmp    $0, $0x7C00
1:      hlt
        jmp     1b

hook:   cmpb    $0x41, %ah
        jb      2f
        cmpb    $0x48, %ah
        ja      2f
        pushw   %bp
        movw    %sp, %bp
        orb     $1, 6(%bp)              /* CF in the caller's flags */
        popw    %bp
        movb    $1, %ah                 /* invalid function */
        iret
2:      ljmp    *%cs:old - _start
old:    .long   0

        .org    510
        .word   0xAA55
