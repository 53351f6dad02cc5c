/*
 * The loader's first instructions and its bridge to the BIOS.
 *
 * The volume boot record enters at 0000:8000 in real mode (DL = drive, EBX = LBA of the partition).
 * The rest of the loader is C in 32-bit protected mode with flat segments, interrupts off.
 * bios_call() goes back to real mode for one software interrupt. SDM 3A, 9.9 (mode switching).
 * The memory map is drawn in loader.h.
 */
        .set    CODE32, 0x08
        .set    DATA32, 0x10
        .set    CODE16, 0x18
        .set    DATA16, 0x20

        .section .text.entry, "ax"
        .code16
        .globl  loader_start
loader_start:
        cli
        cld
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7C00, %sp
        movzbl  %dl, %edx
        movl    %edx, boot_drive
        movl    %ebx, partition_lba
        lgdtl   gdt_pointer
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmpl   $CODE32, $enter32

        .code32
enter32:
        movw    $DATA32, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %fs
        movw    %ax, %gs
        movw    %ax, %ss
        movl    $0x7C00, %esp
        movl    $bss_start, %edi
        movl    $bss_end, %ecx
        subl    %edi, %ecx
        xorl    %eax, %eax
        rep stosb
        pushl   partition_lba
        pushl   boot_drive
        call    loader_main             /* does not return */
1:      cli
        hlt
        jmp     1b

        .text
/*
 * void bios_call(uint32_t vector, struct bios_regs *regs): calls INT vector in real mode with the
 * registers of *regs, and stores what the BIOS returned there. ORDER: struct bios_regs in loader.h.
 */
        .globl  bios_call
bios_call:
        movl    4(%esp), %eax
        movl    (,%eax,4), %eax         /* the vector's real-mode address, seg:off */
        movl    8(%esp), %ecx
        jmp     real_call

/* void bios_idle(void): halts until an interrupt comes, and lets the BIOS serve it. */
        .globl  bios_idle
bios_idle:
        movl    $idle, %eax
        movl    $idle_regs, %ecx

/* EAX = seg:off of a real-mode routine that ends by IRET, ECX = struct bios_regs *. */
real_call:
        pushl   %ebp
        pushl   %ebx
        pushl   %esi
        pushl   %edi
        pushl   %ecx
        movl    %eax, int_target
        movl    %ecx, %esi
        movl    $regs, %edi
        movl    $9, %ecx
        rep movsl
        movl    %esp, saved_esp
        ljmpl   $CODE16, $1f            /* a 16-bit segment first, so that limits become 64 KiB */
        .code16
1:      movw    $DATA16, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %fs
        movw    %ax, %gs
        movw    %ax, %ss
        movl    %cr0, %eax
        andb    $0xFE, %al
        movl    %eax, %cr0
        ljmpw   $0, $2f
2:      xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %fs
        movw    %ax, %gs
        movw    %ax, %ss
        lidtl   real_idt
        movl    regs + 0, %eax
        movl    regs + 4, %ebx
        movl    regs + 8, %ecx
        movl    regs + 12, %edx
        movl    regs + 16, %esi
        movl    regs + 20, %edi
        movl    regs + 24, %ebp
        movw    regs + 30, %es
        movw    regs + 28, %ds
        sti
        pushfw                          /* what INT n does: flags, IF off, far call */
        cli
        lcallw  *%cs:int_target
        cli
        pushfw
        pushw   %ds
        pushl   %eax
        xorw    %ax, %ax
        movw    %ax, %ds
        popl    regs + 0
        popw    regs + 28
        popw    regs + 32
        movw    %es, regs + 30
        movl    %ebx, regs + 4
        movl    %ecx, regs + 8
        movl    %edx, regs + 12
        movl    %esi, regs + 16
        movl    %edi, regs + 20
        movl    %ebp, regs + 24
        cld
        lgdtl   gdt_pointer
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        ljmpl   $CODE32, $3f
        .code32
3:      movw    $DATA32, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %fs
        movw    %ax, %gs
        movw    %ax, %ss
        movl    saved_esp, %esp
        movl    $regs, %esi
        popl    %edi
        movl    $9, %ecx
        rep movsl
        popl    %edi
        popl    %esi
        popl    %ebx
        popl    %ebp
        ret

        .code16
idle:   sti
        hlt
        iret
        .code32

/* void enter_kernel(uint32_t entry, uint32_t magic, void *info): Multiboot 0.6.96, 3.2. */
        .globl  enter_kernel
enter_kernel:
        movl    4(%esp), %ecx
        movl    8(%esp), %eax
        movl    12(%esp), %ebx
        jmp     *%ecx

        .data
        .balign 8
gdt:    .quad   0
        .quad   0x00CF9A000000FFFF      /* 08: 32-bit code, base 0, 4 GiB */
        .quad   0x00CF92000000FFFF      /* 10: data, base 0, 4 GiB */
        .quad   0x00009A000000FFFF      /* 18: 16-bit code, base 0, 64 KiB */
        .quad   0x000092000000FFFF      /* 20: data, base 0, 64 KiB */
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .long   gdt
real_idt:
        .word   0x3FF
        .long   0
        .balign 4
boot_drive:
        .long   0
partition_lba:
        .long   0
int_target:
        .long   0
saved_esp:
        .long   0
regs:   .fill   9, 4, 0
idle_regs:
        .fill   9, 4, 0

        .section .note.GNU-stack, "", @progbits
