#!/usr/bin/env python3
"""Writes down what the proven arithmetic answers, for the compiled crate to be held to.

    python3 tests/proof/vectors.py            # writes tests/proof/vectors
    python3 tests/proof/vectors.py --check    # ends with 1 if they are not what it writes

The cases lie at and within 2 s of every bound of the range, of the settings and of every
deadline; the same ones each time, from a generator of its own.
"""

import sys
from pathlib import Path

from arithmetic import (
    CENTURY,
    DAY,
    MAX,
    MIN,
    RENEW,
    Lifetime,
    Policy,
    Rule,
    clamp,
    is_lifetime,
    is_policy,
)

COUNT = 2_000
FILE = Path(__file__).with_name("vectors")
NAMES = (
    "max_age update_age absolute_cap clock_skew other_max_age other_update_age other_absolute_cap "
    "other_clock_skew created renewed expires absolute now ceiling onto_renewed onto_expires "
    "interval later "
    "kind at renewed_then expires_then absolute_then peek_kind peek_at idle_expires_at "
    "absolute_expires_at extendable cookie started_renewed started_expires started_absolute "
    "adopted_renewed adopted_expires adopted_absolute met_max_age met_update_age met_absolute_cap "
    "met_clock_skew scheduled applies applied_renewed applied_expires applied_absolute "
    "look_ends look_at"
).split()


class Draw:
    """SplitMix64, so that the file does not depend on a library's generator."""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        mask = 2**64 - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return (z ^ (z >> 31)) % bound

    def one_of(self, choices):
        return choices[self.below(len(choices))]

    def between(self, low, high):
        """Mostly within a few seconds of either bound."""
        span = high - low
        kind = self.below(9)
        if kind < 4:
            return low + self.below(min(span, 9) + 1)
        if kind < 6:
            return high - self.below(min(span, 2) + 1)
        if kind < 8:
            return low + self.below(min(span, 90_000) + 1)
        return low + self.below(span + 1)

    def policy(self):
        cap = self.between(1, CENTURY)
        max_age = self.between(1, cap)
        skew = self.one_of([0, 60, self.between(0, DAY)])
        return Policy(max_age, self.between(0, max_age - 1), cap, skew)

    def instant(self):
        kind = self.below(8)
        if kind < 4:
            return 1_800_000_000 + self.below(10)
        if kind == 4:
            return self.below(7) - 3
        if kind == 5:
            return MIN + self.below(200)
        if kind == 6:
            return MAX - self.below(200)
        return MIN + self.below(MAX - MIN + 1)

    def gap(self, p):
        setting = self.one_of([0, 1, 60, p.update_age, p.max_age, p.absolute_cap])
        return max(0, setting + self.near())

    def near(self):
        return self.below(5) - 2

    def lifetime(self, p):
        kind = self.below(6)
        at = self.instant()
        if kind < 2:
            return Rule().start(p, at)
        if kind == 2:
            return Rule().start_until(p, at, clamp(at + self.gap(p), MIN, MAX))
        if kind == 3:
            return Rule().adopt(p, at, clamp(at + self.gap(p) + self.gap(p), MIN, MAX))
        instants = [at]
        for _ in range(3):
            instants.append(clamp(instants[-1] + self.gap(p), MIN, MAX))
        return Lifetime(*instants)

    def by_a_limit(self, p, l):
        """An instant within 2 s of what the rule compares with."""
        limit = self.one_of(
            [
                MIN,
                MAX,
                l.created - p.clock_skew,
                l.created,
                l.renewed,
                l.renewed + p.update_age,
                l.renewed + p.max_age,
                l.expires,
                l.created + p.absolute_cap,
                l.absolute,
            ]
        )
        return clamp(limit + self.near(), MIN, MAX)


def row(draw):
    today, other = draw.policy(), draw.policy()
    record = draw.lifetime(draw.one_of([today, other]))
    now = draw.by_a_limit(today, record)
    ceiling = draw.one_of([draw.by_a_limit(today, record), clamp(now + draw.gap(today), MIN, MAX)])
    # What another write has made of the record by the time of this one's.
    onto_renewed = clamp(draw.by_a_limit(today, record), record.created, record.absolute)
    onto_expires = clamp(draw.by_a_limit(today, record), onto_renewed, record.absolute)
    onto = draw.one_of([record, Lifetime(record.created, onto_renewed, onto_expires, record.absolute)])
    interval = 2 + draw.between(0, CENTURY)
    later = draw.one_of([draw.by_a_limit(today, record), clamp(now + interval + draw.near(), MIN, MAX)])
    assert is_policy(today) and is_policy(other) and is_lifetime(record) and is_lifetime(onto)
    inputs = [*today, *other, *record, now, ceiling, onto.renewed, onto.expires, interval, later]
    return inputs + answers(today, other, record, now, ceiling, onto, interval, later)


def answers(today, other, record, now, ceiling, onto, interval, later):
    rule = Rule()
    decided, peeked = rule.evaluate(today, record, now), rule.peek(today, record, now)
    status = rule.status(today, record, now)
    started = rule.start_until(today, now, ceiling)
    adopted = rule.adopt(today, now, ceiling)
    asked = rule.next_scheduled(today, record)
    scheduled = asked if rule.evaluate(today, record, asked).kind == RENEW else "-"
    # Of what is refused, nothing is written by the crate's verbs; here it may be tried.
    applies, written = rule.write(record, now, decided.lifetime, onto)
    look = rule.watch(now, status.idle, interval, later)
    return [
        decided.kind,
        decided.at,
        *decided.lifetime[1:],
        peeked.kind,
        peeked.at,
        status.idle,
        status.absolute,
        int(status.extendable),
        status.cookie,
        *started[1:],
        *adopted[1:],
        *rule.meet(today, other),
        scheduled,
        int(applies),
        *(written[1:] if applies else onto[1:]),
        int(look.ends),
        look.at,
    ]


def text():
    draw = Draw(17)
    lines = [
        "# Written by tests/proof/vectors.py: cases, and what the proven arithmetic answers.",
        f"# MIN {MIN} MAX {MAX} CENTURY {CENTURY}",
        " ".join(NAMES),
    ]
    for _ in range(COUNT):
        values = row(draw)
        assert len(values) == len(NAMES)
        lines.append(" ".join(map(str, values)))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        if FILE.read_text() != text():
            sys.exit("tests/proof/vectors is not what vectors.py writes")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        FILE.write_text(text())
