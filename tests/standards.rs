//! Policies by standard, with the expected findings; boundaries to the second.
#![cfg(feature = "review")]
#![allow(clippy::unwrap_used, reason = "tests")]

use chrono::TimeDelta;
use session_policy::review::standards::{Finding, Limit, Standard, Verdict};
use session_policy::{Decision, SessionPolicy, Timestamp};

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

/// `id level setting`, or `id level` for a clause without a number.
fn terse(finding: &Finding) -> String {
    let (id, level) = (finding.clause.id, finding.clause.level);
    finding.setting.map_or_else(|| format!("{id} {level}"), |s| format!("{id} {level} {s}"))
}

/// What [`terse`] says of the broken clauses, the number of kept ones, and what
/// it says of the measured clauses that are unverified.
type Row = (Standard, (i64, i64, i64), &'static [&'static str], usize, &'static [&'static str]);

const RESETS: &[&str] = &["5.2 SHALL guaranteed_idle"];
const CAP_30: &str = "2.1.3 SHOULD absolute_cap";
const CAP_24: &str = "2.2.3 SHOULD absolute_cap";
const IDLE_60: &str = "2.2.3 SHOULD max_age";
const CAP_12: &str = "2.3.3 SHALL absolute_cap";
const IDLE_15: &str = "2.3.3 SHOULD max_age";
const LONGEST: &str = "Idle Timeout SHOULD max_age";
const SHORTEST: &str = "Idle Timeout SHOULD guaranteed_idle";
const FULL_DAY: &str = "Absolute Timeout SHOULD absolute_cap";
const CAP_20: &[&str] = &["2.2.1 SHALL absolute_cap"];
const TEN_AND_CAP_20: &[&str] = &["2.2.1 SHALL absolute_cap", "2.2.1 SHALL absolute_cap"];

