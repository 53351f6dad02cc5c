#!/bin/sh
# No mutable globals in the emulator: two machines can live in one process. Constants with
# addresses in them (.data.rel.ro) are none. usage: check_globals.sh LIBRARY...
#
# Allowed, since there is one of each in a process whatever the number of machines:
#   pending_signal                    set by the signal handler, read between slices
#   raw_active, raw_mode, saved_mode, lost, farewell, farewell_len, fault_stack
#                                     the terminal's mode, for the handlers that restore it
#   __jit_debug_descriptor            gdb's list of translated code, by its JIT interface
#   kept_fd, real_stderr, news_from   stderr, while the screen is on the terminal
allowed=" pending_signal raw_active raw_mode saved_mode lost farewell farewell_len fault_stack
    kept_fd real_stderr news_from __jit_debug_descriptor "
allowed=$(echo $allowed | sed 's/.*/ & /')
[ $# -gt 0 ] || { echo "usage: check_globals.sh LIBRARY..."; exit 2; }
for library in "$@"; do
    nm -f sysv "$library" || exit 2
done | awk -F'|' -v allowed="$allowed" '
/\.o:$/ || /^Symbols from/ { object = $0; sub(/^.*\[/, "", object); sub(/\].*$/, "", object) }
NF == 7 && $4 !~ /SECTION|FILE/ && $7 !~ /UND/ {
    gsub(/ /, "")
    if ($4 == "OBJECT") seen++
    section = $7
    name = $1; sub(/\.[0-9]+$/, "", name) # a static of a function
    if (section !~ /^\.(data|bss|tdata|tbss)|COM/ || section ~ /^\.data\.rel\.ro/) next
    if (index(allowed, " " name " ") || name ~ /^__gcov/) next
    print object ": " $1 " is in " section
    failed = 1
}
END {
    if (seen < 20) { print "only " seen + 0 " objects found: stripped?"; exit 1 }
    if (failed) exit 1
    print seen " objects, none of them mutable but those allowed"
}'
