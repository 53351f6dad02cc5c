# Runs in Ember: busybox' own testsuite (its folder testsuite/, a busybox, and a .config that says what
# that was built with, in one folder). A test's name is its text, with underscores for spaces.
cd testsuite || exit 1
export ECHO=/bin/echo
./runtest 2>&1 </dev/null | while read -r line; do
    case $line in
    PASS:* | FAIL:*) echo "${line%%:*} $(echo "${line#*: }" | tr ' ' '_')" ;;
    esac
done
