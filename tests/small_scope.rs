//! Exhaustive small scope: every policy, record and instant over a few seconds,
//! against the rule written a second way.
//!
//! The rule only adds settings to instants, compares, and takes minima. So a
//! decision depends on the order of these sums alone, ties included, and a dozen
//! seconds hold every order that a century does: `now` before, at and after each
//! limit, and the limits before, at and after each other. The login stays at one
//! instant, since moving all instants together moves all sums together.

#![allow(clippy::expect_used, reason = "helpers of tests")]

mod second_rule;

use chrono::TimeDelta;
use session_policy::{Decision, Lifetime, SessionPolicy, Timestamp};

use crate::second_rule::{Record, Settings, Verdict, judge, verdict};

const LONGEST_CAP: i64 = 11;
const LONGEST_SKEW: i64 = 3;
const LATEST: i64 = 14;

#[test]
fn every_case_of_a_small_scope_agrees_with_the_rule_written_a_second_way() {
    let records = records();
    let mut seen = Seen::default();
    for settings in settings() {
        let policy = policy(&settings);
        for record in &records {
            let lifetime = lifetime(record);
            for now in -LONGEST_SKEW - 2..=LATEST + 2 {
                let instant = Timestamp::from_unix_secs(now);
                let decision = policy.evaluate(&lifetime, instant);
                let expected = judge(&settings, record, now);
                assert_eq!(
                    verdict(decision, record, now),
                    expected,
                    "{settings:?}, {record:?}, now {now}",
                );
                let peeked = policy.peek(&lifetime, instant);
                assert_eq!(peeked.is_served(), decision.is_served());
                assert!(!matches!(peeked, Decision::Renew { .. }));
                seen.count(&expected);
            }
        }
    }
    // 286 triples of settings, 4 skews, 680 records, 22 instants.
    assert_eq!(seen.keep + seen.refuse + seen.renew, 286 * 4 * 680 * 22);
    assert!(seen.keep.min(seen.refuse).min(seen.renew) > 500_000, "a lopsided scope: {seen:?}");
}

#[derive(Debug, Default)]
struct Seen {
    keep: u64,
    refuse: u64,
    renew: u64,
}

impl Seen {
    fn count(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Keep { .. } => self.keep += 1,
            Verdict::Refuse { .. } => self.refuse += 1,
            Verdict::Renew { .. } => self.renew += 1,
        }
    }
}

fn settings() -> impl Iterator<Item = Settings> {
    (1..=LONGEST_CAP).flat_map(|overall| {
        (1..=overall).flat_map(move |idle| {
            (0..idle).flat_map(move |throttle| {
                (0..=LONGEST_SKEW).map(move |skew| Settings { idle, throttle, overall, skew })
            })
        })
    })
}

fn records() -> Vec<Record> {
    let created = 0;
    let mut records = Vec::new();
    for renewed in created..=LATEST {
        for expires in renewed..=LATEST {
            for cap in expires..=LATEST {
                records.push(Record { created, renewed, expires, cap });
            }
        }
    }
    records
}

fn policy(settings: &Settings) -> SessionPolicy {
    let secs = TimeDelta::seconds;
    SessionPolicy::new(secs(settings.idle), secs(settings.throttle), secs(settings.overall))
        .and_then(|policy| policy.with_clock_skew(secs(settings.skew)))
        .expect("the settings make a policy")
}

fn lifetime(record: &Record) -> Lifetime {
    let [created, renewed, expires, cap] =
        [record.created, record.renewed, record.expires, record.cap].map(Timestamp::from_unix_secs);
    Lifetime::restore(created, renewed, expires, cap).expect("the instants are in order")
}
