# A boot in lock step: both engines are the same, and the guest's output appears once.
# usage: boot.sh KILN BUILD prompt|ember|grub|debian KEYS INSTRUCTIONS
# debian: a stock kernel to its power-off (tests/boot/debian_disk.sh), which must come before INSTRUCTIONS.
. "$(dirname "$0")/lib.sh"
guest=$3 keys=$4 insns=$5 mib=
typed='' expected=''
case $guest in
prompt)
    cp "$build/guestos/prompt.img" disk.img || exit 1
    typed='{serial:ember> }mem\n{serial:ember> }' expected="ember> "
    ;;
ember)
    cp "$build/ember.img" disk.img || exit 1
    typed='{screen:login:}root\n{screen:~# }ls -l /bin | head -20; uname -a; yes | head -3000 | md5sum; usertests\n'
    ;;
grub)
    why=$(grub_missing) && { echo "skipped: $why"; exit 77; }
    mkdir -p files
    cp "$build/ember.elf" files/ || exit 1
    GRUB_TIMEOUT=0 grub_disk "$dir" || exit 1
    expected="ember> "
    ;;
debian)
    . "$here/../boot/debian_disk.sh"
    why=$(debian_missing) && { echo "skipped: $why"; exit 77; }
    debian_disk "$dir" ext4 "poweroff -f" || exit 1
    mib=256 expected="reboot: Power down"
    ;;
esac
if [ "$guest" = prompt ]; then
    "$kiln" -display none -serial file:alone -snapshot --max-insns "$insns" --keys "$typed" disk.img 2>/dev/null </dev/null
fi
lockstep "$keys" ${mib:+-m $mib} --max-insns "$insns" ${typed:+--keys "$typed"} disk.img
[ $status = 0 ] || fail "status $status, not 0" 40
says "result  *the same"
[ ! -f alone ] || cmp -s alone out || fail "COM1 had something else to say than in one engine"
[ -z "$expected" ] || grep -aq "$expected" out || fail "COM1 does not say: $expected"
sed -n '/^kiln: lock step/,$p' err
finish
