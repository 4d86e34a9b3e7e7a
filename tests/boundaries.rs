//! Every boundary of the rule to the second: a table, one row a boundary.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

use chrono::{DateTime, TimeDelta, Utc};
use session_policy::{Decision, Lifetime, PolicyError, RejectReason, SessionPolicy, Timestamp};

/// The login of all rows; their instants are seconds after it.
const LOGIN: i64 = 1_800_000_000;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// `max_age`, `update_age`, `absolute_cap`, `clock_skew`.
type Settings = [i64; 4];

const MONTH: Settings = [30 * DAY, 300, 45 * DAY, 60];
const SLIDING: Settings = [1_000, 100, 5_000, 60];
const WORKING_DAY: Settings = [8 * HOUR, 900, 8 * HOUR, 60];

/// Created, renewed, expires and cap; a row says what the policy that wrote it
/// would.
type Record = [i64; 4];

#[test]
fn the_rule_holds_to_the_second_at_every_boundary() {
    let fresh: Record = [0, 0, 1_000, 5_000];
    let slid: Record = [0, 3_900, 4_900, 5_000];
    let pinned: Record = [0, 4_500, 5_000, 5_000];
    let day: Record = [0, 0, 8 * HOUR, 8 * HOUR];
    for (boundary, settings, record, now, expected) in [
        // Keep and renew: the throttle counts from the last renewal.
        ("at the login", SLIDING, fresh, 0, "keep until 1000"),
        ("the second before a renewal is due", SLIDING, fresh, 99, "keep until 1000"),
        ("a renewal is due", SLIDING, fresh, 100, "renew until 1100"),
        ("the second after it", SLIDING, fresh, 101, "renew until 1101"),
        ("renewed once, not due", SLIDING, slid, 3_999, "keep until 4900"),
        ("renewed once, due", SLIDING, slid, 4_000, "renew until 5000"),
        // Idle: the deadline is the first refused second.
        ("the last second before idle", SLIDING, fresh, 999, "renew until 1999"),
        ("idle", SLIDING, fresh, 1_000, "idle since 1000"),
        ("idle for a second", SLIDING, fresh, 1_001, "idle since 1000"),
        ("idle, and the cap long gone", SLIDING, fresh, 9_999, "idle since 1000"),
        ("the last second of a slid session", SLIDING, slid, 4_899, "renew until 5000"),
        ("a slid session is idle", SLIDING, slid, 4_900, "idle since 4900"),
        // Pinned at the cap: the throttle still counts from the renewal.
        ("pinned, not due", SLIDING, pinned, 4_599, "keep until 5000"),
        ("pinned, due", SLIDING, pinned, 4_600, "renew until 5000"),
        ("pinned, the last second", SLIDING, pinned, 4_999, "renew until 5000"),
        ("pinned, at the cap", SLIDING, pinned, 5_000, "absolute cap since 5000"),
        ("pinned, after the cap", SLIDING, pinned, 5_001, "absolute cap since 5000"),
        ("a renewal that just fits", SLIDING, [0, 3_800, 4_800, 5_000], 4_000, "renew until 5000"),
        ("one that is cut by 1 s", SLIDING, [0, 3_800, 4_800, 5_000], 4_001, "renew until 5000"),
        ("one with 1 s to spare", SLIDING, [0, 3_800, 4_800, 5_000], 3_999, "renew until 4999"),
        // Both limits at once: the cap is the reason, since it ends for good.
        ("both limits, not due", WORKING_DAY, day, 899, "keep until 28800"),
        ("both limits, due", WORKING_DAY, day, 900, "renew until 28800"),
        ("both limits, the last second", WORKING_DAY, day, 28_799, "renew until 28800"),
        ("both limits at once", WORKING_DAY, day, 28_800, "absolute cap since 28800"),
        ("idle 1 s before the cap", SLIDING, [0, 3_999, 4_999, 5_000], 5_000, "idle since 4999"),
        // A record from the future: tolerated for the skew, and never renewed.
        ("further ahead than the skew", SLIDING, fresh, -61, "not yet valid since -60"),
        ("as far ahead as the skew", SLIDING, fresh, -60, "keep until 1000"),
        ("the second before the login", SLIDING, fresh, -1, "keep until 1000"),
        ("no skew, a second ahead", [1_000, 100, 5_000, 0], fresh, -1, "not yet valid since 0"),
        ("no skew, at the login", [1_000, 100, 5_000, 0], fresh, 0, "keep until 1000"),
        ("a day of skew", [1_000, 100, 5_000, DAY], fresh, -DAY, "keep until 1000"),
        ("more than that", [1_000, 100, 5_000, DAY], fresh, -DAY - 1, "not yet valid since -86400"),
        ("skew is no leeway", [1_000, 100, 5_000, DAY], fresh, 1_000, "idle since 1000"),
        ("nor at the cap", [1_000, 100, 5_000, DAY], pinned, 5_000, "absolute cap since 5000"),
        // No throttle: each request renews.
        ("no throttle, at the login", [1_000, 0, 5_000, 60], fresh, 0, "renew until 1000"),
        ("no throttle, before it", [1_000, 0, 5_000, 60], fresh, -1, "keep until 1000"),
        ("no throttle, later", [1_000, 0, 5_000, 60], fresh, 1, "renew until 1001"),
        // The tightest throttle: only the last second of a session renews it.
        ("update_age 1 s below, not due", [1_000, 999, 5_000, 60], fresh, 998, "keep until 1000"),
        ("update_age 1 s below, due", [1_000, 999, 5_000, 60], fresh, 999, "renew until 1999"),
        // The shortest policy.
        ("one second, alive", [1, 0, 1, 0], [0, 0, 1, 1], 0, "renew until 1"),
        ("one second, over", [1, 0, 1, 0], [0, 0, 1, 1], 1, "absolute cap since 1"),
        // Tightened today: shorter at once.
        ("shorter max_age, alive", [500, 100, 5_000, 60], fresh, 99, "keep until 500"),
        ("shorter max_age, renewed", [500, 100, 5_000, 60], fresh, 499, "renew until 999"),
        ("shorter max_age, over", [500, 100, 5_000, 60], fresh, 500, "idle since 500"),
        ("shorter cap, alive", [1_000, 100, 4_000, 60], slid, 3_999, "keep until 4000"),
        ("shorter cap, over", [1_000, 100, 4_000, 60], slid, 4_000, "absolute cap since 4000"),
        ("cap before the renewal", [1_000, 100, 3_000, 60], slid, 3_900, "absolute cap since 3000"),
        ("shorter cap cuts a renewal", [900, 100, 1_000, 60], fresh, 150, "renew until 1000"),
        ("shorter max_age and cap", [500, 100, 500, 60], fresh, 500, "absolute cap since 500"),
        ("shorter update_age", [1_000, 50, 5_000, 60], fresh, 50, "renew until 1050"),
        (
            "30 d become 1 d",
            [DAY, 300, 45 * DAY, 60],
            [0, 0, 30 * DAY, 45 * DAY],
            DAY,
            "idle since 86400",
        ),
        // Loosened today: what is stored stands.
        ("longer max_age, not due", [4_000, 100, 5_000, 60], fresh, 99, "keep until 1000"),
        ("longer max_age, over", [4_000, 100, 5_000, 60], fresh, 1_000, "idle since 1000"),
        ("longer max_age, renewed", [4_000, 100, 5_000, 60], fresh, 999, "renew until 4999"),
        ("longer cap, renewed", [1_000, 100, 9_000, 60], pinned, 4_999, "renew until 5000"),
        ("longer cap, over", [1_000, 100, 9_000, 60], pinned, 5_000, "absolute cap since 5000"),
        ("longer update_age", [1_000, 200, 5_000, 60], fresh, 199, "keep until 1000"),
        // A clock that stepped back: neither renewed nor extended.
        ("back to the renewal", SLIDING, slid, 3_900, "keep until 4900"),
        ("back before the renewal", SLIDING, slid, 3_899, "keep until 4900"),
        ("back to the login", SLIDING, slid, 0, "keep until 4900"),
        ("back within the skew", SLIDING, slid, -60, "keep until 4900"),
        ("back before all that", SLIDING, slid, -61, "not yet valid since -60"),
        ("back, without a throttle", [1_000, 0, 5_000, 60], slid, 3_899, "keep until 4900"),
        // A record of no length, as of a login after the upstream's end.
        ("no length, at the login", SLIDING, [0, 0, 0, 0], 0, "absolute cap since 0"),
        ("no length, under a cap", SLIDING, [0, 0, 0, 5_000], 0, "idle since 0"),
        ("no length, cut at a renewal", SLIDING, [0, 9, 9, 5_000], 9, "idle since 9"),
    ] {
        let (policy, record) = (policy(settings), restore(record));
        let decision = policy.evaluate(&record, at(now));
        assert_eq!(said(decision), expected, "{boundary}: {settings:?}, {record:?}, now {now}");
        let peeked = match decision {
            Decision::Renew { .. } => {
                Decision::Keep { until: policy.status(&record, at(now)).idle_expires_at }
            }
            Decision::Keep { .. } | Decision::Reject { .. } => decision,
        };
        assert_eq!(policy.peek(&record, at(now)), peeked, "{boundary}, without activity");
    }
}

