/* The DSDT of this kind of board, compiled from bios/dsdt.asl. */
    .section .rodata
    .globl dsdt_aml, dsdt_aml_end
    .balign 4
dsdt_aml:
    .incbin "dsdt.aml"
dsdt_aml_end:
    .section .note.GNU-stack, "", @progbits