#[rustfmt::skip]
const ROWS: &[Row] = {
    use Standard::{Asvs5, CheatSheetHighValue, CheatSheetLowRisk, NistAal1, NistAal2, NistAal3, PciDss4, Wcag22};
    &[
        // AAL1: some cap (SHALL), at most 30 days (SHOULD); idleness is free.
        (NistAal1, (H, 0, 30 * D), &[], 5, &[]),
        (NistAal1, (H, 0, 30 * D + 1), &[CAP_30], 4, &[]),
        (NistAal1, (H, 1, 30 * D), &[], 4, RESETS),
        (NistAal1, (30 * D, 5 * M, 30 * D), &[], 6, &[]),
        (NistAal1, (30 * D, 5 * M, 45 * D), &[CAP_30], 3, RESETS),
        (NistAal1, (30 * D, 5 * M, CENTURY - 1), &[CAP_30], 3, RESETS),
        (NistAal1, (30 * D, 5 * M, CENTURY), &["2.1.3 SHALL absolute_cap", CAP_30], 2, RESETS),
        (NistAal1, (1, 0, 1), &[], 6, &[]),
        // AAL2: some cap (SHALL), at most 24 hours in all and 1 hour idle (SHOULD).
        (NistAal2, (H, M, 24 * H), &[], 5, RESETS),
        (NistAal2, (H, 0, 24 * H), &[], 6, &[]),
        (NistAal2, (H + 1, M, 24 * H), &[IDLE_60], 4, RESETS),
        (NistAal2, (H, M, 24 * H + 1), &[CAP_24], 4, RESETS),
        (NistAal2, (H + 1, M, 24 * H + 1), &[CAP_24, IDLE_60], 3, RESETS),
        (NistAal2, (H, M, CENTURY - 1), &[CAP_24], 4, RESETS),
        (NistAal2, (H, M, CENTURY), &["2.2.3 SHALL absolute_cap", CAP_24], 3, RESETS),
        // A throttle shortens what is guaranteed, not what an attacker may use.
        (NistAal2, (H + M, M, 24 * H), &[IDLE_60], 4, RESETS),
        (NistAal2, (8 * H, 15 * M, 8 * H), &[IDLE_60], 6, &[]),
        (NistAal2, (30 * D, 5 * M, 45 * D), &[CAP_24, IDLE_60], 3, RESETS),
        // AAL3: at most 12 hours in all (SHALL) and 15 minutes idle (SHOULD).
        (NistAal3, (15 * M, M, 12 * H), &[], 4, RESETS),
        (NistAal3, (15 * M + 1, M, 12 * H), &[IDLE_15], 3, RESETS),
        (NistAal3, (15 * M, M, 12 * H + 1), &[CAP_12], 3, RESETS),
        (NistAal3, (15 * M, 0, 12 * H), &[], 5, &[]),
        (NistAal3, (12 * H, M, 12 * H), &[IDLE_15], 5, &[]),
        (NistAal3, (8 * H, 15 * M, 8 * H), &[IDLE_15], 5, &[]),
        (NistAal3, (30 * D, 5 * M, 45 * D), &[CAP_12, IDLE_15], 2, RESETS),
        // ASVS: both limits exist and end sessions.
        (Asvs5, (30 * M, M, 8 * H), &[], 2, &[]),
        (Asvs5, (8 * H - 1, M, 8 * H), &[], 2, &[]),
        (Asvs5, (8 * H, M, 8 * H), &["7.3.1 SHALL max_age"], 1, &[]),
        (Asvs5, (30 * D, 5 * M, 45 * D), &[], 2, &[]),
        (Asvs5, (30 * D, 5 * M, CENTURY - 1), &[], 2, &[]),
        (Asvs5, (30 * D, 5 * M, CENTURY), &["7.3.2 SHALL absolute_cap"], 1, &[]),
        (Asvs5, (CENTURY, M, CENTURY), &["7.3.1 SHALL max_age", "7.3.2 SHALL absolute_cap"], 0, &[]),
        // Cheat Sheet, high value: 2 to 5 minutes idle.
        (CheatSheetHighValue, (5 * M, 30, 4 * H), &[], 3, &[]),
        (CheatSheetHighValue, (5 * M + 1, 30, 4 * H), &[LONGEST], 2, &[]),
        (CheatSheetHighValue, (5 * M, 3 * M, 4 * H), &[], 3, &[]),
        (CheatSheetHighValue, (5 * M, 3 * M + 1, 4 * H), &[SHORTEST], 2, &[]),
        (CheatSheetHighValue, (2 * M, 0, 8 * H), &[], 3, &[]),
        (CheatSheetHighValue, (2 * M, 1, 8 * H), &[SHORTEST], 2, &[]),
        (CheatSheetHighValue, (2 * M - 1, 0, 8 * H + 1), &[SHORTEST, FULL_DAY], 1, &[]),
        (CheatSheetHighValue, (5 * M, 30, 4 * H - 1), &[], 2, &[FULL_DAY]),
        (CheatSheetHighValue, (10 * M, 9 * M, 8 * H), &[LONGEST, SHORTEST], 1, &[]),
        // Cheat Sheet, low risk: 15 to 30 minutes idle, 4 to 8 hours in all.
        (CheatSheetLowRisk, (30 * M, 15 * M, 8 * H), &[], 3, &[]),
        (CheatSheetLowRisk, (30 * M, 15 * M + 1, 8 * H), &[SHORTEST], 2, &[]),
        (CheatSheetLowRisk, (30 * M + 1, 15 * M, 8 * H), &[LONGEST], 2, &[]),
        (CheatSheetLowRisk, (15 * M, 0, 4 * H), &[], 3, &[]),
        (CheatSheetLowRisk, (15 * M, 1, 4 * H - 1), &[SHORTEST], 1, &[FULL_DAY]),
        (CheatSheetLowRisk, (30 * M, M, 8 * H + 1), &[FULL_DAY], 2, &[]),
        (CheatSheetLowRisk, (8 * H, 15 * M, 8 * H), &[LONGEST], 2, &[]),
        (CheatSheetLowRisk, (30 * D, 5 * M, 45 * D), &[LONGEST, FULL_DAY], 1, &[]),
        // PCI DSS: at most 15 minutes idle, whatever the cap.
        (PciDss4, (15 * M, M, 8 * H), &[], 1, &[]),
        (PciDss4, (15 * M, 15 * M - 1, CENTURY), &[], 1, &[]),
        (PciDss4, (15 * M + 1, M, 8 * H), &["8.2.8 SHALL max_age"], 0, &[]),
        (PciDss4, (16 * M, M, 8 * H), &["8.2.8 SHALL max_age"], 0, &[]),
        (PciDss4, (30 * D, 5 * M, 45 * D), &["8.2.8 SHALL max_age"], 0, &[]),
        // WCAG: 20 seconds to extend, also right after an activity.
        (Wcag22, (20, 0, 8 * H), &[], 2, CAP_20),
        (Wcag22, (19, 0, 8 * H), &["2.2.1 SHALL guaranteed_idle"], 1, CAP_20),
        (Wcag22, (15 * M, 15 * M - 20, 8 * H), &[], 2, CAP_20),
        (Wcag22, (15 * M, 15 * M - 19, 8 * H), &["2.2.1 SHALL guaranteed_idle"], 1, CAP_20),
        // Ten extensions, or a cap longer than 20 hours, which needs none itself.
        (Wcag22, (H, M, 11 * H), &[], 2, CAP_20),
        (Wcag22, (H, M, 11 * H - 1), &[], 1, TEN_AND_CAP_20),
        (Wcag22, (30, 5, 330), &[], 2, CAP_20),
        (Wcag22, (30, 5, 329), &[], 1, TEN_AND_CAP_20),
        (Wcag22, (30, 5, 60), &[], 1, TEN_AND_CAP_20),
        (Wcag22, (H, M, 20 * H), &[], 2, CAP_20),
        (Wcag22, (H, M, 20 * H + 1), &[], 3, &[]),
        (Wcag22, (10 * H, M, 20 * H), &[], 1, TEN_AND_CAP_20),
        (Wcag22, (10 * H, M, 20 * H + 1), &[], 3, &[]),
        (Wcag22, (30 * D, 5 * M, 45 * D), &[], 3, &[]),
        // None to extend: the cap alone ends sessions.
        (Wcag22, (8 * H, 15 * M, 8 * H), &[], 0, TEN_AND_CAP_20),
        (Wcag22, (8 * H - 1, 15 * M, 8 * H), &[], 1, TEN_AND_CAP_20),
        (Wcag22, (20 * H, M, 20 * H), &[], 0, TEN_AND_CAP_20),
        (Wcag22, (20 * H + 1, M, 20 * H + 1), &[], 3, &[]),
        (Wcag22, (30 * D, 30 * D - 1, 30 * D), &[], 3, &[]),
    ]
};

