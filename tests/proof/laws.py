"""The laws of the rule, each a formula over every policy, record and instant.

A law is what must hold; `prove` asks for values that break it. The numbers are those of
the laws in `tests/laws.rs`, and of 13 and 15 in the README.
"""

from z3 import And, Implies, Int, Ints, Not, Or

from arithmetic import (
    ABSOLUTE_CAP,
    COOKIE,
    DELTA,
    I64,
    IDLE,
    KEEP,
    MAX,
    NOT_YET_VALID,
    RENEW,
    Lifetime,
    Policy,
    is_instant,
    is_lifetime,
    is_policy,
    least,
    where,
)


def policy(name):
    return Policy(*Ints(" ".join(f"{name}.{setting}" for setting in Policy._fields)))


def lifetime(name):
    return Lifetime(*Ints(" ".join(f"{name}.{instant}" for instant in Lifetime._fields)))


P, Q, R = policy("p"), policy("q"), policy("r")
L = lifetime("l")
NOW, LATER, OTHER = Ints("now later other")
# Of a watched connection: at least 2 s, and whole seconds of a `TimeDelta`.
INTERVAL = Int("interval")
# All that any law speaks of: valid policies, any record in order, any instants.
GIVEN = And(
    *(is_policy(p) for p in (P, Q, R)),
    is_lifetime(L),
    is_instant(NOW, LATER, OTHER),
    INTERVAL >= 2,
    INTERVAL <= DELTA,
)


def served(decision):
    return Or(decision.kind == RENEW, decision.kind == KEEP)


def same(one, other):
    return And(*(a == b for a, b in zip(one, other)))


def no_later(one, other):
    return And(one.expires <= other.expires, one.absolute <= other.absolute)


