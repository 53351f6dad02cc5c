# The tests of kvm-unit-tests' unittests.cfg that ARCH runs on one processor, one a line:
# name|file|seconds|why not, if it cannot run|processor and machine options|arguments
# ACCEL: which accelerator runs them; only "kvm" has modules whose parameters can be looked at.
function flush_test() {
    if (name == "" || smp > 1 || (arch != "" && arch != ARCH))
        return
    if (groups ~ /nodefault/)
        why = "marked as to be run by hand"
    else if (accel != "" && accel != ACCEL)
        why = "for " accel " only"
    else if (check ~ /\/sys\/module\/kvm/ && ACCEL != "kvm")
        why = "for kvm only"
    print name "|" file "|" seconds "|" why "|" params "|" args
}
/^\[.*\]$/ {
    flush_test()
    name = substr($0, 2, length($0) - 2)
    smp = 1
    seconds = 90
    file = arch = groups = accel = check = why = params = args = ""
}
/^[a-z_]+ *=/ {
    key = $0
    sub(/ *=.*/, "", key)
    value = $0
    sub(/^[a-z_]+ *= */, "", value)
    if (key == "file") file = value
    else if (key == "smp") smp = value + 0
    else if (key == "arch") arch = value
    else if (key == "groups") groups = value
    else if (key == "accel") accel = value
    else if (key == "check") check = value
    else if (key == "timeout") seconds = value + 0
    else if (key == "qemu_params" || key == "extra_params") params = value
    else if (key == "test_args") { gsub(/^["']|["']$/, "", value); args = value }
}
END { flush_test() }
