/*
 * Ember's volume boot record: first sector of the active partition.
 *
 * Entered at 0000:7C00 with DL = drive and, from a well-behaved MBR, DS:SI = the partition entry.
 * It reads the boot header (boot_header.h) from the next sector, brings the loader named there to
 * 0000:8000, checks its sum and jumps to it with DL = drive and EBX = first LBA of the partition.
 * The partition's LBA is also patched in by mkimage, just below the 55AAh, for the case that DS:SI
 * points nowhere useful.
 */
        .set    HEADER_ADDR, 0x7E00     /* ORDER: offsets as in boot_header.h */
        .set    HEADER_VERSION, 8
        .set    HEADER_LOADER_LBA, 12
        .set    HEADER_LOADER_SECTORS, 16
        .set    HEADER_LOADER_SUM, 20
        .set    LOADER_ADDR, 0x8000
        .set    MAX_LOADER_SECTORS, 56  /* 28 KiB: stays below 64 KiB with its variables */

        .code16
        .section .text
        .globl  start
start:  cli
        cld
        movl    8(%si), %eax            /* the entry's LBA, while DS is still the MBR's */
        movb    (%si), %cl
        xorw    %bx, %bx
        movw    %bx, %ss
        movw    $0x7C00, %sp
        movw    %bx, %ds
        movw    %bx, %es
        sti
        movb    %dl, boot_drive
        cmpb    $0x80, %cl
        jne     1f
        testl   %eax, %eax
        jnz     2f
1:      movl    hidden_sectors, %eax
2:      movl    %eax, %ebp

        incl    %eax
        movw    $HEADER_ADDR, %bx
        call    read_sector
        jc      read_failed
        movw    $text_no_header, %si
        cmpl    $0x52424D45, (%bx)               /* "EMBR" */
        jne     fail
        cmpl    $0x544F4F42, 4(%bx)              /* "BOOT" */
        jne     fail
        cmpl    $2, HEADER_VERSION(%bx)
        jne     fail
        movw    $text_too_large, %si
        movl    HEADER_LOADER_SECTORS(%bx), %ecx
        decl    %ecx
        cmpl    $MAX_LOADER_SECTORS, %ecx       /* zero is too large too */
        jae     fail
        incl    %ecx

        movl    HEADER_LOADER_LBA(%bx), %eax
        movw    $LOADER_ADDR, %bx
        xorl    %edi, %edi
3:      call    read_sector
        jc      read_failed
        pushw   %cx
        movw    %bx, %si
        movw    $128, %cx
4:      lodsl
        addl    %eax, %edi
        loop    4b
        popw    %cx
        movl    packet_lba, %eax        /* EAX was used by the sum */
        incl    %eax
        addw    $512, %bx
        loop    3b

        movw    $text_bad_sum, %si
        cmpl    HEADER_ADDR + HEADER_LOADER_SUM, %edi
        jne     fail
        movb    boot_drive, %dl
        movl    %ebp, %ebx
        ljmp    $0, $LOADER_ADDR

#include "int13.inc"

boot_drive:
        .byte   0
text_no_header:
        .asciz  "VBR: no boot header\r\n"
text_too_large:
        .asciz  "VBR: loader size\r\n"
text_bad_sum:
        .asciz  "VBR: loader checksum\r\n"
text_read_error:
        .asciz  "VBR: disk error "

        .org    506
hidden_sectors:
        .long   0
        .word   0xAA55
