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

/* String instructions by size (cpu/exec_string.c). */
exec_fn movs_1, movs_2, movs_4, movs_8, stos_1, stos_2, stos_4, stos_8;

#endif
