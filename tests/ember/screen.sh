#!/bin/sh
# The screen and its keyboard: login on tty1, vi, and what each step shows. Kiln types (--keys) and waits
# for the screen's text. Then the disk says what vi wrote.
# usage: screen.sh EMBER.IMG WORKDIR KILN [OPTIONS...]
image=$1 dir=$2
shift 2
PATH=$PATH:/usr/sbin:/sbin
command -v debugfs >/dev/null || { echo "skipped: no debugfs"; exit 77; }
rm -rf "$dir" && mkdir -p "$dir" && cd "$dir" || exit 1
fail() { echo "FAIL: $*"; cat screen.txt stderr.txt; exit 1; }
cp "$image" disk.img
# Esc waits for its mode to show, since what follows it at once is taken for a key's sequence.
"$@" -display none -serial null -m 128 disk.img --timeout 170 --screenshot screen.txt --keys \
'{screen:tty1. Log in}{screen:login: }root\n{screen:~# }vi /root/poem\n{screen:- /root/poem}'\
'iroses are red\nviolets are blue{esc}{screen:- /root/poem [Modified]}'\
'kyypA, too{esc}{screen:red, too}{screen:- /root/poem [Modified] 2/3}:wq\n{screen:~# }cat /root/poem | tac; sync; poweroff\n' \
    2>stderr.txt || fail "status $?"
dd if=disk.img of=files.img bs=1048576 skip=1 conv=sparse status=none
e2fsck -fn files.img >fsck.txt 2>&1 || { cat fsck.txt; fail e2fsck; }
got=$(debugfs -R "cat /root/poem" files.img 2>/dev/null)
[ "$got" = "roses are red
roses are red, too
violets are blue" ] || fail "the file: $got"
grep -q "^violets are blue" screen.txt || fail "the screen does not show tac's first line"
rm -f disk.img files.img
echo "the screen shows what vi does"
