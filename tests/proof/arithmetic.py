"""The rule as arithmetic on whole seconds: for Python's integers, and for z3's.

What stands here is `src/rule`, `Update` of `src/store/update.rs` and `Watch` of
`src/sessions/watch.rs`, with the bounds that they accept, and nothing of how they are
written. `rule.py` proves the laws of it,
`vectors.py` writes down what it answers, and the Rust beside it holds the compiled
crate to the same formulas and to those answers.
"""

from collections import namedtuple

# `Timestamp::MIN` and `MAX`, and the bounds of `src/rule/policy.rs`.
MIN, MAX = -8_334_601_228_800, 8_210_266_876_799
DAY = 86_400
CENTURY = 36_525 * DAY
COOKIE = 400 * DAY
# Beyond these, `i64` overflows and `TimeDelta::seconds` panics.
I64 = 2**63 - 1
DELTA = I64 // 1_000

Policy = namedtuple("Policy", "max_age update_age absolute_cap clock_skew")
Lifetime = namedtuple("Lifetime", "created renewed expires absolute")
# `at` is the decision's instant: `since`, `until`, or the end that a renewal writes.
Decision = namedtuple("Decision", "kind at lifetime")
Status = namedtuple("Status", "idle absolute extendable cookie")
# Of `src/sessions/watch.rs`: whether the connection ends, and the instant of its end or
# of the next look.
Look = namedtuple("Look", "ends at")

NOT_YET_VALID, ABSOLUTE_CAP, IDLE, RENEW, KEEP = range(5)


def where(condition, one, other):
    """One if the condition holds, else the other."""
    if isinstance(condition, bool):
        return one if condition else other
    import z3

    if isinstance(one, tuple):
        return type(one)(*(where(condition, a, b) for a, b in zip(one, other)))
    return z3.If(condition, one, other)


def every(*conditions):
    if all(isinstance(condition, bool) for condition in conditions):
        return all(conditions)
    import z3

    return z3.And(*conditions)


def any_of(*conditions):
    if all(isinstance(condition, bool) for condition in conditions):
        return any(conditions)
    import z3

    return z3.Or(*conditions)


def least(first, *others):
    for other in others:
        first = where(other < first, other, first)
    return first


def greatest(first, *others):
    for other in others:
        first = where(other > first, other, first)
    return first


def clamp(value, low, high):
    return greatest(low, least(value, high))


def half(value):
    """Rounded down, of what is not negative."""
    return value // 2 if isinstance(value, int) else value / 2


def is_policy(policy):
    """What `SessionPolicy::new` and `with_clock_skew` accept."""
    return every(
        policy.max_age >= 1,
        policy.update_age >= 0,
        policy.update_age < policy.max_age,
        policy.max_age <= policy.absolute_cap,
        policy.absolute_cap <= CENTURY,
        policy.clock_skew >= 0,
        policy.clock_skew <= DAY,
    )


def is_instant(*instants):
    return every(*(every(at >= MIN, at <= MAX) for at in instants))


def is_lifetime(lifetime):
    """What `Lifetime::restore` accepts, of instants within the range."""
    created, renewed, expires, absolute = lifetime
    return every(
        is_instant(*lifetime), created <= renewed, renewed <= expires, expires <= absolute
    )