#[test]
fn a_session_starts_under_the_earlier_of_the_policy_s_cap_and_the_ceiling() {
    for (boundary, settings, ceiling, expires, cap) in [
        ("a ceiling after the cap", SLIDING, 5_001, 1_000, 5_000),
        ("a ceiling at the cap", SLIDING, 5_000, 1_000, 5_000),
        ("a ceiling before the cap", SLIDING, 4_999, 1_000, 4_999),
        ("a ceiling after max_age", SLIDING, 1_001, 1_000, 1_001),
        ("a ceiling at max_age", SLIDING, 1_000, 1_000, 1_000),
        ("a ceiling before max_age", SLIDING, 999, 999, 999),
        ("a second of session", SLIDING, 1, 1, 1),
        ("a ceiling at the login", SLIDING, 0, 0, 0),
        ("a ceiling before the login", SLIDING, -1, 0, 0),
        ("a ceiling at a cap that is max_age", WORKING_DAY, 8 * HOUR, 8 * HOUR, 8 * HOUR),
    ] {
        let started = policy(settings).start_until(at(0), at(ceiling));
        assert_eq!(started, restore([0, 0, expires, cap]), "{boundary}");
    }
    assert_eq!(policy(SLIDING).start(at(0)), restore([0, 0, 1_000, 5_000]));
}

