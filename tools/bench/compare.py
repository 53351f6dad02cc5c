#!/usr/bin/env python3
"""The benchmark image beside native: Kiln's engines, QEMU's TCG and Bochs, by processor time.

usage: compare.py BUILD [--runs N] [--time MS] [--kernels NAME|GROUP,..] [--places PLACE,..]
                  [--kiln "OPTIONS"] [--csv FILE] [--check]

Each place (native, jit, interp, qemu, bochs) runs the kernels of BUILD/bench.img for about MS
milliseconds each: a first short run finds out how many iterations that are. Then the places run one
after the other, N times. What the image says on port E9h comes through a pipe; at the byte that begins
and at the byte that ends a kernel the processor time of the emulator's threads is read.
The medians count, and the spread ((most - least) / median) is in parentheses.

--check runs each kernel once or a little more, and only compares checksums with native's.
"""
import argparse
import os
import pathlib
import select
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

from measure import cpu_seconds, geometric

PLACES = ["native", "jit", "interp", "qemu", "bochs"]
BOCHS = "/usr/share/bochs"
TABLE, ENTRIES, ENTRY = 512, 512 + 64, 64  # tools/bench/table.h
PATIENCE = 900  # seconds without a word


class Kernel:
    def __init__(self, image, at):
        self.name = image[at:at + 24].rstrip(b"\0").decode()
        self.group = image[at + 24:at + 36].rstrip(b"\0").decode()
        self.guest_only, self.millisecond = struct.unpack_from("<IQ", image, at + 36)
        self.at = at


def read_image(path):
    image = path.read_bytes()
    magic, version, count = struct.unpack_from("<8sII", image, TABLE)
    if magic != b"KILNBENC" or version != 1:
        sys.exit(f"{path} is no benchmark image of version 1")
    return image, [Kernel(image, ENTRIES + ENTRY * i) for i in range(count)]


def write_image(path, image, kernels, counts):
    """A copy of the image that runs each kernel so often."""
    image = bytearray(image)
    for k in kernels:
        struct.pack_into("<Q", image, k.at + 48, counts.get(k.name, 0))
    path.write_bytes(image)


