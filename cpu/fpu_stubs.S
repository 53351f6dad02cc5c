/*
 * The host's x87 instructions, one stub of 4 bytes each: the instruction and RET.
 *
 * fpu_reg_stubs: D8 C0 to DF FF, by the opcode's and ModRM's low bits: 8 * 64.
 * fpu_mem_stubs: D8 to DF with [rdi], by opcode and ModRM.reg: 8 * 8.
 * Which of them are instructions, and may be called, the rows say.
 */
    .text
    .balign 64
    .globl fpu_reg_stubs
fpu_reg_stubs:
    .set op, 0xd8
    .rept 8
    .set rm, 0xc0
    .rept 64
    .byte op, rm, 0xc3, 0xcc
    .set rm, rm + 1
    .endr
    .set op, op + 1
    .endr

    .globl fpu_mem_stubs
fpu_mem_stubs:
    .set op, 0xd8
    .rept 8
    .set rm, 0x07
    .rept 8
    .byte op, rm, 0xc3, 0xcc
    .set rm, rm + 8
    .endr
    .set op, op + 1
    .endr

/* u64 fpu_with_flags(stub, flags): calls the stub with CF, PF and ZF of flags; returns RFLAGS. */
    .globl fpu_with_flags
fpu_with_flags:
    mov %rsi, %rax
    shl $8, %eax
    sahf
    call *%rdi
    pushfq
    pop %rax
    ret
    .section .note.GNU-stack, "", @progbits