#[test]
fn a_report_prints_a_line_a_finding() {
    let report = policy(H + 1, M, 24 * H).check(Standard::NistAal2).to_string();
    let lines: Vec<_> = report.lines().collect();
    assert_eq!(
        lines[..6],
        [
            "NIST SP 800-63B-4 AAL2: 1 broken, 1 departed, 4 kept, 11 unverified",
            "kept       2.2.3 (SHALL, policy) an overall limit: absolute_cap is 1d, must be less than \
             36525d. Nothing is to be changed.",
            "kept       2.2.3 (SHOULD, policy) at most 24 hours in all: absolute_cap is 1d, should be at \
             most 1d. Nothing is to be changed.",
            "broken     2.2.3 (SHOULD, policy) at most 1 hour of inactivity: max_age is 1h 1s, should be \
             at most 1h. Set max_age to 1h or less.",
            "kept       5.2 (SHALL, crate) either limit ends the session: `evaluate` refuses a session \
             from the earlier of its two deadlines on.",
            "unverified 5.2 (SHALL, policy) activity resets the inactivity limit: guaranteed_idle is 59m \
             1s. Activity within 1m of a renewal does not count, so show that 59m 1s is enough \
             for the user, or set update_age to 0s.",
        ],
    );
    assert_eq!(lines.len(), 18);
    let short = policy(15 * M, M, 4 * H - 1).check(Standard::CheatSheetLowRisk).to_string();
    let shown = "Show that the application is not in use for a whole working day.";
    assert!(short.contains(shown), "{short}");
    let shall = policy(H, M, 12 * H + 1).check(Standard::NistAal3).to_string();
    assert!(shall.contains("absolute_cap is 12h 1s, must be at most 12h. "), "{shall}");
    for (limit, text) in [
        (Limit::AtLeast(TimeDelta::minutes(1)), "at least 1m"),
        (Limit::AtMost(TimeDelta::minutes(1)), "at most 1m"),
        (Limit::LessThan(TimeDelta::minutes(1)), "less than 1m"),
    ] {
        assert_eq!(limit.to_string(), text);
    }
}

