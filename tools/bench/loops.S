# Loops whose time is taken in several emulators: a boot disk that goes to long mode by itself and
# runs each loop between two letters on COM1. tools/bench/run.py assembles it and measures.
#
# Letters: A before the first loop, then one after each; Z at the end, then HLT. A loop that the
# processor cannot run (no SSE2, no x87) is left out, and '-' comes before its letter.
    .set LOAD, 0x7e00
    .set SECTORS, 16
    .set PML4, 0x10000
    .set ARRAY, 0x200000        # 64 KiB, and as much behind it
    .set STACK, 0x300000

    .code16
    .globl _start
_start:
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x7c00, %sp
    movw $LOAD >> 4, %bx        # the rest of the disk behind this sector
    movw %bx, %es
    xorw %bx, %bx
    movw $0x0200 + SECTORS, %ax
    movw $0x0002, %cx
    xorb %dh, %dh
    int $0x13
    cli
    movb $0xff, %al             # no interrupts from here on
    outb %al, $0x21
    outb %al, $0xa1
    inb $0x92, %al              # A20
    orb $2, %al
    outb %al, $0x92
    lgdt gdt_pointer
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmp $8, $protected
    .code32
protected:
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $PML4, %edi            # the first GiB, in pages of 2 MiB
    xorl %eax, %eax
    movl $3 * 1024, %ecx
    rep stosl
    movl $PML4 + 0x1000 + 3, PML4
    movl $PML4 + 0x2000 + 3, PML4 + 0x1000
    movl $PML4 + 0x2000, %edi
    movl $0x83, %eax
1:  movl %eax, (%edi)
    addl $8, %edi
    addl $0x200000, %eax
    cmpl $0x40000000, %eax
    jb 1b
    movl $PML4, %eax
    movl %eax, %cr3
    movl $0x620, %eax           # PAE, OSFXSR, OSXMMEXCPT
    movl %eax, %cr4
    movl $0xc0000080, %ecx
    rdmsr
    orl $0x100, %eax
    wrmsr
    movl %cr0, %eax
    andl $~4, %eax              # no EM
    orl $0x80000022, %eax       # PG, NE, MP
    movl %eax, %cr0
    ljmp $24, $LOAD
    .balign 8
gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff
gdt_pointer:
    .word 31
    .long gdt
    .org 510
    .word 0xaa55

# ---- loaded to LOAD ----
    .code64
    .macro tell letter
    movb $\letter, %al
    call send
    .endm
long_mode:
    movl $STACK, %esp
    movw $0x3fb, %dx            # COM1: 115200 8N1, nothing else
    movb $0x83, %al
    outb %al, %dx
    movw $0x3f8, %dx
    movw $1, %ax
    outb %al, %dx
    movw $0x3f9, %dx
    movb $0, %al
    outb %al, %dx
    movw $0x3fb, %dx
    movb $3, %al
    outb %al, %dx
    tell 'A'
    call integer
    tell 'i'
    call memory
    tell 'm'
    movl $30, %edi
    call fib
    tell 'c'
    call string
    tell 's'
    movl $1, %eax
    cpuid
    movl %edx, %ebp
    btl $26, %ebp
    jnc 1f
    call sse2
    jmp 2f
1:  tell '-'
2:  tell 'f'
    btl $0, %ebp
    jnc 1f
    call x87
    jmp 2f
1:  tell '-'
2:  tell 'x'
    tell 'Z'
    cli
    hlt

send:
    movb %al, %bl
    movw $0x3fd, %dx
1:  inb %dx, %al
    testb $0x20, %al
    jz 1b
    movb %bl, %al
    movw $0x3f8, %dx
    outb %al, %dx
1:  movw $0x3fd, %dx            # until it is sent
    inb %dx, %al
    testb $0x40, %al
    jz 1b
    ret

# Registers only: what compilers make of hashes and state machines; about 20 instructions a turn.
integer:
    movl $3000000, %ecx
    movl $0x12345678, %eax
    movq $-1, %rbx
    xorl %edx, %edx
1:  addq %rbx, %rax
    xorq %rax, %rdx
    movq %rdx, %rsi
    shrq $7, %rsi
    leaq 13(%rsi,%rax,4), %rdi
    imulq $0x5bd1e995, %rdi, %rdi
    subl %esi, %edi
    testl $0x40, %edi
    jz 2f
    incl %r8d
    andl $0xffff, %edi
