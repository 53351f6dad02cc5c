/*
 * From the multiboot loader's 32-bit world to C in 64-bit mode.
 *
 * Entered at `start` (physical, paging off, interrupts off) with EAX = multiboot's magic and EBX =
 * its information. Checks for a 64-bit CPU, maps the first GiB with 2 MiB pages three times (at 0
 * for this code, in the direct map, at KERNEL_BASE), enters long mode (SDM 3A, 9.8.5) and calls
 * kernel_main(magic, info). mm/paging.c builds the real tables; nothing here is used after that.
 *
 * The multiboot header carries address fields: then QEMU and GRUB load this ELF64 file as it is.
 */
#include "guestos/boot/multiboot.h"
#include "guestos/mm/layout.h"

        .set    HEADER_FLAGS, MULTIBOOT_PAGE_ALIGN | MULTIBOOT_MEMORY_INFO | MULTIBOOT_ADDRESSES
        .set    CODE64, 0x08
        .set    PTE_P_W, 0x003
        .set    PTE_P_W_LARGE, 0x083
        .set    CR0_PG, 1 << 31
        .set    CR0_EM_TS_MP, 0xE
        .set    CR4_PAE, 1 << 5
        .set    MSR_EFER, 0xC0000080
        .set    EFER_LME, 1 << 8
        .set    COM1, 0x3F8

        .section .boot, "ax"
        .code32
        .balign 4
multiboot_header:
        .long   MULTIBOOT_HEADER_MAGIC
        .long   HEADER_FLAGS
        .long   -(MULTIBOOT_HEADER_MAGIC + HEADER_FLAGS)
        .long   multiboot_header
        .long   KERNEL_LOAD
        .long   data_end - KERNEL_BASE
        .long   kernel_end - KERNEL_BASE
        .long   start

        .globl  start
start:
        cli
        cld
        movl    $stack_top - KERNEL_BASE, %esp
        pushl   $0
        popfl
        movl    %eax, %ebp              /* the magic, until kernel_main */

        /* CPUID is there if EFLAGS.ID can be changed. SDM 1, 19.1. */
        pushfl
        popl    %eax
        movl    %eax, %ecx
        xorl    $1 << 21, %eax
        pushl   %eax
        popfl
        pushfl
        popl    %eax
        cmpl    %eax, %ecx
        je      no_long_mode
        pushl   %ebx
        movl    $0x80000000, %eax
        cpuid
        cmpl    $0x80000001, %eax
        jb      no_long_mode
        movl    $0x80000001, %eax
        cpuid
        popl    %ebx
        testl   $1 << 29, %edx
        jz      no_long_mode

        movl    $early_pd - KERNEL_BASE, %edi
        movl    $PTE_P_W_LARGE, %eax
        movl    $512, %ecx
1:      movl    %eax, (%edi)            /* the upper halves are zero: .bss */
        addl    $LARGE_PAGE_BYTES, %eax
        addl    $8, %edi
        loop    1b
        movl    $early_pd - KERNEL_BASE + PTE_P_W, early_pdpt - KERNEL_BASE
        movl    $early_pd - KERNEL_BASE + PTE_P_W, early_pdpt - KERNEL_BASE + 510 * 8
        movl    $early_pdpt - KERNEL_BASE + PTE_P_W, %eax
        movl    %eax, early_pml4 - KERNEL_BASE
        movl    %eax, early_pml4 - KERNEL_BASE + 256 * 8        /* DIRECT_MAP */
        movl    %eax, early_pml4 - KERNEL_BASE + 511 * 8        /* KERNEL_BASE */

        movl    %cr4, %eax
        orl     $CR4_PAE, %eax
        movl    %eax, %cr4
        movl    $early_pml4 - KERNEL_BASE, %eax
        movl    %eax, %cr3
        movl    $MSR_EFER, %ecx
        rdmsr
        orl     $EFER_LME, %eax
        wrmsr
        movl    %cr0, %eax
        andl    $~CR0_EM_TS_MP, %eax
        orl     $CR0_PG, %eax
        movl    %eax, %cr0
        lgdt    early_gdt_pointer
        ljmp    $CODE64, $enter64

/* Says so on the screen and on COM1, as far as they are there. */
no_long_mode:
        movl    $text_no_long_mode, %esi
        movl    $VGA_TEXT, %edi
        movl    $COM1, %edx
        movb    $0x4F, %ah              /* white on red */
1:      lodsb
        testb   %al, %al
        jz      2f
        outb    %al, %dx
        stosw
        jmp     1b
2:      cli
        hlt
        jmp     2b

        .code64
enter64:
        xorl    %eax, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %fs
        movl    %eax, %gs
        movl    %eax, %ss
        movq    $stack_top, %rsp
        movl    %ebp, %edi
        movl    %ebx, %esi
        xorl    %ebp, %ebp              /* ends the chain of stack frames */
        movq    $kernel_main, %rax
        call    *%rax                   /* does not return */
1:      cli
        hlt
        jmp     1b

        .balign 8
early_gdt:
        .quad   0
        .quad   0x00209A0000000000      /* 08: 64-bit code */
early_gdt_pointer:
        .word   early_gdt_pointer - early_gdt - 1
        .long   early_gdt
text_no_long_mode:
        .asciz  "Ember needs a 64-bit CPU (long mode), and this one has none."

        .bss
        .balign PAGE_BYTES
early_pml4:
        .skip   PAGE_BYTES
early_pdpt:
        .skip   PAGE_BYTES
early_pd:
        .skip   PAGE_BYTES

        /* The guard pages are taken out of the map by mm/paging.c. */
        .globl  stack_guard, stack_top, double_fault_stack_guard, double_fault_stack_top
        .globl  nmi_stack_top
stack_guard:
        .skip   PAGE_BYTES
        .skip   STACK_BYTES
stack_top:
double_fault_stack_guard:
        .skip   PAGE_BYTES
        .skip   STACK_BYTES
double_fault_stack_top:
        .skip   STACK_BYTES
nmi_stack_top:

        .section .note.GNU-stack, "", @progbits
