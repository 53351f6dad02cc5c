#!/bin/sh
# Boots Ember, logs in as root on the serial port, runs a command, prints what it says, and switches
# off; writes to the disk are dropped. For people; its status is the command's.
# usage: run.sh EMBER.IMG WORKDIR COMMAND EMULATOR [OPTIONS...]
src=$(cd "$(dirname "$0")" && pwd)
image=$1 dir=$2 command=$3
shift 3
. "$src/lib.sh"
. "$src/unix_lib.sh"
rm -rf "$dir" && mkdir -p "$dir" && cd "$dir" || exit 1
start "$@" -m 256 -drive file="$image",format=raw,snapshot=on
log_in root
printf '%s; echo "status $?"\n' "$command" >&3
finished "$command"
sed "s/^\($PROMPT\)*//; /^ember:~#/d" answer.txt
keys 'poweroff\n'
until_true gone
end
exit "$(sed -n 's/.*status \([0-9]*\)$/\1/p' answer.txt | tail -n 1)"
