# Runs in Ember: busybox' own testsuite (its folder testsuite/, a busybox, and a .config that says what
# that was built with, in one folder). A test's name is its text, with underscores for spaces.
cd testsuite || exit 1
export ECHO=/bin/echo
./runtest 2>&1 </dev/null | sed -n 's/^\(PASS\|FAIL\): \(.*\)/\1 \2/p' |
    while read -r verdict name; do
        echo "$verdict $(echo "$name" | tr ' ' '_')"
    done
