/* Option ROM that starts the multiboot kernel of -kernel: multiboot.bin.
 *
 * It is a Plug and Play expansion ROM with a bootstrap entry (Plug and Play BIOS Specification
 * 1.0A, 3.2; BIOS Boot Specification 1.01), which the BIOS calls when it is time to boot. The
 * kernel and the information structure come through fw_cfg (QEMU's docs/specs/fw_cfg.txt, keys
 * as below); memory sizes and the map are asked of the BIOS. Then the state of Multiboot
 * Specification 0.6.96, 3.2: EAX = 2BADB002h, EBX = information, flat protected mode, A20 open.
 *
 *     00500 - 00FFF   the stack
 *     01000 - 01FFF   this code and its GDT, copied out of the ROM
 *     02000 - 024FF   memory map for the kernel
 *     02500 - 033FF   information structure (the host's choice; filled by fw_cfg)
 *     04000 - ...     free for the kernel
 */
.set RUN,         0x1000
.set MAP,         0x2000
.set MAP_END,     0x2500
.set SELECT,      0x510
.set DATA,        0x511
.set DMA,         0x514
.set KEY_ID,      0x01
.set KERNEL_ADDR, 0x07
.set KERNEL_SIZE, 0x08
.set MBI_ADDR,    0x0a
.set MBI_SIZE,    0x0b
.set ENTRY,       0x10
.set KERNEL_DATA, 0x11
.set MBI_DATA,    0x12

    .code16
    .section .head, "ax"
    .globl rom_start
rom_start:
    .byte 0x55, 0xaa
    .byte 2                           /* size in 512 bytes */
    jmp init
    .org 0x1a
    .word pnp
    .balign 16
pnp:
    .ascii "$PnP"
    .byte 1, 2                        /* revision, length in 16 bytes */
    .word 0                           /* no next header */
    .byte 0, 0                        /* reserved, checksum (filled in below) */
    .long 0                           /* device identifier */
    .word 0                           /* manufacturer */
    .word product
    .byte 0, 0x80, 0                  /* type: other mass storage */
    .byte 0x14                        /* initial program load device, no driver installed */
    .word 0, 0
    .word boot                        /* bootstrap entry vector */
    .word 0, 0
product:
    .asciz "Multiboot kernel"

init:
    movw $0x20, %ax                   /* an IPL device is attached */
    lretw

/* The bootstrap entry: moves to RAM at RUN, where addresses are known. */
boot:
    cli
    cld
    xorw %ax, %ax
    movw %ax, %es
    movw %ax, %ss
    movl $RUN - 16, %esp
    pushw %cs
    popw %ds
    movw $payload, %si
    movw $RUN, %di
    movw $payload_len, %cx
    rep movsb
    movw %ax, %ds
    ljmpw $0, $RUN

    .set payload_len, payload_end - payload
payload:
#define AT(label) (RUN + (label) - payload)
    sti
    movw $MBI_ADDR, %ax               /* the information structure, below 64 KiB */
    callw read_long
    movl %eax, %ebx
    movw $MBI_SIZE, %ax
    callw read_long
    movl %eax, %ecx
    movw %bx, %di
    movw $SELECT, %dx
    movw $MBI_DATA, %ax
    outw %ax, %dx
    incw %dx
    rep insb

    movl %ebx, AT(info)
    int $0x12                         /* KiB below 1 MiB, at most 640 */
    movzwl %ax, %eax
    movl %eax, %es:4(%bx)
    callw read_map
    movl AT(info), %ebx
    movl AT(upper), %eax
    movl %eax, %es:8(%bx)             /* KiB from 1 MiB to the first hole */
    movl AT(map_len), %eax
    movl %eax, %es:44(%bx)
    movl $MAP, %es:48(%bx)

    movw $ENTRY, %ax
    callw read_long
    movl %eax, AT(start)
    movw $KERNEL_ADDR, %ax
    callw read_long
    movl %eax, AT(dma_to)
    movw $KERNEL_SIZE, %ax
    callw read_long
    movl %eax, AT(dma_len)
    movw $KEY_ID, %ax
    callw read_long
    movl %eax, AT(features)

    movw $0x2401, %ax                 /* A20, by the BIOS and by port 92h */
    int $0x15
    cli
    inb $0x92, %al
    orb $2, %al
    andb $0xfe, %al
    outb %al, $0x92
    lgdtl AT(gdt_register)
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $0x08, $AT(flat)

/* AX: key; EAX: its first four bytes, little-endian. DX is lost. */
read_long:
    movw $SELECT, %dx
    outw %ax, %dx
    incw %dx
    pushw %cx
    movw $4, %cx
1:  inb %dx, %al
    rorl $8, %eax
    loop 1b
    popw %cx
    retw

/* The map of INT 15h AX=E820h at MAP, each entry behind its size; AT(map_len), AT(upper). */
read_map:
    xorl %ebx, %ebx
    movw $MAP, %di
1:  movl $0xe820, %eax
    movl $0x534d4150, %edx            /* "SMAP" */
    movl $20, %ecx
    movl $20, %es:(%di)
    addw $4, %di
    int $0x15
    jc 3f
    cmpl $0x534d4150, %eax
    jne 3f
    cmpl $0x100000, %es:(%di)         /* RAM from 1 MiB on is the "upper memory" */
    jne 2f
    cmpl $0, %es:4(%di)
    jne 2f
    cmpb $1, %es:16(%di)
    jne 2f
    movl %es:8(%di), %eax
    movl %es:12(%di), %edx
    shrdl $10, %edx, %eax
    movl %eax, AT(upper)
2:  addw $20, %di
    testl %ebx, %ebx
    jz 4f
    cmpw $MAP_END - 24, %di
    jbe 1b
    jmp 4f
3:  subw $4, %di
4:  movzwl %di, %edi
    subl $MAP, %edi
    movl %edi, AT(map_len)
    retw

    .code32
flat:
    movw $0x10, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    movw %ax, %ss
    testb $2, AT(features)
    jz 1f
    movl AT(dma_to), %eax             /* the descriptor is big-endian */
    bswapl %eax
    movl %eax, AT(dma_command) + 12
    movl AT(dma_len), %eax
    bswapl %eax
    movl %eax, AT(dma_command) + 4
    movl $(KERNEL_DATA << 16 | 0x0a), %eax /* select, read */
    bswapl %eax
    movl %eax, AT(dma_command)
    movw $DMA + 4, %dx
    movl $AT(dma_command), %eax
    bswapl %eax
    outl %eax, %dx
2:  movl AT(dma_command), %eax        /* done when no bit but the error is left */
    bswapl %eax
    testl $~1, %eax
    jnz 2b
    jmp 3f
1:  movw $SELECT, %dx
    movw $KERNEL_DATA, %ax
    outw %ax, %dx
    incw %dx
    movl AT(dma_to), %edi
    movl AT(dma_len), %ecx
    rep insb
3:  movl AT(info), %ebx
    movl AT(start), %ecx
    movl $0x2badb002, %eax
    jmp *%ecx

    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9a000000ffff          /* code, flat */
    .quad 0x00cf92000000ffff          /* data, flat */
gdt_register:
    .word gdt_register - gdt - 1
    .long AT(gdt)
    .balign 8
dma_command:
    .long 0, 0, 0, 0
info:     .long 0
upper:    .long 0
map_len:  .long 0
start:    .long 0
dma_to:   .long 0
dma_len:  .long 0
features: .long 0
payload_end:
    .section .note.GNU-stack, "", @progbits
