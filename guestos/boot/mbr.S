/*
 * Ember's master boot record: sector 0 of the disk.
 *
 * The BIOS loads it at 0000:7C00 with the drive in DL. It moves itself to 0000:0600, looks for the
 * active partition, loads that partition's first sector to 7C00h, checks its 55AAh and jumps there
 * with DL = drive and DS:SI = the partition entry, which is the common contract of MBRs (INT 19h:
 * BIOS Boot Specification 1.01, 6.5; the entry's layout: EDD-3, annex on the MBR).
 * When something fails it says what, and after a key gives the turn back to the BIOS by INT 18h.
 *
 * DEVIATION: several active partitions are not an error; the first one wins.
 */
        .set    MBR_ADDR, 0x0600
        .set    BOOT_ADDR, 0x7C00

        .code16
        .section .text
        .globl  start
start:
        cli
        cld
        xorw    %ax, %ax
        movw    %ax, %ss
        movw    $BOOT_ADDR, %sp
        movw    %ax, %ds
        movw    %ax, %es
        movw    $BOOT_ADDR, %si
        movw    $MBR_ADDR, %di
        movw    $256, %cx
        rep movsw
        ljmp    $0, $relocated
relocated:
        sti
        movb    %dl, boot_drive

        movw    $partition_table, %si
        movw    $4, %cx
1:      testb   $0x80, (%si)
        jnz     found
        addw    $16, %si
        loop    1b
        movw    $text_no_active, %si
        jmp     fail

found:  movl    8(%si), %eax            /* first LBA */
        movw    $BOOT_ADDR, %bx
        call    read_sector
        jc      read_failed
        cmpw    $0xAA55, BOOT_ADDR + 510
        movw    %si, %bp
        movw    $text_not_bootable, %si
        jne     fail
        movw    %bp, %si
        movb    boot_drive, %dl
        ljmp    $0, $BOOT_ADDR

#include "int13.inc"

boot_drive:
        .byte   0
text_no_active:
        .asciz  "MBR: no active partition\r\n"
text_not_bootable:
        .asciz  "MBR: active partition lacks 55AA\r\n"
text_read_error:
        .asciz  "MBR: disk error "

        /* 440 bytes of code; the rest (disk signature, table, 55AAh) is written by mkimage. */
        .org    440
        .long   0
        .word   0
partition_table:
        .fill   64, 1, 0
        .word   0xAA55