#[test]
fn a_record_from_before_the_cap_is_adopted_under_it() {
    for (boundary, expires, adopted) in [
        ("long ended before it began", -9_999, [0, 0, 0, 5_000]),
        ("ended as it began", 0, [0, 0, 0, 5_000]),
        ("never renewed, cut short", 999, [0, 0, 999, 5_000]),
        ("never renewed", 1_000, [0, 0, 1_000, 5_000]),
        ("renewed after a second", 1_001, [0, 1, 1_001, 5_000]),
        ("slid to the second before the cap", 4_999, [0, 3_999, 4_999, 5_000]),
        ("slid to the cap", 5_000, [0, 4_000, 5_000, 5_000]),
        ("slid past the cap", 5_001, [0, 4_001, 5_000, 5_000]),
        ("renewed at the cap", 6_000, [0, 5_000, 5_000, 5_000]),
        ("renewed after the cap", 6_001, [0, 5_000, 5_000, 5_000]),
    ] {
        let got = policy(SLIDING).adopt(at(0), at(expires));
        assert_eq!(got, restore(adopted), "{boundary}");
    }
    let for_ever = policy(SLIDING).adopt(at(0), Timestamp::MAX);
    assert_eq!(for_ever, restore([0, 5_000, 5_000, 5_000]));
}

#[test]
fn a_cookie_lives_to_the_cap_and_at_most_400_days() {
    let year = [500 * DAY, 300, 900 * DAY, 60];
    for (boundary, settings, now, secs) in [
        ("at the login", SLIDING, 0, 5_000),
        ("at the idle end", SLIDING, 1_000, 4_000),
        ("the last second", SLIDING, 4_999, 1),
        ("at the cap", SLIDING, 5_000, 0),
        ("after it", SLIDING, 5_001, 0),
        ("a clock a minute behind", SLIDING, -60, 5_060),
        ("more than 400 days ahead", year, 0, 400 * DAY),
        ("a second more than 400 days ahead", year, 500 * DAY - 1, 400 * DAY),
        ("400 days ahead", year, 500 * DAY, 400 * DAY),
        ("a second less than 400 days ahead", year, 500 * DAY + 1, 400 * DAY - 1),
    ] {
        let policy = policy(settings);
        let status = policy.status(&policy.start(at(0)), at(now));
        assert_eq!(status.cookie_max_age(), TimeDelta::seconds(secs), "{boundary}");
    }
}

