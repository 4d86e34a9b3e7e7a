"""The rule with a fault in it, each as its name says. Each must break a law, and each law
must be broken by one."""

from arithmetic import (
    ABSOLUTE_CAP,
    COOKIE,
    IDLE,
    KEEP,
    MAX,
    MIN,
    Decision,
    Lifetime,
    Policy,
    Rule,
    any_of,
    clamp,
    every,
    greatest,
    is_lifetime,
    least,
    where,
)


class AdoptedOutlivesItsCap(Rule):
    def adopt(self, p, created, recorded):
        adopted = super().adopt(p, created, recorded)
        return adopted._replace(expires=greatest(created, recorded))


class AdoptedBeyondTheRange(Rule):
    def adopt(self, p, created, recorded):
        adopted = super().adopt(p, created, recorded)
        return adopted._replace(absolute=self.sum(created, p.absolute_cap))


class CapIgnoredOnRenewal(Rule):
    def renewal(self, p, l, now):
        return super().renewal(p, l, now)._replace(expires=self.sum(now, p.max_age))


class CapMovedByRenewal(Rule):
    def renewal(self, p, l, now):
        absolute = least(self.sum(now, p.absolute_cap), MAX)
        return super().renewal(p, l, now)._replace(absolute=absolute)


class CeilingIgnored(Rule):
    def start_until(self, p, now, ceiling):
        return super().start_until(p, now, where(ceiling > now, MAX, ceiling))


class CeilingBeforeTheStart(Rule):
    def start_until(self, p, now, ceiling):
        cap = least(self.sum(now, p.absolute_cap), ceiling)
        return Lifetime(now, now, least(self.sum(now, p.max_age), cap), cap)


class ClosedDeadline(Rule):
    def is_over(self, p, l, now):
        return now > self.end(p, l)


class CookieToTheIdleEnd(Rule):
    def status(self, p, l, now):
        left = self.sum(self.end(p, l), -now)
        return super().status(p, l, now)._replace(cookie=clamp(left, 0, COOKIE))


class ExtendableWhileBelowTheCap(Rule):
    """As the crate had it: a record of a policy with a shorter `max_age` than today's
    `update_age` ends before a renewal of it is due."""

    def extendable(self, p, l, now):
        end = self.end(p, l)
        return every(end < self.cap(p, l), now >= self.earliest(p, l), now < end)


class FutureAccepted(Rule):
    def evaluate(self, p, l, now):
        sooner = super().evaluate(p, l, greatest(now, self.earliest(p, l)))
        return where(now < self.earliest(p, l), Decision(KEEP, self.end(p, l), l), sooner)


class IdleMovesBack(Rule):
    """A clock that steps back renews."""

    def is_due(self, p, l, now):
        return any_of(now >= self.due(p, l), now < l.renewed)


class LeewayLengthens(Rule):
    def end(self, p, l):
        return least(self.sum(super().end(p, l), p.clock_skew), self.cap(p, l))


class MeetOfTheLooser(Rule):
    def meet(self, p, q):
        return Policy(*(greatest(one, other) for one, other in zip(p, q)))


class MeetOfTheFirst(Rule):
    """Valid, and not commutative."""

    def meet(self, p, q):
        return p


class Nanoseconds(Rule):
    """The end of a renewal is reckoned in nanoseconds of an `i64`."""

    def renewal(self, p, l, now):
        self.sum(now * 1_000_000_000, p.max_age * 1_000_000_000)
        return super().renewal(p, l, now)


class PeekRenews(Rule):
    def peek(self, p, l, now):
        return self.evaluate(p, l, now)


class PinnedIsNotRenewed(Rule):
    """What gains no time is not written."""

    def is_due(self, p, l, now):
        return every(super().is_due(p, l, now), l.expires != self.cap(p, l))


class ReasonIsIdleAtTheCap(Rule):
    def reason(self, p, l):
        return where(self.end(p, l) < l.absolute, IDLE, ABSOLUTE_CAP)


class ReasonForgotten(Rule):
    """A session that was ended for idleness is ended by the cap once that is over."""

    def evaluate(self, p, l, now):
        decided = super().evaluate(p, l, now)
        kind = where(
            every(decided.kind == IDLE, now >= self.cap(p, l)), ABSOLUTE_CAP, decided.kind
        )
        return decided._replace(kind=kind)


class RenewedAtTheDueInstant(Rule):
    """And not now."""

    def renewal(self, p, l, now):
        return super().renewal(p, l, now)._replace(renewed=self.due(p, l))


class ScheduleSkipsASecond(Rule):
    def next_scheduled(self, p, l):
        return clamp(self.sum(super().next_scheduled(p, l), 1), MIN, MAX)


class ThrottleFromExpiry(Rule):
    def due(self, p, l):
        return self.sum(l.expires, self.sum(p.update_age, -p.max_age))


class TighteningWaits(Rule):
    def cap(self, p, l):
        return l.absolute


class WatchForgetsItsDeadline(Rule):
    def watch(self, seen, ends, interval, now):
        return super().watch(seen, MAX, interval, now)


class WatchOfAClockSetBack(Rule):
    """A clock that is set back is waited for."""

    def watch(self, seen, ends, interval, now):
        look = super().watch(seen, ends, interval, greatest(seen, now))
        return look._replace(at=where(look.ends, look.at, greatest(look.at, now)))


class WatchLooksLate(Rule):
    def watch(self, seen, ends, interval, now):
        look = super().watch(seen, ends, interval, now)
        return look._replace(at=where(look.ends, look.at, least(look.at + 1, ends)))


class WriteAtTheCap(Rule):
    def write(self, l, at, decided, onto):
        _, written = super().write(l, at, decided, onto)
        return every(written.renewed >= onto.renewed, is_lifetime(written)), written


class WriteGoesBack(Rule):
    def write(self, l, at, decided, onto):
        _, written = super().write(l, at, decided, onto)
        return every(at < onto.absolute, is_lifetime(written)), written


class WriteOfRenewalsAlone(Rule):
    """A rotation that is not due finds its instant unchanged, and is not written."""

    def write(self, l, at, decided, onto):
        applies, written = super().write(l, at, decided, onto)
        return every(applies, written.renewed > onto.renewed), written


PLANTS = Rule.__subclasses__()
