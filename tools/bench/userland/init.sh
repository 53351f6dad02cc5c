#!/bin/sh
# The guest's first process for ../userland.py, which writes the file "settings" beside it (what is exported) and says
# on the serial port which program is next. It says there when it begins and ends; userland.py looks at its own clock then.
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
cd /bench
. ./settings
sh /bench/programs.sh prepare
echo "@processor $(grep -m 1 '^flags' /proc/cpuinfo)"
echo "@ready"
while read -r name; do
    echo "@begin $name"
    sh /bench/programs.sh run "$name" </dev/null
    echo "@end $name $?"
    sh /bench/programs.sh report "$name"
    echo "@done $name"
done
