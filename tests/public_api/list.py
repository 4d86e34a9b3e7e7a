#!/usr/bin/env python3
"""Prints the public API, a line an item, from rustdoc's JSON (first argument).

A change that breaks a user changes or removes a line, and so is seen where the
output is compared with api.txt. Names that arguments have do not count. Nearly all
types are Send, Sync and Unpin exactly if all their type parameters are; an `auto`
line says where that is not so.
"""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    DOC = json.load(file)
INDEX, LINES = DOC["index"], set()
# The traits of a type, by the type and what they ask of its parameters: one line.
IMPLS = {}
AUTO = ["core::marker::Send", "core::marker::Sync", "core::marker::Unpin"]


def args(of):
    if not of:
        return ""
    if "parenthesized" in of:
        of = of["parenthesized"]
        return "(" + ", ".join(map(ty, of["inputs"])) + ")" + returns(of["output"])
    of = of.get("angle_bracketed") or {"args": [], "constraints": []}
    shown = [arg(a) for a in of["args"]]
    for constraint in of["constraints"]:
        (kind, value), = constraint["binding"].items()
        name = constraint["name"] + args(constraint["args"])
        shown.append(f"{name} = {term(value)}" if kind == "equality" else f"{name}: {bounds(value)}")
    return "<" + ", ".join(shown) + ">" if shown else ""


def arg(of):
    if of == "infer":
        return "_"
    (kind, value), = of.items()
    return ty(value) if kind == "type" else value if kind == "lifetime" else value["expr"]


def term(of):
    (kind, value), = of.items()
    return ty(value) if kind == "type" else value["expr"]


def path(of):
    known = DOC["paths"].get(str(of["id"]))
    name = "::".join(known["path"]) if known and known["crate_id"] else of["path"].split("::")[-1]
    return name + args(of["args"])


def bound(of):
    (kind, value), = of.items()
    if kind != "trait_bound":
        return str(value)
    mark = {"maybe": "?", "maybe_const": "~const "}.get(value["modifier"], "")
    return mark + binder(value["generic_params"]) + path(value["trait"])


def bounds(of):
    return " + ".join(sorted(map(bound, of)))


def binder(params):
    return "for<" + ", ".join(p["name"] for p in params) + "> " if params else ""


def ty(of):
    if not isinstance(of, dict):
        return str(of)
    (kind, v), = of.items()
    if kind == "resolved_path":
        return path(v)
    if kind in ("generic", "primitive"):
        return v
    if kind == "tuple":
        return "(" + ", ".join(map(ty, v)) + ")"
    if kind == "slice":
        return f"[{ty(v)}]"
    if kind == "array":
        return f"[{ty(v['type'])}; {v['len']}]"
    if kind == "impl_trait":
        return "impl " + bounds(v)
    if kind == "borrowed_ref":
        lifetime = v["lifetime"] + " " if v["lifetime"] else ""
        return "&" + lifetime + ("mut " if v["is_mutable"] else "") + ty(v["type"])
    if kind == "qualified_path":
        trait = f" as {path(v['trait'])}" if v["trait"] else ""
        return f"<{ty(v['self_type'])}{trait}>::{v['name']}{args(v['args'])}"
    if kind == "dyn_trait":
        traits = [binder(t["generic_params"]) + path(t["trait"]) for t in v["traits"]]
        return "dyn " + " + ".join(traits + ([v["lifetime"]] if v["lifetime"] else []))
    if kind == "function_pointer":
        return "fn" + signature(v["sig"])
    raise SystemExit(f"no such type is known: {kind}")


def generics(of):
    shown = []
    for param in of["params"]:
        (kind, v), = param["kind"].items()
        if kind == "type" and not v["is_synthetic"]:
            default = f" = {ty(v['default'])}" if v["default"] else ""
            shown.append(param["name"] + (": " + bounds(v["bounds"]) if v["bounds"] else "") + default)
        elif kind == "const":
            shown.append(f"const {param['name']}: {ty(v['type'])}")
        elif kind == "lifetime" and not param["name"].startswith("'life"):
            shown.append(param["name"])
    return "<" + ", ".join(shown) + ">" if shown else ""


def where(of):
    shown = []
    for predicate in of["where_predicates"]:
        (kind, v), = predicate.items()
        if kind == "bound_predicate":
            shown.append(f"{ty(v['type'])}: {bounds(v['bounds'])}")
        elif kind == "lifetime_predicate":
            shown.append(f"{v['lifetime']}: {' + '.join(v['outlives'])}")
        else:
            shown.append(f"{ty(v['lhs'])} = {term(v['rhs'])}")
    return " where " + ", ".join(sorted(shown)) if shown else ""


def returns(output):
    return f" -> {ty(output)}" if output else ""


def signature(sig):
    inputs = [("self: " if name == "self" else "") + ty(t) for name, t in sig["inputs"]]
    return "(" + ", ".join(inputs) + ")" + returns(sig["output"])


def marks(item):
    shown = [str(a) for a in item["attrs"] if "non_exhaustive" in str(a) or "must_use" in str(a)]
    shown = ["non_exhaustive" if "non_exhaustive" in a else "must_use" for a in shown]
    return "".join(f"#[{mark}] " for mark in sorted(shown))


