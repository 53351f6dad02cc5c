# Chooses points at which a machine is saved from a trace: "KIND N[+TICKS]", one a line.
# -v each=N: so many of each kind, spread over the trace; -v seed=N.
#   rep      within a repeated string instruction: some ticks behind the instruction before it. Not
#            moves, which are often so short that a tick is all they take
#   sti      in the shadow of an STI
#   before   at most 20 instructions before an interrupt, after: behind it
/^#/ { next }
$7 ~ /^rep/ && $8 ~ /^(ins|stos|scas|cmps)/ { rep[++nr_rep] = $1 + 0 }
$7 == "sti" { sti[++nr_sti] = $1 + 1 }
/kind=external/ { irq[++nr_irq] = $1 + 0 }
function any(n) { return 1 + int(rand() * n) }
END {
    srand(seed)
    for (i = 0; i < each; i++) {
        if (nr_rep)
            print "rep", rep[any(nr_rep)] "+" any(3)
        if (nr_sti)
            print "sti", sti[any(nr_sti)]
        if (nr_irq) {
            n = irq[any(nr_irq)]
            back = int(rand() * 20)
            print "before", (n > back ? n - back : 1)
            print "after", irq[any(nr_irq)] + any(20)
        }
    }
}
