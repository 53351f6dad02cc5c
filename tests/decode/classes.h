/*
 * The classes of difference between the decoder and Capstone.
 */
#ifndef TESTS_DECODE_CLASSES_H
#define TESTS_DECODE_CLASSES_H

#include "cpu/cpu.h"
#include <capstone/capstone.h>

struct difference {
    u8 bytes[15];
    unsigned code; /* 2, 4, 8 */
    enum decode_status status;
    struct insn in;
    bool known; /* to Capstone; then: */
    unsigned size, id;
    const char *mnemonic, *operands;
};

struct class {
    const char *name, *rows, *manual, *says;
    bool (*is)(const struct difference *);
};

/* The first class that the difference falls into, counted; NULL: none. */
const struct class *class_of(const struct difference *);

/* Prints the table with counts. */
void class_print(void);

#endif