#[test]
fn a_status_names_both_deadlines_in_force_and_whether_activity_helps() {
    for (boundary, settings, record, now, expected) in [
        ("fresh", SLIDING, [0, 0, 1_000, 5_000], 0, (1_000, 5_000, true)),
        ("the last second", SLIDING, [0, 0, 1_000, 5_000], 999, (1_000, 5_000, true)),
        ("over", SLIDING, [0, 0, 1_000, 5_000], 1_000, (1_000, 5_000, false)),
        ("a second below the cap", SLIDING, [0, 3_999, 4_999, 5_000], 4_500, (4_999, 5_000, true)),
        ("pinned", SLIDING, [0, 4_000, 5_000, 5_000], 4_500, (5_000, 5_000, false)),
        ("not yet valid", SLIDING, [0, 0, 1_000, 5_000], -61, (1_000, 5_000, false)),
        ("tightened", [500, 100, 2_000, 60], [0, 0, 1_000, 5_000], 0, (500, 2_000, true)),
        ("loosened", MONTH, [0, 0, 1_000, 5_000], 0, (1_000, 5_000, true)),
        ("loosened, due in the last second", MONTH, [0, 0, 301, 5_000], 0, (301, 5_000, true)),
        ("loosened, over once it is due", MONTH, [0, 0, 300, 5_000], 0, (300, 5_000, false)),
        ("a second of idleness", [1, 0, 5_000, 60], [0, 0, 1, 5_000], 0, (1, 5_000, false)),
        ("two seconds of it", [2, 0, 5_000, 60], [0, 0, 2, 5_000], 0, (2, 5_000, true)),
        ("two seconds, due in the last", [2, 1, 5_000, 60], [0, 0, 2, 5_000], 0, (2, 5_000, true)),
    ] {
        let status = policy(settings).status(&restore(record), at(now));
        let deadlines = (after(status.idle_expires_at), after(status.absolute_expires_at));
        assert_eq!((deadlines.0, deadlines.1, status.extendable), expected, "{boundary}");
        assert_eq!(status.now, at(now));
    }
}

#[test]
fn the_idle_time_to_count_on_is_max_age_less_update_age() {
    for (max_age, update_age, idle) in
        [(1_000, 100, 900), (1_000, 0, 1_000), (1_000, 999, 1), (1, 0, 1)]
    {
        let policy = policy([max_age, update_age, 5_000, 60]);
        assert_eq!(policy.guaranteed_idle(), TimeDelta::seconds(idle), "{policy:?}");
    }
}

#[test]
fn a_setting_with_a_fraction_of_a_second_is_refused_by_name() {
    let (whole, fraction) = (TimeDelta::seconds(10), TimeDelta::milliseconds(10_500));
    for (made, setting) in [
        (SessionPolicy::new(fraction, TimeDelta::zero(), whole * 2), "max_age"),
        (SessionPolicy::new(whole * 2, fraction, whole * 2), "update_age"),
        (SessionPolicy::new(whole, TimeDelta::zero(), fraction), "absolute_cap"),
        (policy(SLIDING).with_clock_skew(fraction), "clock_skew"),
    ] {
        assert_eq!(made, Err(PolicyError::Fractional { setting, value: fraction }));
    }
}

#[test]
fn a_policy_prints_its_settings_as_durations() {
    let shown = format!("{:?}", policy([1_000, 100, 5_000, 60]));
    for setting in [1_000, 100, 5_000, 60].map(TimeDelta::seconds) {
        assert!(shown.contains(&format!("{setting:?}")), "{shown}");
    }
}

