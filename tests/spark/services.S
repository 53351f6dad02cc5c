/* A boot sector and the 15 sectors after it: calls BIOS services and prints what they return on
 * COM1, a line each: name, then hexadecimal values. Lines that start with "?" may differ between
 * two right BIOSes (memory that firmware keeps, for example); all others must be the same. */
    .include "sector.inc"
    .include "report.inc"

main:
    movw $0x00e3, %ax                 /* COM1: 9600 baud, 8 bits */
    xorw %dx, %dx
    int $0x14
    SAY "start"
    movb boot_drive, %al
    xorb %ah, %ah
    HEX %ax

    /* ---- video ---- */
    movw $0x0003, %ax
    int $0x10
    movw $0x0f00, %ax
    int $0x10
    SAY "mode"
    HEX %ax
    movb %bh, %bl
    xorb %bh, %bh
    HEX %bx
    movw $0x0e41, %ax
    movw $0x0007, %bx
    int $0x10
    movw $0x0e0a, %ax
    int $0x10
    movw $0x0300, %ax
    xorw %bx, %bx
    int $0x10
    SAY "cursor"
    HEX %cx
    HEX %dx
    movw $0xb800, %ax
    movw %ax, %fs
    SAY "cell"
    HEX %fs:0
    movw $0x1130, %ax
    movb $6, %bh
    pushw %es
    pushw %bp
    int $0x10
    popw %bp
    popw %es
    SAY "font"
    HEX %cx
    xorb %dh, %dh
    HEX %dx
    movw $0x1a00, %ax
    int $0x10
    SAY "dcc"
    HEX %ax
    HEX %bx
    movw $0x0e0a, %ax
    movw $30, %cx                     /* scroll: the first line leaves */
2:  pushw %cx
    movw $0x0e0a, %ax
    int $0x10
    popw %cx
    loop 2b
    SAY "scrolled"
    HEX %fs:0
    movw $0x0013, %ax
    int $0x10
    movw $0x0c2a, %ax
    xorw %bx, %bx
    movw $17, %cx
    movw $99, %dx
    int $0x10
    movw $0x0d00, %ax
    int $0x10
    xorb %ah, %ah
    movw $0xa000, %dx
    movw %dx, %fs
    SAY "pixel"
    HEX %ax
    movw %fs:99*320+16, %ax
    HEX %ax
    movw $0x0012, %ax
    int $0x10
    movw $0x0c0d, %ax
    xorw %bx, %bx
    movw $333, %cx
    movw $444, %dx
    int $0x10
    movw $0x0d00, %ax
    int $0x10
    xorb %ah, %ah
    SAY "pixel12"
    HEX %ax
    movw $0x0003, %ax
    int $0x10

    /* ---- disk ---- */
    movb $0x08, %ah
    movb boot_drive, %dl
    xorw %di, %di
    int $0x13
    pushw %ds
    popw %es
    SAY "geometry"
    call carry
    HEX %cx
    HEX %dx
    movw $0x1500, %ax
    movb boot_drive, %dl
    int $0x13
    SAY "type"
    movb %ah, %al
    xorb %ah, %ah
    HEX %ax
    HEX %cx
    HEX %dx
    movw $0x0201, %ax                 /* cylinder 0, head 1, sector 2: LBA 64 */
    movw $0x0002, %cx
    movb $1, %dh
    movb boot_drive, %dl
    movw $0x6000, %bx
    int $0x13
    SAY "chs"
    call carry
    HEX %ax
    HEX 0x6000
    movb $0x41, %ah
    movw $0x55aa, %bx
    movb boot_drive, %dl
    int $0x13
    SAY "edd"
    call carry
    HEX %bx
    andw $1, %cx
    HEX %cx
    movw $packet, %si
    movb $0x42, %ah
    movb boot_drive, %dl
    int $0x13
    SAY "edd_read"
    call carry
    movb %ah, %al
    xorb %ah, %ah
    HEX %ax
    HEX packet+2
    HEX 0x6000
    HEX 0x6200
    movl $0x7fffffff, packet+8
    movw $packet, %si
    movb $0x42, %ah
    movb boot_drive, %dl
    int $0x13
    SAY "edd_beyond"
    call carry
    movw $0x001a, result
    movw $result, %si
    movb $0x48, %ah
    movb boot_drive, %dl
    int $0x13
    SAY "edd_size"
    call carry
    HEX result+18
    HEX result+16
    HEX result+24
    movw $0x0201, %ax
    movw $0x0001, %cx
    xorb %dh, %dh
    movb $0x8f, %dl
    movw $0x6000, %bx
    int $0x13
    SAY "no_drive"
    call carry
    movb %ah, %al
    xorb %ah, %ah
    HEX %ax

    /* write, then read back what was written */
    movw $0x1234, 0x6000
    movw $0x0301, %ax
    movw $0x0005, %cx
    movb $1, %dh
    movb boot_drive, %dl
    movw $0x6000, %bx
    int $0x13
    SAY "write"
    call carry
    movw $0, 0x6000
    movw $0x0201, %ax
    int $0x13
    call carry
    HEX 0x6000

    /* ---- memory ---- */
    int $0x12
    SAY "base"
    HEX %ax
    movb $0x88, %ah
    int $0x15
    SAY "?ext88"
    HEX %ax
    movw $0xe801, %ax
    int $0x15
    SAY "?e801"
    call carry
    HEX %ax
    HEX %bx
    xorl %ebx, %ebx
