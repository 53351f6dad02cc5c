# Debian's gdb against the stub: the first BIOS instruction, real mode, Spark and Ember by symbols,
# the switch to long mode, watchpoints, backtrace; over a pipe, a Unix socket and TCP.
. "$(dirname "$0")/lib.sh"
need gdb nm
cd "$dir" || exit 1
spark=$build/spark.elf
ember=$build/ember.elf
run="$kiln -S -display none -serial null -snapshot $build/guestos/prompt.img"

address() { printf '%d' "0x$(nm "$1" | awk -v name="$2" '$3 == name { print $1; exit }')"; }

# ---- reset: SDM 3A table 10-1; then Spark's entry, by its symbol table
gdb_says reset.txt <<END
target remote | $run -gdb stdio
printf "at %x:%x base %x\n", \$cs, \$rip, \$cs_base
printf "cr0 %x flags %x rdx %x\n", \$cr0, \$eflags, \$rdx
printf "byte %x\n", *(unsigned char *)(\$cs_base + \$rip)
stepi
printf "then %x\n", \$cs_base + \$rip
stepi
stepi
stepi
printf "mode %x\n", \$cr0 & 1
info registers rip
detach
END
in_order reset.txt "at f000:fff0 base ffff0000" "cr0 60000010 flags 2 " "byte ea" \
    "$(printf 'then %x' "$(address "$spark" reset_entry)")" "mode 0" "rip"

# ---- Spark by symbols, its data, and memory that it writes; the pc is linear there
gdb_says spark.txt <<END
symbol-file $spark
target remote | $run -gdb stdio --gdb-pc linear
break post_main
continue
printf "cs %x pc %x\n", \$cs, \$rip
stepi
info symbol \$pc
delete
hbreak *0x7c00
continue
printf "boot sector: %x %x\n", *(unsigned short *)0x7dfe, \$rdx & 0xff
delete
watch *(unsigned *)0x46c
continue
END
in_order spark.txt "in post_main ()" "cs f000 pc $(printf '%x' "$(address "$spark" post_main)")" \
    "post_main + " "Breakpoint 2, 0x0000000000007c00" "boot sector: aa55 80" \
    "Hardware watchpoint 3" "Old value" "New value"

# ---- Ember: the switch to long mode, by steps; then its symbols
gdb_says ember.txt <<END
symbol-file $ember
target remote | $run -gdb stdio
break *&start
continue
printf "start: long %d\n", (\$efer & 0x400) != 0
watch *(int *)((char *)&early_pml4 - 0xffffffff80000000)
continue
delete
set \$n = 0
while !(\$efer & 0x400) && \$n < 100
  stepi
  set \$n = \$n + 1
end
printf "active: paging %x long %d eip ok %d\n", \$cr0 >> 31, (\$efer & 0x400) != 0, \$rip > 0x100000
stepi
stepi
printf "64-bit: cs %x\n", \$cs
info symbol \$pc
break kernel_main
continue
backtrace
watch ticks
continue
print ticks
set var ticks = 1000
delete
tbreak shell_read_line
continue
print ticks >= 1000
backtrace
up
info locals
set var \$rax = 0x123456789abcdef
print/x \$rax
print/x \$eax
END
in_order ember.txt "Breakpoint 1, " "start: long 0" "Hardware watchpoint 2" "New value" \
    "active: paging 1 long 1 eip ok 1" "64-bit: cs 8" "enter64 in section" "Breakpoint 3, kernel_main" \
    "#0  kernel_main" "in enter64 ()" \
    "Hardware watchpoint 4: ticks" "Old value = 0" "New value = 1" "= 1" \
    "Temporary breakpoint 5, shell_read_line" "= 1" "#0  shell_read_line" "in shell_run" "in kernel_prompt" \
    "= 0x123456789abcdef" "= 0x89abcdef"

# ---- other layouts; the code is decoded as what it is
gdb_says i8086.txt <<END
target remote | $run -gdb stdio --gdb-arch i8086
hbreak *0x7c00
continue
show architecture
x/2i \$pc
info registers eip cs
END
in_order i8086.txt "Breakpoint 1, 0x00007c00" 'i8086' "0x7c00:	cli" "cld" "eip            0x7c00"
gdb_says i386.txt <<END
target remote | $run -gdb stdio --gdb-arch i386
show architecture
info registers eip cs cr0
END
in_order i386.txt '"i386"' "eip            0xfff0" "cs             0xf000" "cr0            0x60000010"

# ---- a Unix socket, twice: the guest is where the first gdb left it; monitor commands
$run -gdb unix:"$dir/gdb" -monitor unix:"$dir/mon",server,nowait 2>err &
pid=$!
until [ -S gdb ] && [ -S mon ]; do kill -0 $pid || break; done
gdb_says first.txt <<END
target remote $dir/gdb
hbreak *0x7c00
continue
monitor info status
monitor info registers
monitor xp /1hx 0x7dfe
disconnect
END
in_order first.txt "Breakpoint 1, 0x0000000000007c00" "VM status: paused (debug)" "CPU#0" "EIP=00007c00" \
    "0000000000007dfe: 0xaa55"
gdb_says second.txt <<END
target remote $dir/gdb
info registers rip
kill
END
has second.txt "rip            0x7c00"
wait $pid || fail "kill: status $?"
[ -e gdb ] && fail "the socket is still there"

# ---- TCP, on a port of its own choice
$run -gdb tcp::0 2>err &
pid=$!
until grep -q "listening on port" err; do kill -0 $pid || break; done
port=$(sed -n 's/.*listening on port //p' err)
gdb_says tcp.txt <<END
target remote :$port
info registers rip
monitor quit
END
has tcp.txt "rip            0xfff0"
wait $pid || fail "monitor quit: status $?"
finish
