# nm -n's lines -> the tables of symbols.c, as assembly. Code in the upper half only; the first of
# several names for an address.
BEGIN { n = at = 0 }
($2 == "t" || $2 == "T") && $1 ~ /^ffffffff/ && $1 != last && $3 !~ /^text_(begin|end)$/ {
    last = $1
    start[n] = "0x" substr($1, 9) " - 0x80000000"
    name[n++] = $3
}
function table(label, i) { printf "\n\t.balign 4\n\t.globl %s\n%s:\n", label, label }
END {
    print "\t.section .rodata.symbols, \"a\""
    table("symbol_count")
    printf "\t.long %d\n", n
    table("symbol_starts")
    for (i = 0; i < n; i++) print "\t.long " start[i]
    table("symbol_names")
    for (i = 0; i < n; i++) { printf "\t.long %d\n", at; at += length(name[i]) + 1 }
    table("symbol_text")
    for (i = 0; i < n; i++) printf "\t.asciz \"%s\"\n", name[i]
    print "\t.section .note.GNU-stack, \"\""
}
