//! "Why was I signed out?" and "when will I be?"
#![cfg(feature = "review")]
#![allow(clippy::unwrap_used, reason = "tests")]

use chrono::TimeDelta;
use proptest::prelude::*;
use session_policy::review::Origin;
use session_policy::{Decision, Lifetime, RejectReason, SessionPolicy, Timestamp};

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

fn lifetime(created: i64, renewed: i64, expires: i64, cap: i64) -> Lifetime {
    Lifetime::restore(at(created), at(renewed), at(expires), at(cap)).unwrap()
}

#[test]
fn the_limit_and_where_it_comes_from_are_named() {
    use Origin::{Both, Policy, Record};
    use RejectReason::{AbsoluteCap, Idle};

    // Created at 0, renewed at 100, and judged by 60 s idle, 1000 s in all.
    for (expires, cap, limit, end, origin) in [
        (160, 1_000, Idle, 160, Both),
        (161, 1_000, Idle, 160, Policy),
        (159, 1_000, Idle, 159, Record),
        (160, 161, Idle, 160, Both),
        (160, 160, AbsoluteCap, 160, Record), // Both limits at once: the cap.
        (150, 150, AbsoluteCap, 150, Record),
    ] {
        let explanation = policy(60, 10, 1_000).explain(&lifetime(0, 100, expires, cap), at(120));
        let row = format!("{expires} {cap}");
        assert_eq!(explanation.end.limit, limit, "{row}");
        assert_eq!(explanation.end.at, at(end), "{row}");
        assert_eq!(explanation.end.origin, origin, "{row}");
        assert_eq!(explanation.renews_from, (limit == Idle).then_some(at(110)), "{row}");
    }
    let cap =
        |stored, cap| policy(60, 10, cap).explain(&lifetime(0, 0, 60, stored), at(0)).cap.origin;
    assert_eq!([cap(100, 99), cap(100, 100), cap(100, 101)], [Policy, Both, Record]);
}

#[test]
fn a_live_session_is_told_both_ends_and_what_moves_the_first() {
    let explanation = policy(60, 10, 1_000).explain(&lifetime(0, 100, 160, 1_000), at(105));
    assert_eq!(
        explanation.to_string(),
        "Signed in since 1970-01-01T00:00:00Z, last renewed at 1970-01-01T00:01:40Z. \
         Signed out at 1970-01-01T00:02:40Z, in 55s, if idle until then. \
         It comes from policy and record alike: the last renewal at 1970-01-01T00:01:40Z plus \
         max_age `1m`. A request from 1970-01-01T00:01:50Z on moves that instant. \
         Signed out at 1970-01-01T00:16:40Z, in 14m 55s, whatever the activity. \
         It comes from policy and record alike: the sign-in at 1970-01-01T00:00:00Z plus \
         absolute_cap `16m 40s`.",
    );
}

#[test]
fn no_request_is_said_to_move_an_end_that_comes_before_it() {
    // Renewed at 100 and due at 110.
    for (expires, moves) in [(109, false), (110, false), (111, true)] {
        let explanation = policy(60, 10, 1_000).explain(&lifetime(0, 100, expires, 1_000), at(105));
        let text = explanation.to_string();
        assert_eq!(text.contains("moves that instant"), moves, "{text}");
    }
}

#[test]
fn an_idle_session_is_told_the_stored_value_that_ended_it() {
    let explanation = policy(600, 10, 1_000).explain(&lifetime(0, 100, 160, 1_000), at(220));
    assert_eq!(
        explanation.to_string(),
        "Over by this policy since 1970-01-01T00:02:40Z, 1m before 1970-01-01T00:03:40Z: idle for too \
         long. It comes from the record: its stored expires_at; the last renewal at \
         1970-01-01T00:01:40Z plus max_age `10m` would be 1970-01-01T00:11:40Z.",
    );
}

#[test]
fn a_record_from_the_future_is_told_when_it_is_valid() {
    let explanation = policy(60, 10, 1_000).explain(&lifetime(100, 100, 160, 1_000), at(39));
    assert_eq!(
        explanation.to_string(),
        "Not yet valid at 1970-01-01T00:00:39Z: the sign-in at 1970-01-01T00:01:40Z lies more \
         than clock_skew `1m` ahead. Valid from 1970-01-01T00:00:40Z on.",
    );
}