#[test]
fn each_standard_has_a_name_of_its_own() {
    assert_eq!(
        Standard::ALL.map(Standard::as_str),
        [
            "asvs-5",
            "cheat-sheet-high-value",
            "cheat-sheet-low-risk",
            "nist-aal1",
            "nist-aal2",
            "nist-aal3",
            "pci-dss-4",
            "wcag-2.2",
        ],
    );
}

#[test]
fn each_policy_has_the_findings_of_the_table() {
    assert!(ROWS.len() >= 40);
    for &(standard, (max_age, update_age, cap), broken, kept, unverified) in ROWS {
        let report = policy(max_age, update_age, cap).check(standard);
        let row = format!("{standard}: {max_age}/{update_age}/{cap}\n{report}");
        assert_eq!(report.broken().map(terse).collect::<Vec<_>>(), broken, "{row}");
        assert_eq!(report.with(Verdict::Kept).count(), kept, "{row}");
        let measured = report.with(Verdict::Unverified).filter(|finding| finding.setting.is_some());
        assert_eq!(measured.map(terse).collect::<Vec<_>>(), unverified, "{row}");
    }
}

#[test]
fn every_standard_lists_something_that_a_policy_cannot_show() {
    for standard in Standard::ALL {
        // Even the strictest policy there is.
        let report = policy(1, 0, 1).check(standard);
        let unmeasured = report.with(Verdict::Unverified).filter(|f| f.setting.is_none());
        assert_ne!(unmeasured.count(), 0, "{report}");
    }
}

#[test]
fn a_limit_that_cannot_be_extended_ten_times_has_to_be_shown_essential() {
    assert_eq!(
        SessionPolicy::WORKING_DAY.check(Standard::Wcag22).to_string(),
        "\
WCAG 2.2: 0 broken, 0 departed, 0 kept, 4 unverified
unverified 2.2.1 (SHALL, policy) 20 seconds to extend the inactivity limit before it ends a session: \
There is none to extend, since max_age is as long as absolute_cap; show that the absolute limit \
is essential.
unverified 2.2.1 (SHALL, policy) ten extensions of the inactivity limit, or an absolute limit longer than \
20 hours: absolute_cap is 8h, must be at least 20h 1s. Show that the absolute limit is essential, \
or set absolute_cap to 20h 1s or more.
unverified 2.2.1 (SHALL, policy) an absolute limit longer than 20 hours, or essential: absolute_cap is 8h, \
must be at least 20h 1s. Show that the absolute limit is essential, or set absolute_cap to 20h 1s \
or more.
unverified 2.2.1 (SHALL, both) a warning, and a simple action that extends: Warn from `status` at least \
20 s before the end, and let one click send a request.",
    );
    let report = policy(30, 5, 60).check(Standard::Wcag22);
    assert_eq!(report.findings[1].verdict, Verdict::Unverified);
    assert_eq!(
        report.findings[1].advice,
        "Show that the absolute limit is essential, or set absolute_cap to 5m 30s or more.",
    );
    assert_eq!(policy(30, 5, 330).check(Standard::Wcag22).findings[1].verdict, Verdict::Kept);
    let month = policy(30 * D, M, 30 * D).check(Standard::Wcag22);
    assert_eq!(
        month.findings[0].advice,
        "There is none to extend, since max_age is as long as absolute_cap, which is long enough.",
    );
}

/// Ten extensions of [`SessionPolicy::evaluate`], each in the last second, and
/// each by all of `max_age`.
#[test]
fn a_session_under_the_preset_is_extended_ten_times() {
    let policy = Standard::Wcag22.preset();
    let mut lifetime = policy.start(Timestamp::from_unix_secs(0));
    for _ in 0..10 {
        let now = lifetime.expires_at().saturating_sub(TimeDelta::seconds(1));
        let Decision::Renew { lifetime: extended } = policy.evaluate(&lifetime, now) else {
            panic!("not extended at {now}");
        };
        assert_eq!(extended.expires_at(), now.saturating_add(policy.max_age()));
        lifetime = extended;
    }
}

