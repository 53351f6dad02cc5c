#!/bin/sh
# Ember as a Unix, on its serial port: login, shell, pipelines, scripts, job control, vi, 5,000 files,
# users; then usertests; then poweroff, and e2fsck on what the disk is afterwards. PARTS says which:
# any of shell, jobs, files, users, usertests, separated by commas.
# usage: unix.sh EMBER.IMG WORKDIR PARTS EMULATOR [OPTIONS...]
src=$(cd "$(dirname "$0")" && pwd)
image=$1 dir=$2 parts=,$3,
shift 3
. "$src/lib.sh"
. "$src/unix_lib.sh"
PATH=$PATH:/usr/sbin:/sbin
need "$1" e2fsck
rm -rf "$dir" && mkdir -p "$dir" && cd "$dir" || exit 1
N=${FILES:-5000}
part() { case $parts in *,$1,*) return 0 ;; *) return 1 ;; esac }

shell() {
    run "uname -a"
    says ember x86_64
    gives "id" "uid=0(root) gid=0(root) groups=0(root),10(wheel)"
    gives "tty" "/dev/ttyS0"
    gives "seq 1 1000 | grep 7 | sort -rn | head -n 1" 997
    gives "yes | head -n 5000 | wc -l" 5000
    gives "echo a b c | tr a-z A-Z | sed 's/ /-/g' | cut -c 1-3" A-B
    gives 'x=$(echo inner | rev); echo "$x" | tee /tmp/x | cat - /tmp/x' "renni
renni"
    gives 'false || echo two; true && echo three; ! true || echo four' "two
three
four"
    gives '(exit 3); echo $?; kill -TERM $$ 2>/dev/null; echo here' "3
here"
    run 'cat >/tmp/primes <<"END"
#!/bin/sh
# the primes below $1
is_prime() {
    d=2
    while [ $((d * d)) -le $1 ]; do
        [ $(($1 % d)) = 0 ] && return 1
        d=$((d + 1))
    done
}
n=2
while [ $n -lt $1 ]; do
    is_prime $n && echo $n
    n=$((n + 1))
done
END
chmod +x /tmp/primes'
    gives "/tmp/primes 60 | tail -n 3 | xargs echo" "47 53 59"
    gives 'for f in a b; do case $f in a) echo A ;; *) echo other ;; esac done' "A
other"
    gives 'trap "echo caught" USR1; kill -USR1 $$; trap - USR1' caught
    gives 'sh -c "exec 3>/tmp/three; echo to three >&3"; cat /tmp/three' "to three"
    gives 'cd /usr/share/ember && pwd -P; cd' /usr/share/ember
    gives 'expr 6 \* 7; awk "BEGIN { print 32 * 32 }"' "42
1024"
    run "ps"
    says init login ps
    run "pstree && memmap && mount && df && free && cat /proc/cpuinfo"
    says "[stack" "ext2" "model name"
    gives 'ls -ld /tmp | cut -c 1-10; ls -l /bin/su | cut -c 1-10' "drwxrwxrwt
-rwsr-xr-x"
    # vi, with escapes and all; what it draws is looked at on the screen (screen.sh)
    keys 'vi /tmp/v\n'
    expect "- /tmp/v"
    keys 'ione line\033' # what comes at once after Esc would be a part of a key's sequence
    expect "- /tmp/v [Modified]"
    seen=$(wc -c <serial.txt)
    keys 'yypA+more'
    drawn() { tail -c +$((seen + 1)) serial.txt | tr '\033' '\n' | sed 's/^\[[0-9;]*[A-Za-z]//' | tr -d '\n' | grep -aqF -- "$1"; }
    until_true drawn '+more' || fail "vi does not draw what is typed" # in pieces, cursor moves between them
    seen=$(wc -c <serial.txt)
    keys '\033'
    expect "- /tmp/v [Modified]"
    keys ':wq\n'
    wait_prompt "after vi"
    gives "cat /tmp/v" "one line
one line+more"
    echo "shell: good"
}

