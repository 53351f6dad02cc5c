#!/usr/bin/env python3
"""Programs that nobody here wrote, in one Debian userland: beside native, Kiln's engines and QEMU's TCG.

usage: userland.py ROOT KERNEL_DIR BUILD [--runs N] [--programs NAME,..] [--places PLACE,..]
                   [--kiln "OPTIONS"] [--csv FILE]

ROOT is a Debian 12 that root has made so:
    debootstrap --variant=minbase --include=openssl,p7zip-full,sysbench,lua5.4,sqlite3,gzip bookworm ROOT
KERNEL_DIR is an unpacked (dpkg-deb -x) linux-image-*-amd64, cloud or not.

userland/programs.sh is run by sh in both: natively in chroot ROOT, and in a guest of 1 GiB that GRUB starts, whose
initramfs has the programs of ROOT with their libraries, so that there is no disk among the times. In each of N rounds
every guest boots, so that an engine has translated nothing of a program, as where a user starts it. Then they wait, and
the places run the first program one after the other, then the second: what else the machine does meets all alike.

Times are processor time, natively of the process and its children; of a guest, the emulator's, read when the line
that begins and the line that ends a program come on the serial port. The guest's clock counts for nothing: in Kiln
it counts instructions. Work is the same in all places, but of openssl speed, which runs for two seconds of the
guest's clock and says how often it did what: its time is of one operation.

openssl and libc choose their code by CPUID. So that all run the same, they are told what all places have (SAME, LIBC).
A place with -all behind its name (native-all, jit-all, qemu-all) chooses by its own processor.

Ratios are of one round; the medians count, and the spread ((most - least) / median) is in parentheses.
"""
import argparse
import os
import pathlib
import re
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from measure import cpu_seconds, geometric

SCRIPTS = pathlib.Path(__file__).resolve().parent / "userland"
BOOT = SCRIPTS.parents[2] / "tests" / "boot"
ENGINES = ["native", "jit", "interp", "qemu"]
PLACES = ENGINES + [e + "-all" for e in ENGINES]
PATIENCE = 1800  # seconds without a word

# Name: files of ROOT that it needs (their libraries come along); what is the same everywhere; how often it did it.
ALL = r"(?s)(.*)"
PROGRAMS = {
    "sha256": (["usr/bin/openssl"], None, r"(\d+) sha256's in"),
    "aes-128-cbc": (["usr/bin/openssl"], None, r"(\d+) AES-128-CBC's in"),
    "ecdhp256": (["usr/bin/openssl"], None, r"(\d+) 256-bits ECDH ops in"),
    "7z": (["usr/bin/7z", "usr/lib/p7zip/7z", "usr/lib/p7zip/7z.so"], r"(?s)MHz\):[\d ]+\n.*(Avr:)", None),
    "sysbench": (["usr/bin/sysbench"], r"total number of events: +(\d+)", None),
    "lua": (["usr/bin/lua5.4"], ALL, None),
    "sqlite": (["usr/bin/sqlite3"], ALL, None),
    "gzip": (["usr/bin/gzip", "usr/lib/x86_64-linux-gnu/libcrypto.so.3"], ALL, None),
    "gunzip": (["usr/bin/gzip", "usr/lib/x86_64-linux-gnu/libcrypto.so.3"], ALL, None),
}
BASE = ["usr/bin/" + p for p in ("sh", "cat", "cksum", "grep", "gzip", "mount", "sleep")]

# What Kiln's and QEMU 7.2's -cpu max both offer, and hosts of some ten years: no AVX (Kiln has none), no SHA (QEMU
# has none). Linux' name: word and bit of OPENSSL_ia32cap(3). Its words 0 and 1 are CPUID leaf 1 EDX and ECX, 2 and
# 3 are leaf 7 EBX and ECX. Bit 30 of word 0, which means Intel, stays 0.
SAME = {"fpu": (0, 0), "tsc": (0, 4), "cx8": (0, 8), "cmov": (0, 15), "mmx": (0, 23), "fxsr": (0, 24), "sse": (0, 25),
        "sse2": (0, 26), "pni": (1, 0), "pclmulqdq": (1, 1), "ssse3": (1, 9), "cx16": (1, 13), "sse4_1": (1, 19),
        "sse4_2": (1, 20), "movbe": (1, 22), "popcnt": (1, 23), "aes": (1, 25), "rdrand": (1, 30),
        "bmi1": (2, 3), "bmi2": (2, 8), "adx": (2, 19)}
# Without the last, Intel processors would copy by other code than AMD's do.
LIBC = ("glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-AVX_Fast_Unaligned_Load,"
        "-Fast_Unaligned_Copy")


