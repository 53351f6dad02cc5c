#!/bin/sh
# usage: symbols.sh NM ELF OUT.S: the symbol table of a kernel; of /dev/null, an empty one
set -eu
{ [ "$2" = /dev/null ] || LC_ALL=C "$1" -n "$2"; } | LC_ALL=C awk -f "$(dirname "$0")/symbols.awk" >"$3"