class Rule:
    """Each method is one of the crate's. Each sum is noted, so that none overflows."""

    def __init__(self):
        self.sums = []
        # Differences that the crate makes a `TimeDelta` of.
        self.deltas = []

    def sum(self, one, other):
        self.sums.append(one + other)
        return one + other

    # What today's policy makes of a record.

    def earliest(self, p, l):
        return self.sum(l.created, -p.clock_skew)

    def due(self, p, l):
        return self.sum(l.renewed, p.update_age)

    def cap(self, p, l):
        return least(l.absolute, self.sum(l.created, p.absolute_cap))

    def end(self, p, l):
        return least(l.expires, self.sum(l.renewed, p.max_age), self.cap(p, l))

    # The decision.

    def is_over(self, p, l, now):
        return now >= self.end(p, l)

    def is_due(self, p, l, now):
        return now >= self.due(p, l)

    def reason(self, p, l):
        return where(self.end(p, l) == self.cap(p, l), ABSOLUTE_CAP, IDLE)

    def renewal(self, p, l, now):
        return Lifetime(
            l.created,
            now,
            least(self.sum(now, p.max_age), self.cap(p, l)),
            l.absolute,
        )

    def evaluate(self, p, l, now):
        too_early = now < self.earliest(p, l)
        is_over, is_due = self.is_over(p, l, now), self.is_due(p, l, now)
        renewal = self.renewal(p, l, now)
        kind = where(
            too_early,
            NOT_YET_VALID,
            where(is_over, self.reason(p, l), where(is_due, RENEW, KEEP)),
        )
        end = self.end(p, l)
        at = where(
            too_early,
            self.earliest(p, l),
            where(is_over, end, where(is_due, renewal.expires, end)),
        )
        return Decision(kind, at, where(kind == RENEW, renewal, l))

    def peek(self, p, l, now):
        too_early = now < self.earliest(p, l)
        is_over = self.is_over(p, l, now)
        kind = where(too_early, NOT_YET_VALID, where(is_over, self.reason(p, l), KEEP))
        return Decision(kind, where(too_early, self.earliest(p, l), self.end(p, l)), l)

    def extendable(self, p, l, now):
        """Activity in the last second before the end would move it."""
        end = self.end(p, l)
        last = self.sum(end, -1)
        return every(
            now >= self.earliest(p, l),
            now < end,
            self.due(p, l) <= last,
            least(self.sum(last, p.max_age), self.cap(p, l)) > end,
        )

    def status(self, p, l, now):
        cap = self.cap(p, l)
        left = self.sum(cap, -now)
        self.deltas.append(left)
        return Status(
            self.end(p, l), cap, self.extendable(p, l, now), clamp(left, 0, COOKIE)
        )

    # Where lifetimes come from.

    def start_until(self, p, now, ceiling):
        cap = greatest(least(self.sum(now, p.absolute_cap), ceiling), now)
        return Lifetime(now, now, least(self.sum(now, p.max_age), cap), cap)

    def start(self, p, now):
        return self.start_until(p, now, MAX)

    def adopt(self, p, created, recorded):
        cap = least(self.sum(created, p.absolute_cap), MAX)
        expires = clamp(recorded, created, cap)
        explained = clamp(self.sum(recorded, -p.max_age), MIN, MAX)
        return Lifetime(created, clamp(explained, created, expires), expires, cap)

    # The rest.

    def meet(self, p, q):
        return Policy(*(least(one, other) for one, other in zip(p, q)))

    def guaranteed_idle(self, p):
        return self.sum(p.max_age, -p.update_age)

    def next_scheduled(self, p, l):
        """The instant that `renewal_schedule` asks about after this record."""
        return clamp(self.sum(l.renewed, greatest(p.update_age, 1)), MIN, MAX)

    def write(self, l, at, decided, onto):
        """`Update::new(l, at, decided)` and `Update::apply(onto)`, of one id and version:
        whether it applies, and what it makes of `onto`."""
        written = Lifetime(
            onto.created, decided.renewed, least(decided.expires, l.absolute), onto.absolute
        )
        applies = every(
            at < onto.absolute, written.renewed >= onto.renewed, is_lifetime(written)
        )
        return applies, written

    def watch(self, seen, ends, interval, now):
        """`Watch::next` at now, after a look at `seen` that found the end at `ends`."""
        seen = least(seen, now)
        unanswered = clamp(self.sum(seen, interval), MIN, MAX)
        look = least(greatest(clamp(self.sum(seen, half(interval)), MIN, MAX), now), ends)
        return where(
            now >= ends,
            Look(True, ends),
            where(now >= unanswered, Look(True, unanswered), Look(False, look)),
        )
