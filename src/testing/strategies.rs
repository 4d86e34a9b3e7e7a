use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::sample::select;

use crate::rule::{Lifetime, SessionPolicy};
use crate::time::Timestamp;

const LONGEST_CAP: i64 = 36_525 * 86_400;

/// Any valid policy: seconds to a century, any throttle, any clock skew. Half of
/// them are short, so that their limits meet.
pub fn policies() -> impl Strategy<Value = SessionPolicy> {
    let cap = prop_oneof![1..=20_i64, 1..=LONGEST_CAP];
    let max_age = cap.prop_flat_map(|cap| (1..=cap, Just(cap)));
    let settings = max_age.prop_flat_map(|(max_age, cap)| (0..max_age, Just(max_age), Just(cap)));
    let clock_skew = prop_oneof![Just(0), 0..=120_i64, 0..=86_400_i64];
    (settings, clock_skew).prop_filter_map("valid policy", |((update_age, max_age, cap), skew)| {
        let [update_age, max_age, cap, skew] =
            [update_age, max_age, cap, skew].map(TimeDelta::seconds);
        SessionPolicy::new(max_age, update_age, cap).ok()?.with_clock_skew(skew).ok()
    })
}

/// Any instant, half of them within 2 s of the ends of the range, of 1970 and of
/// 2^31 s.
pub fn instants() -> impl Strategy<Value = Timestamp> {
    let (min, max) = (Timestamp::MIN.as_unix_secs(), Timestamp::MAX.as_unix_secs());
    let edges = select(std::vec![min, -1 << 31, 0, 1 << 31, max]);
    prop_oneof![(edges, -2..=2_i64).prop_map(|(edge, off)| edge + off), min..=max,]
        .prop_map(Timestamp::from_unix_secs)
}

/// Any lifetime: four instants in their order, close together or at the ends of
/// the range.
pub fn lifetimes() -> impl Strategy<Value = Lifetime> {
    let gap = || prop_oneof![Just(0), 0..=4_i64, 0..=LONGEST_CAP];
    (instants(), gap(), gap(), gap()).prop_map(|(created_at, renewed, expires, cap)| {
        let after = |instant: Timestamp, gap| instant.saturating_add(TimeDelta::seconds(gap));
        let renewed_at = after(created_at, renewed);
        let expires_at = after(renewed_at, expires);
        Lifetime::ordered(created_at, renewed_at, expires_at, after(expires_at, cap))
    })
}

/// Instants within 2 s of every limit that `policy` and `lifetime` have:
/// uniform instants would miss an answer that is off by one.
pub fn instants_near(
    policy: &SessionPolicy,
    lifetime: &Lifetime,
) -> impl Strategy<Value = Timestamp> + use<> {
    let limits = std::vec![
        lifetime.created_at(),
        lifetime.created_at().saturating_sub(policy.clock_skew()),
        lifetime.created_at().saturating_add(policy.absolute_cap()),
        lifetime.renewed_at(),
        lifetime.renewed_at().saturating_add(policy.update_age()),
        lifetime.renewed_at().saturating_add(policy.max_age()),
        lifetime.expires_at(),
        lifetime.absolute_expires_at(),
    ];
    let near = (select(limits), -2..=2_i64);
    near.prop_map(|(limit, off)| limit.saturating_add(TimeDelta::seconds(off)))
}