#[cfg(feature = "serde")]
#[test]
fn an_explanation_serialises_with_the_reason_as_a_word() {
    let policy = policy(60, 10, 1_000);
    let json = |now| {
        let explanation = policy.explain(&lifetime(0, 100, 160, 1_000), at(now));
        serde_json::to_value(explanation).unwrap()
    };
    assert_eq!(json(160)["reason"], "idle");
    assert_eq!(json(160)["decision"], "reject");
    assert_eq!(json(159)["decision"], "keep");
    assert_eq!(
        json(159)["end"],
        serde_json::json!({
            "limit": "idle", "at": 160, "origin": "both", "record": 160, "policy": 160,
        }),
    );
}

prop_compose! {
    fn any_case()(
        max_age in 1..9_i64,
        update in 0..9_i64,
        more in 0..9_i64,
        instants in prop::array::uniform4(0..14_i64),
        now in -70..30_i64,
    ) -> (SessionPolicy, Lifetime, Timestamp) {
        let mut instants = instants.map(at);
        instants.sort_unstable();
        let [created, renewed, expires, cap] = instants;
        let lifetime = Lifetime::restore(created, renewed, expires, cap).unwrap();
        (policy(max_age, update % max_age, max_age + more), lifetime, at(now))
    }
}

proptest! {
    #[test]
    fn the_explanation_agrees_with_the_rule((policy, lifetime, now) in any_case()) {
        let explanation = policy.explain(&lifetime, now);
        let status = policy.status(&lifetime, now);
        prop_assert_eq!(explanation.decision, policy.peek(&lifetime, now));
        prop_assert_eq!(explanation.end.at, status.idle_expires_at);
        prop_assert_eq!(explanation.cap.at, status.absolute_expires_at);
        match policy.evaluate(&lifetime, now) {
            Decision::Keep { until } => {
                prop_assert_eq!(explanation.end.at, until);
                // Not due yet, or a clock that stepped back.
                if let Some(from) = explanation.renews_from {
                    prop_assert!(now < from);
                }
            }
            Decision::Reject { reason: RejectReason::NotYetValid, since } => {
                prop_assert!(explanation.to_string().contains(&since.to_string()));
            }
            Decision::Reject { reason, since } => {
                prop_assert_eq!((explanation.end.limit, explanation.end.at), (reason, since));
            }
            Decision::Renew { .. } => {
                prop_assert!(explanation.renews_from.is_none_or(|from| from <= now));
            }
        }
    }

    #[test]
    fn the_sentence_has_every_instant_that_decides((policy, lifetime, now) in any_case()) {
        let explanation = policy.explain(&lifetime, now);
        let text = explanation.to_string();
        match explanation.decision {
            Decision::Reject { reason: RejectReason::NotYetValid, since } => {
                prop_assert!(text.contains(&since.to_string()));
                prop_assert!(text.contains(&lifetime.created_at().to_string()));
            }
            Decision::Reject { .. } => {
                prop_assert!(text.contains(&explanation.end.at.to_string()));
                prop_assert!(text.contains(&now.to_string()));
            }
            Decision::Keep { .. } | Decision::Renew { .. } => {
                for instant in [
                    lifetime.created_at(),
                    lifetime.renewed_at(),
                    explanation.end.at,
                    explanation.cap.at,
                ] {
                    prop_assert!(text.contains(&instant.to_string()), "{text}");
                }
            }
        }
    }
}

/// F2: a browser keeps no cookie for longer than 400 days.
#[test]
fn an_explanation_says_where_a_browser_drops_the_cookie_of_a_live_session() {
    const DAY: i64 = 86_400;
    let days = TimeDelta::days;
    let start = Timestamp::from_unix_secs(0);
    for (max_age, cap, renewed, cookie_until, drops) in [
        (30, 45, 10, 45, false),
        (400, 400, 10, 400, false),
        (365, 3_653, 10, 410, false),
        (3_653, 3_653, 0, 400, true),
        (3_653, 3_653, 10, 410, true),
        (401, 3_653, 3_600, 3_653, false),
    ] {
        let policy = SessionPolicy::new(days(max_age), days(1), days(cap)).unwrap();
        let now = Timestamp::from_unix_secs(renewed * DAY);
        let first = policy.start(start);
        let lifetime = Lifetime::restore(
            start,
            now,
            now.saturating_add(days(max_age)).min(first.absolute_expires_at()),
            first.absolute_expires_at(),
        )
        .unwrap();
        let why = policy.explain(&lifetime, now);
        assert_eq!(why.cookie_until.as_unix_secs() / DAY, cookie_until, "{max_age} {cap}");
        let text = format!(" A browser drops the cookie at {}.", why.cookie_until);
        assert_eq!(why.to_string().ends_with(&text), drops, "{why}");
    }
}
