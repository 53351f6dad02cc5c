# The benchmark image in QEMU and Bochs, unmodified: native's checksums. usage: others.sh ROOT BUILD
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
command -v qemu-system-x86_64 >/dev/null || { echo "no qemu-system-x86_64"; exit 77; }
exec python3 "$1/tools/bench/compare.py" "$2" --check
