# -d of the same boot sectors in QEMU and here. int, cpu_reset: the records' first lines, the
# exceptions and their order; the registers' layout, and the values that the sectors decide.
# in_asm: addresses and bytes. exec: the line's shape.
. "$(dirname "$0")/lib.sh"
qemu=qemu-system-x86_64
command -v $qemu >/dev/null || exit 77

# What the sector's own code (linear 7c00 to 7dff) did: firmware differs. QEMU gives no EXT bit in
# error codes, keeps what EFLAGS.RF was, and shows flags lazily; AX's history differs too.
records() {
    awk '
        /^check_exception/ { check = $0; next }
        / v=[0-9a-f]+ e=/ {
            on = $0 ~ /pc=0000000000007[cd][0-9a-f][0-9a-f] /
            if (on && check != "")
                print check
            sub(/^ *[0-9]+: /, "N: ")
            check = ""
        }
        /^(CPU Reset|SMM|Servicing|IN:|-----)/ { on = 0 }
        /^Triple fault/ { print check; on = 1 }
        /^kiln/ { exit }
        on { print }' "$1" | sed 's/ *$//; s/R_EAX]=.*/R_EAX]=/
        s/\(v=0[a-d] e=...\)3/\12/'
}

# The shape of the registers: every digit of a number is a 0.
shape() {
    grep -v '^N:\|^check\|^Triple' "$1" | sed 's/CCO=.*/CCO=/; s/\[[-A-Z]*\]/[]/
        :more
        s/\([=: ]\)\([0-9a-f]*\)[1-9a-f]\([0-9a-f]*\)\([ ]\|$\)/\1\20\3\4/
        t more'
}

# The registers after a reset. CS is a data segment in the manual (SDM 3A table 10-1) and FCW is 40h,
# not there.
reset() {
    awk '/^CPU Reset/ { block = "" } { block = block $0 "\n" }
        /^XMM06=/ { if (block ~ /EIP=0000fff0/) { printf "%s", block; exit } }' "$1" |
        grep -v '^CS =\|^FCW=' | sed 's/ *$//; s/CCO=.*/CCO=/'
}

for name in protected_mode long_mode; do
    sector $name
    timeout 60 $qemu -accel tcg -display none -no-reboot -d int,cpu_reset -D "$dir/q.log" \
        -drive file="$dir/$name.img",format=raw,snapshot=on
    "$kiln" -display none -d int,cpu_reset -D "$dir/k.log" -snapshot "$dir/$name.img" 2>"$dir/err"
    [ $? = 70 ] || fail "$name: the status is not 70"
    records "$dir/q.log" >"$dir/q"
    records "$dir/k.log" >"$dir/k"
    [ "$(grep -c '^N: v=' "$dir/q")" -ge 3 ] || fail "$name: QEMU's log has too little to compare"
    for what in '^N:\|^check\|^Triple' '^[CSDE]S \|^[GI]DT\|^LDT\|^TR '; do
        grep "$what" "$dir/q" >"$dir/q.part"
        grep "$what" "$dir/k" >"$dir/k.part"
        same "$name: lines with $what" "$dir/q.part" "$dir/k.part"
    done
    shape "$dir/q" >"$dir/q.shape"
    shape "$dir/k" >"$dir/k.shape"
    same "$name: the shapes of the registers" "$dir/q.shape" "$dir/k.shape"

    reset "$dir/q.log" >"$dir/q.reset"
    reset "$dir/k.log" >"$dir/k.reset"
    has "$dir/q.reset" "CPU Reset (CPU 0)"
    same "$name: the registers after the reset" "$dir/q.reset" "$dir/k.reset"

    # Breakpoints, the fault and the loop aside, each instruction is in some block of both.
    timeout 60 $qemu -accel tcg -display none -no-reboot -d in_asm,exec -D "$dir/q.log" \
        -drive file="$dir/$name.img",format=raw,snapshot=on
    "$kiln" -display none -d in_asm,exec -D "$dir/k.log" -snapshot "$dir/$name.img" 2>"$dir/err"
    for who in q k; do
        grep '^0x00007[cd]' "$dir/$who.log" | cut -c1-37 | sed 's/ *$//' | sort -u >"$dir/$who"
        grep '^Trace 0: .*/0*7[cd][0-9a-f][0-9a-f]/' "$dir/$who.log" |
            sed 's/[0-9a-f]\{8,\}/N/g; s/ *$//' | sort -u >"$dir/$who.shape"
        has "$dir/$who" "0x00007c00:  fa"
        has "$dir/$who.log" "IN: "
    done
    same "$name: the instructions of in_asm" "$dir/q" "$dir/k"
    same "$name: the lines of exec" "$dir/q.shape" "$dir/k.shape"
done
finish