def laws(rule):
    """Name and formula of each law of a rule."""
    decided = rule.evaluate(P, L, NOW)
    peeked = rule.peek(P, L, NOW)
    status = rule.status(P, L, NOW)
    renewed = decided.lifetime
    started = rule.start_until(P, NOW, OTHER)
    adopted = rule.adopt(P, NOW, OTHER)
    met = rule.meet(P, Q)
    end, cap, earliest = rule.end(P, L), rule.cap(P, L), rule.earliest(P, L)
    renews = decided.kind == RENEW
    rejects = Not(served(decided))

    yield "1   a session starts in order, within the range, and within the cap and the ceiling", And(
        is_lifetime(started),
        started.created == NOW,
        started.renewed == NOW,
        started.absolute == where(OTHER < NOW, NOW, least(OTHER, NOW + P.absolute_cap)),
        started.expires == least(NOW + P.max_age, started.absolute),
        same(rule.start(P, NOW), rule.start_until(P, NOW, MAX)),
    )
    yield "1   a record from before the cap is adopted in order, and within a cap", And(
        is_lifetime(adopted),
        adopted.created == NOW,
        adopted.absolute == least(NOW + P.absolute_cap, MAX),
        Implies(OTHER >= NOW, adopted.expires == least(OTHER, adopted.absolute)),
        Implies(OTHER < NOW, adopted.expires == NOW),
        adopted.renewed
        == least(where(OTHER - P.max_age > NOW, OTHER - P.max_age, NOW), adopted.expires),
    )
    yield "1   a renewal keeps the order, the range and the stored cap", Implies(
        renews, And(is_lifetime(renewed), renewed.absolute == L.absolute)
    )

    # Any renewal leaves the creation and the stored cap (6), so what a session was
    # started with still stands in whatever record it has by now.
    first = rule.start_until(Q, L.created, OTHER)
    yield "2   nobody is served at or after the cap of the first policy, today's or the ceiling", Implies(
        And(served(decided), L.absolute == first.absolute),
        And(
            NOW < L.created + Q.absolute_cap,
            NOW < L.created + P.absolute_cap,
            Or(NOW < OTHER, OTHER < L.created),
            decided.at <= L.created + Q.absolute_cap,
            decided.at <= L.created + P.absolute_cap,
        ),
    )

    yield "3   the rule is that of two ages and two allowances", second_way(decided)

    after = rule.evaluate(P, renewed, decided.at)
    before = rule.evaluate(P, renewed, decided.at - 1)
    yield "4   the deadline of a decision is the first refused second, and the last is served", And(
        Implies(served(decided), And(NOW < decided.at, served(before), Not(served(after)))),
        Implies(
            decided.kind == NOT_YET_VALID,
            And(
                NOW < decided.at,
                before.kind == NOT_YET_VALID,
                after.kind != NOT_YET_VALID,
            ),
        ),
        Implies(
            Or(decided.kind == ABSOLUTE_CAP, decided.kind == IDLE),
            And(
                decided.at <= NOW,
                # A second of the range only if the session was valid before it.
                Or(decided.at - 1 < earliest, served(before)),
                Implies(decided.at >= earliest, after.kind == decided.kind),
            ),
        ),
    )

    again = rule.evaluate(P, L, LATER)
    yield "5   a refused session stays refused, but for one whose time is still to come", Implies(
        NOW <= LATER,
        And(
            Implies(
                Or(decided.kind == ABSOLUTE_CAP, decided.kind == IDLE),
                And(again.kind == decided.kind, again.at == decided.at),
            ),
            Implies(
                decided.kind == NOT_YET_VALID,
                (again.kind == NOT_YET_VALID) == (LATER < decided.at),
            ),
            Implies(decided.kind != NOT_YET_VALID, again.kind != NOT_YET_VALID),
        ),
    )

    yield "6   a renewal moves renewed_at to now, expires_at, and nothing else", And(
        Implies(
            renews,
            And(
                renewed.created == L.created,
                renewed.absolute == L.absolute,
                renewed.renewed == NOW,
                renewed.renewed >= L.renewed,
                renewed.expires == least(NOW + P.max_age, cap),
                decided.at == renewed.expires,
            ),
        ),
        Implies(Not(renews), same(renewed, L)),
    )

    next_one = rule.evaluate(Q, renewed, LATER)
    yield "7   two renewals are an update_age apart, by whichever policies", Implies(
        And(renews, next_one.kind == RENEW), LATER - NOW >= Q.update_age
    )

    tight = rule.evaluate(met, L, NOW)
    yield "8   meet is a policy, commutative, associative and idempotent", And(
        is_policy(met),
        same(met, rule.meet(Q, P)),
        same(rule.meet(met, R), rule.meet(P, rule.meet(Q, R))),
        same(rule.meet(P, P), P),
        *(a <= b for a, b in zip(met, P)),
    )
    tight_status = rule.status(met, L, NOW)
    yield "8   tightening never lengthens: not a start, a service or a deadline", And(
        Implies(served(tight), served(decided)),
        tight_status.idle <= status.idle,
        tight_status.absolute <= status.absolute,
        no_later(rule.start_until(met, NOW, OTHER), started),
    )

    yield "9   peek never renews, and agrees on served or refused", And(
        peeked.kind != RENEW,
        served(peeked) == served(decided),
        Implies(rejects, And(peeked.kind == decided.kind, peeked.at == decided.at)),
        Implies(served(peeked), peeked.at == status.idle),
        same(peeked.lifetime, L),
    )

    yield "13  a renewal under a bound writes no later end than without it", Implies(
        tight.kind == RENEW,
        And(
            served(decided),
            tight.lifetime.expires <= rule.renewal(P, L, NOW).expires,
        ),
    )

    yield "15  by one clock, renewed_at is the last activity to within max(update_age, 1 s)", Implies(
        And(served(decided), NOW >= L.renewed),
        And(
            renewed.renewed <= NOW,
            NOW < renewed.renewed + where(P.update_age > 1, P.update_age, 1),
        ),
    )

    # Of a record that this policy wrote.
    own = And(L.expires == least(L.renewed + P.max_age, cap))
    then = rule.evaluate(P, renewed, LATER)
    yield "    a policy's own records stay its own", Implies(
        And(own, renews), renewed.expires == least(NOW + P.max_age, rule.cap(P, renewed))
    )
    yield "    after activity, nobody is idle before guaranteed_idle is over", Implies(
        And(own, served(decided), NOW >= L.renewed, LATER >= NOW, then.kind == IDLE),
        And(LATER - NOW >= rule.guaranteed_idle(P), rule.guaranteed_idle(P) >= 1),
    )
    yield "    a clock that steps back never renews and never extends", Implies(
        NOW < L.renewed, And(Not(renews), decided.at <= where(decided.kind == NOT_YET_VALID, L.created, end))
    )
    yield "    nobody is served further ahead of the creation than the skew", Implies(
        served(decided), NOW >= L.created - P.clock_skew
    )
    no_leeway = rule.evaluate(P._replace(clock_skew=Q.clock_skew), L, NOW)
    yield "    the skew lengthens nothing", Implies(
        And(NOW >= L.created, NOW >= earliest), And(decided.kind == no_leeway.kind, decided.at == no_leeway.at)
    )

    moved = rule.evaluate(P, L, LATER)
    last = rule.evaluate(P, L, end - 1)
    yield "    status names the ends, and says exactly if activity can still move the first", And(
        status.idle == end,
        status.absolute == cap,
        status.idle <= status.absolute,
        is_instant(status.idle, status.absolute),
        Implies(
            And(served(decided), LATER >= NOW, moved.kind == RENEW, moved.at > end),
            status.extendable,
        ),
        Implies(status.extendable, And(served(decided), last.kind == RENEW, last.at > end)),
    )
    yield "    a cookie sent now lasts to the cap, at most 400 days, at least nothing", And(
        status.cookie >= 0,
        status.cookie <= COOKIE,
        Or(NOW + status.cookie == cap, status.cookie == COOKIE, cap <= NOW),
        Implies(cap > NOW, NOW + status.cookie <= cap),
        Implies(cap <= NOW, status.cookie == 0),
    )

    asked = rule.next_scheduled(P, L)
    scheduled = rule.evaluate(P, L, asked)
    yield "    the schedule of renewals leaves none out and has none too many", Implies(
        And(renews, NOW > L.renewed),
        And(scheduled.kind == RENEW, asked > L.renewed, asked <= NOW),
    )

    applies, written = rule.write(L, NOW, renewed, L)
    yield "    a renewal or rotation that was decided is written, and only as it was decided", Implies(
        served(decided), And(applies, same(written, renewed))
    )
    onto = Lifetime(L.created, LATER, OTHER, L.absolute)
    applies, written = rule.write(L, NOW, renewed, onto)
    yield "    no write moves the creation or the cap, goes back, or comes at the cap or later", Implies(
        And(is_lifetime(onto), applies),
        And(
            is_lifetime(written),
            written.created == onto.created,
            written.absolute == onto.absolute,
            written.renewed >= onto.renewed,
            NOW < onto.absolute,
        ),
    )

    # The last answered look began at NOW and found the end at OTHER.
    look = rule.watch(NOW, OTHER, INTERVAL, LATER)
    until = least(NOW, LATER) + INTERVAL
    yield "18  a connection ends at its deadline, and an interval after the last answered look", And(
        look.ends == Or(LATER >= OTHER, LATER >= until, LATER == MAX),
        Implies(look.ends, look.at <= LATER),
        Implies(Not(look.ends), And(LATER <= look.at, look.at <= OTHER, look.at < until)),
        # And half of the interval is left for the answer.
        Implies(
            And(Not(look.ends), look.at > LATER),
            And(2 * look.at <= 2 * least(NOW, LATER) + INTERVAL),
        ),
    )

    instants = [look.at, decided.at, peeked.at, *renewed, *started, *adopted]
    yield "10  each instant that is answered is one, and no sum or difference overflows", And(
        is_instant(*instants),
        *(And(sum >= -I64 - 1, sum <= I64) for sum in rule.sums),
        *(And(delta >= -DELTA, delta <= DELTA) for delta in rule.deltas),
    )


