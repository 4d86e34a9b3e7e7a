//! What a change of policy means: in words, in scenarios, for real sessions.
#![cfg(feature = "review")]
#![allow(clippy::unwrap_used, reason = "tests")]

use chrono::TimeDelta;
use proptest::prelude::*;
use session_policy::review::{Impact, PolicyChange, Spread};
use session_policy::{Lifetime, SessionPolicy, Timestamp};

const M: i64 = 60;
const H: i64 = 60 * M;
const D: i64 = 24 * H;
const CENTURY: i64 = 36_525 * D;

fn policy(max_age: i64, update_age: i64, absolute_cap: i64) -> SessionPolicy {
    SessionPolicy::new(
        TimeDelta::seconds(max_age),
        TimeDelta::seconds(update_age),
        TimeDelta::seconds(absolute_cap),
    )
    .unwrap()
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_unix_secs(secs)
}

/// What a change does to these sessions, made at `now`.
fn impact(
    change: PolicyChange,
    now: Timestamp,
    lifetimes: impl IntoIterator<Item = Lifetime>,
) -> Impact {
    let mut impact = Impact::new(change, now);
    impact.extend(lifetimes);
    impact
}

/// The rows of the table of this head that a change prints.
fn rows(change: &PolicyChange, head: &str) -> Vec<Vec<String>> {
    let text = change.to_string();
    let table = text.split("\n\n").find(|table| table.starts_with(head)).unwrap();
    let cells = |row: &str| row.trim_matches('|').split('|').map(|it| it.trim().into()).collect();
    table.lines().skip(2).map(cells).collect()
}

/// A policy's scenarios, which what is printed leaves out where nothing changes.
#[cfg(feature = "serde")]
mod scenarios {
    use serde_json::{Value, json};

    use super::*;

    fn ends(after: i64, reason: &str) -> Value {
        json!({"ends": {"after": after, "reason": reason}})
    }

    /// Held to the cap, at most 400 days.
    fn cookie(max_age: i64, cap: i64) -> Value {
        let (held_for, sent_again) = (cap.min(400 * D), cap > 400 * D);
        let lapses = held_for < max_age;
        json!({"cookie": {"held_for": held_for, "sent_again": sent_again, "lapses": lapses}})
    }

    fn served(until: i64) -> Value {
        json!({"served": {"until": until}})
    }

    #[test]
    fn each_scenario_goes_as_its_policy_says() {
        const CAP: &str = "absolute_cap";
        const IDLE: &str = "idle";

        for ((max_age, update_age, cap), active, overnight, remembered) in [
            // A working day: the cap falls on the last request of the day.
            ((8 * H, 15 * M, 8 * H), ends(8 * H, CAP), ends(8 * H, CAP), ends(8 * H, CAP)),
            // A capped sliding month.
            ((30 * D, 5 * M, 45 * D), ends(45 * D, CAP), served(31 * D), ends(45 * D, CAP)),
            // Without a real cap, a remembered device stays signed in for a century.
            ((30 * D, 5 * M, CENTURY), ends(CENTURY, CAP), served(31 * D), ends(CENTURY, CAP)),
            // Idle for half an hour: the evening ends it.
            (
                (30 * M, M, 24 * H),
                ends(24 * H, CAP),
                ends(8 * H + 30 * M, IDLE),
                ends(30 * M, IDLE),
            ),
            // To the second: 16 hours of night against 16 hours of idleness. The
            // last renewal is at 16:00, an hour before the last request.
            ((16 * H, 0, D + 1), ends(D + 1, CAP), ends(D, IDLE), ends(16 * H, IDLE)),
            ((16 * H + 1, 0, D + 1), ends(D + 1, CAP), served(D + 1), ends(16 * H + 1, IDLE)),
            ((17 * H, H, 2 * D), ends(2 * D, CAP), served(D + 17 * H), ends(17 * H, IDLE)),
            ((17 * H, H + M, 2 * D), ends(2 * D, CAP), served(D + 17 * H), ends(17 * H, IDLE)),
            ((7 * D, 0, 45 * D), ends(45 * D, CAP), served(8 * D), ends(7 * D, IDLE)),
            // F2: a browser keeps no cookie for longer than 400 days.
            ((365 * D, D, 3_653 * D), ends(3_653 * D, CAP), served(366 * D), ends(3_653 * D, CAP)),
            (
                (3_653 * D, D, 3_653 * D),
                ends(3_653 * D, CAP),
                served(3_653 * D),
                ends(3_653 * D, CAP),
            ),
            ((7 * D + 1, 0, 45 * D), ends(45 * D, CAP), served(8 * D + 1), ends(45 * D, CAP)),
        ] {
            let policy = policy(max_age, update_age, cap);
            let change = serde_json::to_value(PolicyChange::between(policy, policy)).unwrap();
            let reissue = json!({"reissued": {"every": update_age, "good_for": max_age}});
            let scenario = |(name, outcome): (&str, Value)| json!({"scenario": name, "before": outcome, "after": outcome});
            let expected = [
                ("active_session", active),
                ("idle_overnight", overnight),
                ("remembered_device", remembered),
                ("cookie", cookie(max_age, cap)),
                ("token_reissue", reissue),
            ]
            .map(scenario);
            assert_eq!(change["scenarios"], json!(expected), "{max_age}/{update_age}/{cap}");
        }
    }

