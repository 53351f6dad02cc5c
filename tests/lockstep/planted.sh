# A fault that is planted in the tested machine, an interpreter as the other is, must be found, explained
# and left as a reproducer that shows it again, and does not without the fault. A register's shows at the next
# border; one in memory, which no hash of writes can tell, is narrowed down to the step that it came in.
# usage: planted.sh KILN BUILD
. "$(dirname "$0")/lib.sh"
cp "$build/guestos/prompt.img" disk.img && cksum disk.img >before || exit 1

# check NAME KEYS LINE: what is planted, and how the difference reads
check() {
    shown="$1 (lockstep,$2)"
    lockstep "$2,save=$1" --max-insns 4M disk.img
    [ $status = 72 ] || fail "$shown: status $status, not 72"
    says "interp differs from interp"
    says "$3"
    says "kiln lockstep $1 shows it again"
    [ -s "$1/machine.kiln" ] && [ -s "$1/lockstep.txt" ] || fail "$shown: no reproducer"
    first=$(grep "^  they were the same after" err | tail -1)
    again "$1"
    [ $status = 72 ] || fail "$shown: the reproducer ends with $status, not 72"
    says "$3"
    [ "$(grep "^  they were the same after" err | tail -1)" = "$first" ] || fail "$shown: the reproducer finds another step"
    again "$1" -accel lockstep,interp
    [ $status = 0 ] || fail "$shown: without the fault the reproducer ends with $status, not 0"
    says "they no longer differ"
}

check register interp,plant=2222222:rbx '^  rbx   *\([0-9a-f]*\)  '
check register_by_intervals interp,blocks=0,plant=2222222:r12 '^  r12  '
check pointer interp,hash=off,plant=3333333:rsp '^  rsp  '
check memory interp,plant=2222222:0x70000 '^  memory 00070000      0000000000000000  0000000000000001'
check memory_by_intervals interp,blocks=0,hash=off,every=300K,plant=1234567:0x70000 '^  memory 00070000  '
grep -q "after 1234567 instructions" err || again memory_by_intervals
says "after 12345[67][0-9] instructions"

# In a reproducer whose files are damaged nothing runs.
echo nonsense >>register/lockstep.txt
again register
[ $status = 1 ] || fail "a damaged reproducer: status $status"
says "lockstep.txt: line [0-9]* makes no sense"
again nowhere
[ $status = 1 ] || fail "no reproducer: status $status"

cksum disk.img | cmp -s - before || fail "the image was written to"
finish
