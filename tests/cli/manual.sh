# Every option of --help that has an effect stands in the man page.
. "$(dirname "$0")/lib.sh"
page="$here/../../docs/kiln.1"
shown="kiln --help"
: >"$dir/err"
sed 's/\\f[A-Z]//g; s/\\//g' "$page" >"$dir/page"
"$kiln" --help | sed '/^Accepted, without effect/,$d' |
    sed -n 's/^  -\([a-zA-Z][-a-z_]*\).*/\1/p' >"$dir/names"
[ "$(wc -l <"$dir/names")" -gt 40 ] || fail "few options: $(cat "$dir/names")"
while read -r name; do
    grep -q -e "-$name\([^-a-z]\|$\)" "$dir/page" || fail "-$name is not in docs/kiln.1"
done <"$dir/names"
finish