    #[test]
    fn a_change_serialises_as_both_policies_its_settings_and_its_scenarios() {
        let (old, new) = (policy(H, M, D), policy(H, M, 2 * D));
        let change = serde_json::to_value(PolicyChange::between(old, new)).unwrap();
        assert_eq!(change["old"], json!(old));
        assert_eq!(change["new"], json!(new));
        let same = serde_json::to_value(PolicyChange::between(old, old)).unwrap();
        assert_eq!(same["settings"], json!([]));
        assert_eq!(
            change["settings"],
            json!([{
                "setting": "absolute_cap", "before": D, "after": 2 * D,
                "live_sessions": "keep the cap they were started with",
            }]),
        );
        assert_eq!(
            change["scenarios"][0],
            json!({
                "scenario": "active_session",
                "before": ends(D, "absolute_cap"), "after": ends(2 * D, "absolute_cap"),
            }),
        );
    }
}

#[test]
fn an_outcome_prints_as_what_the_user_notices() {
    let change = PolicyChange::between(policy(30 * D, 5 * M, 45 * D), policy(H + M, M, D));
    let overnight = &rows(&change, "| scenario")[1];
    assert_eq!(overnight[1], "still signed in, until 31d after signing in");
    let remembered = &rows(&change, "| scenario")[2];
    assert_eq!(remembered[2], "signed out 1h 1m after signing in: idle for too long");
    let change =
        PolicyChange::between(policy(365 * D, D, 3_653 * D), policy(3_653 * D, D, 3_653 * D));
    let cookie = rows(&change, "| scenario").into_iter().find(|row| row[0].contains("cookie"));
    let [_, before, after] = &cookie.unwrap()[..] else { panic!("{change}") };
    assert_eq!(before, "for 400d, sent again at each renewal");
    assert_eq!(after, "for 400d, sent again at each renewal, then lost though the session lives",);
}

#[test]
fn a_change_lists_the_settings_that_differ_and_no_others() {
    let change = |old, new| -> Vec<String> {
        let rows = rows(&PolicyChange::between(old, new), "| setting");
        rows.into_iter().map(|mut row| row.swap_remove(0)).collect()
    };
    let month = SessionPolicy::SLIDING_MONTH;
    assert_eq!(PolicyChange::between(month, month).to_string(), "Nothing changes.");
    assert_eq!(change(policy(30 * D, 5 * M, CENTURY), month), ["absolute_cap"]);
    // A longer throttle with as much longer idleness guarantees the same.
    assert_eq!(change(policy(H, M, D), policy(H + M, 2 * M, D)), ["max_age", "update_age"]);
    let skewed = month.with_clock_skew(TimeDelta::zero()).unwrap();
    assert_eq!(change(month, skewed), ["clock_skew"]);
}

#[test]
fn each_setting_says_what_its_change_does_to_live_sessions() {
    let skewed = |skew| policy(H, M, D).with_clock_skew(TimeDelta::seconds(skew)).unwrap();
    for (old, new, setting, longer, shorter) in [
        (
            policy(H, M, D),
            policy(H, M, 2 * D),
            "absolute_cap",
            "keep the cap they were started with",
            "those older than the new cap end at once, others sooner",
        ),
        (
            policy(H, M, D),
            policy(H + 1, M, D),
            "max_age",
            "get it at their next renewal, within their cap",
            "those idle for longer end at once, others sooner",
        ),
        (
            policy(H, M, D),
            policy(H, M + 1, D),
            "update_age",
            "are renewed less often from now on",
            "are renewed more often from now on",
        ),
        (
            skewed(0),
            skewed(1),
            "clock_skew",
            "as before, but for those created ahead of the clock",
            "as before, but for those created ahead of the clock",
        ),
    ] {
        for (change, expected) in
            [(PolicyChange::between(old, new), longer), (PolicyChange::between(new, old), shorter)]
        {
            let rows = rows(&change, "| setting");
            let row = rows.iter().find(|row| row[0] == setting).unwrap();
            assert_eq!(row[3], expected, "{setting}");
        }
    }
}

