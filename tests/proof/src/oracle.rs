//! The formulas of `arithmetic.py` once more, in integers that nothing here overflows.

use crate::case::{Answer, Case, Record, Settings};

/// `Timestamp::MIN`, and the bounds of what `arithmetic.py` proves.
pub const MIN: i64 = -8_334_601_228_800;
/// `Timestamp::MAX`.
pub const MAX: i64 = 8_210_266_876_799;
/// The longest cap.
pub const CENTURY: i64 = 36_525 * 86_400;
const COOKIE: i128 = 400 * 86_400;

/// A decision's kind.
pub const NOT_YET_VALID: i64 = 0;
/// A decision's kind.
pub const ABSOLUTE_CAP: i64 = 1;
/// A decision's kind.
pub const IDLE: i64 = 2;
/// A decision's kind.
pub const RENEW: i64 = 3;
/// A decision's kind.
pub const KEEP: i64 = 4;

struct Limits {
    earliest: i128,
    due: i128,
    end: i128,
    cap: i128,
}

fn limits(policy: [i128; 4], record: [i128; 4]) -> Limits {
    let [max_age, update_age, absolute_cap, clock_skew] = policy;
    let [created, renewed, expires, absolute] = record;
    let cap = absolute.min(created + absolute_cap);
    let end = expires.min(renewed + max_age).min(cap);
    Limits { earliest: created - clock_skew, due: renewed + update_age, end, cap }
}

/// The kind, the instant, and the record from then on.
fn evaluate(policy: Settings, record: Record, now: i64) -> (i64, i128, [i128; 4]) {
    let (policy, record) = (policy.map(i128::from), record.map(i128::from));
    let now = i128::from(now);
    let Limits { earliest, due, end, cap } = limits(policy, record);
    if now < earliest {
        (NOT_YET_VALID, earliest, record)
    } else if now >= end {
        (if end == cap { ABSOLUTE_CAP } else { IDLE }, end, record)
    } else if now >= due {
        let expires = (now + policy[0]).min(cap);
        (RENEW, expires, [record[0], now, expires, record[3]])
    } else {
        (KEEP, end, record)
    }
}

fn clamp(value: i128, low: i128, high: i128) -> i128 {
    low.max(value.min(high))
}

fn within(value: i128) -> i128 {
    clamp(value, MIN.into(), MAX.into())
}

fn num(value: i128) -> i64 {
    i64::try_from(value).expect("the arithmetic answers with 64 bits")
}

fn but_created([_, renewed, expires, absolute]: [i128; 4]) -> [i64; 3] {
    [renewed, expires, absolute].map(num)
}

/// What the arithmetic answers.
#[must_use]
pub fn answer(case: &Case) -> Answer {
    let (policy, record) = (case.today.map(i128::from), case.record.map(i128::from));
    let [max_age, update_age, absolute_cap, _] = policy;
    let [now, ceiling] = [case.now, case.ceiling].map(i128::from);
    let Limits { earliest, due, end, cap } = limits(policy, record);

    let (kind, at, then) = evaluate(case.today, case.record, case.now);
    let is_served = kind == RENEW || kind == KEEP;
    let peek = if is_served { [KEEP, num(end)] } else { [kind, num(at)] };
    let last = end - 1;
    let moves = due <= last && (last + max_age).min(cap) > end;

    let start_cap = (now + absolute_cap).min(ceiling).max(now);
    let adopted_cap = (now + absolute_cap).min(MAX.into());
    let adopted_end = clamp(ceiling, now, adopted_cap);
    let explained = clamp(within(ceiling - max_age), now, adopted_end);

    let asked = within(record[1] + update_age.max(1));
    let (scheduled, ..) = evaluate(case.today, case.record, num(asked));

    let onto = [record[0], case.onto[0].into(), case.onto[1].into(), record[3]];
    let written = [record[0], then[1], then[2].min(record[3]), record[3]];
    let applies = now < record[3] && written[1] >= onto[1] && written.is_sorted();

    Answer {
        kind,
        at: num(at),
        then: but_created(then),
        peek,
        idle_expires_at: num(end),
        absolute_expires_at: num(cap),
        extendable: i64::from(moves && now >= earliest && now < end),
        cookie: num(clamp(cap - now, 0, COOKIE)),
        started: [now, (now + max_age).min(start_cap), start_cap].map(num),
        adopted: [explained, adopted_end, adopted_cap].map(num),
        met: core::array::from_fn(|setting| case.today[setting].min(case.other[setting])),
        scheduled: (scheduled == RENEW).then(|| num(asked)),
        applies: i64::from(applies),
        applied: but_created(if applies { written } else { onto }),
        look: look(now, end, case.interval.into(), case.later.into()),
    }
}

fn look(seen: i128, ends: i128, interval: i128, now: i128) -> [i64; 2] {
    let seen = seen.min(now);
    let unanswered = within(seen + interval);
    if now >= ends {
        [1, num(ends)]
    } else if now >= unanswered {
        [1, num(unanswered)]
    } else {
        [0, num(within(seen + interval / 2).max(now).min(ends))]
    }
}