#[test]
fn a_preset_breaks_no_clause_of_its_standard() {
    for standard in Standard::ALL {
        assert_eq!(standard.preset().check(standard).broken().next(), None);
    }
}

#[test]
fn a_finding_states_the_value_that_it_judged() {
    for &(standard, (max_age, update_age, cap), ..) in ROWS {
        let policy = policy(max_age, update_age, cap);
        for finding in policy.check(standard).findings {
            assert_eq!(finding.value, finding.setting.map(|setting| setting.of(&policy)));
            assert!(finding.advice.ends_with('.'), "{finding}");
            let admitted = match (finding.value, finding.limit) {
                (Some(value), Some(Limit::AtLeast(limit))) => Some(value >= limit),
                (Some(value), Some(Limit::AtMost(limit))) => Some(value <= limit),
                (Some(value), Some(Limit::LessThan(limit))) => Some(value < limit),
                _ => None,
            };
            match finding.verdict {
                Verdict::Broken => assert_eq!(admitted, Some(false), "{finding}"),
                Verdict::Departed => assert_eq!(admitted, None, "{finding}"),
                Verdict::Kept => assert_ne!(admitted, Some(false), "{finding}"),
                Verdict::Unverified => assert_ne!(admitted, Some(true), "{finding}"),
            }
        }
    }
}

#[test]
fn the_advice_names_a_change_that_is_possible_and_mends_the_clause() {
    for (standard, (max_age, update_age, cap), advice, mended) in [
        (
            Standard::NistAal3,
            (8 * H, 15 * M, 8 * H),
            "Set max_age to 15m or less, with a shorter update_age.",
            (15 * M, 15 * M - 1, 8 * H),
        ),
        (
            Standard::NistAal1,
            (45 * D, 5 * M, 45 * D),
            "Set absolute_cap to 30d or less, and max_age with it.",
            (30 * D, 5 * M, 30 * D),
        ),
        (
            Standard::NistAal1,
            (30 * D, 5 * M, 45 * D),
            "Set absolute_cap to 30d or less.",
            (30 * D, 5 * M, 30 * D),
        ),
        (
            Standard::Asvs5,
            (8 * H, 15 * M, 8 * H),
            "Set max_age to less than 8h, since at that length it ends no session.",
            (8 * H - 1, 15 * M, 8 * H),
        ),
        (
            Standard::CheatSheetHighValue,
            (5 * M, 4 * M, 8 * H),
            "Set update_age to 3m or less.",
            (5 * M, 3 * M, 8 * H),
        ),
        (
            Standard::CheatSheetHighValue,
            (90, 30, 8 * H),
            "Set max_age to 2m 30s or more.",
            (150, 30, 8 * H),
        ),
        (
            Standard::CheatSheetHighValue,
            (2 * M, M, 8 * H),
            "Set update_age to 0s, or max_age to 3m or more.",
            (2 * M, 0, 8 * H),
        ),
        (Standard::PciDss4, (H, M, 8 * H), "Set max_age to 15m or less.", (15 * M, M, 8 * H)),
    ] {
        let report = policy(max_age, update_age, cap).check(standard);
        assert_eq!(report.broken().next().unwrap().advice, advice, "{report}");
        let (max_age, update_age, cap) = mended;
        assert_eq!(policy(max_age, update_age, cap).check(standard).broken().next(), None);
    }
}

#[cfg(feature = "serde")]
#[test]
fn a_report_serialises_with_durations_in_seconds() {
    let report = serde_json::to_value(policy(H, M, 8 * H).check(Standard::PciDss4)).unwrap();
    assert_eq!(
        report["findings"][0],
        serde_json::json!({
            "clause": {
                "id": "8.2.8",
                "level": "shall",
                "title": "re-authenticate after more than 15 minutes of inactivity",
            },
            "verdict": "broken",
            "duty": "policy",
            "setting": "max_age",
            "value": 3600,
            "limit": {"at_most": 900},
            "advice": "Set max_age to 15m or less.",
        }),
    );
    assert_eq!(report["standard"], "pci-dss-4");
}