#[test]
fn the_operators_table_reads_as_markdown() {
    let change = PolicyChange::between(policy(H, M, D), policy(30 * M, 0, D));
    assert_eq!(
        change.to_string(),
        "\
| setting         | before | after | live sessions                                    |
| --------------- | ------ | ----- | ------------------------------------------------ |
| max_age         | 1h     | 30m   | those idle for longer end at once, others sooner |
| update_age      | 1m     | 0s    | are renewed more often from now on               |
| guaranteed_idle | 59m    | 30m   | follows from max_age and update_age              |

| scenario                                         | before                                                      | after                                                 |
| ------------------------------------------------ | ----------------------------------------------------------- | ----------------------------------------------------- |
| active session, never idle for long              | signed out 1d after signing in: the absolute cap is reached | the same                                              |
| idle overnight, 09:00 to 17:00 and back at 09:00 | signed out 9h after signing in: idle for too long           | signed out 8h 30m after signing in: idle for too long |
| remembered device, used every 7 days             | signed out 1h after signing in: idle for too long           | signed out 30m after signing in: idle for too long    |
| cookie in the browser                            | for 1d, sent once                                           | the same                                              |
| write or token re-issue                          | at most every 1m, good for up to 1h                         | at every request, good for up to 30m                  |",
    );
}

#[test]
fn sessions_are_counted_by_what_the_change_does_to_them() {
    let now = at(100 * D);
    let old = policy(30 * D, 5 * M, CENTURY);
    let change = PolicyChange::between(old, SessionPolicy::SLIDING_MONTH);
    let session = |created: i64, renewed: i64| {
        let start = old.start(at(created));
        Lifetime::restore(
            start.created_at(),
            at(renewed),
            at(renewed + 30 * D),
            start.absolute_expires_at(),
        )
        .unwrap()
    };
    let impact = impact(
        change,
        now,
        [
            session(0, 70 * D),           // Idle for 30 days: had ended before.
            session(0, 70 * D + 1),       // 100 days old: ends at once, 1 s early.
            session(55 * D, 100 * D - 1), // 45 days old to the second: ends at once.
            session(55 * D + 1, 100 * D), // Lives for one more second.
            session(100 * D, 100 * D),    // Just started: loses only the far cap.
        ],
    );
    assert_eq!(impact.total(), 5);
    assert_eq!(impact.ended_already, 1);
    assert_eq!(impact.ended_at_once.count(), 2);
    assert_eq!(impact.ended_at_once.shortest(), Some(TimeDelta::seconds(1)));
    assert_eq!(impact.ended_at_once.longest(), Some(TimeDelta::seconds(30 * D - 1)));
    assert_eq!(impact.ended_at_once.mean(), Some(TimeDelta::days(15)));
    assert_eq!(impact.sooner, 2);
    assert_eq!(impact.idle_sooner.count(), 1);
    assert_eq!(impact.idle_sooner.longest(), Some(TimeDelta::seconds(30 * D - 1)));
    assert_eq!(impact.cap_sooner.count(), 2);
    assert_eq!(impact.cap_sooner.longest(), Some(TimeDelta::seconds(CENTURY - 45 * D)));
    assert_eq!((impact.later, impact.unaffected), (0, 0));
    assert_eq!(impact.renewed_by, Some(at(130 * D)));
    assert_eq!(impact.replaced_by, Some(at(145 * D)));
}

#[test]
fn a_longer_policy_affects_no_live_session() {
    let now = at(10 * H);
    let change = PolicyChange::between(SessionPolicy::WORKING_DAY, SessionPolicy::SLIDING_MONTH);
    let sessions = (1..=10).map(|hour| SessionPolicy::WORKING_DAY.start(at(hour * H)));
    let impact = impact(change, now, sessions);
    assert_eq!((impact.ended_already, impact.unaffected, impact.total()), (2, 8, 10));
    assert_eq!(impact.replaced_by, Some(at(18 * H)));
}

#[test]
fn a_record_from_a_longer_policy_may_end_later() {
    let record = SessionPolicy::SLIDING_MONTH.start(at(0));
    let change = PolicyChange::between(policy(H, M, D), policy(2 * H, M, D));
    let impact = impact(change, at(0), [record]);
    assert_eq!((impact.later, impact.total()), (1, 1));
}