#[test]
fn a_fraction_of_a_second_counts_as_the_second_it_is_in() {
    let fresh = policy(SLIDING).start(at(0));
    let almost = DateTime::<Utc>::from(at(999)) + TimeDelta::nanoseconds(999_999_999);
    assert_eq!(said(policy(SLIDING).evaluate(&fresh, almost)), "renew until 1999");
    let over = almost + TimeDelta::nanoseconds(1);
    assert_eq!(said(policy(SLIDING).evaluate(&fresh, over)), "idle since 1000");
    let login = DateTime::<Utc>::from(at(0)) + TimeDelta::milliseconds(999);
    assert_eq!(policy(SLIDING).start(login), fresh);
    let before_the_epoch = DateTime::<Utc>::UNIX_EPOCH - TimeDelta::nanoseconds(1);
    assert_eq!(Timestamp::from(before_the_epoch).as_unix_secs(), -1);
    assert_eq!(i64::from(Timestamp::from(before_the_epoch)), -1);
}

/// An instant is a whole second, so what a duration leads to is floored, also backwards.
#[test]
fn an_instant_is_moved_to_the_whole_second_before() {
    let ten = Timestamp::from_unix_secs(10);
    for (millis, forth, back) in
        [(0, 10, 10), (500, 10, 9), (1_000, 11, 9), (1_500, 11, 8), (-500, 9, 10), (-1_500, 8, 11)]
    {
        let duration = TimeDelta::milliseconds(millis);
        assert_eq!(ten.saturating_add(duration).as_unix_secs(), forth, "{millis}");
        assert_eq!(ten.saturating_sub(duration).as_unix_secs(), back, "{millis}");
    }
}

#[test]
fn at_the_ends_of_the_range_a_session_is_cut_and_still_judged() {
    let policy = policy(SLIDING);
    let at_the_end = policy.start(Timestamp::MAX);
    let refused = Decision::Reject { reason: RejectReason::AbsoluteCap, since: Timestamp::MAX };
    assert_eq!(policy.evaluate(&at_the_end, Timestamp::MAX), refused);
    let last_second = Timestamp::MAX.saturating_sub(TimeDelta::seconds(1));
    assert_eq!(
        policy.evaluate(&policy.start(last_second), last_second),
        Decision::Keep { until: Timestamp::MAX },
    );
    let first_second = policy.start(Timestamp::MIN);
    assert!(policy.evaluate(&first_second, Timestamp::MIN).is_served());
    assert_eq!(
        policy.evaluate(&first_second, Timestamp::MAX),
        Decision::Reject { reason: RejectReason::Idle, since: first_second.expires_at() },
    );
}

#[test]
fn a_schedule_of_renewals_ends_with_its_session_and_with_time() {
    let every_second = policy([1_000, 0, 5_000, 60]);
    let second = TimeDelta::seconds;
    for (left, renewals) in [(0, 0), (1, 0), (2, 1), (3, 2)] {
        let lifetime = every_second.start(Timestamp::MAX.saturating_sub(second(left)));
        assert_eq!(every_second.renewal_schedule(&lifetime).count(), renewals, "{left}");
    }
    let day = policy(WORKING_DAY);
    let schedule: Vec<_> = day.renewal_schedule(&day.start(at(0))).map(after).collect();
    assert_eq!(schedule, (1..32).map(|nth| 900 * nth).collect::<Vec<_>>());
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_unix_secs(LOGIN + secs)
}

fn after(instant: Timestamp) -> i64 {
    instant.as_unix_secs() - LOGIN
}

fn policy([max_age, update_age, cap, skew]: Settings) -> SessionPolicy {
    let secs = TimeDelta::seconds;
    let policy = SessionPolicy::new(secs(max_age), secs(update_age), secs(cap)).unwrap();
    policy.with_clock_skew(secs(skew)).unwrap()
}

fn restore([created, renewed, expires, cap]: Record) -> Lifetime {
    Lifetime::restore(at(created), at(renewed), at(expires), at(cap)).unwrap()
}

fn said(decision: Decision) -> String {
    match decision {
        Decision::Keep { until } => format!("keep until {}", after(until)),
        Decision::Reject { reason, since } => {
            format!("{} since {}", reason.as_str().replace('_', " "), after(since))
        }
        Decision::Renew { lifetime } => format!("renew until {}", after(lifetime.expires_at())),
    }
}
