# Mutated packets, monitor lines and QMP requests: kiln takes them all, and ends when they end.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
count=${COUNT:-3000}

for kind in gdb monitor qmp; do
    for seed in 1 2 3; do
        "$build/unit/noise" $kind $seed "$count" >in
        printf '\n\377\nquit\n{"execute":"qmp_capabilities"}{"execute":"quit"}\n' >>in
        # a guest that gdb has sent astray may end the run by itself: 70, a triple fault
        [ $kind = gdb ] && end="-gdb stdio" || end="-$kind stdio"
        timeout 60 "$kiln" -S -rt off -m 16 -display none -snapshot -serial null $end \
            --on-triple-fault reset "$build/guestos/prompt.img" <in >out 2>err
        status=$?
        case $status in
        0 | 70) ;;
        *) fail "$kind $seed: status $status: $(tail -c 300 err)" ;;
        esac
        [ "$(wc -c <out)" -gt 1000 ] || fail "$kind $seed: few answers: $(head -c 200 out)"
    done
done
finish
