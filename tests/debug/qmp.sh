# QMP: the handshake, commands, errors, events; the same requests to QEMU get the same answers, but
# for versions, times and where members stand in an object.
. "$(dirname "$0")/lib.sh"
need nc
cd "$dir" || exit 1

cat >requests <<'END'
{"execute":"query-status"}
{"execute":"qmp_capabilities","id":1}
{"execute":"qmp_capabilities"}
{"execute":"query-status","id":"a \" } b"}
{"execute":"foo","id":{"x":1}}
{"execute":"cont"}
{"execute":"query-status"}{"execute":"stop"}
{"execute":
 "query-status"}
{"execute":"human-monitor-command","arguments":{"command-line":"info status"}}
{"execute":"human-monitor-command","arguments":{}}
{"execute":"human-monitor-command","arguments":{"command-line":1}}
{"execute":"human-monitor-command","arguments":{"command-line":"x","foo":1}}
{"execute":"human-monitor-command","arguments":{"command-line":"foo"}}
{"execute":"stop","bar":1}
{"execute":"stop"}
{"execute":"send-key","arguments":{"keys":[{"type":"qcode","data":"nokey"}]}}
{"execute":"send-key","arguments":{"keys":[{"type":"qcode","data":"ctrl"},{"type":"number","data":30}]}}
{"execute":"send-key","arguments":{"keys":[]}}
{"foo":1}
[1]
{"execute":1}
{"execute":"stop","arguments":[]}
{"execute":"screendump","arguments":{}}
{"execute":"screendump","arguments":{"filename":"dump.ppm"}}
{"execute":"inject-nmi"}
{"execute":"system_reset"}
{"execute":"query-name"}
{"execute":"quit"}
END

# converse SOCKET PID: sends the requests; the answers go to standard output
converse() {
    until [ -S "$1" ]; do kill -0 "$2" || break; done
    timeout 60 nc -U -N "$1" <requests
    wait "$2" || echo "quit: status $?"
}

# Members in order of their names, line by line; without versions and times. Ours come by another
# order, which JSON leaves free.
normal() {
    tr -d '\r' | sed 's/"version": {"qemu": {[^}]*}, "package": "[^"]*"}/V/
        s/"capabilities": \["oob"\]/"capabilities": []/
        s/"timestamp": {[^}]*}, //
        s/^{\("id": .*\), \("error": .*\)}$/{\2, \1}/'
}

sector loop.img "$LOOP"
"$kiln" -S -display none -qmp unix:"$dir/q",server,nowait loop.img 2>err &
converse q $! >answers
[ "$(head -c 2 dump.ppm)" = P6 ] || fail "no screendump"
normal <answers >ours
has ours '{"QMP": {V, "capabilities": []}}' '"event": "RESUME"' '"event": "STOP"' \
    '"return": "VM status: paused\r\n"' '"class": "CommandNotFound"' \
    '{"return": {"status": "prelaunch", "singlestep": false, "running": false}, "id": "a \" } b"}' \
    '"event": "RESET", "data": {"guest": false, "reason": "host-qmp-system-reset"}' \
    '"event": "SHUTDOWN", "data": {"guest": false, "reason": "host-qmp-quit"}'

if command -v qemu-system-x86_64 >/dev/null; then
    qemu-system-x86_64 -accel tcg -S -display none -qmp unix:"$dir/p",server,nowait 2>qerr &
    converse p $! >qanswers
    normal <qanswers >theirs
    # QEMU tells of the end before it answers "quit"
    sort ours >ours.sorted
    sort theirs >theirs.sorted
    cmp -s ours.sorted theirs.sorted || { fail "QEMU answers otherwise:"; diff ours theirs; }
fi

# ---- what a guest does is told: reset and power-off are the guest's
sector reset.img "$RESET"
"$kiln" -display none -no-reboot -S -qmp unix:"$dir/r",server,nowait reset.img 2>err &
pid=$!
until [ -S r ]; do kill -0 $pid || break; done
mkfifo in
exec 3<>in
printf '{"execute":"qmp_capabilities"} {"execute":"cont"}' >&3
timeout 60 nc -U r <in >answers # until the run ends
wait $pid || fail "-no-reboot: status $?"
has answers '"event": "RESET", "data": {"guest": true, "reason": "guest-reset"}'

# ---- no request hurts: too deep, too long, no UTF-8, no JSON
timeout 60 "$kiln" -S -display none -qmp stdio loop.img >answers 2>err <<END
{"execute":"qmp_capabilities"}
$(printf '[%.0s' $(seq 5000))$(printf ']%.0s' $(seq 5000))
{"execute":"$(printf 'x%.0s' $(seq 3000))"}
{"execute":"human-monitor-command","arguments":{"command-line":"$(printf '(%.0s' $(seq 3000))"}}
{"execute":"$(printf '\200')"}
nonsense
{"execute":"query-status","execute":"stop"}
{"execute":"query-kvm"}
{"execute":"quit"}
END
status=$?
[ $status = 0 ] || fail "hostile requests: status $status"
has answers '"return": {"enabled": false, "present": false}' '"JSON parse error'
finish
