#!/usr/bin/env python3
"""Checks that each public function has an example, from rustdoc's JSON (first argument).

A function has one if its own documentation has a program, or if a program in the
documentation of its owner (the type or trait, or the module that it is in) calls it:
as `.name(` where it takes `self`, else as `Owner::name(`. A trait's example may also
implement it. Programs that do not run (`ignore`, `no_run`, `text`, `toml`) do not count.

Not counted, since they are documented where the trait is: impls of traits, of std's
and of our own, and what `derive` writes. There are no other exceptions.
"""
import json
import re
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    DOC = json.load(file)
INDEX = DOC["index"]
RUNS = {"", "rust", "should_panic", "compile_fail", "edition2024"}
MISSING, COUNT, SEEN = [], 0, set()


def programs(item):
    """The code of the programs in an item's documentation that run, hidden lines too."""
    found, block = [], None
    for line in (item["docs"] or "").splitlines():
        fence = re.match(r"\s*```+(.*)", line)
        if fence and block is None:
            runs = all(word.strip() in RUNS for word in fence[1].split(","))
            block = [] if runs else False
        elif fence:
            found += block or []
            block = None
        elif isinstance(block, list):
            block.append(line)
    return "\n".join(found)


def check(item, path, owner, docs):
    global COUNT
    if item["id"] in SEEN:
        return
    SEEN.add(item["id"])
    COUNT += 1
    name, inputs = item["name"], item["inner"]["function"]["sig"]["inputs"]
    takes_self = bool(inputs) and inputs[0][0] == "self"
    calls = [rf"\b{owner}(::<[^>]*>|<[^>]*>)?::{name}\b"] if owner else [rf"\b{name}\("]
    if takes_self:
        calls += [rf"\.{name}(::<[^(]*>)?\(", rf"\bfn {name}\b"]
    if not programs(item) and not any(re.search(call, docs) for call in calls):
        MISSING.append(path)


def methods(ids, path, owner, docs, is_trait=False):
    for child in ids:
        item = INDEX[str(child)]
        is_public = is_trait or item["visibility"] == "public"
        if "function" in item["inner"] and is_public:
            check(item, f"{path}::{item['name']}", owner, docs)


def walk(item, parent, around, name=None):
    path = f"{parent}::{name or item['name']}"
    (kind, v), = item["inner"].items()
    docs = programs(item)
    if kind == "module":
        for child in v["items"]:
            child = INDEX[str(child)]
            if child["visibility"] == "public":
                walk(child, path, docs)
    elif kind == "use":
        target = INDEX.get(str(v["id"]))
        if target is not None:
            walk(target, parent, around, v["name"])
    elif kind in ("struct", "enum"):
        for child in v["impls"]:
            found = INDEX[str(child)]["inner"]["impl"]
            if not found["trait"]:
                methods(found["items"], path, item["name"], docs + "\n" + around)
    elif kind == "trait":
        methods(v["items"], path, item["name"], docs + "\n" + around, is_trait=True)
    elif kind == "function":
        check(item, path, None, around)


root = INDEX[str(DOC["root"])]
for top in root["inner"]["module"]["items"]:
    top = INDEX[str(top)]
    if top["visibility"] == "public":
        walk(top, root["name"], programs(root))
for path in sorted(MISSING):
    print(f"no example calls {path}")
print(f"{COUNT - len(MISSING)} of {COUNT} public functions have an example")
sys.exit(1 if MISSING else 0)
