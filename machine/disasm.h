/*
 * Instructions as text: Capstone, Intel syntax, behind a cache by bytes and code size.
 *
 * The cache holds texts that do not depend on where the instruction stands; targets of relative
 * branches are written in afterwards. A text lives until the next call.
 */
#ifndef MACHINE_DISASM_H
#define MACHINE_DISASM_H

#include "core/types.h"

#define DISASM_TEXT_LEN 96 /* the longest text, with its final 0 */

struct disasm;

struct disasm_insn {
    const char *text; /* "mov eax, dword ptr [ebx]"; "(bad)" when it is no instruction */
    u8 text_len, len; /* len: bytes of the instruction; 0 when it is none */
    bool is_branch;   /* relative, to offset target of the code segment */
    u64 target;
};

/* NULL: no memory, or no Capstone. */
struct disasm *disasm_create(void);
void disasm_destroy(struct disasm *); /* NULL is allowed */

/* The instruction in bytes at offset rip of a code segment of code_bits (16, 32, 64). At most 15
 * of the avail bytes are looked at. */
struct disasm_insn disasm_at(struct disasm *, const u8 *bytes, unsigned avail, unsigned code_bits,
                             u64 rip);

/* The mnemonic without operands, and what part of the architecture it belongs to ("SSE2", "" when
 * to the base). false when it is no instruction. */
bool disasm_name(struct disasm *, const u8 *bytes, unsigned avail, unsigned code_bits,
                 char mnemonic[32], char feature[32]);

#endif
