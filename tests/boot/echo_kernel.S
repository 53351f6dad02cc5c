# A multiboot kernel that says on COM1 what it was given, then exits with status 7.
.set MAGIC, 0x1badb002
#ifdef ADDRESSES
.set FLAGS, 1 << 16 | 3
#else
.set FLAGS, 3
#endif
    .code32
    .text
    .globl _start
header:
    .long MAGIC, FLAGS, -(MAGIC + FLAGS)
#ifdef ADDRESSES
    .long header, header, 0, end_of_bss, _start
#endif
_start:
    movl $stack_top, %esp
    cmpl $0x2badb002, %eax
    jne fail
    movl %ebx, %ebp
    movl $command_line, %esi
    call text
    movl 16(%ebp), %esi
    call text
    movl 20(%ebp), %ecx               # modules
    movl 24(%ebp), %edi
1:  jecxz 2f
    movl $module, %esi
    call text
    movl 8(%edi), %esi
    call text
    movl $colon, %esi
    call text
    movl (%edi), %esi
    movl 4(%edi), %edx
    subl %esi, %edx
    call bytes
    addl $16, %edi
    decl %ecx
    jmp 1b
2:  movl $memory, %esi
    call text
    movl 4(%ebp), %eax
    call hex
    movl $space, %esi
    call text
    movl 8(%ebp), %eax
    call hex
    movl 48(%ebp), %edi
    movl 44(%ebp), %ecx
    addl %edi, %ecx
3:  cmpl %ecx, %edi
    jae 4f
    movl $map, %esi
    call text
    movl 8(%edi), %eax
    call hex
    movl 4(%edi), %eax
    call hex
    movl $space, %esi
    call text
    movl 16(%edi), %eax
    call hex
    movl 12(%edi), %eax
    call hex
    movl $space, %esi
    call text
    movb 20(%edi), %al
    addb $'0', %al
    call put
    addl (%edi), %edi
    addl $4, %edi
    jmp 3b
4:  movb $'\n', %al
    call put
    movl $3, %eax
    jmp leave
fail:
    movl $0x10, %eax
leave:
    movw $0xf4, %dx
    outl %eax, %dx
5:  hlt
    jmp 5b

put:                                  # AL
    pushl %edx
    pushl %eax
    movw $0x3fd, %dx
1:  inb %dx, %al
    testb $0x20, %al
    jz 1b
    popl %eax
    movw $0x3f8, %dx
    outb %al, %dx
    popl %edx
    ret
text:                                 # ESI, ended by 0
    lodsb
    testb %al, %al
    jz 1f
    call put
    jmp text
1:  ret
bytes:                                # ESI, EDX of them
    testl %edx, %edx
    jz 1f
    lodsb
    call put
    decl %edx
    jmp bytes
1:  ret
hex:                                  # EAX
    pushl %ecx
    pushl %ebx
    movl $8, %ecx
    movl %eax, %ebx
1:  roll $4, %ebx
    movl %ebx, %eax
    andl $15, %eax
    movb digits(%eax), %al
    call put
    loop 1b
    popl %ebx
    popl %ecx
    ret
digits:       .ascii "0123456789ABCDEF"
command_line: .asciz "command line: "
module:       .asciz "\nmodule: "
colon:        .asciz ": "
memory:       .asciz "\nmemory: "
space:        .asciz " "
map:          .asciz "\nmap: "
    .bss
    .skip 4096
stack_top:
end_of_bss:
    .section .note.GNU-stack, "", @progbits
