#!/usr/bin/env python3
"""A page of kiln bench beside the text that the same run printed: html_check.py PAGE.html TEXT"""
import re
import sys
import xml.etree.ElementTree as xml

SVG = "{http://www.w3.org/2000/svg}"
wrong = []


def check(good, what):
    if not good:
        wrong.append(what)


def local(tag):
    return tag.split("}")[-1]


def text_of(e):
    return "".join(e.itertext())


def table(root, name):
    for t in root.iter("table"):
        if t.get("id") == name:
            return [[text_of(c) for c in row if local(c.tag) == "td"] for row in t.iter("tr")][1:]
    return None


source = open(sys.argv[1], encoding="utf-8").read()
text = open(sys.argv[2], encoding="utf-8").read()
root = xml.fromstring(source.replace("<!DOCTYPE html>", "", 1))

# Nothing from elsewhere, nothing that runs.
for e in root.iter():
    check(local(e.tag) not in ("script", "link", "img", "iframe", "object", "image"), f"there is a <{local(e.tag)}>")
    check(not any(a in ("src", "href", "onload", "onclick") for a in e.keys()), f"<{local(e.tag)}> refers to something")
check("url(" not in source and "@import" not in source, "the style refers to something")

# Charts: there are some, each with a title, text, and numbers that are numbers.
charts = list(root.iter(SVG + "svg"))
check(charts, "no charts")
for c in charts:
    check(c.find(SVG + "title") is not None and len(list(c.iter(SVG + "text"))) > 3, "a chart without title or text")
    for e in c.iter():
        for k, v in e.items():
            check(not re.search(r"\b(nan|inf)\b", v), f"{k}={v}")
    width, height = map(float, c.get("viewBox").split()[2:])
    for t in c.iter(SVG + "text"):
        check(0 <= float(t.get("x")) <= width and 0 <= float(t.get("y")) <= height, f"'{text_of(t)}' is outside of its chart")

# The tables' cells are the text's words, in this order.
nr = 0
for name in ("kernels", "means", "engines", "functions"):
    for row in table(root, name) or []:
        nr += 1
        if name == "engines":  # who interpreted how much has a line of its own
            check(f"{row[0]}: {row[5]} of the instructions interpreted" in text, f"{row[0]}: {row[5]} interpreted")
            row = row[:5] + row[6:]
        if name == "means":
            row[1] += " kernel" + "s" * (row[1] != "1")
        words = " ".join(row).split()
        check(any(line.split() == words for line in text.splitlines()), f"{name}: no line says {' '.join(words)}")
check(nr, "no tables")
for w in wrong:
    print(w)
sys.exit(bool(wrong))