jobs_and_keys() {
    # a key must not come before the program that it is for: the program says that it is there
    keys "sh -c 'echo began one; exec sleep 1000'\n"
    expect "began one"
    sleep 1
    keys '\003'
    wait_prompt "after Ctrl-C"
    gives 'echo back' back
    keys "sh -c 'echo began two; exec sleep 1001'\n"
    expect "began two"
    sleep 1
    keys '\032'
    wait_prompt "after Ctrl-Z"
    says Stopped
    run 'jobs'
    says Stopped
    run 'bg'
    gives 'jobs | grep -c Running' 1
    keys 'echo foreground; fg\n'
    expect "foreground"
    sleep 1
    keys '\003'
    wait_prompt "after Ctrl-C"
    gives 'jobs | wc -l' 0
    gives "sh -c 'sleep 0.2 & wait \$!; echo waited \$?'" "waited 0"
    keys 'cat >/tmp/typed\n'
    sleep 1
    keys 'typed\nlinf\177e\n\004'
    wait_prompt "after cat"
    gives 'tr "\\010" "#" </tmp/typed' "typed
line"
    keys 'sleep 1002 | cat\n'
    sleep 1
    keys '\003'
    wait_prompt "after Ctrl-C"
    gives 'ps | grep -c "[s]leep 100" || true' 0
    echo "job control: good"
}

files() {
    run "mkdir /tmp/many && cd /tmp/many && i=0
while [ \$i -lt $N ]; do echo \"file \$i \$((i * 7919 % 10007))\" >f\$i; i=\$((i + 1)); done; cd"
    gives "ls /tmp/many | wc -l" $N
    gives "find /tmp/many -type f -name 'f*99' | wc -l" $((N / 100))
    gives "grep -rl ' 4242\$' /tmp/many" "$(awk -v n=$N 'BEGIN { for (i = 0; i < n; i++)
        if (i * 7919 % 10007 == 4242) print "/tmp/many/f" i }')"
    gives "cat /tmp/many/* | sort -k 3n -k 2n | md5sum | cut -c 1-32" "$(awk -v n=$N 'BEGIN {
        for (i = 0; i < n; i++) print "file", i, i * 7919 % 10007 }' | LC_ALL=C sort -k 3n -k 2n |
        md5sum | cut -c 1-32)"
    run "(cd /tmp && tar cf many.tar many && gzip many.tar && mkdir again && gunzip -c many.tar.gz | tar xf - -C again)"
    gives "diff -r /tmp/many /tmp/again/many && echo same" same
    run "rm -rf /tmp/many /tmp/again /tmp/many.tar.gz; sync"
    echo "$N files: good"
}

users() {
    run "echo secret >/root/s; chmod 600 /root/s"
    gives "su user -c 'id -un; cat /etc/shadow 2>&1; cat /root/s 2>&1; touch /etc/x 2>&1; echo hi >~/mine; ls -l ~/mine | cut -c 1-20'" \
        "user
cat: can't open '/etc/shadow': Permission denied
cat: can't open '/root/s': Permission denied
touch: /etc/x: Permission denied
-rw-r--r--    1 user"
    keys 'exit\n'
    expect "login: "
    keys 'user\n'
    expect "Password: "
    seen=$(wc -c <serial.txt)
    keys 'wrong\n'
    expect "Login incorrect"
    PROMPT="ember:~\$ "
    log_in user ember
    gives 'id -u; pwd' "1000
/home/user"
    keys 'su -\n'
    PROMPT="ember:~# "
    expect "$PROMPT"
    seen=$(wc -c <serial.txt)
    gives 'id -u' 0
    keys 'exit\nexit\n'
    log_in root
    echo "users: good"
}

usertests() {
    PATIENCE=$((PATIENCE * 4)) run "usertests 2>&1"
    sed "s/^$PROMPT//" answer.txt >usertests.txt
    grep -v ' ok (' usertests.txt
    grep -q '^[0-9]* passed, 0 failed' usertests.txt || fail "usertests"
}

cp "$image" disk.img
start "$@" -m 256 -drive file=disk.img,format=raw
log_in root
part shell && shell
part jobs && jobs_and_keys
part files && files
part users && users
part usertests && usertests
keys 'poweroff\n'
wait_exit poweroff
[ $status = 0 ] || fail "status $status after poweroff"
end
dd if=disk.img of=files.img bs=1048576 skip=1 conv=sparse status=none
e2fsck -fn files.img >fsck.txt 2>&1 || { cat fsck.txt; fail "e2fsck"; }
rm -f disk.img files.img
echo "Ember is a Unix, and its disk is clean"
