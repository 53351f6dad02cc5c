/* Interrupt entries, far calls, interrupt windows, and the short trips into protected mode.
 *
 * Every entry saves the registers on the caller's stack (struct regs in types.h), and, unless the
 * BIOS itself was interrupted, copies them to the BIOS's own stack in dseg at `stack_top`; the
 * handler works on that copy, which is copied back. So DS = ES = SS holds in all C code, and a
 * caller needs about 60 bytes of stack. stack_top only moves inside far_call and irq_*. */
    .code16
    .equ FRAME, 50                    /* sizeof struct regs */
    .equ FRAME_SPACE, 52
    .equ FRAME_HANDLER, 40
    .equ SLACK, 768                   /* of our stack, for whoever runs on it before switching */

    .text
    .macro ISR name, handler
    .globl \name
\name:
    pushl $\handler
    jmp isr_common
    .endm

    ISR isr_05, int05_print_screen
    ISR isr_08, int08_tick
    ISR isr_09, int09_keyboard
    ISR isr_0e, int0e_floppy
    ISR isr_10, int10_no_video
    ISR isr_11, int11_equipment
    ISR isr_12, int12_memory
    ISR isr_13, int13_disk
    ISR isr_14, int14_serial
    ISR isr_16, int16_keyboard
    ISR isr_17, int17_printer
    ISR isr_18, int18_no_boot
    ISR isr_19, int19_boot
    ISR isr_1a, int1a_time
    ISR isr_70, int70_rtc
    ISR isr_74, int74_mouse
    ISR isr_76, int76_disk
    ISR isr_pmm, pmm_services
    ISR isr_irq_master, irq_master_unused
    ISR isr_irq_slave, irq_slave_unused

    .globl isr_common
isr_common:
    pushal
    pushw %ds
    pushw %es
    pushw %fs
    pushw %gs
    cld
    movw %cs:dseg, %dx
    movw %ss, %ax
    cmpw %dx, %ax
    je nested
    movl %esp, %ebx
    movzwl %sp, %esi
    movw %dx, %ds
    movl stack_top, %edi
    subl $FRAME_SPACE, %edi
    movl %edi, %ebp
    movw %ax, %ds
    movw %dx, %es
    movw $FRAME / 2, %cx
    rep movsw
    movw %dx, %ss
    movl %ebp, %esp
    movw %dx, %ds
    pushl %ebx
    pushw %ax
    pushw %ax
    movl %ebp, %eax
    calll *FRAME_HANDLER(%bp)
    popw %ax
    popw %ax
    popl %ebx
    movw %sp, %si
    movw %bx, %di
    movw %ax, %es
    movw $FRAME / 2, %cx
    rep movsw
    movw %ax, %ss
    movl %ebx, %esp
isr_return:
    popw %gs
    popw %fs
    popw %es
    popw %ds
    popal
    addw $4, %sp
    iretw
nested:
    movzwl %sp, %esp
    movw %dx, %ds
    movw %dx, %es
    movl %esp, %eax
    calll *%ss:FRAME_HANDLER(%eax)
    jmp isr_return

/* void call_int(u8 vector, struct call_regs *r) */
    .globl call_int
call_int:
    movzbl %al, %eax
    pushw %ds
    xorw %cx, %cx
    movw %cx, %ds
    movl (, %eax, 4), %ecx
    popw %ds
    movl %ecx, 32(%edx)
    movl %edx, %eax
/* void far_call(struct call_regs *r) */
    .globl far_call
far_call:
    pushl %ebp
    pushl %ebx
    pushl %esi
    pushl %edi
    pushl stack_top
    pushl %eax
    movl %esp, %ecx
    subl $SLACK, %ecx
    movl %ecx, stack_top
    movl %eax, %ebp
    movw 36(%ebp), %ax
    andw $0x0cff, %ax                 /* FLAGS as an INT leaves them: IF = TF = 0 on return */
    orw $0x0002, %ax
    pushw %ax
    pushw %cs
    pushw $1f
    pushl 32(%ebp)                    /* the target; 32: ip, 34: cs */
    movl 4(%ebp), %ebx
    movl 8(%ebp), %ecx
    movl 12(%ebp), %edx
    movl 16(%ebp), %esi
    movl 20(%ebp), %edi
    movl 0(%ebp), %eax
    pushw 28(%ebp)
    pushw 30(%ebp)
    movl 24(%ebp), %ebp
    popw %es
    popw %ds
    lretw
