#!/bin/sh
# Folders are layers: an include that looks up or sideways fails. Emulator and guest worlds share
# nothing. usage: check_layers.sh ROOT
cd "$1" || exit 2
find core cpu mmu jit devices machine host bios firmware guestos -name '*.[chS]' -o -name '*.def' \
    2> /dev/null | sort | xargs grep -n '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' |
awk '
BEGIN {
    sees["core"] = "core"
    sees["cpu"] = sees["mmu"] = "core cpu mmu" # one layer, two folders
    sees["devices"] = "core devices"
    sees["jit"] = "core cpu mmu jit"
    sees["machine"] = "core cpu mmu devices jit machine"
    sees["host"] = "core machine host"
    sees["bios"] = "bios"
    sees["firmware"] = "firmware"
    sees["guestos"] = "guestos"
}
{
    split($0, part, ":")
    file = part[1]
    match($0, /"[^"]*"/)
    target = substr($0, RSTART + 1, RLENGTH - 2)
    from = file; sub(/\/.*/, "", from)
    to = target; sub(/\/.*/, "", to)
    n++
    if (target ~ /\.\./)
        bad = "leaves its folder"
    else if (target !~ /\//) # beside the file, which the emulator does not do: paths are from the root
        bad = from ~ /^(bios|firmware|guestos)$/ || target ~ /\.inc$/ ? "" : "is no path from the root"
    else if (to in sees)
        bad = index(" " sees[from] " ", " " to " ") ? "" : "is not below " from "/"
    else
        bad = "is in no layer"
    if (bad != "") {
        print file ":" part[2] ": \"" target "\" " bad
        failed = 1
    }
}
END {
    if (n < 100) { print "only " n + 0 " includes found: wrong folder?"; exit 1 }
    if (failed) exit 1
    print n " includes, none upward or sideways"
}'
