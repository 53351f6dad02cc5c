/* What is called from protected mode: the BIOS32 directory and the 32-bit PCI BIOS (PCI BIOS 2.1), the
 * protected-mode entries of APM 1.2 and of Plug and Play, and INT 15h AH=89h.
 *
 * Code and constants are reached through segments with base F0000h; there is no data segment to
 * count on, and the stack is the caller's. So this is assembly, and what it must know of the machine
 * (pm_last_bus, pm_power) is written here by POST, before F0000h becomes read-only. */

    .section .anchors, "a"
    .globl anchor_bios32, anchor_pnp, anchor_pmm
    .balign 16
anchor_bios32:                        /* tables.c adds the checksums of these three */
    .ascii "_32_"
    .long 0xf0000 + bios32_entry
    .byte 0, 1, 0                     /* revision, paragraphs */
    .skip 5
anchor_pmm:                           /* PMM 1.01, 3.1 */
    .ascii "$PMM"
    .byte 1, 16, 0
    .word pmm_entry, 0xf000
    .skip 5
anchor_pnp:                           /* Plug and Play BIOS 1.0A, 4.4 */
    .ascii "$PnP"
    .byte 0x10, 0x21
    .word 0                           /* no events */
    .byte 0
    .long 0
    .word pnp_entry, 0xf000, pnp_entry
    .long 0xf0000
    .long 0
    .word 0xf000
    .long 0xf0000

    .text
    .globl pm_last_bus, pm_power
pm_power: .word 0                     /* port of PM1 control; 0: nothing can be switched off */
pm_last_bus: .byte 0

/* ---- the directory: EAX names a service, BL is 0 ---- */
    .code32
bios32_entry:
    testb %bl, %bl
    jnz 2f
    cmpl $0x49435024, %eax            /* "$PCI" */
    jne 1f
    movl $0xf0000, %ebx
    movl $0x10000, %ecx
    movl $pci32_entry, %edx
    xorb %al, %al
    lretl
1:  movb $0x80, %al                   /* no such service */
    lretl
2:  movb $0x81, %al                   /* no such function */
    lretl

/* ---- PCI BIOS: registers as for INT 1Ah ---- */
    .equ BAD_VENDOR, 0x83
    .equ NOT_FOUND, 0x86
    .equ BAD_REGISTER, 0x87
    .equ NOT_SUPPORTED, 0x81

/* A configuration register: bdf in bx, register in edi. edx: its port. Changes eax. */
pci32_select:
    movzwl %bx, %eax
    shll $8, %eax
    movl %edi, %edx
    andl $0xfc, %edx
    leal 0x80000000(%eax, %edx), %eax
    movl $0xcf8, %edx
    outl %eax, %dx
    movl %edi, %edx
    andl $3, %edx
    addl $0xcfc, %edx
    ret
pci32_read:                           /* the whole register into eax */
    pushl %edx
    call pci32_select
    inl %dx, %eax
    popl %edx
    ret

pci32_entry:
    pushl %eax
    andb $0x7f, %al
    cmpb $0x01, %al
    je pci32_present
    cmpb $0x02, %al
    je pci32_find_id
    cmpb $0x03, %al
    je pci32_find_class
    cmpb $0x08, %al
    jb pci32_unknown
    cmpb $0x0d, %al
    ja pci32_unknown
    /* 08h to 0Ah read, 0Bh to 0Dh write a byte, word, dword */
    subb $8, %al
    movb %al, %ah
    cmpb $3, %al
    jb 1f
    subb $3, %ah
1:  pushl %edi
    andl $0xffff, %edi
    cmpl $0xff, %edi
    ja pci32_bad_register
    cmpb $1, %ah                      /* alignment */
    jb 3f
    je 2f
    testl $2, %edi
    jnz pci32_bad_register
2:  testl $1, %edi
    jnz pci32_bad_register
3:  pushl %edx
    pushl %eax
    call pci32_select
    popl %eax
    cmpb $3, %al
    jae 6f
    cmpb $1, %ah
    jb 4f
    je 5f
    inl %dx, %eax
    movl %eax, %ecx
    jmp 9f
4:  inb %dx, %al
    movb %al, %cl
    jmp 9f
5:  inw %dx, %ax
    movw %ax, %cx
    jmp 9f