def settings(place):
    """What is in the programs' environment."""
    env = {"PATH": "/usr/bin:/usr/sbin", "LC_ALL": "C"}
    if not place.endswith("-all"):
        words = [sum(1 << bit for w, bit in SAME.values() if w == word) for word in range(4)]
        env["OPENSSL_ia32cap"] = f"{words[1] << 32 | words[0]:#x}:{words[3] << 32 | words[2]:#x}"
        env["GLIBC_TUNABLES"] = LIBC
    return env


def copy_scripts(folder):
    for f in ("programs.sh", "work.lua", "work.sql"):
        shutil.copy(SCRIPTS / f, folder)


def last(text):
    return "\n".join(text.splitlines()[-12:])


class Userland:
    """What all places have: where things are, and the disks."""

    def __init__(self, a, programs, work):
        self.root, self.kernel, self.build, self.work = a.root.resolve(), a.kernel, a.build.resolve(), work
        self.programs, self.kiln_options, self.disks = programs, a.kiln.split(), {}

    def in_root(self, argv, env, **more):
        return subprocess.Popen(["chroot", self.root] + argv, env=env, stdin=subprocess.DEVNULL, **more)

    def disk(self, place):
        kind = place.endswith("-all")
        if kind not in self.disks:
            self.disks[kind] = self.make_disk(settings(place), self.work / f"disk{kind:d}")
        return self.disks[kind]

    def make_disk(self, env, folder):
        """GRUB, the kernel and an initramfs, by what makes the tests' disks."""
        top, files = folder / "root", folder / "files"
        for d in ("usr/bin", "proc", "sys", "dev", "tmp", "bench"):
            (top / d).mkdir(parents=True, exist_ok=True)
        for link in ("bin", "sbin", "lib", "lib64"):
            (top / link).symlink_to("usr/" + link)
        for name in self.needed():
            to = top / name
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.root / name, to)
        copy_scripts(top / "bench")
        shutil.copy(SCRIPTS / "init.sh", top / "init")
        (top / "init").chmod(0o755)
        (top / "bench" / "settings").write_text("".join(f"export {name}='{value}'\n" for name, value in env.items()))
        files.mkdir()
        shutil.copy(self.kernel, files / "vmlinuz")
        script = f""". {BOOT}/grub_disk.sh
why=$(grub_missing) && {{ echo "$why"; exit 1; }}
(cd {top} && find . | cpio -o -H newc 2>/dev/null) | gzip -1 >{files}/initrd.gz || exit 1
GRUB_TIMEOUT=0 GRUB_MIB=96 GRUB_FS=ext4 \
GRUB_ENTRY="linux (hd0,msdos1)/vmlinuz console=ttyS0 quiet loglevel=1; initrd (hd0,msdos1)/initrd.gz" \
    grub_disk {folder}"""
        done = subprocess.run(["bash", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit(f"no disk could be made: {last(done.stdout)}")
        shutil.rmtree(top)
        return folder / "disk.img"

    def needed(self):
        """The programs' files and their libraries, as paths below ROOT; all are in usr there."""
        names = set(BASE)
        for name in self.programs:
            names.update(PROGRAMS[name][0])
        p = self.in_root(["/usr/bin/ldd"] + ["/" + n for n in sorted(names)], settings("native-all"),
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for path in re.findall(r"(/\S+) \(0x", p.communicate()[0]):
            path = path.lstrip("/")
            names.add(path if path.startswith("usr/") else "usr/" + path)
        return sorted(names)

    def start(self, place):
        return Native(self, place) if place.startswith("native") else Guest(self, place)


class Native:
    """A round of a place: run() as often as wanted, then end()."""

    def __init__(self, userland, place):
        self.userland, self.env = userland, settings(place)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kiln-userland-", dir=userland.root / "tmp"))
        copy_scripts(self.folder)

    def wait_until_ready(self):
        self.script("prepare")

    def run(self, name):
        """The processor time of the program, and what it says."""
        seconds, _ = self.script(f"run {name}")
        return seconds, self.script(f"report {name}")[1]

    def script(self, words):
        said = self.userland.work / "said"
        with open(said, "wb") as f:
            p = self.userland.in_root(["/usr/bin/sh", f"/tmp/{self.folder.name}/programs.sh"] + words.split(), self.env,
                                      stdout=f, stderr=subprocess.STDOUT)
            _, p.returncode, used = os.wait4(p.pid, 0)
        if p.returncode:
            if (self.folder / "said").exists():
                said = self.folder / "said"
            sys.exit(f"natively, {words} has failed in {self.userland.root}:\n{last(said.read_text(errors='replace'))}")
        return used.ru_utime + used.ru_stime, said.read_text(errors="replace")

    def end(self):
        shutil.rmtree(self.folder)


class Guest:
    """The same in a guest, which waits for the name of a program. While it waits, Kiln is stopped: nothing else would keep
    it from running through the time as fast as it can, and its guest does not see it."""

    def __init__(self, userland, place):
        self.userland, self.place = userland, place
        self.err = userland.work / f"{place}.err"
        self.stops = not place.startswith("qemu")
        self.line, self.words = b"", ""
        argv = [str(a) for a in self.command()]
        self.p = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(self.err, "wb"),
                                  bufsize=0)

    def command(self):
        disk, place = self.userland.disk(self.place), self.place
        if place.startswith("qemu"):
            return ["qemu-system-x86_64", "-accel", "tcg,thread=single", "-cpu", "max", "-m", "1024", "-display", "none",
                    "-serial", "stdio", "-monitor", "none", "-net", "none", "-snapshot",
                    "-drive", f"file={disk},format=raw"]
        accel = place.split("-")[0]
        return [self.userland.build / "kiln", "-accel", accel, "-cpu", "max", "-m", "1024", "-display", "none",
                "-serial", "stdio", "-rt", "off", "-snapshot", disk] + (self.userland.kiln_options if accel == "jit" else [])

    def wait_until_ready(self):
        for text, _, _ in self.lines("@ready"):
            if text.startswith("@processor"):
                lacking = set(SAME) - set(text.split())
                if lacking and not self.place.endswith("-all"):
                    sys.exit(f"{self.place} has no {', '.join(sorted(lacking))}, which others have: take them out of "
                             "SAME in userland.py, or use another version or host")

    def run(self, name):
        if self.stops:
            self.p.send_signal(signal.SIGCONT)
        self.p.stdin.write(name.encode() + b"\n")
        begun, report, seconds, status = None, [], None, None
        for text, first, now in self.lines(f"@done {name}"):
            if text == f"@begin {name}":
                begun = now
            elif text.startswith(f"@end {name} "):
                seconds, status = first - begun, text.split()[-1]
            elif seconds is not None:
                report.append(text)
        said = "".join(line + "\n" for line in report)
        if status != "0":
            sys.exit(f"{self.place}: {name} has failed with status {status}:\n{last(said)}")
        return seconds, said

    def lines(self, to):
        """What comes on the serial port until a line says `to`: lines, and how much processor time had been used when
        their first and their last byte came."""
        out, first = self.p.stdout.fileno(), 0
        while True:
            ready = select.select([out], [], [], PATIENCE)[0]
            now = cpu_seconds(self.p.pid)
            piece = os.read(out, 65536) if ready else b""
            if not piece:
                how = "has ended early" if ready else f"has said nothing for {PATIENCE} s"
                sys.exit(f"{self.place} {how}; its last words:\n{last(self.words + self.line.decode(errors='replace'))}\n"
                         f"{last(self.err.read_text(errors='replace'))}")
            for byte in piece:
                if not self.line:
                    first = now
                self.line += bytes([byte])
                if byte != 10:
                    continue
                text, self.line = self.line.decode(errors="replace").rstrip("\r\n"), b""
                self.words += text + "\n"
                if text == to:
                    if self.stops:
                        self.p.send_signal(signal.SIGSTOP)
                    return
                yield text, first, now

    def end(self):
        self.p.kill()
        self.p.wait()


def missing(a, where):
    """What, why, and what to try; None if all is there."""
    native = [p for p in where if p.startswith("native")]
    if os.geteuid():
        return "chroot wants root: run it as root"
    lacking = [f for files, _, _ in PROGRAMS.values() for f in files + BASE if not (a.root / f).exists()]
    if lacking:
        return f"{a.root} has no {lacking[0]}: make it by debootstrap, as --help says"
    if not a.kernel:
        return f"no boot/vmlinuz-*-amd64 in {a.kernel_dir}: unpack a linux-image-*-amd64 there by dpkg-deb -x"
    need = {"cpio": "cpio", "mke2fs": "e2fsprogs", "grub-mkimage": "grub-common"}
    if any(p.startswith("qemu") for p in where):
        need["qemu-system-x86_64"] = "qemu-system-x86"
    for program, package in need.items():
        if len(native) < len(where) and not shutil.which(program):
            return f"no {program}: install Debian's {package}, or choose other --places"
    if any(p.startswith(("jit", "interp")) for p in where) and not (a.build / "kiln").is_file():
        return f"{a.build} has no kiln: build it there"
    flags = re.search(r"^flags.*", pathlib.Path("/proc/cpuinfo").read_text(), re.M).group().split()
    lacking = sorted(set(SAME) - set(flags))
    return f"this host has no {', '.join(lacking)}, which SAME in userland.py lists" if lacking else None


def compare(name, place, text, first):
    """Ends where a program's results are not those of the place before."""
    pattern = PROGRAMS[name][1]
    if not pattern:
        return
    found = re.search(pattern, text)
    if not found:
        sys.exit(f"{place}: {name} has not said what it should:\n{last(text)}")
    other, said = first.setdefault(name, (place, found.group(1)))
    if found.group(1) != said:
        sys.exit(f"{name} comes to something else in {place} than in {other}:\n{last(found.group(1))}\n"
                 f"not\n{last(said)}")


def units(name, place, text):
    pattern = PROGRAMS[name][2]
    if not pattern:
        return 1
    found = re.search(pattern, text)
    if not found or not int(found.group(1)):
        sys.exit(f"{place}: {name} has not said how much it did:\n{last(text)}")
    return int(found.group(1))


def measure_round(userland, where, first, seconds, tell):
    """All places are there at once, and one runs: so a program's times lie side by side."""
    started = {}
    try:
        for p in where:
            tell(f"{p} starts")
            started[p] = userland.start(p)
            started[p].wait_until_ready()
        for name in userland.programs:
            tell(name)
            for p in where:
                s, text = started[p].run(name)
                compare(name, p, text, first)
                seconds[p].setdefault(name, []).append(s / units(name, p, text))
    finally:
        for place in started.values():
            place.end()


def in_units(seconds):
    return f"{seconds:9.3f} s " if seconds > 0.01 else f"{seconds * 1e6:9.3f} us"


def print_table(programs, where, seconds):
    """seconds[place][name]: one for each round. A ratio is of one round."""
    base = "native" if "native" in where else where[0]
    others = [p for p in where if p != base]
    middle, spread = statistics.median, lambda v: (max(v) - min(v)) / statistics.median(v)
    ratios = {p: {n: [s / t for s, t in zip(seconds[p][n], seconds[base][n])] for n in programs} for p in others}
    print(f"time of a run (of openssl, of an operation), and times {base} (spread)\n")
    print(f"{'program':12}{base:>12}       " + "".join(f"{p:>10}       " for p in others))
    for n in programs:
        t = seconds[base][n]
        print(f"{n:12}{in_units(middle(t))} ({spread(t) * 100:3.0f}%)" + "".join(
            f"{middle(ratios[p][n]):10.2f} ({spread(ratios[p][n]) * 100:3.0f}%)" for p in others))
    print(f"{'geometric mean':31}" + "".join(
        f"{geometric([middle(ratios[p][n]) for n in programs]):10.2f}       " for p in others))


def write_csv(path, seconds):
    with open(path, "w") as f:
        for p, programs in seconds.items():
            for name, values in programs.items():
                f.write(f"{p},{name}," + ",".join(f"{v * 1e9:.3f}" for v in values) + "\n")


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("root", type=pathlib.Path)
    a.add_argument("kernel_dir", type=pathlib.Path)
    a.add_argument("build", type=pathlib.Path)
    a.add_argument("--runs", type=int, default=3)
    a.add_argument("--programs", default=",".join(PROGRAMS))
    a.add_argument("--places", default="native,native-all,jit,qemu")
    a.add_argument("--kiln", default="", help="more options for Kiln's JIT")
    a.add_argument("--csv", help="where the times of all runs go, in nanoseconds, after each round")
    a = a.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))  # so that guests and folders go, too
    programs, where = a.programs.split(","), a.places.split(",")
    for given, known, what in ((programs, PROGRAMS, "program"), (where, PLACES, "place")):
        for g in given:
            if g not in known:
                sys.exit(f"no {what} {g}; there are {', '.join(known)}")
    a.kernel = next(iter(sorted(a.kernel_dir.glob("boot/vmlinuz-*-amd64"))), None)
    why = missing(a, where)
    if why:
        sys.exit(why)
    seconds, first = {p: {} for p in where}, {}
    with tempfile.TemporaryDirectory(prefix="kiln-userland-") as work:
        userland = Userland(a, programs, pathlib.Path(work))
        start = time.time()
        for n in range(a.runs):
            measure_round(userland, where, first, seconds, lambda what: print(
                f"run {n + 1} of {a.runs}: {what}, {time.time() - start:.0f} s", file=sys.stderr))
            if a.csv:
                write_csv(a.csv, seconds)
    print_table(programs, where, seconds)


main()