#[test]
fn a_session_is_counted_under_the_deadline_that_moves_and_no_other() {
    let old = policy(H, M, D);
    for (new, idle, cap) in [
        (policy(H, M, D), None, None),
        (policy(H - 1, M, D), Some(1), None),
        (policy(H, M, D - 1), None, Some(1)),
        (policy(H - 1, M, D - 2), Some(1), Some(2)),
        (policy(H, M, D + 1), None, None),
    ] {
        let impact = impact(PolicyChange::between(old, new), at(0), [old.start(at(0))]);
        let longest = |spread: Spread| spread.longest().map(|longest| longest.num_seconds());
        assert_eq!((longest(impact.idle_sooner), longest(impact.cap_sooner)), (idle, cap));
        let sooner = u64::from(idle.is_some() || cap.is_some());
        assert_eq!((impact.sooner, impact.unaffected), (sooner, 1 - sooner));
    }
}

#[test]
fn the_extremes_do_not_depend_on_the_order() {
    let change = PolicyChange::between(policy(H, M, D), policy(30 * M, M, D));
    let starts = [5 * M, 10 * M, 15 * M].map(|secs| policy(H, M, D).start(at(secs)));
    let [early, middle, late] = starts;
    for order in [[early, middle, late], [late, middle, early], [middle, late, early]] {
        let spread = impact(change, at(50 * M), order).ended_at_once;
        let minutes = |minutes| Some(TimeDelta::minutes(minutes));
        let found = (spread.shortest(), spread.longest(), spread.mean());
        assert_eq!(found, (minutes(15), minutes(25), minutes(20)));
    }
}

#[test]
fn an_impact_prints_as_a_few_lines() {
    let old = policy(H, M, D);
    let tightened = PolicyChange::between(old, policy(30 * M, M, 12 * H));
    let sessions = [old.start(at(0)), old.start(at(10 * M)), old.start(at(49 * M))];
    assert_eq!(
        impact(tightened, at(50 * M), sessions).to_string(),
        "\
3 sessions at 1970-01-01T00:50:00Z
           0 had ended before
           2 end at once, by 10m to 20m, 15m on average
           1 end sooner
               1 without activity, by 30m to 30m, 30m on average
               1 whatever the activity, by 12h to 12h, 12h on average
           0 unaffected
Shorter limits are in force at 1970-01-01T00:50:00Z.
Every session is renewed under the new policy, or has ended, by 1970-01-01T01:19:00Z.
Every session was started under the new policy by 1970-01-01T12:49:00Z.",
    );
    let loosened = PolicyChange::between(old, policy(2 * H, M, D));
    let nothing = Impact::new(loosened, at(0)).to_string();
    assert_eq!(
        nothing,
        "\
0 sessions at 1970-01-01T00:00:00Z
           0 had ended before
           0 end at once
           0 end sooner
               0 without activity
               0 whatever the activity
           0 unaffected",
    );
    let lives = impact(loosened, at(0), [old.start(at(0))]).to_string();
    let said = "1 unaffected until their next renewal, which gives them the longer max_age\n";
    assert!(lives.contains(said), "{lives}");
    let higher = Impact::new(PolicyChange::between(old, policy(H, M, 2 * D)), at(0)).to_string();
    let last = higher.lines().rev().take(2).collect::<Vec<_>>();
    let expected = [
        "The longer absolute_cap is for sessions that start under the new policy.",
        "           0 unaffected",
    ];
    assert_eq!(last, expected);
    let month = SessionPolicy::SLIDING_MONTH.start(at(0));
    let later = impact(loosened, at(0), [month]).to_string();
    assert!(later.contains("\n           1 end later\n           0 unaffected\n"), "{later}");
}

#[cfg(feature = "serde")]
#[test]
fn an_impact_serialises_with_durations_as_whole_seconds() {
    let old = policy(H, M, D);
    let change = PolicyChange::between(old, policy(30 * M, M, 12 * H));
    let impact = impact(change, at(50 * M), [old.start(at(0)), old.start(at(11 * M))]);
    let json = serde_json::to_value(impact).unwrap();
    assert_eq!(
        json["ended_at_once"],
        serde_json::json!({
            "count": 2, "shortest": 600, "longest": 1_260, "mean": 930,
            "histogram": [
                {"up_to": 60, "count": 0},
                {"up_to": 3_600, "count": 2},
                {"up_to": 86_400, "count": 0},
                {"up_to": 604_800, "count": 0},
                {"up_to": 2_592_000, "count": 0},
                {"up_to": 31_536_000, "count": 0},
                {"up_to": null, "count": 0},
            ],
        }),
    );
    assert_eq!(json["cap_sooner"]["count"], 0);
    assert_eq!(json["cap_sooner"]["mean"], serde_json::Value::Null);
}

