# Runs in Ember: each executable of the folder programs/ is a test, which passes if its status is 0.
# What it says goes to its own file in out/; the last line of that comes with a failure.
ulimit -s 8192
mkdir -p out work
for p in programs/*; do
    name=${p##*/}
    rm -rf work/* 2>/dev/null
    (cd work && timeout -s KILL "${LIMIT:-20}" "../$p" >"../out/$name" 2>&1 </dev/null)
    status=$?
    if [ $status = 0 ]; then
        echo "PASS $name"
    else
        echo "FAIL $name: status $status, $(tail -n 1 "out/$name")"
    fi
done
