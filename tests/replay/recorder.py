#!/usr/bin/env python3
"""Stands where tests expect kiln, and records each of their runs: the half of other_engine.sh that is in a test.

Tests throw their images away, so a run gets a copy of each of its images, kept by its digest in
KILN_RECORD_DIR/images; a recorded run does not write to it. (What is loaded by -kernel sees its path.) Each
start of kiln has a folder in KILN_RECORD_DIR: its words (args), and log, or why there is none. KILN_RECORDED
is the real kiln, which this process becomes: signals, standard input and the status are the test's.
"""
import hashlib
import os
import shutil
import sys
import tempfile

KILN = os.environ["KILN_RECORDED"]
ROOT = os.environ["KILN_RECORD_DIR"]

NO_IMAGES = {"nvram", "screenshot", "D", "o", "sym", "append"}  # what may name a file that is there
IN_WORDS = {"drive", "device"}  # file=FILE, romfile=FILE among others
NO_RUN = {"help", "h", "version", "writeconfig"}
# What cannot be recorded, or is no run of one machine by one engine from power-on.
REFUSED = {"loadvm": "it begins with a saved machine", "record": "it is recorded already"}
VERBS = {"replay", "lockstep", "trace", "bench"}


def name_of(arg):
    return arg.lstrip("-") if arg.startswith("-") and len(arg) > 1 else None


def reason(args):
    """Why kiln with these words is left alone; None: it is recorded."""
    if not args or args[0] in VERBS:
        return "kiln " + (args[0] if args else "without arguments")
    for i, arg in enumerate(args):
        name = name_of(arg)
        if name in NO_RUN:
            return arg
        if name in REFUSED:
            return f"{arg}: {REFUSED[name]}"
        if name == "accel" and args[i + 1:i + 2] and args[i + 1].startswith("lockstep"):
            return "-accel lockstep"
    return None


def kept(path):
    """A copy of the file that nobody else writes to."""
    with open(path, "rb") as f:
        digest = hash_in_pieces(f)
    copy = os.path.join(ROOT, "images", digest)
    if not os.path.exists(copy):
        new = f"{copy}.{os.getpid()}"
        shutil.copyfile(path, new)
        os.rename(new, copy)
    return copy


def hash_in_pieces(f):
    digest = hashlib.sha256()
    while piece := f.read(1 << 20):
        digest.update(piece)
    return digest.hexdigest()


def with_copies(args):
    result, before = [], None
    for arg in args:
        name = name_of(arg)
        if before in IN_WORDS:
            words = arg.split(",")
            for i, word in enumerate(words):
                key, equals, value = word.partition("=")
                if equals and key in ("file", "romfile") and os.path.isfile(value):
                    words[i] = f"{key}={kept(value)}"
            arg = ",".join(words)
        elif before == "initrd":  # FILE words,FILE words
            modules = [module.partition(" ") for module in arg.split(",")]
            if all(os.path.isfile(path) for path, _, _ in modules):
                arg = ",".join(kept(path) + space + words for path, space, words in modules)
        elif name is None and before not in NO_IMAGES and os.path.isfile(arg):
            arg = kept(arg)
        result.append(arg)
        before = name
    return result


def main():
    args = sys.argv[1:]
    os.makedirs(os.path.join(ROOT, "images"), exist_ok=True)
    run = tempfile.mkdtemp(prefix="run-", dir=ROOT)
    with open(os.path.join(run, "args"), "w", encoding="utf-8") as f:
        f.write(" ".join(args) + "\n")
    why = reason(args)
    if why:
        with open(os.path.join(run, "why"), "w", encoding="utf-8") as f:
            f.write(why + "\n")
    else:
        args = with_copies(args) + ["--record", os.path.join(run, "log")]
    os.execv(KILN, [KILN] + args)


main()