1:  cli
    cld
    pushfw
    pushw %ds
    pushw %es
    pushl %ebp
    pushl %eax
    movzwl %sp, %esp
    movw %cs:dseg, %ax
    movw %ax, %ds
    movl stack_top, %eax              /* a RETF target left FLAGS: our frame may sit 2 lower */
    movl SLACK(%eax), %eax            /* r */
    movl %ebx, 4(%eax)
    movl %ecx, 8(%eax)
    movl %edx, 12(%eax)
    movl %esi, 16(%eax)
    movl %edi, 20(%eax)
    movl (%esp), %ecx
    movl %ecx, 0(%eax)
    movl 4(%esp), %ecx
    movl %ecx, 24(%eax)
    movw 8(%esp), %cx
    movw %cx, 30(%eax)
    movw 10(%esp), %cx
    movw %cx, 28(%eax)
    movw 12(%esp), %cx
    movw %cx, 36(%eax)
    movw %ds, %cx
    movw %cx, %es
    movl stack_top, %esp
    addl $SLACK + 4, %esp
    popl stack_top
    popl %edi
    popl %esi
    popl %ebx
    popl %ebp
    retl

/* void far_call_words(u32 target, const u16 words[4]): general registers are the target's to use */
    .globl far_call_words
far_call_words:
    pushl %ebp
    pushl %ebx
    pushl %esi
    pushl %edi
    pushl stack_top
    pushl %eax
    leal -SLACK(%esp), %ecx
    movl %ecx, stack_top
    pushw 0(%edx)
    pushw 2(%edx)
    pushw 4(%edx)
    pushw 6(%edx)
    pushw %cs
    pushw $1f
    pushl %eax
    lretw
1:  cli
    cld
    movw %cs:dseg, %ax
    movw %ax, %ds
    movw %ax, %es
    movl stack_top, %esp
    addl $SLACK + 4, %esp
    popl stack_top
    popl %edi
    popl %esi
    popl %ebx
    popl %ebp
    retl

    .globl irq_window, irq_halt
irq_window:
    pushl stack_top
    leal -SLACK(%esp), %eax
    movl %eax, stack_top
    sti
    nop
    cli
    popl stack_top
    retl
irq_halt:
    pushl stack_top
    leal -SLACK(%esp), %eax
    movl %eax, stack_top
    sti
    hlt
    cli
    popl stack_top
    retl

    .globl halt_forever
halt_forever:
    cli
1:  hlt
    jmp 1b

/* _Noreturn void restart_with(void (*fn)(void)) */
    .globl restart_with
restart_with:
    movl $stack_base, %esp
    movl %esp, stack_top
    calll *%eax
    jmp halt_forever

/* _Noreturn void boot_rom(u32 target): calls a bootstrap entry, segment in the high half. A return
 * is a failure to boot: INT 18h. */
    .globl boot_rom
boot_rom:
    movl %eax, %ebx
    xorl %eax, %eax
    movl $stack_base, stack_top
    movw %ax, %ss
    movl $0x7c00, %esp
    movw %cs, %dx
    pushw %dx
    pushw $boot_rom_failed
    pushl %ebx
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    sti
    lretw
boot_rom_failed:
    int $0x18

/* _Noreturn void boot_jump(u8 drive, u16 seg): to seg:0, by the segment's highest digit as the
 * usual 0000:7C00 wants it */
    .globl boot_jump
boot_jump:
    movl $stack_base, stack_top
    movzwl %dx, %ecx
    movzbl %al, %edx
    xorl %eax, %eax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    movw %ax, %ss
    movl $0x7c00, %esp
    movw %cx, %bx
    andw $0xf000, %bx
    pushw %bx
    shlw $4, %cx
    pushw %cx
    xorl %ebx, %ebx
    xorl %ecx, %ecx
    xorl %esi, %esi
    xorl %edi, %edi
    xorl %ebp, %ebp
    sti
    lretw

