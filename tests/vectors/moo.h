/*
 * A reader of MOO files, the form in which SingleStepTests publish recorded tests: chunks of a
 * tag of four letters, a length, and data, little-endian. A file is a `MOO ` chunk, a META chunk
 * and TEST chunks, which hold further chunks. Several files may follow each other in one stream.
 */
#ifndef TESTS_VECTORS_MOO_H
#define TESTS_VECTORS_MOO_H

#include "core/types.h"
#include <stdio.h>

/* In the file's order. */
enum moo_reg {
    MOO_AX, MOO_BX, MOO_CX, MOO_DX, MOO_CS, MOO_SS, MOO_DS, MOO_ES, MOO_SP, MOO_BP, MOO_SI, MOO_DI,
    MOO_IP, MOO_FLAGS, NR_MOO_REGS
};

enum { MOO_MAX_RAM = 4096, MOO_HASH_BYTES = 20 };

struct moo_byte {
    u32 addr;
    u8 value;
};

struct moo_state {
    u32 present; /* bit n: reg[n] is given */
    u16 reg[NR_MOO_REGS];
    u32 nr_ram;
    struct moo_byte ram[MOO_MAX_RAM];
};

struct moo_test {
    u32 index;     /* in its file */
    char name[64]; /* a disassembly, cut to fit */
    u32 nr_bytes;
    u8 bytes[32]; /* the instruction, and in most files the HLT behind it */
    struct moo_state initial, final; /* final: only what has changed */
    bool exception;
    u8 vector;
    u32 flags_at; /* where the exception pushed the flags */
    u8 hash[MOO_HASH_BYTES];
};

struct moo_reader {
    FILE *in;
    u8 *chunk; /* the latest one; owned */
    size_t cap;
    char cpu[5];       /* of the present file */
    u32 opcode;        /* its opcode */
    u64 nr_files;
    u64 announced;     /* tests that the files so far should have */
    u64 nr_tests;      /* tests read */
    const char *error; /* NULL, or what is wrong with the stream */
};

/* Reads from in, which stays the caller's. */
void moo_init(struct moo_reader *, FILE *in);
void moo_fini(struct moo_reader *);

/* The next test. False: the end, or r->error says what is wrong. */
bool moo_next(struct moo_reader *, struct moo_test *);

#endif
