/*
 * A boot sector that makes everything that a slice's end could disturb happen often: repeated
 * string instructions of random length, place and direction, under a timer that interrupts every
 * 6.7 us, also behind STI and MOV SS, single-stepped, with breakpoints on their code and data, or
 * halted. The handlers write what they saw
 * (time stamp, RCX, the interrupted address) into memory, so that an interrupt that comes one
 * element later changes the state hash.
 */
        .code16
        .global _start
_start: cli
        xor %ax, %ax
        mov %ax, %ds
        mov %ax, %es
        mov %ax, %ss
        mov $0x7c00, %sp
        movw $on_trap, 4 * 1
        mov %ax, 4 * 1 + 2
        movw $on_tick, 4 * 8
        mov %ax, 4 * 8 + 2
        movw $on_key, 4 * 9
        mov %ax, 4 * 9 + 2
        movw $on_gp, 4 * 13
        mov %ax, 4 * 13 + 2
        mov $0x34, %al                  /* counter 0: mode 2, reload 8 */
        out %al, $0x43
        mov $8, %al
        out %al, $0x40
        xor %al, %al
        out %al, $0x40
        mov $0xfc, %al                  /* only IRQ 0 and 1 */
        out %al, $0x21
        mov $0x2000, %ax
        mov %ax, %fs
        mov $0x3000, %ax
        mov %ax, %ds
        mov %ax, %es

        mov $0xb800, %ax                /* rep movsb; lret, in the display's memory */
        mov %ax, %gs
        movl $0x00cba4f3, %gs:0x1000
        mov $0x34000, %eax              /* breakpoints: writes of 4 bytes there; at movs2 */
        mov %eax, %dr0
        mov $movs2, %eax
        mov %eax, %dr1

again:  sti
        cld
        call random
        mov %eax, %ebx
        call random
        mov %ax, %si
        shr $16, %eax
        mov %ax, %di
        call random
        mov %ax, %cx
        and $0x0fff, %cx
        test $0x60, %bl
        jnz 4f
        mov $0xd040a, %eax
        mov %eax, %dr7
4:      test $0x10, %bl
        jz 1f
        std
1:      and $0x0f, %bx
        add %bx, %bx
        cs jmp *table(%bx)

table:  .word movs1, movs2, movs4, stos1, stos2, stos4, cmps1, scas1
        .word lods1, outs1, ins1, after_sti, after_ss, stepped, halted, in_vga

movs1:  rep movsb
        jmp again
movs2:  rep movsw
        jmp again
movs4:  rep movsl
        jmp again
stos1:  rep stosb
        jmp again
stos2:  rep stosw
        jmp again
stos4:  rep stosl
        jmp again
cmps1:  repe cmpsb
        jmp again
scas1:  repne scasb
        jmp again
lods1:  rep lodsb
        jmp again
outs1:  and $15, %cx
        mov $0x80, %dx
        rep outsb
        jmp again
ins1:   and $15, %cx
        mov $0x71, %dx
        rep insb
        jmp again
after_sti:                              /* with an interrupt pending */
        cli
        call pause
        sti
        rep movsw
        jmp again
after_ss:
        cli
        call pause
        sti
        mov %ss, %ax
        mov %ax, %ss
        rep stosl
        jmp again
stepped:
        and $0xff, %cx
        pushf
        pop %ax
        or $0x100, %ax
        push %ax
        popf
        rep movsb
        pushf
        pop %ax
        and $0xfeff, %ax
        push %ax
        popf
        jmp again
in_vga: lcall $0xb800, $0x1000          /* every fetch is a slow access */
        jmp again
halted: hlt
        jmp again

pause:  push %cx
        mov $2000, %cx
2:      loop 2b
        pop %cx
        ret

random: cs mov seed, %eax
        imul $1664525, %eax
        add $1013904223, %eax
        cs mov %eax, seed
        rol $16, %eax
        ret

/* The ring: 16 bytes each, from 2000:0 on; its next place is in ring. */
note:   rdtsc
        cs mov ring, %bx
        mov %eax, %fs:(%bx)
        mov %ecx, %fs:4(%bx)
        mov 10(%bp), %eax               /* IP and CS of the interrupted */
        mov %eax, %fs:8(%bx)
        mov %si, %fs:12(%bx)
        mov %di, %fs:14(%bx)
        add $16, %bx
        cs mov %bx, ring
        ret

        .macro HANDLER
        push %bp
        push %bx
        push %eax
        push %dx
        mov %sp, %bp
        call note
        .endm
        .macro DONE
        pop %dx
        pop %eax
        pop %bx
        pop %bp
        iret
        .endm
on_trap:
        HANDLER
        xor %eax, %eax                  /* a 16-bit IRET brings no RF back: disarm */
        mov %eax, %dr7
        mov %eax, %dr6
        DONE
on_key: HANDLER
        in $0x60, %al
        jmp 3f
on_tick:
        HANDLER
3:      mov $0x20, %al
        out %al, $0x20
        DONE
on_gp:  xor %cx, %cx                    /* a word at offset FFFFh: the repetition ends */
        iret

seed:   .long 12345
ring:   .word 0
        .org 510
        .word 0xaa55