3:  movl $0xe820, %eax
    movl $20, %ecx
    movl $0x534d4150, %edx
    movw $result, %di
    int $0x15
    SAY "?e820"
    call carry
    jc 4f
    HEX result+2
    HEX result
    HEX result+10
    HEX result+8
    HEX result+16
    testl %ebx, %ebx
    jnz 3b
4:  movw $0x2402, %ax
    int $0x15
    SAY "a20"
    call carry
    HEX %ax
    movw $0x2400, %ax
    int $0x15
    call carry
    movw $0x2402, %ax
    int $0x15
    HEX %ax
    movw $0x2401, %ax
    int $0x15
    call carry
    movw $0x2402, %ax
    int $0x15
    HEX %ax
    movl $0xcafe1234, 0x6000
    movw $0x6000, move_src
    movb $0x00, move_src+2
    movw $0x0000, move_dst
    movb $0x20, move_dst+2            /* 2 MiB */
    call move
    SAY "move"
    call carry
    movw $0x0000, move_src
    movb $0x20, move_src+2
    movw $0x6100, move_dst
    movb $0x00, move_dst+2
    call move
    HEX 0x6102
    HEX 0x6100

    /* ---- keyboard buffer, clock ---- */
    movw $0x0500, %ax
    movw $0x1e61, %cx
    int $0x16
    movb $0x00, %ah
    int $0x16
    SAY "stuffed"
    HEX %ax
    movb $0x01, %ah
    int $0x16
    pushfw
    popw %ax
    andw $0x40, %ax
    SAY "empty"
    HEX %ax
    movw $0x0400, %ax
    int $0x1a
    SAY "date"
    call carry
    HEX %cx
    HEX %dx
    /* A wait lasts at least as long as asked, by the clock that loses no ticks: 2.2 s are two
     * changes of its seconds or more. How much longer depends on the host, and is not printed. */
    call seconds
    movw %ax, %di
    movw $0x8600, %ax
    movw $0x0021, %cx
    movw $0x91c0, %dx
    int $0x15
    SAY "wait"
    call carry
    call seconds
    subw %di, %ax
    jns 5f
    addw $60, %ax
5:  cmpw $2, %ax
    setae %al
    movzbw %al, %ax
    HEX %ax                           /* 1: the time had passed */

    /* ---- PCI ---- */
    movw $0xb101, %ax
    xorl %edi, %edi
    int $0x1a
    SAY "pci"
    call carry
    HEX %dx
    movw $0xb103, %ax
    movl $0x060000, %ecx
    xorw %si, %si
    int $0x1a
    call carry
    HEX %bx
    movw $0xb102, %ax
    movw $0x7010, %cx
    movw $0x8086, %dx
    xorw %si, %si
    int $0x1a
    call carry
    HEX %bx
    movw $0xb109, %ax
    movw $0x0a, %di
    int $0x1a
    call carry
    HEX %cx

    /* ---- registers that services must leave alone ---- */
    movl $0x11112222, %ebp
    movl $0x33334444, %esi
    movl $0x55556666, %edi
    movl $0x77770007, %ebx
    movl $0x88880000, %ecx
    movl $0x99990000, %edx
    movl $0xaaaa0e2e, %eax
    int $0x10
    movl $0xaaaa0100, %eax
    int $0x16
    xorl %eax, %eax
    movl $0x88880000, %ecx
    movl $0x99990080, %edx
    movb $0x01, %ah
    int $0x13
    SAY "kept"
    rorl $16, %ebp
    HEX %bp
    rorl $16, %esi
    HEX %si
    rorl $16, %edi
    HEX %di
    rorl $16, %ebx
    HEX %bx
    rorl $16, %ecx
    HEX %cx
    rorl $16, %edx
    HEX %dx

    /* ---- keys typed from outside, until Enter ---- */
    SAY "type"
6:  movb $0x10, %ah
    int $0x16
    HEX %ax
    cmpw $0x1c0d, %ax
    jne 6b
    SAY "end"
    SAY ""
7:  hlt
    jmp 7b

seconds:                              /* ax = seconds of the real-time clock, 0 to 59 */
    movb $0x02, %ah
    int $0x1a
    jc seconds                        /* an update was in progress */
    movb %dh, %al
    aam $16                           /* ah = tens, al = units */
    aad                               /* al = ah * 10 + al */
    ret

move:
    movb $0x93, move_src+3
    movb $0x93, move_dst+3
    movw $0xffff, move_src-2
    movw $0xffff, move_dst-2
    movw $table, %si
    movw $8, %cx
    movb $0x87, %ah
    int $0x15
    ret

    .balign 4
packet:
    .byte 16, 0
    .word 2, 0x6000, 0
    .quad 70
    .balign 8
table:
    .skip 0x10
    .word 0
move_src: .skip 6
    .word 0
move_dst: .skip 6
    .skip 0x10
result:
    .skip 64
    .org 16 * 512
