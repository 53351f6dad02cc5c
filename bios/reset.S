/* From the reset vector to post_main(): shutdown codes, shadow RAM, the data segment.
 *
 * The image runs from ROM until the host bridge's PAM registers (82441FX data sheet 3.2.18; on Q35
 * the MCH's at 90h) let RAM be seen at E0000h and F0000h. A bridge need not know the "write to
 * RAM, read from ROM" setting, so the image goes to low RAM first, which is checked by comparing,
 * and from there to E0000h and F0000h. `dseg` is then patched in the shadow copy to E000h. Without
 * PAM, or with bad RAM there, the image stays in ROM, where `dseg` reads 97C0h: data below the EBDA.
 *
 * No stack exists here before `have_dseg`; low RAM below 500h is left as it is for the shutdown
 * codes. UNIMPL: NMI is ignored. */
    .code16

    .equ CMOS_SHUTDOWN, 0x8f          /* register 0Fh, NMI masked */
    .equ DSEG_SHADOW, 0xe000
    .equ DSEG_LOW, 0x97c0             /* and dseg_size up to the EBDA */

    .section .reset, "ax"
    ljmpw $0xf000, $reset_entry
    .ascii "11/24/26"                 /* F000:FFF5 */
    .byte 0
    .byte 0xfc, 0                     /* F000:FFFE: an AT */

    .section .fixed_iret, "ax"        /* F000:FF53 */
    .globl dummy_iret
dummy_iret:
    iretw

    .text
    .globl dseg
dseg:
    .word DSEG_LOW

/* One byte of the host bridge's configuration: register in cl, value in ch. Uses eax, dx. */
    .macro PCI_WRITE
    movzbl %cl, %eax
    andb $0xfc, %al
    orl $0x80000000, %eax
    movw $0xcf8, %dx
    outl %eax, %dx
    movb %cl, %dl
    andb $3, %dl
    orb $0xfc, %dl                    /* dx = 0CFCh + (register & 3) */
    movb %ch, %al
    outb %al, %dx
    .endm
    .macro PCI_READ
    movzbl %cl, %eax
    andb $0xfc, %al
    orl $0x80000000, %eax
    movw $0xcf8, %dx
    outl %eax, %dx
    movb %cl, %dl
    andb $3, %dl
    orb $0xfc, %dl
    inb %dx, %al
    .endm

/* A call without a stack: sp holds the way back. */
    .macro LINK target
    movw $.Lback\@, %sp
    jmp \target
.Lback\@:
    .endm

pam_rom:                              /* E0000h and F0000h are ROM; bh = PAM0's register */
    movb %bh, %cl
    xorb %ch, %ch
    PCI_WRITE
    addb $5, %cl
    PCI_WRITE
    incb %cl
    PCI_WRITE
    jmp *%sp

copy_64k:                             /* segment si to segment di; ZF: they are equal now */
    movw %si, %ds
    movw %di, %es
    xorw %si, %si
    xorw %di, %di
    movw $0x4000, %cx
    rep movsl
    movw $0x4000, %cx                 /* si, di came round to 0 */
    repe cmpsl
    jmp *%sp

    .globl reset_entry
reset_entry:
    cli
    cld
    movb $CMOS_SHUTDOWN, %al
    outb %al, $0x70
    inb $0x71, %al
    movb %al, %ah
    movb $CMOS_SHUTDOWN, %al
    outb %al, $0x70
    xorb %al, %al
    outb %al, $0x71
    movb %ah, %bl
    movb $0x01, %al
    outb %al, $0x80

    /* bh = PAM0's register, or 0. */
    xorb %bh, %bh
    movl $0x80000000, %eax
    movw $0xcf8, %dx
    outl %eax, %dx
    movw $0xcfc, %dx
    inl %dx, %eax
    cmpl $0x12378086, %eax            /* 82441FX */
    jne 1f
    movb $0x59, %bh
1:  cmpl $0x29c08086, %eax            /* 82G33 MCH (Q35) */
    jne 1f
    movb $0x90, %bh
1:
    cmpb $0x05, %bl
    je resume
    cmpb $0x09, %bl
    je resume
    cmpb $0x0a, %bl
    je resume
                                      /* 4 means INT 19h, which POST comes to as well */
    /* ---- power-on or warm boot: shadow the image ---- */
    movb $0x02, %al
    outb %al, $0x80
    testb %bh, %bh
    jz have_dseg
    LINK pam_rom                      /* a reset of the processor alone left RAM there */
    movw $0x2000, %bp                 /* bp: F0000h's copy; bp + 1000h: E0000h's; then a stack */