6:  cmpb $1, %ah
    movl %ecx, %eax
    jb 7f
    je 8f
    outl %eax, %dx
    jmp 9f
7:  outb %al, %dx
    jmp 9f
8:  outw %ax, %dx
9:  popl %edx
    popl %edi
pci32_good:
    popl %eax
    xorb %ah, %ah
    clc
    lretl
pci32_bad_register:
    popl %edi
    popl %eax
    movb $BAD_REGISTER, %ah
    stc
    lretl
pci32_unknown:
    popl %eax
    movb $NOT_SUPPORTED, %ah
    stc
    lretl
pci32_present:
    popl %eax
    movw $0x0001, %ax                 /* mechanism 1 */
    movw $0x0210, %bx
    movb %cs:pm_last_bus, %cl
    movl $0x20494350, %edx            /* "PCI " */
    clc
    lretl

/* The esi'th function whose register edi, shifted right by 8 if it is the class, equals ebp. */
pci32_find_id:
    cmpw $0xffff, %dx
    jne 1f
    popl %eax
    movb $BAD_VENDOR, %ah
    stc
    lretl
1:  pushl %ebp
    pushl %edi
    pushl %esi
    movzwl %cx, %ebp
    shll $16, %ebp
    movw %dx, %bp
    xorl %edi, %edi
    jmp pci32_find
pci32_find_class:
    pushl %ebp
    pushl %edi
    pushl %esi
    movl %ecx, %ebp
    andl $0xffffff, %ebp
    movl $8, %edi
pci32_find:
    andl $0xffff, %esi
    pushl %ebx
    xorl %ebx, %ebx
1:  testb $7, %bl                     /* functions 1 to 7 exist where function 0 says so */
    jz 2f
    pushl %ebx
    pushl %edi
    andb $0xf8, %bl
    movl $0x0c, %edi
    call pci32_read
    popl %edi
    popl %ebx
    testl $0x00800000, %eax
    jz 4f
2:  pushl %edi
    xorl %edi, %edi
    call pci32_read
    popl %edi
    cmpw $0xffff, %ax
    je 4f
    call pci32_read
    testl %edi, %edi
    jz 3f
    shrl $8, %eax
3:  cmpl %ebp, %eax
    jne 4f
    decl %esi
    js 5f
4:  incl %ebx
    movzbl %cs:pm_last_bus, %eax
    cmpb %al, %bh
    jbe 1b
    popl %ebx
    popl %esi
    popl %edi
    popl %ebp
    popl %eax
    movb $NOT_FOUND, %ah
    stc
    lretl
5:  popl %esi                         /* ebx stays */
    popl %esi
    popl %edi
    popl %ebp
    jmp pci32_good

/* ---- APM 1.2, 4.6: the functions of a connected driver, for 16- and 32-bit code ---- */
    .macro APM ret
    pushfw
    cmpb $0x05, %al                   /* CPU idle */
    je .Lidle\@
    cmpb $0x07, %al                   /* set power state */
    je .Lstate\@
    cmpb $0x0a, %al                   /* get power status */
    je .Lstatus\@
    cmpb $0x0b, %al                   /* get event */
    je .Lnone\@
    cmpb $0x0e, %al                   /* driver's version */
    je .Lversion\@
    cmpb $0x10, %al                   /* capabilities */
    je .Lcapable\@
    cmpb $0x04, %al                   /* disconnect, busy, enable, defaults, engage */
    je .Lgood\@
    cmpb $0x06, %al
    je .Lgood\@
    cmpb $0x08, %al
    je .Lgood\@
    cmpb $0x09, %al
    je .Lgood\@
    cmpb $0x0d, %al
    je .Lgood\@
    cmpb $0x0f, %al
    je .Lgood\@
    movb $0x0c, %ah                   /* not supported */
    jmp .Lbad\@
.Lidle\@:
    sti                               /* put back by the POPF below */
    hlt
    jmp .Lgood\@
.Lstate\@:
    cmpw $1, %bx                      /* of all devices: off */
    jne .Lgood\@
    cmpw $3, %cx
    jne .Lgood\@
    pushw %dx
    movw %cs:pm_power, %dx
    testw %dx, %dx
    jz 1f
    pushw %ax
    movw $0x2000, %ax                 /* soft off: type 0 and SLP_EN */
    outw %ax, %dx
    popw %ax
