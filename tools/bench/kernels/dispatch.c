/*
 * An interpreter of byte code with a jump at the end of each operation: indirect jumps. The program
 * counts the steps of Collatz' sequence, and the divisors of numbers.
 */
#include "tools/bench/kernels/kernel.h"

enum op { SET, MOVE, ADD, SUB, MUL, SHR, AND, XOR, ADDI, JZ, JNZ, JLT, JUMP, LOAD, STORE, REM, END };

#define R(op, a, b, c) (u8)(op), (u8)(a), (u8)(b), (u8)(c)

/* Registers: 0 result, 1 n, 2 x, 3 steps, 4 scratch, 5 limit, 6 divisor, 7 seed. A jump's target is c. */
static const u8 program[] = {
    /* 0 */ R(SET, 0, 0, 0),
    /* 1 */ R(SET, 1, 1, 0),
    /* 2 */ R(SET, 5, 24, 0),
    /* 3 */ R(MOVE, 2, 1, 0), /* a new n */
    /* 4 */ R(XOR, 2, 7, 0),
    /* 5 */ R(SET, 3, 0, 0),
    /* 6 */ R(ADDI, 2, 1, 0),
    /* 7 */ R(MOVE, 4, 2, 0), /* Collatz */
    /* 8 */ R(AND, 4, 1, 0),
    /* 9 */ R(JZ, 4, 0, 13),
    /* 10 */ R(MUL, 2, 3, 0),
    /* 11 */ R(ADDI, 2, 1, 0),
    /* 12 */ R(JUMP, 0, 0, 14),
    /* 13 */ R(SHR, 2, 1, 0),
    /* 14 */ R(ADDI, 3, 1, 0),
    /* 15 */ R(SET, 4, 40, 0),
    /* 16 */ R(JLT, 3, 4, 7),
    /* 17 */ R(ADD, 0, 2, 0),
    /* 18 */ R(SET, 6, 1, 0), /* divisors of n */
    /* 19 */ R(ADDI, 6, 1, 0),
    /* 20 */ R(MOVE, 4, 1, 0),
    /* 21 */ R(REM, 4, 6, 0),
    /* 22 */ R(JNZ, 4, 0, 26),
    /* 23 */ R(LOAD, 4, 6, 0),
    /* 24 */ R(ADDI, 4, 1, 0),
    /* 25 */ R(STORE, 4, 6, 0),
    /* 26 */ R(JLT, 6, 1, 19),
    /* 27 */ R(ADDI, 1, 1, 0),
    /* 28 */ R(JLT, 1, 5, 3),
    /* 29 */ R(END, 0, 0, 0),
};

void setup_dispatch(u8 *arena)
{
    for (u32 i = 0; i < 256; i++)
        ((u64 *)arena)[i] = i;
}

static NO_INLINE u64 run(u64 *memory, u64 seed)
{
    static const void *const labels[] = {
        [SET] = &&set, [MOVE] = &&move, [ADD] = &&add, [SUB] = &&sub, [MUL] = &&mul, [SHR] = &&shr,
        [AND] = &&and, [XOR] = &&xor, [ADDI] = &&addi, [JZ] = &&jz, [JNZ] = &&jnz, [JLT] = &&jlt,
        [JUMP] = &&jump, [LOAD] = &&load, [STORE] = &&store, [REM] = &&rem, [END] = &&end,
    };
    u64 r[8] = {0};
    const u8 *pc = program;

    r[7] = seed;
#define NEXT           \
    do {               \
        pc += 4;       \
        goto *labels[*pc]; \
    } while (0)
#define GO(target)                \
    do {                          \
        pc = program + 4 * (target); \
        goto *labels[*pc];        \
    } while (0)
    goto *labels[*pc];
set:
    r[pc[1]] = pc[2];
    NEXT;
move:
    r[pc[1]] = r[pc[2]];
    NEXT;
add:
    r[pc[1]] += r[pc[2]];
    NEXT;
sub:
    r[pc[1]] -= r[pc[2]];
    NEXT;
mul:
    r[pc[1]] *= pc[2];
    NEXT;
shr:
    r[pc[1]] >>= pc[2];
    NEXT;
and:
    r[pc[1]] &= pc[2];
    NEXT;
xor:
    r[pc[1]] ^= r[pc[2]];
    NEXT;
addi:
    r[pc[1]] += pc[2];
    NEXT;
jz:
    if (!r[pc[1]])
        GO(pc[3]);
    NEXT;
jnz:
    if (r[pc[1]])
        GO(pc[3]);
    NEXT;
jlt:
    if (r[pc[1]] < r[pc[2]])
        GO(pc[3]);
    NEXT;
jump:
    GO(pc[3]);
load:
    r[pc[1]] = memory[r[pc[2]] & 255];
    NEXT;
store:
    memory[r[pc[2]] & 255] = r[pc[1]];
    NEXT;
rem:
    r[pc[1]] = (u32)r[pc[1]] % (u32)r[pc[2]];
    NEXT;
end:
    return r[0];
}

u64 kernel_dispatch(u8 *arena, u64 iterations)
{
    u64 sum = 0;

    while (iterations--)
        sum = mix(sum, run((u64 *)arena, sum >> 48));
    return mix(sum, ((u64 *)arena)[7]);
}