#[test]
fn only_deadlines_are_counted_and_not_a_start_that_lies_ahead() {
    let old = policy(H, M, D);
    let change = PolicyChange::between(old, old.with_clock_skew(TimeDelta::zero()).unwrap());
    let ahead = old.start(at(30));
    assert!(change.before().evaluate(&ahead, at(0)).is_served());
    assert!(!change.after().evaluate(&ahead, at(0)).is_served());
    assert_eq!(impact(change, at(0), [ahead]).unaffected, 1);
}

#[test]
fn nothing_counted_has_no_instants_and_no_mean() {
    let change = PolicyChange::between(SessionPolicy::WORKING_DAY, SessionPolicy::SLIDING_MONTH);
    let impact = Impact::new(change, at(0));
    assert_eq!((impact.total(), impact.renewed_by, impact.replaced_by), (0, None, None));
    let spread = impact.ended_at_once;
    assert_eq!((spread.shortest(), spread.longest(), spread.mean()), (None, None, None));
    assert_eq!(impact.ended_at_once.to_string(), "");
}

#[test]
fn the_histogram_has_inclusive_bounds_and_counts_each_session_once() {
    let old = policy(CENTURY, 0, CENTURY);
    let session = |secs: i64| {
        let created = at(0).saturating_sub(TimeDelta::seconds(CENTURY - secs));
        old.start(created)
    };
    let lost = [1, M, M + 1, H, D, 7 * D, 30 * D, 365 * D, 365 * D + 1];
    let change = PolicyChange::between(old, policy(1, 0, 1));
    let impact = impact(change, at(0), lost.map(session));
    let histogram: Vec<_> = impact.ended_at_once.histogram().map(|(_, count)| count).collect();
    assert_eq!(histogram, [2, 2, 1, 1, 1, 1, 1]);
    let bounds: Vec<_> = impact.ended_at_once.histogram().map(|(bound, _)| bound).collect();
    assert_eq!(bounds[0], Some(TimeDelta::minutes(1)));
    assert_eq!(bounds[6], None);
}

fn small_policy() -> impl Strategy<Value = SessionPolicy> {
    let ordered =
        |(max_age, update_age, cap): &(i64, i64, i64)| update_age < max_age && max_age <= cap;
    (1..12_i64, 0..11_i64, 1..12_i64)
        .prop_filter("a valid policy", ordered)
        .prop_map(|(max_age, update_age, cap)| policy(max_age, update_age, cap))
}

prop_compose! {
    fn small_lifetime()(instants in prop::array::uniform4(0..14_i64)) -> Lifetime {
        let mut instants = instants.map(at);
        instants.sort_unstable();
        let [created, renewed, expires, cap] = instants;
        Lifetime::restore(created, renewed, expires, cap).unwrap()
    }
}

proptest! {
    #[test]
    fn a_session_is_counted_once_and_as_the_rule_judges_it(
        old in small_policy(),
        new in small_policy(),
        lifetime in small_lifetime(),
        age in 0..14_i64,
    ) {
        let now = lifetime.created_at().saturating_add(TimeDelta::seconds(age));
        let impact = impact(PolicyChange::between(old, new), now, [lifetime]);
        let (before, after) = (old.peek(&lifetime, now), new.peek(&lifetime, now));
        prop_assert_eq!(impact.total(), 1);
        prop_assert_eq!(impact.ended_already == 1, !before.is_served());
        let ended = before.is_served() && !after.is_served();
        prop_assert_eq!(impact.ended_at_once.count() == 1, ended);
        prop_assert_eq!(impact.renewed_by.is_some(), before.is_served() && after.is_served());
        if impact.unaffected == 1 {
            for later in 0..30 {
                let later = now.saturating_add(TimeDelta::seconds(later));
                prop_assert_eq!(old.peek(&lifetime, later), new.peek(&lifetime, later));
            }
        }
        if let (Some(renewed_by), Some(replaced_by)) = (impact.renewed_by, impact.replaced_by) {
            prop_assert!(!new.peek(&lifetime, renewed_by).is_served());
            prop_assert!(renewed_by <= replaced_by);
        }
    }

    #[test]
    fn tightening_never_ends_a_session_later(
        old in small_policy(),
        new in small_policy(),
        lifetime in small_lifetime(),
    ) {
        let change = PolicyChange::between(old, old.meet(&new));
        let impact = impact(change, lifetime.created_at(), [lifetime]);
        prop_assert_eq!(impact.later, 0);
    }
}