def function(item, name):
    v = item["inner"]["function"]
    header = "".join(word + " " for word in ("const", "async", "unsafe") if v["header"]["is_" + word])
    return f"{header}fn {name}{generics(v['generics'])}{signature(v['sig'])}{where(v['generics'])}"


def emit(item, line):
    LINES.add(marks(item) + line)


def members(ids, parent, public=False):
    for child in ids:
        item = INDEX[str(child)]
        if not public and item["visibility"] != "public":
            continue
        name, ((kind, v),) = f"{parent}::{item['name']}", item["inner"].items()
        if kind == "function":
            provided = " (provided)" if public and v["has_body"] and public == "trait" else ""
            emit(item, function(item, name) + provided)
        elif kind == "assoc_const":
            emit(item, f"const {name}: {ty(v['type'])}")
        elif kind == "assoc_type":
            emit(item, f"type {name}: {bounds(v['bounds'])}" + (f" = {ty(v['type'])}" if v["type"] else ""))
        elif kind == "struct_field":
            emit(item, f"field {name}: {ty(v)}")


def autos(ids, name, of):
    """A line where being Send, Sync or Unpin is not just up to all the type's parameters."""
    found = [INDEX[str(child)]["inner"]["impl"] for child in ids]
    found = {path(v["trait"]): v for v in found if v["trait"] and not v["blanket_impl"]}
    params = sorted(param["name"] for param in of["params"] if "type" in param["kind"])
    for trait in AUTO:
        # An impl that somebody wrote has a line of its own.
        v = found.get(trait, {"is_synthetic": True, "is_negative": True, "generics": {"where_predicates": []}})
        usual = " where " + ", ".join(f"{param}: {trait}" for param in params) if params else ""
        mark = "!" if v["is_negative"] else ""
        if v["is_synthetic"] and (mark or where(v["generics"]) != usual):
            LINES.add(f"auto {mark}{trait} for {name}{where(v['generics'])}")


def impls(ids):
    for child in ids:
        item = INDEX[str(child)]
        v = item["inner"]["impl"]
        if v["is_synthetic"] or v["blanket_impl"] or v["trait"] and "Structural" in v["trait"]["path"]:
            continue
        elif v["trait"]:
            mark = "!" if v["is_negative"] else ""
            key = generics(v["generics"]), ty(v["for"]), where(v["generics"])
            IMPLS.setdefault(key, set()).add(mark + path(v["trait"]))
        else:
            members(v["items"], ty(v["for"]))


def walk(item, parent, name=None):
    name = f"{parent}::{name or item['name']}"
    (kind, v), = item["inner"].items()
    if kind == "module":
        emit(item, f"mod {name}")
        for child in v["items"]:
            child = INDEX[str(child)]
            if child["visibility"] == "public":
                walk(child, name)
    elif kind == "use":
        target = INDEX.get(str(v["id"]))
        if target is None:
            emit(item, f"use {parent}::{v['name']} = {v['source']}")
        else:
            walk(target, parent, v["name"])
    elif kind == "struct":
        (shape, fields), = v["kind"].items() if isinstance(v["kind"], dict) else ((v["kind"], []),)
        hidden = " (private fields)" if shape != "plain" or fields["has_stripped_fields"] else ""
        emit(item, f"struct {name}{generics(v['generics'])}{hidden}{where(v['generics'])}")
        if shape == "plain":
            members(fields["fields"], name)
        autos(v["impls"], name, v["generics"])
        impls(v["impls"])
    elif kind == "enum":
        emit(item, f"enum {name}{generics(v['generics'])}{where(v['generics'])}")
        for child in v["variants"]:
            variant(INDEX[str(child)], name)
        autos(v["impls"], name, v["generics"])
        impls(v["impls"])
    elif kind == "trait":
        emit(item, f"trait {name}{generics(v['generics'])}: {bounds(v['bounds'])}{where(v['generics'])}")
        members(v["items"], name, "trait")
        impls(v["implementations"])
    elif kind == "function":
        emit(item, function(item, name))
    elif kind in ("constant", "static", "type_alias"):
        emit(item, f"{kind} {name}: {ty(v['type'])}")
    else:
        emit(item, f"{kind} {name}")


def variant(item, parent):
    name, shape = f"{parent}::{item['name']}", item["inner"]["variant"]["kind"]
    if shape == "plain":
        emit(item, f"variant {name}")
    elif "tuple" in shape:
        fields = ["_" if f is None else ty(INDEX[str(f)]["inner"]["struct_field"]) for f in shape["tuple"]]
        emit(item, f"variant {name}({', '.join(fields)})")
    else:
        emit(item, f"variant {name}")
        members(shape["struct"]["fields"], name, "variant")


root = INDEX[str(DOC["root"])]
for top in root["inner"]["module"]["items"]:
    top = INDEX[str(top)]
    if top["visibility"] == "public":
        walk(top, root["name"])
for (binders, target, bound), traits in IMPLS.items():
    LINES.add(f"impl{binders} {' + '.join(sorted(traits))} for {target}{bound}")
print("\n".join(sorted(LINES)))
