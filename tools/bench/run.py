#!/usr/bin/env python3
"""Interpreter speed, side by side: the loops of loops.S in Kiln and in Bochs, by host processor time.

usage: run.py KILN [WORKDIR] [--runs N] [--no-bochs]

A letter on COM1 ends each loop; the processor time that the emulator's threads have used by then is
read from /proc. The best of N runs counts: the host's load makes runs longer, never shorter.
"""
import argparse, glob, os, pathlib, pty, select, subprocess, sys, threading, time, tty

LOOPS = {"i": "integer", "m": "memory", "c": "call", "s": "string", "f": "sse2", "x": "x87"}
SHARE = "/usr/share/bochs"
SECTORS = 17 * 16 * 63


def assemble(work):
    source = pathlib.Path(__file__).with_name("loops.S")
    subprocess.check_call(["gcc", "-c", source, "-o", work / "loops.o"])
    subprocess.check_call(["ld", "-Ttext", "0x7c00", "--oformat", "binary", "-e", "_start",
                           work / "loops.o", "-o", work / "disk.img"])
    os.truncate(work / "disk.img", SECTORS * 512)


def cpu_seconds(pid):
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        try:
            total += int(open(path).read().split()[0])
        except (OSError, IndexError):
            pass
    return total / 1e9


def drain(fd):
    try:
        while os.read(fd, 65536):
            pass
    except OSError:
        pass


def measure(argv_for):
    """Seconds of processor time of each loop; None where the guest left it out. argv_for makes the
    command line, given the terminal that shall be COM1."""
    com1, com1_far = pty.openpty()
    tty.setraw(com1_far)
    ours, theirs = pty.openpty()  # Bochs' debugger and its display want a terminal
    argv = argv_for(os.ttyname(com1_far))
    p = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL,
                         env=dict(os.environ, TERM="xterm"))
    os.close(theirs)
    threading.Thread(target=drain, args=(ours,), daemon=True).start()
    last, result, skipped = None, {}, False
    give_up = time.time() + 300
    try:
        while "Z" not in result and p.poll() is None and time.time() < give_up:
            if not select.select([com1], [], [], 1)[0]:
                continue
            now = cpu_seconds(p.pid)
            for letter in os.read(com1, 64).decode("latin-1"):
                if letter == "-":
                    skipped = True
                    continue
                result[letter] = None if skipped or last is None else now - last
                last, skipped = now, False
    finally:
        p.kill()
        p.wait()
        os.close(com1)
        os.close(com1_far)
    if "Z" not in result:
        sys.exit(f"{argv[0]} did not come to the end; COM1 said {''.join(result)!r}")
    return result


def bochs_line(work, com1):
    (work / "rc").write_text(f"""megs: 64
romimage: file={SHARE}/BIOS-bochs-latest
vgaromimage: file={SHARE}/VGABIOS-lgpl-latest
ata0-master: type=disk, path={work}/disk.img, mode=flat, cylinders=17, heads=16, spt=63
com1: enabled=1, mode=term, dev={com1}
boot: disk
display_library: term
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
log: {work}/bochs.log
panic: action=fatal
cpu: ips=10000000
""")
    (work / "commands").write_text("c\n")
    lock = work / "disk.img.lock"
    if lock.exists():
        lock.unlink()
    return ["bochs", "-q", "-f", str(work / "rc"), "-rc", str(work / "commands")]


def best(runs, once):
    result = {}
    for _ in range(runs):
        for k, v in once().items():
            if v is not None:
                result[k] = min(v, result.get(k, v))
    return result


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("kiln")
    a.add_argument("work", nargs="?", default="/tmp/kiln-bench")
    a.add_argument("--runs", type=int, default=3)
    a.add_argument("--no-bochs", action="store_true")
    a = a.parse_args()
    work = pathlib.Path(a.work).absolute()
    work.mkdir(parents=True, exist_ok=True)
    assemble(work)
    kiln = best(a.runs, lambda: measure(lambda com1: [
        a.kiln, "-hda", str(work / "disk.img"), "-snapshot", "-display", "none", "-cpu", "max",
        "-rt", "off", "-serial", f"file:{com1}"]))
    bochs = {}
    if not a.no_bochs:
        bochs = best(a.runs, lambda: measure(lambda com1: bochs_line(work, com1)))
    print(f"{'loop':10}{'Kiln':>9}{'Bochs':>9}{'ratio':>8}")
    product, n = 1.0, 0
    for letter, name in LOOPS.items():
        k, b = kiln.get(letter), bochs.get(letter)
        row = f"{name:10}" + (f"{k:8.3f}s" if k else "        -") + (f"{b:8.3f}s" if b else "        -")
        if k and b:
            row += f"{b / k:8.2f}"
            product *= b / k
            n += 1
        print(row)
    if n:
        print(f"geometric mean of {n}: Kiln is {product ** (1 / n):.2f} times as fast")


main()
