# The benchmark's boot sector: loads the rest of the image to 64 KiB, and goes to long mode with the
# first 128 MiB mapped to themselves in pages of 4 KiB, as an operating system would map them, for both
# rings. The APIC's registers are mapped beyond them.
#
#     0x10000   the image from byte 512: table, code, constants
#     0x100000  page tables
#     0x200000  variables and stacks (guest.ld)
#     0xe00000  pages that kernels write code to, or take away
#     0x1000000 the arena, 80 MiB
    .set PML4, 0x100000
    .set PDPT, 0x101000
    .set DIRECTORY, 0x102000
    .set HIGH_DIRECTORY, 0x103000
    .set TABLES, 0x104000
    .set MAPPED, 128            # MiB
    .set PIECE, 32              # sectors to read at once
    .set FLAGS, 7               # present, writable, user

    .section .boot, "ax"
    .code16
    .globl _start
_start:
    cli
    cld
    ljmp $0, $1f
1:  xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss
    movw $0x7c00, %sp
    sti
    movw $image_pieces, %cx
2:  movw $packet, %si           # EDD: drive DL is the BIOS's
    movb $0x42, %ah
    pushw %cx
    int $0x13
    popw %cx
    jc no_disk
    addw $PIECE * 32, packet_segment
    addl $PIECE, packet_lba
    loop 2b
    cli
    movb $0xff, %al             # no interrupts from here on
    outb %al, $0x21
    outb %al, $0xa1
    inb $0x92, %al              # A20
    orb $2, %al
    andb $0xfe, %al
    outb %al, $0x92
    lgdt gdt_pointer
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmp $0x18, $protected
no_disk:
    movw $message, %si
1:  lodsb
    testb %al, %al
    jz 2f
    outb %al, $0xe9
    movb $0x0e, %ah
    movw $7, %bx
    int $0x10
    jmp 1b
2:  hlt
    jmp 2b
message:
    .asciz "cannot read\n"

    .code32
protected:
    movw $0x10, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $PML4, %edi
    xorl %eax, %eax
    movl $4 * 1024, %ecx
    rep stosl
    movl $PDPT + FLAGS, PML4
    movl $DIRECTORY + FLAGS, PDPT
    movl $HIGH_DIRECTORY + FLAGS, PDPT + 3 * 8
    movl $0xfee0009b, HIGH_DIRECTORY + 8 * ((0xfee00000 - 0xc0000000) >> 21) # 2 MiB, uncached
    movl $TABLES + FLAGS, %eax
    movl $DIRECTORY, %edi
    movl $MAPPED / 2, %ecx
1:  movl %eax, (%edi)
    addl $4096, %eax
    addl $8, %edi
    loop 1b
    movl $FLAGS, %eax
    movl $TABLES, %edi
    movl $MAPPED * 256, %ecx
1:  movl %eax, (%edi)
    movl $0, 4(%edi)
    addl $4096, %eax
    addl $8, %edi
    loop 1b
    movl $PML4, %eax
    movl %eax, %cr3
    movl $0x620, %eax           # PAE, OSFXSR, OSXMMEXCPT
    movl %eax, %cr4
    movl $0xc0000080, %ecx      # EFER: LME, SCE
    rdmsr
    orl $0x101, %eax
    wrmsr
    movl %cr0, %eax
    andl $0x9ffffff3, %eax      # no EM, TS; caches on
    orl $0x80010022, %eax       # PG, WP, NE, MP
    movl %eax, %cr0
    ljmp $0x08, $start_64

    .balign 8
packet:
    .byte 16, 0
    .word PIECE, 0
packet_segment:
    .word 0x1000
packet_lba:
    .quad 1
    .balign 8
    .globl gdt
gdt:                            # SYSRET wants 64-bit code behind the data: STAR[63:48] is 0x18
    .quad 0
    .quad 0x00af9b000000ffff    # 08: code, 64-bit
    .quad 0x00cf93000000ffff    # 10: data
    .quad 0x00cf9b000000ffff    # 18: code, 32-bit
    .quad 0x00cff3000000ffff    # 20: data, ring 3
    .quad 0x00affb000000ffff    # 28: code, 64-bit, ring 3
    .quad 0, 0                  # 30: TSS, filled in by guest.c
gdt_pointer:
    .word . - gdt - 1
    .long gdt
    .org 510
    .word 0xaa55

    .text
    .code64
start_64:
    movl $0x10, %eax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    xorl %eax, %eax
    movw %ax, %fs
    movw %ax, %gs
    movl $bss_start, %edi
    movl $bss_end, %ecx
    subl %edi, %ecx
    rep stosb
    movl $kernel_stack_top, %esp
    fninit
    call guest_main
1:  cli
    hlt
    jmp 1b
