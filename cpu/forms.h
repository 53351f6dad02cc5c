/*
 * Shorter functions for the instructions that compilers emit most.
 */
#ifndef CPU_FORMS_H
#define CPU_FORMS_H

#include "cpu/insn.h"
#include "cpu/isa.h"

/* The function for this very instruction: with its kinds of operands, size or condition as
 * constants where such a one was made, else the row's. They never differ in what they do. */
exec_fn *form_of(const struct insn *);

#endif
