# Checks a trace against the grammar of docs/TRACE.md, and what lines say about each other: counts
# never fall, linear addresses follow from CS:RIP where the mode fixes the base, and where an
# instruction does not branch the next one follows its bytes.
function wrong(why) {
    print "line " NR ": " why ": " $0
    if (++errors > 10)
        exit 1
}
function is_hex(s, digits) {
    return length(s) == digits && s !~ /[^0-9a-f]/
}
function number(s,    i, v) {
    v = 0
    for (i = 1; i <= length(s); i++)
        v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
    return v
}
function check_item(item,    at) {
    if (item ~ /^@[^ ]+$/ && items == 1)
        return
    at = "[0-9a-f]+"
    if (item ~ /^[rw][1248]\[[0-9a-f]+\]=[0-9a-f]+$/) {
        split(item, part, /[\[\]=]/)
        if (length(part[2]) != address_digits || length(part[4]) != 2 * substr(part[1], 2, 1))
            wrong("access " item)
        return
    }
    if (item ~ /^flags=[oO][dD][iI][tT][sS][zZ][aA][pP][cC](,(iopl[123]|nt|rf|vm|ac|vif|vip|id))*$/)
        return
    if (item ~ /^[gi]dtr=[0-9a-f]+:[0-9a-f][0-9a-f][0-9a-f][0-9a-f]$/)
        return
    if (item ~ /^[a-z_0-9]+(\.base)?=[0-9a-f]+$/)
        return
    wrong("item " item)
}
function check_event(    i) {
    if ($6 == "#RESET" || $6 == "#LOADED" || $6 == "#SHUTDOWN")
        return
    if ($6 !~ /^#(DE|DB|NMI|BP|OF|BR|UD|NM|DF|TS|NP|SS|GP|PF|MF|AC|MC|XM|INT)$/)
        wrong("event")
    if ($7 !~ /^vector=[0-9a-f][0-9a-f]$/ || $8 !~ /^kind=(fault|trap|abort|software|external)$/)
        wrong("vector or kind")
    for (i = 9; i <= NF && $i != ";"; i++)
        if ($i !~ /^(error=[0-9a-f][0-9a-f][0-9a-f][0-9a-f]|cr2=[0-9a-f]+|why=[A-Za-z0-9,-]+|during=([0-9a-f][0-9a-f]|external)|lost)$/)
            wrong("word " $i)
}
NR == 1 {
    if ($0 !~ /^# kiln trace, format 1/)
        wrong("head")
    next
}
/^#/ {
    next
}
{
    if ($1 !~ /^[0-9]+$/ || $1 + 0 < count + 0)
        wrong("count")
    count = $1
    if ($2 !~ /^(rm16|rm32|vm16|pm16|pm32|cm16|cm32|lm64)$/ || $3 !~ /^[0-3]$/)
        wrong("mode or CPL")
    digits = $2 ~ /16$/ ? 4 : $2 ~ /32$/ ? 8 : 16
    address_digits = $2 ~ /^[cl]m/ ? 16 : 8
    split($4, place, ":")
    if (!is_hex(place[1], 4) || !is_hex(place[2], digits) || !is_hex($5, address_digits))
        wrong("address")
    lin = number(substr($5, length($5) - 7)) # the low 32 bits: awk counts in doubles
    if ($2 == "lm64" && $5 != place[2])
        wrong("linear")
    # Real mode's base is the selector's, but for CS after a reset, and on the way from protected
    # mode until it is loaded.
    if ($2 == "rm16" && $5 !~ /^ffff/ && last_mode == "rm16" && lin != number(place[1]) * 16 + number(place[2]))
        wrong("linear")
    if ($6 ~ /^#/) {
        check_event()
        follows = ""
    } else {
        if ($6 ~ /[^0-9a-f]/ || length($6) % 2 || length($6) > 30 || NF < 7)
            wrong("bytes")
        if (follows != "" && lin != follows)
            wrong("does not follow")
        follows = lin + length($6) / 2
        if ($7 ~ /^(j|l?call|l?jmp|ret|iret|int|loop|sys|hlt|rep)/ || $7 == "(bad)")
            follows = ""
    }
    last_mode = $2
    lines++
    for (i = 7; i <= NF && $i != ";"; i++)
        ;
    for (items = 1; i + items <= NF; items++)
        check_item($(i + items))
}
END {
    print lines + 0 " lines"
    exit errors > 0 || lines < 1000
}
