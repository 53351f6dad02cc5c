#!/bin/sh
# install_packages.sh build|test ...: Debian packages that building, or testing, needs.
#
# Says what is missing and installs it with apt-get; asks first on a terminal, and never with CI
# set. When nothing is missing it does nothing: no apt, no network. On systems without dpkg it
# names the libraries and leaves the rest to the build.
set -u

build="build-essential cmake ninja-build pkg-config libsdl2-dev libcapstone-dev libelf-dev
    libcmocka-dev libpng-dev libjansson-dev libxxhash-dev libzstd-dev libdw-dev libncurses-dev
    gcc-multilib e2fsprogs fakeroot acpica-tools musl-tools busybox-static"
test="qemu-system-x86 seabios grub-pc-bin grub-common mtools dmidecode xvfb xdotool gdb netcat-openbsd bochs bochs-term bochsbios vgabios
    zstd clang libclang-rt-14-dev tmux xorriso syslinux syslinux-common isolinux memtest86+ dosfstools cpio"

wanted=
for set in "$@"; do
    case $set in
    build) wanted="$wanted $build" ;;
    test) wanted="$wanted $test" ;;
    *)
        echo "usage: $0 build|test ..." >&2
        exit 2
        ;;
    esac
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "This is no Debian system; Kiln needs: a C compiler (gcc or clang) with 32-bit support,
cmake, ninja, pkg-config, e2fsprogs, a static busybox and musl-gcc (for Ember's programs), and the development files of SDL2, Capstone 4, libelf and libdw (elfutils),
cmocka, libpng, jansson, ncurses (wide characters), xxHash, and iasl (ACPICA); its tests also clang with libFuzzer,
QEMU, SeaBIOS, GRUB for i386-pc, mtools, dosfstools, cpio, xorriso, dmidecode, Xvfb, gdb, netcat and tmux.
Going on to try." >&2
    exit 0
fi

# shellcheck disable=SC2086
installed=$(dpkg-query -W -f '${Package}=${db:Status-Status}\n' $wanted 2>/dev/null)
missing=
for package in $wanted; do
    echo "$installed" | grep -qx "$package=installed" || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

echo "These Debian packages are missing and will be installed with apt-get:"
echo "   $missing"
sudo=
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "That needs root and there is no sudo. As root, run:" >&2
        echo "    apt-get install$missing" >&2
        exit 1
    fi
    sudo=sudo
fi
if [ -z "${CI:-}" ] && [ -t 0 ]; then
    printf 'Go on? [Y/n] '
    read -r answer
    case $answer in
    [nN]*)
        echo "Nothing was installed; the build may fail."
        exit 0
        ;;
    esac
fi
apt() {
    # shellcheck disable=SC2086
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends "$@" </dev/null
}
# The lists may be absent or old: fetch them, and go on with the old ones if that fails.
apt update || echo "apt-get update failed; trying with the package lists that are there" >&2
# shellcheck disable=SC2086
apt install $missing || {
    echo "Installing failed; see above. By hand: apt-get install$missing" >&2
    exit 1
}