def second_way(decided):
    """`tests/second_rule`: how long a session has lived and rested, against how long it
    may; what is overdrawn by more ran out first, and a draw goes to the cap."""
    alive, unused = NOW - L.created, NOW - L.renewed
    too_old = alive - least(L.absolute - L.created, P.absolute_cap)
    too_idle = unused - least(L.expires - L.renewed, P.max_age)
    early = alive < -P.clock_skew
    idle = And(Not(early), too_idle >= 0, too_idle > too_old)
    old = And(Not(early), Not(idle), too_old >= 0)
    alive_still = And(Not(early), Not(idle), Not(old))
    rests = unused < P.update_age
    return And(
        Implies(early, And(decided.kind == NOT_YET_VALID, NOW - decided.at == alive + P.clock_skew)),
        Implies(idle, And(decided.kind == IDLE, NOW - decided.at == too_idle)),
        Implies(old, And(decided.kind == ABSOLUTE_CAP, NOW - decided.at == too_old)),
        Implies(
            And(alive_still, rests),
            And(decided.kind == KEEP, decided.at - NOW == least(-too_old, -too_idle)),
        ),
        Implies(
            And(alive_still, Not(rests)),
            And(decided.kind == RENEW, decided.at - NOW == least(-too_old, P.max_age)),
        ),
    )
