/* A boot sector and the 15 sectors after it, for VBE: what 4F00h says, 4F01h of each standard mode, then modes
 * set with banks and with the linear buffer, and what is read back of them. Values are those that the
 * standard fixes; lines that begin with "?" are each ROM's own. */
    .include "sector.inc"
    .include "report.inc"
    .equ INFO, 0xa000                 /* 512 bytes */

    /* Calls, and prints AX. */
    .macro VBE name, ax, bx=0, cx=0, dx=0
    xorw %ax, %ax
    movw %ax, %es
    movw $\ax, %ax
    movw $\bx, %bx
    movw $\cx, %cx
    movw $\dx, %dx
    movw $INFO, %di
    int $0x10
    SAY "\name"
    HEX %ax
    .endm

main:
    movw $0x00e3, %ax
    xorw %dx, %dx
    int $0x14
    SAY "start"
    movl $0x32454256, INFO            /* VBE2 */
    VBE "information", 0x4f00
    HEX INFO
    HEX INFO + 2
    HEX INFO + 4
    HEX INFO + 0x0a
    HEX INFO + 0x12
    lesw INFO + 0x0e, %si             /* each standard number of the list */
    movw $0x100, %cx
next_mode:
    lesw INFO + 0x0e, %si
    cmpb $0x02, %cl                   /* 102h, 104h, 106h have 16 colours: not every ROM does those */
    je 3f
    cmpb $0x04, %cl
    je 3f
    cmpb $0x06, %cl
    je 3f
1:  movw %es:(%si), %ax
    addw $2, %si
    cmpw $0xffff, %ax
    je 3f
    cmpw %cx, %ax
    jne 1b
    pushw %cx
    xorw %ax, %ax
    movw %ax, %es
    movw $0xb000, %di
    movw $0x4f01, %ax
    int $0x10
    SAY "mode"
    popw %cx
    HEX %cx
    HEX %ax
    andw $0x00df, 0xb000              /* attributes, but for "not VGA compatible" */
    HEX 0xb000
    HEX 0xb002                        /* windows */
    HEX 0xb004
    HEX 0xb006
    HEX 0xb008
    HEX 0xb010                        /* line, width, height */
    HEX 0xb012
    HEX 0xb014
    movb 0xb019, %ah                  /* bits, memory model */
    movb 0xb01b, %al
    HEX %ax
    HEX 0xb01f                        /* masks */
    HEX 0xb021
    HEX 0xb023
3:  incw %cx
    cmpw $0x120, %cx
    jb next_mode
    xorw %ax, %ax
    movw %ax, %es

    VBE "set 1024x768x8, banks", 0x4f02, 0x0105
    VBE "get", 0x4f03
    HEX %bx
    VBE "bank 5", 0x4f05, 0, 0, 5
    movw $0xa000, %ax
    movw %ax, %es
    movw $0x1234, %es:0x4321
    VBE "bank 6", 0x4f05, 0, 0, 6
    movw $0xa000, %ax
    movw %ax, %es
    SAY "another bank holds"
    HEX %es:0x4321
    VBE "bank 5 again", 0x4f05, 0, 0, 5
    movw $0xa000, %ax
    movw %ax, %es
    SAY "bank 5 holds"
    HEX %es:0x4321
    VBE "which bank", 0x4f05, 0x0100
    HEX %dx
    VBE "line of 1280 pixels", 0x4f06, 0, 1280
    HEX %bx
    HEX %cx
    HEX %dx
    VBE "which line", 0x4f06, 1
    HEX %bx
    HEX %cx
    HEX %dx
    VBE "start at 100, 50", 0x4f07, 0, 100, 50
    VBE "where", 0x4f07, 1
    HEX %cx
    HEX %dx
    VBE "8-bit DAC", 0x4f08, 0x0800
    movb %bh, %bl
    xorb %bh, %bh
    HEX %bx
    movl $0x00c08040, INFO
    movl $0x00fe01aa, INFO + 4
    VBE "?set palette", 0x4f09, 0, 2, 16
    movl $0, INFO
    movl $0, INFO + 4
    VBE "?get palette", 0x4f09, 1, 2, 16
    HEX INFO
    HEX INFO + 2
    HEX INFO + 4
    HEX INFO + 6
    VBE "6-bit DAC", 0x4f08, 0x0600
    VBE "which DAC", 0x4f08, 1
    movb %bh, %bl
    xorb %bh, %bh
    HEX %bx
    VBE "set 800x600x16, linear", 0x4f02, 0x4114
    VBE "get", 0x4f03
    HEX %bx
    VBE "?DAC in a mode without palette", 0x4f08, 1
    VBE "?protected mode", 0x4f0a
    VBE "set text", 0x4f02, 3
    VBE "get", 0x4f03
    HEX %bx
    VBE "no such mode", 0x4f02, 0x01ff
    VBE "?DDC", 0x4f15
    VBE "EDID", 0x4f15, 1
    HEX INFO
    HEX INFO + 2
    HEX INFO + 6
    xorw %ax, %ax
    movw $INFO, %si
    movw $128, %cx
4:  addb (%si), %al
    incw %si
    loop 4b
    SAY "EDID's sum"
    HEX %ax
    SAY "end"
1:  hlt
    jmp 1b
    .org 16 * 512
