# Runs with random keys at random times, recorded, replay to the same hash: Ember's prompt and
# GRUB's menu and shell. Different keys must make different states, else nothing is shown.
# usage: runs.sh KILN BUILD COUNT SEED
. "$(dirname "$0")/lib.sh"
count=$3 seed=$4
. "$here/../boot/grub_disk.sh"
why=$(grub_missing) && echo "without GRUB: $why" || grub_disk "$dir" || exit 1

# keys FIRST: a random key script behind FIRST
keys() {
    awk -v seed="$1" -v first="$2" 'BEGIN {
        srand(seed)
        n = split("a b c d e m p q r s t u 1 2 / . - {up} {down} {left} {right} {home} {end} {F1} {ctrl-a} {tab}", k, " ")
        s = first
        for (i = 5 + int(rand() * 40); i > 0; i--) {
            if (rand() < 0.3) s = s sprintf("{wait:%.7f}", rand() * rand() * 0.3)
            r = rand()
            s = s (r < 0.1 ? "\\n" : r < 0.15 ? "mem\\n" : r < 0.2 ? "pci\\n" : r < 0.23 ? "\\e" : k[1 + int(rand() * n)])
        }
        print s
    }'
}

i=0
: >"$dir/hashes"
while [ $i -lt "$count" ]; do
    n=$((seed * 1000 + i))
    if [ -f "$dir/disk.img" ] && [ $((i % 2)) = 1 ]; then
        record "$dir/log" -m 64 "$dir/disk.img" --keys "$(keys $n '{screen:second entry}')" \
            --max-insns $((90 + n % 20))M
    else
        record "$dir/log" -m $((16 + n % 3 * 16)) "$build/guestos/prompt.img" \
            --keys "$(keys $n '{screen:ember>}')" --max-insns $((3 + n % 4))M
    fi
    hash_in "$dir/rec.err" >>"$dir/hashes"
    same "$dir/log"
    i=$((i + 1))
done
different=$(sort -u "$dir/hashes" | wc -l)
echo "$count runs, $different different final states"
[ "$different" -ge $((count * 9 / 10)) ] || fail "the keys make no difference"
finish