/* void far_copy(u16 dst_seg, u32 dst, u16 src_seg, u32 src, u32 len): ax, edx, cx, stack, stack */
    .globl far_copy
far_copy:
    pushl %esi
    pushl %edi
    pushw %ds
    pushw %es
    movw %ax, %es
    movl %edx, %edi
    movl 16(%esp), %esi               /* above: es, ds, edi, esi, return address */
    movl %ecx, %eax
    movl 20(%esp), %ecx
    movw %ax, %ds
    rep movsb
    popw %es
    popw %ds
    popl %edi
    popl %esi
    retl

/* ---- the other processors, after a STARTUP interrupt (board.c): CS = E800h ---- */
    .section .low.page, "ax"
    .equ CPUS_MAX, 16                 /* ORDER: board.h */
ap_start:
    cli
    movw $0xe000, %ax
    movw %ax, %ds
    movl $1, %eax
    cpuid
    shrl $24, %ebx                    /* the initial APIC id */
    movl $1, %eax
    lock xaddb %al, ap_count
    cmpb $CPUS_MAX, %al
    jae 1f
    movb %bl, ap_id(%eax)
1:  lock incb ap_finished
2:  cli
    hlt
    jmp 2b

/* ---- INT 1Eh's table, at the address that it always had: 1.44 MB (IBM AT technical reference) ---- */
    .section .fixed_dpt, "a"
    .byte 0xdf, 0x02, 0x25, 2, 18, 0x1b, 0xff, 0x6c, 0xf6, 15, 4

    .section .low, "a"
    .balign 16
    .globl dsdt_aml
dsdt_aml:
    .incbin "dsdt.aml"
    .balign 4                         /* read by fours */

/* ---- what programs search F0000h for; tables.c fills it in ---- */
    .section .anchors, "a"
    .balign 16
    .globl anchor_rsdp, anchor_mp, anchor_smbios, anchor_pir
anchor_rsdp: .skip 48
anchor_mp: .skip 16
anchor_smbios: .skip 32
anchor_pir: .skip 128

/* ---- protected mode, entered and left with IF = 0 ---- */
    .text
    .balign 8
flat_gdt:
    .quad 0
    .quad 0x00cf93000000ffff          /* 08h: data, base 0, 4 GiB */
    .quad 0x000093000000ffff          /* 10h: data, base 0, 64 KiB: real mode's limit again */
flat_gdt_end:
flat_gdtr:
    .word flat_gdt_end - flat_gdt - 1
    .long flat_gdt + 0xf0000

    .globl flat_begin, flat_end
flat_begin:
    movw $0x08, %cx
    jmp 1f
flat_end:
    movw $0x10, %cx
1:  lgdtl %cs:flat_gdtr
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    jmp 2f
2:  movw %cx, %gs
    andb $0xfe, %al
    movl %eax, %cr0
    jmp 3f
3:  xorw %ax, %ax
    movw %ax, %gs
    retl

/* void block_move(u32 gdt_lin, u16 words). The table's entries 10h and 18h are the caller's; 20h
 * and 28h (our code and stack) were filled in by the C side. */
    .globl block_move
block_move:
    pushl %ebp
    pushl %esi
    pushl %edi
    movw %dx, %cx
    subw $8, %sp
    movw %sp, %bp
    movw $0x2f, (%bp)
    movl %eax, 2(%bp)
    lgdtl (%bp)
    addw $8, %sp
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpw $0x20, $1f
1:  movw $0x10, %dx
    movw %dx, %ds
    movw $0x18, %dx
    movw %dx, %es
    xorw %si, %si
    xorw %di, %di
    rep movsw
    movw $0x28, %dx
    movw %dx, %ds
    movw %dx, %es
    andb $0xfe, %al
    movl %eax, %cr0
    ljmpw $0xf000, $2f
2:  movw %ss, %ax
    movw %ax, %ds
    movw %ax, %es
    popl %edi
    popl %esi
    popl %ebp
    retl
