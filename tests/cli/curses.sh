# The terminal as a display, seen from outside: in tmux, whose screen can be read with its colours.
# What keys must give is IBM's table of INT 16h function 10h.
. "$(dirname "$0")/lib.sh"
command -v tmux >/dev/null || { echo "skipped: no tmux"; exit 77; }
cd "$dir" || exit 1
export TMUX_TMPDIR="$dir" HOME="$dir" LC_ALL=C.UTF-8
unset DISPLAY WAYLAND_DISPLAY SDL_VIDEODRIVER TMUX KILN_DATA
: >err
"${CC:-cc}" -m32 -c "$here/screen.S" -o screen.o &&
    ld -m elf_i386 -e _start -Ttext 0x7c00 --oformat binary screen.o -o sector || exit 1
truncate -s 65536 screen.img
dd if=sector of=screen.img conv=notrunc 2>/dev/null
cp "$(command -v sh)" shell # so that no profile is read

tm() {
    tmux -L t -f "$dir/conf" "$@"
}
trap 'tm kill-server 2>/dev/null; rm -rf "$dir"' EXIT

# terminal TERM COLUMNS ROWS: a shell in a new terminal
terminal() {
    shown="curses in TERM=$1, $2x$3"
    tm kill-server 2>/dev/null
    printf 'set -g default-terminal %s\nset -g escape-time 0\n' "$1" >conf
    tries=0 # the server before may still be going
    until tm new-session -d -x "$2" -y "$3" "PS1='# ' ./shell"; do
        tries=$((tries + 1))
        [ $tries -lt 50 ] || { echo "skipped: tmux does not start"; exit 77; }
        sleep 0.2
    done
    say 'echo up and $((1 + 1))'
    sees "up and 2"
    say 'clear; stty -g >before'
}

say() { # typed into the shell
    tm send-keys -l "$1"
    tm send-keys Enter
}

type() {
    tm send-keys "$@"
}

screen() {
    tm capture-pane -p "$@" >shot
}

# sees TEXT [OPTION]: waits for it on the screen
sees() {
    [ $failures -lt 5 ] || finish
    for _ in $(seq 600); do
        screen $2
        grep -qF -- "$1" shot && return 0
        sleep 0.2
    done
    fail "not on the screen: $1"
    cat -v shot
    return 1
}

# gone TEXT: waits until it is no more
gone() {
    for _ in $(seq 600); do
        screen
        grep -qF -- "$1" shot || return 0
        sleep 0.2
    done
    fail "still on the screen: $1"
}

pid() {
    tm list-panes -F '#{pane_pid}' | xargs ps -o pid= --ppid | tr -d ' '
}

# Waits until the shell has the terminal: what is typed before would be lost.
shell_is_back() {
    for _ in $(seq 600); do
        case $(tm display -p '#{pane_current_command}') in *shell) return 0 ;; esac
        sleep 0.2
    done
    fail "the shell does not come back"
}

# restored WHAT: the shell is back, and the terminal is what it was
restored() {
    shell_is_back
    say 'stty -g >after; echo back and $((1 + 1))'
    sees "back and 2" || return
    cmp -s before after || fail "$1: the terminal is not as it was: $(diff before after)"
    screen
    if grep -q "yellow on blue" shot; then fail "$1: the guest's screen is still there"; fi
    say clear
}

start="$kiln -display curses -snapshot screen.img"
esc=$(printf '\033')

# Colours, characters, cursor; keys.
terminal tmux-256color 90 30
say "$start"
sees "${esc}[93m${esc}[44myellow on blue" -e
sees "${esc}[97m${esc}[41mwhite on red" -e
sees "5m" -e # blinking
grep "green, blinking" shot | grep -q "${esc}\[[0-9;]*5m" || fail "nothing blinks"
sees "box ┌─┐ ≡"
sees "the last row"
for _ in $(seq 50); do
    cursor=$(tm display -p '#{cursor_x},#{cursor_y},#{cursor_flag}')
    [ "$cursor" = 10,5,1 ] && break
    sleep 0.2
done
[ "$cursor" = 10,5,1 ] || fail "the cursor is at $cursor"

key() { # KEY WORD: INT 16h's word for what tmux calls KEY
    type "$1"
    sees "last key:$2" || echo "  for $1"
}
key a 1E61
key A 1E41
key '~' 297E
key Enter 1C0D
key BSpace 0E08
key Escape 011B
key Tab 0F09
key BTab 0F00
key F1 3B00
key F12 8600
key S-F1 5400
key C-F1 5E00
key M-F1 6800
key Up 48E0
key PageDown 51E0
key DC 53E0
key C-Left 73E0
key M-Up 9800
key M-a 1E00
key M-1 7800
key C-c 2E03
key C-z 2C1A
key 'C-\' 2B1C
type C-a a
sees "last key:1E01"
type C-a C-a
sees "last key:1E01"

# Other modes; help.
type F3
sees "box ┌─┐ ≡"
type F2
sees "graphics mode 320x200"
type x
sees "the last row"
type C-a h
sees "Ctrl-A x  quit"
type x
gone "Ctrl-A x  quit"

# The monitor has the terminal for itself, and gives it back.
type C-a c
sees "(kiln)"
say "info version"
sees "(kiln) info version"
type C-a c
sees "yellow on blue"

# Ctrl-A x; signals; a crash. The screen goes, the settings come back.
type C-a x
restored "Ctrl-A x"
for signal in 1 2 3 6 10 11 15; do # HUP INT QUIT ABRT USR1 SEGV TERM
    say "$start; echo status \$?."
    sees "the last row"
    kill -$signal "$(pid)"
    sees "status $((128 + signal))."
    restored "signal $signal"
done

# Stopped as a job twice, by Ctrl-A z and by a signal; once without notice.
say "$start"
sees "the last row"
job=$(pid)
type C-a z
restored "Ctrl-A z"
say fg
sees "the last row"
key b 3062
kill -TSTP "$job"
restored SIGTSTP
say fg
sees "the last row"
key c 2E63
kill -STOP "$job"
sees Stopped
tm send-keys -l 'stty sane; clear' # without ICRNL Enter is no end of a line
type C-j
gone "yellow on blue"
say fg
sees "the last row"
key d 2064
type C-a x
restored "SIGSTOP, fg and Ctrl-A x"

# Eight colours: bold is bright. A terminal that is too small: the view follows the cursor.
terminal screen 60 20
say "$start"
sees "yellow on blue" -e
grep "yellow on blue" shot | grep -q "${esc}\[1m.*${esc}\[33m.*${esc}\[44m" || fail "$(cat -v shot | head -1)"
sees "the screen is 80x25, this terminal 60x20"
type C-a Down
sees "the last row"
type C-a Up
sees "yellow on blue"
tm resize-window -x 100 -y 40
sees "the last row"
type C-a x
restored "a resized terminal"

# Without a window the terminal is taken by itself, and then no serial port has it.
terminal tmux-256color 80 25
say "$kiln -snapshot screen.img"
sees "yellow on blue"
type C-a x
restored "kiln without a display"
say "$kiln -display auto -snapshot screen.img"
sees "yellow on blue"
type C-a x
restored "-display auto"
say "clear; TERM=dumb $kiln -display curses -snapshot screen.img; echo status \$?."
sees "TERM=dumb"
sees "status 1."

# A message of ours is shown below the screen, and is there when the terminal is given back.
sector halt.img "$HALT"
say "clear; $kiln -display curses -snapshot halt.img; echo status \$?."
sees "Halted for good"
type q
sees "halted for good: HLT with interrupts off"
sees "status 0."

run -display curses screen.img
is_status 1
says "no terminal"
finish
