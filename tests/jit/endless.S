# A multiboot kernel that writes functions and calls them, for ever: 32 bytes each, over 16 MiB, every round with
# other constants and of another shape, so that nothing made of them can be used again. A dot on port E9h after each
# round; '!' and status 1 by port F4h where a function gives a wrong result.
.set MAGIC, 0x1badb002
.set FIRST, 4 << 20
.set LAST, 20 << 20
    .code32
    .text
    .globl _start
    .long MAGIC, 0, -MAGIC
_start:
    movl $stack_top, %esp
    movl $12345, %ebx                 # the constants
round:
    movl $FIRST, %edi
1:  movb $0xb8, (%edi)                # movl $ebx, %eax
    movl %ebx, 1(%edi)
    movb $0x05, 5(%edi)               # addl $edi, %eax
    movl %edi, 6(%edi)
    testl $1, %ebx
    jz 2f
    movl $0x9002eb40, 10(%edi)        # incl %eax; jmp over a nop and...
    movl $0xc3c34890, 14(%edi)        # ... and another; decl %eax; ret
    jmp 3f
2:  movl $0xc3484090, 10(%edi)        # nop; incl %eax; decl %eax; ret
3:  call *%edi
    subl %edi, %eax
    cmpl %ebx, %eax
    jne wrong
    imull $1103515245, %ebx
    addl $12345, %ebx
    addl $32, %edi
    cmpl $LAST, %edi
    jb 1b
    movb $'.', %al
    outb %al, $0xe9
    jmp round
wrong:
    movb $'!', %al
    outb %al, $0xe9
    movb $0, %al
    outb %al, $0xf4
    hlt

    .bss
    .skip 4096
stack_top:
