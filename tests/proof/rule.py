#!/usr/bin/env python3
"""Proves the laws of the rule for every policy, record and instant, by z3.

    python3 -m venv venv && venv/bin/pip install z3-solver
    venv/bin/python tests/proof/rule.py                  # proves, then plants every fault
    venv/bin/python tests/proof/rule.py --plant NAME     # the laws of a rule with one fault

Ends with 1 if a law is not proven or, with faults of its own, if a fault breaks no law or
no fault breaks a law.
"""

import sys
import time

import z3

import laws
import plants
from arithmetic import Rule

# Of a query; each takes a tenth of a second.
PATIENCE_MS = 300_000


def check(formula):
    """`proven`, or what breaks it."""
    solver = z3.SolverFor("QF_LIA")
    solver.set("timeout", PATIENCE_MS)
    solver.add(laws.GIVEN, z3.Not(formula))
    answer = solver.check()
    if answer == z3.unsat:
        return None
    if answer == z3.unknown:
        return f"unknown: {solver.reason_unknown()}"
    model = solver.model()
    named = sorted((str(name), model[name]) for name in model)
    return "counterexample: " + " ".join(f"{name}={value}" for name, value in named)


def prove(rule):
    """Prints a line for each law; how many are not proven."""
    open_laws = 0
    for name, formula in laws.laws(rule):
        broken = check(formula)
        print(f"{name}: {broken or 'proven'}", flush=True)
        open_laws += broken is not None
    return open_laws


def find_plants():
    """Whether each fault breaks a law, and each law is broken by a fault."""
    never_broken = {name for name, _ in laws.laws(Rule())}
    missed = []
    for plant in plants.PLANTS:
        broken = []
        for name, formula in laws.laws(plant()):
            found = check(formula)
            # Only values that break a law find a fault.
            if found is not None and found.startswith("counterexample"):
                broken.append(name)
        never_broken.difference_update(broken)
        numbers = sorted({name.split(" ")[0] or "others" for name in broken})
        found = f"{len(broken)} laws broken ({', '.join(numbers)})"
        print(f"planted {plant.__name__}: {found}", flush=True)
        if not broken:
            missed.append(plant.__name__)
    for name in sorted(never_broken):
        print(f"no fault breaks: {name}")
    for name in missed:
        print(f"not found: {name}")
    return not missed and not never_broken


def main(arguments):
    # Premises that nothing satisfies would prove anything.
    if check(z3.BoolVal(False)) is None:
        sys.exit("the premises contradict each other")
    if arguments[:1] == ["--plant"] and len(arguments) == 2:
        chosen = [plant for plant in plants.PLANTS if plant.__name__ == arguments[1]]
        if not chosen:
            names = ", ".join(plant.__name__ for plant in plants.PLANTS)
            sys.exit(f"no fault `{arguments[1]}`; there are: {names}")
        sys.exit(1 if prove(chosen[0]()) else 0)
    if arguments:
        sys.exit(__doc__)
    open_laws = prove(Rule())
    found = find_plants()
    print(
        f"z3 {z3.get_version_string()}: {open_laws} laws not proven, "
        f"{len(plants.PLANTS)} faults planted, {time.process_time():.0f} s of processor time"
    )
    sys.exit(0 if open_laws == 0 and found else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