2:  movzbl %dil, %r9d
    cmpl %r9d, %r8d
    cmovbl %r9d, %r10d
    adcl $0, %r11d
    rorl $5, %edx
    orl %r9d, %ebx
    decl %ecx
    jnz 1b
    ret

# Loads and stores within 128 KiB, a chase of pointers, bytes; 13 instructions a turn.
memory:
    movl $ARRAY, %edi           # each entry leads 4168 bytes on, round the first 64 KiB
    xorl %ecx, %ecx
1:  leal 4168(%rcx), %eax
    andl $0xfff8, %eax
    addl $ARRAY, %eax
    movq %rax, (%rdi,%rcx)
    addl $8, %ecx
    cmpl $0x10000, %ecx
    jb 1b
    movl $4000000, %ecx
    movq %rdi, %rsi
1:  movq (%rsi), %rsi
    movl %ecx, %eax
    andl $0x1fff, %eax
    movq 0x10000(%rdi,%rax,8), %rbx
    addq %rcx, %rbx
    movq %rbx, 0x10000(%rdi,%rax,8)
    addl %ebx, 0x10008(%rdi)
    movzbl (%rdi,%rax), %edx
    movb %dl, 0x10010(%rdi)
    movl %edx, 8(%rsp)
    addl 8(%rsp), %r8d
    decl %ecx
    jnz 1b
    ret

# fib(edi) by recursion: calls, returns, pushes, pops.
fib:
    cmpl $2, %edi
    jb 1f
    pushq %rbx
    pushq %rbp
    movl %edi, %ebp
    leal -1(%rdi), %edi
    call fib
    movl %eax, %ebx
    leal -2(%rbp), %edi
    call fib
    addl %ebx, %eax
    popq %rbp
    popq %rbx
    ret
1:  movl %edi, %eax
    ret

# Blocks of 4 KiB copied, filled, compared and searched; and a loop of LODSB and STOSB.
string:
    movl $4000, %r8d
1:  movl $ARRAY, %esi
    movl $ARRAY + 0x10000, %edi
    movl $4096, %ecx
    rep movsb
    movl $ARRAY + 0x20000, %edi
    movl $512, %ecx
    movl %r8d, %eax
    rep stosq
    decl %r8d
    jnz 1b
    movl $200, %r8d
1:  movl $ARRAY, %esi
    movl $ARRAY + 0x10000, %edi
    movl $4096, %ecx
    repe cmpsb
    movl $ARRAY + 0x20000, %edi
    movl $4096, %ecx
    movb $0x77, %al
    repne scasb
    movl $ARRAY, %esi
    movl $ARRAY + 0x30000, %edi
    movl $4096, %ecx
2:  lodsb
    xorb $1, %al
    stosb
    decl %ecx
    jnz 2b
    decl %r8d
    jnz 1b
    ret

# y += a * x on doubles, two at a time, and a running maximum.
sse2:
    movl $1000000, %ecx
    movl $ARRAY, %edi
    movl $3, %eax
    cvtsi2sd %eax, %xmm7
    unpcklpd %xmm7, %xmm7
    xorpd %xmm3, %xmm3
    xorpd %xmm0, %xmm0
    movupd %xmm0, (%rdi)
    movupd %xmm7, 0x1000(%rdi)
1:  movupd 0x1000(%rdi), %xmm1
    mulpd %xmm7, %xmm1
    movupd (%rdi), %xmm2
    addpd %xmm1, %xmm2
    movupd %xmm2, (%rdi)
    maxpd %xmm2, %xmm3
    subsd %xmm1, %xmm2
    paddd %xmm2, %xmm4
    decl %ecx
    jnz 1b
    ret

x87:
    fninit
    movl $1000000, %ecx
    movl $ARRAY, %edi
    fld1
    fstpl (%rdi)
    fldpi
1:  fldl (%rdi)
    fmul %st(1), %st
    fld1
    faddp
    fld %st(1)
    fdivrp %st, %st(1)
    fstpl 8(%rdi)
    decl %ecx
    jnz 1b
    fstp %st
    ret
    .org 512 + SECTORS * 512
