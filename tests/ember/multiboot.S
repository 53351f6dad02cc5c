/*
 * A multiboot-1 kernel that is not Ember: ELF32 without address fields, in two segments and a .bss,
 * which writes to COM1 what the loader gave it, checks what it relies on, and halts.
 * Multiboot Specification 0.6.96, 3.1 to 3.3. BSS_BYTES: how much .bss (--defsym).
 */
        .set    COM1, 0x3F8

        .section .multiboot, "ax"
        .balign 4
        .long   0x1BADB002, 3, -(0x1BADB002 + 3)

        .text
        .globl  _start
_start: movl    $stack_end, %esp
        movl    %eax, %ebp
        movl    $text_bad_magic, %esi
        cmpl    $0x2BADB002, %ebp
        jne     stop
        movl    $text_bad_data, %esi
        cmpl    $0x12345678, data_word
        jne     stop
        movl    $text_bad_bss, %esi
        movl    $bss_start, %edi
        movl    $bss_end, %ecx
        subl    %edi, %ecx
        xorl    %eax, %eax
        repe scasb
        jne     stop
        movl    $text_bad_flags, %esi
        movl    (%ebx), %eax
        andl    $0x24D, %eax            /* memory, command line, modules, map, loader's name */
        cmpl    $0x24D, %eax
        jne     stop
        movl    $text_loader, %esi
        call    print
        movl    64(%ebx), %esi
        call    print
        movl    $text_cmdline, %esi
        call    print
        movl    16(%ebx), %esi
        call    print
        movl    20(%ebx), %ecx          /* modules */
        movl    24(%ebx), %edi
1:      jecxz   2f
        movl    $text_module, %esi
        call    print
        movl    8(%edi), %esi
        call    print
        movl    $text_bytes, %esi
        call    print
        movl    4(%edi), %eax
        subl    (%edi), %eax
        call    print_hex
        movl    $text_sum, %esi
        call    print
        call    sum
        call    print_hex
        movl    $text_unaligned, %esi
        testl   $0xFFF, (%edi)
        jnz     stop
        movl    $text_overlap, %esi
        cmpl    $image_end, (%edi)
        jb      stop
        addl    $16, %edi
        decl    %ecx
        jmp     1b
2:      movl    $text_end, %esi
stop:   call    print
3:      cli
        hlt
        jmp     3b

/* EAX = sum of the bytes of the module at EDI. */
sum:    pushl   %ecx
        pushl   %edi
        movl    (%edi), %esi
        movl    4(%edi), %ecx
        subl    %esi, %ecx
        xorl    %eax, %eax
        xorl    %edi, %edi
        jecxz   2f
1:      lodsb
        addl    %eax, %edi
        loop    1b
2:      movl    %edi, %eax
        popl    %edi
        popl    %ecx
        ret

/* ESI = text that ends with zero. */
print:  lodsb
        testb   %al, %al
        jz      1f
        call    put
        jmp     print
1:      ret

put:    pushl   %eax
1:      movw    $COM1 + 5, %dx
        inb     %dx, %al
        testb   $0x20, %al
        jz      1b
        movw    $COM1, %dx
        popl    %eax
        outb    %al, %dx
        ret

/* EAX in hexadecimal, eight digits. */
print_hex:
        pushl   %ecx
        movl    $8, %ecx
1:      roll    $4, %eax
        pushl   %eax
        andl    $15, %eax
        movb    digits(%eax), %al
        call    put
        popl    %eax
        loop    1b
        popl    %ecx
        ret

        .section .rodata
digits: .ascii  "0123456789abcdef"
text_loader:    .asciz "\nloader: "
text_cmdline:   .asciz "\ncommand line: "
text_module:    .asciz "\nmodule: "
text_bytes:     .asciz ", bytes "
text_sum:       .asciz ", sum "
text_end:       .asciz "\nthe test kernel ends\n"
text_bad_magic: .asciz "\nFAIL: magic\n"
text_bad_data:  .asciz "\nFAIL: data\n"
text_bad_bss:   .asciz "\nFAIL: bss\n"
text_bad_flags: .asciz "\nFAIL: flags\n"
text_unaligned: .asciz "\nFAIL: module not on a page\n"
text_overlap:   .asciz "\nFAIL: module in the kernel\n"

        .data
data_word:
        .long   0x12345678

        .bss
bss_start:
        .skip   BSS_BYTES
bss_end:
        .skip   4096
stack_end:
image_end:
