# Sourced after lib.sh: logs in to Ember on its serial port and runs commands in a shell there.
PROMPT="ember:~# "

# came TEXT: COM1 said it since the last command
came() { tail -c +$((seen + 1)) serial.txt | grep -aqF -- "$1"; }
expect() { until_true came "$1" || fail "COM1 does not say: $1"; }
# keys TEXT: as printf wants them
keys() { printf "$1" >&3; }

# log_in NAME [PASSWORD]; without the terminal's echo the shell edits no line, and answers are clean
log_in() {
    expect "login: "
    seen=$(wc -c <serial.txt)
    keys "$1\n"
    if [ -n "${2:-}" ]; then
        expect "Password: "
        keys "$2\n"
    fi
    expect "Welcome to Ember"
    expect "$PROMPT"
    seen=$(wc -c <serial.txt)
    keys 'stty -echo; echo quiet now\n'
    quiet() { came "quiet now" && answered; }
    until_true quiet || fail "no shell"
    seen=$(wc -c <serial.txt)
}

# run COMMAND: it must succeed; its output is in answer.txt
run() {
    printf '%s; echo "status $?"\n' "$1" >&3
    finished "$1"
    grep -q 'status 0$' answer.txt || { cat answer.txt; fail "it failed: $1"; }
}
finished() {
    ended() { answered && grep -q "status [0-9]" answer.txt; }
    until_true ended || fail "no end of: $1"
    seen=$(wc -c <serial.txt)
}
# gives COMMAND TEXT: its output is TEXT
gives() {
    run "$1"
    sed "s/^\($PROMPT\)*//; /^status 0$/d; /^$/d" answer.txt >output.txt
    [ "$(cat output.txt)" = "$2" ] || { cat output.txt; fail "instead of $2: $1"; }
}