class Places:
    """How each place is started, in a directory of its own."""

    def __init__(self, build, work, kiln_options):
        self.build, self.work, self.kiln_options = build, work, kiln_options

    def missing(self, place):
        program = {"qemu": "qemu-system-x86_64", "bochs": "bochs"}.get(place)
        return program if program and not shutil.which(program) else None

    def command(self, place, image):
        if place in ("jit", "interp"):
            accel = place
            options = self.kiln_options if place == "jit" else []
            return [self.build / "kiln", "-accel", accel, "-display", "none", "-debugcon", "stdio", "-rt", "off",
                    "-snapshot", image, "--until", "serial:END"] + options
        if place == "qemu":
            return ["qemu-system-x86_64", "-accel", "tcg,thread=single", "-cpu", "max", "-m", "128", "-display", "none",
                    "-debugcon", "stdio", "-serial", "null", "-monitor", "none", "-snapshot",
                    "-drive", f"file={image},format=raw"]
        (self.work / "rc").write_text(f"""megs: 128
romimage: file={BOCHS}/BIOS-bochs-latest
vgaromimage: file={BOCHS}/VGABIOS-lgpl-latest
ata0-master: type=disk, path={image}, mode=flat, cylinders=2, heads=16, spt=63
boot: disk
display_library: rfb, options="timeout=0"
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
log: {self.work}/bochs.log
panic: action=fatal
port_e9_hack: enabled=1
cpu: ips=100000000
""")
        (self.work / "commands").write_text("c\n")
        lock = pathlib.Path(f"{image}.lock")
        if lock.exists():
            lock.unlink()
        return ["bochs", "-q", "-f", self.work / "rc", "-rc", self.work / "commands"]

    def run_guest(self, place, image, kernels, counts):
        """name -> (seconds, checksum); kernels that were left out are not in it."""
        path = self.work / f"{place}.img"
        write_image(path, image, kernels, counts)
        argv = [str(a) for a in self.command(place, path)]
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=open(self.work / f"{place}.err", "wb"), bufsize=0, cwd=self.work)
        result, line, begun, ended = {}, b"", None, None
        out = p.stdout.fileno()
        try:
            while line != b"END":
                if not select.select([out], [], [], PATIENCE)[0]:
                    sys.exit(f"{place} says nothing any more; last: {line!r}")
                now = cpu_seconds(p.pid)
                piece = os.read(out, 65536)
                if not piece:
                    sys.exit(f"{place} has ended early; see {self.work}/{place}.err")
                for byte in piece:
                    if byte != 10:
                        if not line and byte == ord("E"):
                            ended = now
                        line += bytes([byte])
                        continue
                    words = line.split()
                    if line == b"END":
                        break
                    if words and words[0] == b"B":
                        begun = now
                    if words and words[0] == b"E":
                        result[words[1].decode()] = (ended - begun, words[2].decode())
                    if line.startswith(b"!"):
                        sys.exit(f"{place}: {line.decode()}")
                    line = b""
        finally:
            p.kill()
            p.wait()
        return result

    def run_native(self, kernels, counts):
        wanted = [k for k in kernels if counts.get(k.name) and not k.guest_only]
        text = "".join(f"{k.name} {counts[k.name]}\n" for k in wanted)
        out = subprocess.run([self.build / "bench-native"], input=text, text=True, stdout=subprocess.PIPE,
                             check=True).stdout
        return {w[0]: (int(w[2]) / 1e9, w[1]) for w in (l.split() for l in out.splitlines()) if len(w) == 4}

    def run(self, place, image, kernels, counts):
        if place == "native":
            return self.run_native(kernels, counts)
        return self.run_guest(place, image, kernels, counts)


    def fitting_counts(self, place, image, kernels, wanted):
        """Iterations that take about so many seconds: those that took too few to tell are run again."""
        tries = {k.name: max(1, k.millisecond // (1 if place in ("native", "jit") else 4)) for k in kernels}
        counts = {}
        while tries:
            again = {}
            for name, (s, _) in self.run(place, image, kernels, tries).items():
                counts[name] = max(1, round(tries[name] * wanted / max(s, 1e-6)))
                if s < wanted / 8:
                    again[name] = max(tries[name] + 1, min(counts[name] // 2, tries[name] * 20))
            tries = again
        return counts


def check(places, where, image, kernels):
    """Whether all places come to native's checksums, or, of kernels of the guest only, to the same."""
    counts = {k.name: max(1, k.millisecond // 4) for k in kernels}
    native = places.run("native", image, kernels, counts)
    first, failures = {}, 0
    for place in where:
        if place == "native":
            continue
        got = places.run(place, image, kernels, counts)
        for k in kernels:
            wanted = native.get(k.name, (0, None))[1] or first.get(k.name)
            have = got.get(k.name, (0, None))[1]
            if have and not wanted:
                first[k.name] = have
            elif wanted and not have and not k.guest_only or have and wanted and have != wanted:
                print(f"{place}: {k.name}: {have}, not {wanted}")
                failures += 1
        print(f"{place}: {len(got)} kernels")
    return failures


def cell(value, spread=None, digits=2):
    if value is None:
        return f"{'-':>8}       "
    return f"{value:8.{digits}f}" + (f" ({spread * 100:3.0f}%)" if spread is not None else "       ")


def print_tables(kernels, where, seconds, csv):
    """seconds[place][name]: seconds of an iteration, one for each run."""
    def median(place, k):
        v = seconds[place].get(k.name)
        return statistics.median(v) if v else None

    def spread(place, k):
        v = seconds[place].get(k.name)
        return (max(v) - min(v)) / statistics.median(v) if v else None

    guests = [p for p in where if p != "native"]
    rows = []
    user = [k for k in kernels if not k.guest_only and "native" in where]
    if user:
        print("user kernels: time of an iteration, and times native (spread)\n")
        print(f"{'kernel':12}{'native ns':>11}        " + "".join(f"{p:>8}       " for p in guests))
    for k in user:
        n = median("native", k)
        if not n:
            continue
        print(f"{k.name:12}{n * 1e9:11.1f} ({spread('native', k) * 100:3.0f}%) " +
              "".join(cell(median(p, k) / n if median(p, k) else None, spread(p, k)) for p in guests) +
              slower(median, k))
        rows.append(k)
    groups = list(dict.fromkeys(k.group for k in rows))
    for group in groups + [None] if rows else []:
        members = [k for k in rows if group in (None, k.group)]
        print(f"{'mean of ' + (group or 'all'):30}" + "".join(
            cell(geometric([median(p, k) / median("native", k) for k in members if median(p, k)])) for p in guests))
    system = [k for k in kernels if k.guest_only]
    if system:
        print("\nsystem kernels: nanoseconds of an iteration (spread)\n")
        print(f"{'kernel':12}" + "".join(f"{p:>8}       " for p in guests))
    for k in system:
        print(f"{k.name:12}" + "".join(cell(median(p, k) * 1e9 if median(p, k) else None, spread(p, k), 0)
                                       for p in guests) + slower(median, k))
    if csv:
        with open(csv, "w") as f:
            for place in where:
                for name, values in seconds[place].items():
                    f.write(f"{place},{name}," + ",".join(f"{v * 1e9:.3f}" for v in values) + "\n")


def slower(median, k):
    """A mark where the JIT needs more than a tenth more than QEMU."""
    try:
        jit, qemu = median("jit", k), median("qemu", k)
    except KeyError:
        return ""
    return f"  slower than QEMU: {jit / qemu:.2f}" if jit and qemu and jit > 1.1 * qemu else ""


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("build", type=pathlib.Path)
    a.add_argument("--runs", type=int, default=3)
    a.add_argument("--time", type=float, default=300)
    a.add_argument("--kernels")
    a.add_argument("--places", default=",".join(PLACES))
    a.add_argument("--kiln", default="", help="more options for Kiln's JIT")
    a.add_argument("--csv", help="where the times of all runs go, in nanoseconds")
    a.add_argument("--check", action="store_true")
    a = a.parse_args()
    image, kernels = read_image(a.build / "bench.img")
    if a.kernels:
        wanted = a.kernels.split(",")
        kernels = [k for k in kernels if k.name in wanted or k.group in wanted]
    with tempfile.TemporaryDirectory(prefix="kiln-bench-") as work:
        places = Places(a.build.absolute(), pathlib.Path(work), a.kiln.split())
        where = []
        for p in a.places.split(","):
            if p not in PLACES:
                sys.exit(f"no place {p}; there are {', '.join(PLACES)}")
            if places.missing(p):
                print(f"{places.missing(p)} is not there: without it", file=sys.stderr)
            else:
                where.append(p)
        if a.check:
            sys.exit(1 if check(places, where, image, kernels) else 0)
        counts, seconds = {}, {p: {} for p in where}
        for p in where:
            print(f"how fast is {p}?", file=sys.stderr)
            counts[p] = places.fitting_counts(p, image, kernels, a.time / 1000)
        start = time.time()
        for run in range(a.runs):
            for p in where:
                print(f"run {run + 1} of {a.runs}: {p}, {time.time() - start:.0f} s", file=sys.stderr)
                for name, (s, _) in places.run(p, image, kernels, counts[p]).items():
                    seconds[p].setdefault(name, []).append(s / counts[p][name])
        print_tables(kernels, where, seconds, a.csv)


main()
