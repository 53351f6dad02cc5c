#!/bin/sh
# Provokes every exception that the prompt can, and compares the report with the manual: name,
# vector, error code, CR2, and the function that RIP lies in, by the kernel's symbols. The kernel is
# started directly (-kernel). A triple fault at last must end the emulator.
# usage: faults.sh EMBER.ELF WORKDIR EMULATOR [OPTIONS...]
src=$(cd "$(dirname "$0")" && pwd)
kernel=$1 dir=$2
shift 2
. "$src/lib.sh"
need "$1" addr2line
mkdir -p "$dir" && cd "$dir" || exit 1
case $1 in
*qemu*) qemu=1 ;;
*) qemu=0 ;;
esac

# fault KIND NAME VECTOR ERROR FUNCTION
fault() {
    ask "fault $1"
    says "*** $2 (" ", vector $3, error $4"
    [ "$(grep -c '^\*\*\*' answer.txt)" = 1 ] || fail "$1: more than one exception"
    if grep -q 'was expected' answer.txt; then fail "$1: the kernel did not expect that"; fi
    rip=$(sed -n 's/^  RIP 0008:\([0-9a-f]\{16\}\).*/\1/p' answer.txt)
    where=$(addr2line -f -e "$kernel" "0x$rip" | head -1)
    [ "$where" = "$5" ] || fail "$1: RIP $rip lies in $where, not in $5"
}

start "$@" -m 64 -no-reboot -kernel "$kernel" -append "prompt faults on purpose"
wait_prompt
says "command line: " "faults on purpose"

# SDM 3A, 6.15: name, vector; 6.13: selector error codes; figure 4-12: page fault error codes.
fault de '#DE' 0 0000 divide_error
fault db '#DB' 1 0000 single_step
fault bp '#BP' 3 0000 breakpoint
fault ud '#UD' 6 0000 invalid_opcode
fault nm '#NM' 7 0000 no_coprocessor
fault df '#DF' 8 0000 double_fault
fault np '#NP' 11 0040 not_present
fault ss '#SS' 12 0040 stack_fault
fault gp '#GP' 13 0000 general_protection
fault sel '#GP' 13 1238 bad_selector
fault pf '#PF' 14 0000 read_unmapped
says "kernel read 0000000000001000, which is not mapped" "CR2 0000000000001000"
fault wp '#PF' 14 0003 write_readonly
says "kernel wrote to ffffffff801" "which the page does not allow"
ask "fault nx"
says "*** #PF (" ", vector 14, error 0011" "kernel fetched code at" "which the page does not allow"
ask "fault stack"
says "*** #DF (" ", vector 8, error 0000"
if [ $qemu = 0 ]; then # QEMU 7.2 gives 0812 and #GP here; the manual says:
    fault gate '#NP' 11 040a gate_not_present
    fault rbp '#SS' 12 0000 stack_fault_rbp
fi

ask fault
[ "$(grep -c '^  ' answer.txt)" = 17 ] || fail "fault lists other kinds than this test knows"
ask "fault xyz"
says "unknown kind of fault: xyz"
ask uptime
says "up 0:"

# QEMU calls a triple fault a reset, and -no-reboot ends it; Kiln explains it, with status 70.
printf 'fault triple\n' >&3
wait_exit "fault triple"
case $qemu$status in
10 | 070) ;;
*) fail "status $status after a triple fault" ;;
esac
end
echo "every exception is what the manual says"
