#!/usr/bin/env python3
"""run.py FEX_CASE CHECKOUT WORK FOLDER ...: the tests of FEX's unittests/ASM/FOLDER.

CHECKOUT is one of FEX-Emu/FEX. Each test is assembled (nasm) into WORK, run in the interpreter and
on the host's processor, and its registers are compared with what it expects. Prints a line for each
that does not pass, and the sums. Status: 0 all pass, or fail on this processor in the same way; 1
otherwise; 77 nothing to run.
"""
import json
import os
import subprocess
import sys

# What a test may ask for and Kiln does not have (docs/STATUS.md).
LACKS = {"3DNOW", "SSE4A", "AVX", "CLZERO", "AES256", "AFP", "EMMI", "LINUX"}

# Tests whose expectations are not a processor's.
EXCEPTIONS = {
    "TwoByte/0F_02.asm": "calls Linux",
    "Primary/Primary_E8.asm": "wants 66 E8 to shorten the offset and not RIP; AMD shortens both (APM 3 CALL), Intel none",
    "Primary/Primary_E9.asm": "wants 66 E9 to shorten the offset and not RIP; AMD shortens both (APM 3 JMP), Intel none",
}


def config_of(text):
    if "%ifdef CONFIG" not in text:
        return {}
    body = text.split("%ifdef CONFIG", 1)[1].split("%endif", 1)[0]
    return {k.upper(): v for k, v in json.loads(body).items()}


def assemble(source, text, includes, binary):
    """FEX's build: BITS 64 before the text, a RET behind it."""
    with open(binary + ".asm", "w") as f:
        f.write("BITS 64\n" + text + "\nret\n")
    done = subprocess.run(["nasm", "-w-all", "-i", includes, "-i", os.path.dirname(source) + "/", binary + ".asm", "-o", binary],
                          capture_output=True, text=True)
    return done.stderr if done.returncode else None


def execute(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode not in (0, 1):
        return None
    lines = (line.split() for line in done.stdout.splitlines())
    return {words[0]: words[1:] for words in lines}


def wrong(config, state):
    """The expectations that the state does not meet, as a list of texts."""
    if state is None:
        return ["could not be run"]
    if state["END"] != ["hlt"]:
        return ["ended by " + " ".join(state["END"])]
    bad = []
    for register, values in config.get("REGDATA", {}).items():
        values = values if isinstance(values, list) else [values]
        for i, value in enumerate(values):
            has = state.get(register.upper(), [])
            if i >= len(has) or int(has[i], 16) != int(value, 0):
                bad.append("%s[%d] %s, expected %x" % (register, i, has[i] if i < len(has) else "-", int(value, 0)))
    return bad


def main():
    case, checkout, work, folders = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    root = os.path.join(checkout, "unittests", "ASM")
    if not os.path.isdir(root):
        print("run.py: there is no %s; skipped" % root)
        return 77
    os.makedirs(work, exist_ok=True)
    count = {"pass": 0, "skipped": 0, "excepted": 0, "as on this processor": 0, "failed": 0,
             "this processor fails": 0}
    for folder in folders:
        for name in sorted(os.listdir(os.path.join(root, folder))):
            if not name.endswith(".asm"):
                continue
            source, test = os.path.join(root, folder, name), folder + "/" + name
            binary = os.path.join(work, folder + "_" + name[:-4])
            with open(source) as f:
                text = f.read()
            config = config_of(text)
            lacking = LACKS & {feature.upper() for feature in config.get("HOSTFEATURES", [])}
            if lacking:
                print("%s: skipped: needs %s" % (test, ", ".join(sorted(lacking))))
                count["skipped"] += 1
                continue
            errors = assemble(source, text, os.path.join(root, "Includes") + "/", binary)
            if errors:
                print("%s: FAILED: nasm: %s" % (test, errors.strip().splitlines()[0]))
                count["failed"] += 1
                continue
            maps = ["%s:%s" % item for item in config.get("MEMORYREGIONS", {}).items()]
            here = execute([case, binary] + maps)
            there = execute([case, "--native", binary] + maps)
            bad, bad_there = wrong(config, here), wrong(config, there)
            if not bad:
                count["pass"] += 1
                if bad_there:
                    print("%s: passes, but not on this processor: %s" % (test, "; ".join(bad_there)))
                    count["this processor fails"] += 1
            elif test in EXCEPTIONS:
                print("%s: excepted: %s" % (test, EXCEPTIONS[test]))
                count["excepted"] += 1
            elif here == there:
                print("%s: as on this processor: %s" % (test, "; ".join(bad)))
                count["as on this processor"] += 1
            else:
                print("%s: FAILED: %s (this processor: %s)" % (test, "; ".join(bad), "; ".join(bad_there) or "passes"))
                count["failed"] += 1
    print(", ".join("%s: %d" % item for item in count.items()))
    if not count["pass"]:
        print("run.py: no test was run; skipped")
        return 77
    return 1 if count["failed"] else 0


sys.exit(main())