copy_low:
    movw $0xf000, %si
    movw %bp, %di
    LINK copy_64k
    jne 1f
    movw $0xe000, %si
    leaw 0x1000(%bp), %di
    LINK copy_64k
    je 2f
1:  addw $0x3000, %bp                 /* bad RAM: try elsewhere */
    cmpw $0x8000, %bp
    jb copy_low
    xorb %bh, %bh
    jmp have_dseg
2:  leaw 0x2000(%bp), %ax
    movw %ax, %ss
    movw $0x100, %sp
    pushw %bp
    pushw $in_low_copy
    lretw
in_low_copy:
    movb %bh, %cl                     /* PAM0: F0000h */
    movb $0x30, %ch
    PCI_WRITE
    addb $5, %cl                      /* PAM5, PAM6: E0000h to EFFFFh */
    movb $0x33, %ch
    PCI_WRITE
    incb %cl
    PCI_WRITE
    movw $0xe000, %ax                 /* RAM of the data segment holds both patterns? */
    movw %ax, %ds
    movl $0x5555aaaa, %eax
2:  xorw %di, %di
3:  movl %eax, (%di)
    movl %eax, %ecx
    xorl (%di), %ecx
    jnz shadow_bad
    addw $4, %di
    cmpw $dseg_size, %di
    jb 3b
    notl %eax
    cmpl $0xaaaa5555, %eax
    je 2b
    movw %bp, %si
    movw $0xf000, %di
    LINK copy_64k
    jne shadow_bad
    leaw 0x1000(%bp), %si
    movw $0xe000, %di
    LINK copy_64k
    jne shadow_bad
    movw $0xf000, %ax
    movw %ax, %es
    movw $DSEG_SHADOW, %es:dseg
    ljmpw $0xf000, $have_dseg
shadow_bad:                           /* back to ROM, without PAM */
    LINK pam_rom
    xorb %bh, %bh
    ljmpw $0xf000, $have_dseg

have_dseg:
    movb $0x03, %al
    outb %al, $0x80
    movw %cs:dseg, %ax
    movw %ax, %es
    movw %ax, %ss
    movl $stack_base, %esp
    xorl %eax, %eax
    movw $bss_start, %di
    movw $bss_end, %cx
    subw %di, %cx
    rep stosb
    movw $0xe000, %ax                 /* in shadow RAM the data is where it should be */
    movw %ax, %ds
    movw $data_start, %si
    movw %si, %di
    movw $data_end, %cx
    subw %di, %cx
    rep movsb
    movw %ss, %ax
    movw %ax, %ds
    movw %ax, dseg_copy
    movb %bh, pam_base
    movl %esp, stack_top
    calll post_main
    jmp halt_forever

/* ---- a reset that the guest wanted as a way back to real mode ---- */
resume:
    testb %bh, %bh
    jz 2f
    movb %bh, %cl                     /* the same view as before the reset */
    movb $0x10, %ch
    PCI_WRITE
    addb $5, %cl
    movb $0x33, %ch
    PCI_WRITE
    incb %cl
    PCI_WRITE
    movw $DSEG_SHADOW, %ax
    movw %ax, %ds
    movb %bh, %cl
    xorw %si, %si
1:  incb %cl                          /* PAM1 to PAM4: option ROMs */
    movb pam_saved(%si), %ch
    PCI_WRITE
    incw %si
    cmpw $4, %si
    jb 1b
2:  xorw %ax, %ax
    movw %ax, %ds
    cmpb $0x09, %bl
    je resume_block_move
    cmpb $0x0a, %bl
    je 3f
    movb $0x20, %al                   /* code 5: EOI, and the keyboard's byte is dropped */
    outb %al, $0xa0
    outb %al, $0x20
    inb $0x60, %al
3:  ljmpw *0x467
resume_block_move:                    /* ES, DS, general registers, then IRET */
    lssw 0x467, %sp
    popw %es
    popw %ds
    popaw
    iretw

    .bss
    .globl dseg_copy, pam_base, pam_saved, stack_top
stack_top: .long 0
dseg_copy: .word 0
pam_base:  .byte 0
pam_saved: .skip 4
