//! Policies from bytes.

use chrono::TimeDelta;
use session_policy::SessionPolicy;

use crate::input::Input;
use crate::second_rule::Settings;

const CENTURY: i64 = 36_525 * 86_400;

/// Any valid policy, most of them of seconds to minutes.
pub(crate) fn settings(input: &mut Input<'_>) -> Settings {
    let bound = input.one_of(&[8, 60, 900, 90_000, CENTURY]);
    let mut draw = |low: i64, high: i64| {
        let raw = i64::from(u32::from_le_bytes(input.bytes()));
        low + raw % (high - low + 1)
    };
    let overall = draw(1, bound);
    let idle = draw(1, overall);
    let throttle = draw(0, idle - 1);
    let skew = draw(0, bound.min(86_400));
    Settings { idle, throttle, overall, skew }
}

pub(crate) fn policy_of(settings: &Settings) -> SessionPolicy {
    let secs = TimeDelta::seconds;
    SessionPolicy::new(secs(settings.idle), secs(settings.throttle), secs(settings.overall))
        .and_then(|policy| policy.with_clock_skew(secs(settings.skew)))
        .expect("the settings make a policy")
}

/// What makes a policy valid, read from its getters.
pub(crate) fn check(policy: &SessionPolicy) {
    let all = [policy.max_age(), policy.update_age(), policy.absolute_cap(), policy.clock_skew()];
    assert!(all.iter().all(|setting| setting.subsec_nanos() == 0), "{policy:?}");
    let [idle, throttle, overall, skew] = all.map(|setting| setting.num_seconds());
    assert!(
        0 <= throttle && throttle < idle && idle <= overall && overall <= CENTURY,
        "{policy:?}"
    );
    assert!((0..=86_400).contains(&skew), "{policy:?}");
    assert_eq!(policy.guaranteed_idle().num_seconds(), idle - throttle);
}