1:  popw %dx
    movb $0x60, %ah                   /* it did not work */
    jmp .Lbad\@
.Lstatus\@:
    cmpw $1, %bx
    jne .Lunknown\@
    movw $0x01ff, %bx                 /* mains; no battery */
    movw $0x80ff, %cx
    movw $0xffff, %dx
    xorw %si, %si
    jmp .Lgood\@
.Lunknown\@:
    movb $0x09, %ah                   /* no such device */
    jmp .Lbad\@
.Lnone\@:
    movb $0x80, %ah
    jmp .Lbad\@
.Lversion\@:
    popfw
    movw $0x0102, %ax
    clc
    \ret
.Lcapable\@:
    xorw %bx, %bx
    xorw %cx, %cx
.Lgood\@:
    popfw
    xorb %ah, %ah
    clc
    \ret
.Lbad\@:
    popfw
    stc
    \ret
    .endm

    .globl apm32_entry, apm16_entry, apm_services
apm32_entry:
    APM lretl
    .code16
apm16_entry:
    APM lretw
/* void apm_services(struct regs *r): the same for INT 15h; ax, bx, cx, dx, si in and out, CF */
apm_services:
    pushl %ebx
    pushl %esi
    pushl %eax
    movl %eax, %esi
    movw 24(%esi), %bx                /* ORDER: struct regs of types.h */
    movw 28(%esi), %dx
    movw 32(%esi), %cx
    movw 36(%esi), %ax
    call apm_real
    popl %esi                         /* bx, dx, cx came back; si is 0 or unchanged */
    pushfw
    movw %bx, 24(%esi)
    movw %dx, 28(%esi)
    movw %cx, 32(%esi)
    movw %ax, 36(%esi)
    popw %ax
    andw $1, %ax
    andw $0xfffe, 48(%esi)
    orw %ax, 48(%esi)
    popl %esi
    popl %ebx
    retl
apm_real:
    APM retw

/* ---- Plug and Play: nothing is offered but the header, which option ROMs look for ---- */
pnp_entry:
    movw $0x82, %ax                   /* function not supported */
    lretw

/* ---- PMM: function, then arguments, on the caller's stack; the result in DX:AX ---- */
pmm_entry:
    pushw %bp
    movw %sp, %bp
    pushl %ebx
    pushl %ecx
    movw 6(%bp), %ax
    movl 8(%bp), %ebx
    movl 12(%bp), %ecx
    movw 16(%bp), %dx
    pushfw
    pushw %cs
    call isr_pmm
    popl %ecx
    popl %ebx
    popw %bp
    lretw

/* ---- INT 15h AH=89h: into protected mode. ES:SI is a table of 8 descriptors: none, GDT, IDT, DS,
 * ES, SS, CS, and one for us; BH and BL are the interrupt numbers of IRQ 0 and 8 (IBM AT technical
 * reference). AX and BP change. ---- */
    .globl isr_15
isr_15:
    cmpb $0x89, %ah
    je 1f
    pushl $int15_system
    jmp isr_common
1:  cli
    movw $0xffff, %es:0x38(%si)
    movw $0, %es:0x3a(%si)
    movw $0x9a0f, %es:0x3c(%si)
    movw $0, %es:0x3e(%si)
    inb $0x92, %al                    /* A20 */
    orb $0x02, %al
    andb $0xfe, %al
    outb %al, $0x92
    movb $0x11, %al
    outb %al, $0x20
    outb %al, $0xa0
    movb %bh, %al
    outb %al, $0x21
    movb %bl, %al
    outb %al, $0xa1
    movb $0x04, %al
    outb %al, $0x21
    movb $0x02, %al
    outb %al, $0xa1
    movb $0x01, %al
    outb %al, $0x21
    outb %al, $0xa1
    movb $0xff, %al                   /* all masked */
    outb %al, $0x21
    outb %al, $0xa1
    lgdtw %es:0x08(%si)
    lidtw %es:0x10(%si)
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpw $0x38, $2f
2:  movw $0x18, %ax
    movw %ax, %ds
    movw $0x20, %ax
    movw %ax, %es
    movw $0x28, %ax
    movw %ax, %ss
    popw %bp                          /* the caller's IP; its CS and FLAGS go */
    addw $4, %sp
    pushw $0x30
    pushw %bp
    xorb %ah, %ah
    clc
    lretw
