//! Sessions of other libraries, recorded under a controlled clock, replay to the
//! second.
//!
//! `data/peer_traces.jsonl` has 200 traces of @auth/core 0.41.3 (its database
//! strategy), better-auth 1.7.25 and alexedwards/scs 2.9.0: a policy and a first
//! record, then the decision and `expires_at` at each request. Where a peer still
//! serves the second of the expiry, the trace has this crate's decision, and ends
//! there. None of them combines a throttle with a cap.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::Value;
use session_policy::{Decision, Lifetime, SessionPolicy, Timestamp};

const TRACES: &str = include_str!("data/peer_traces.jsonl");

#[test]
fn all_200_recorded_traces_replay_exactly() {
    let mut traces = BTreeMap::<String, u32>::new();
    let mut steps = BTreeMap::<&str, u32>::new();
    for line in TRACES.lines() {
        let trace: Value = serde_json::from_str(line).unwrap();
        let id = trace["id"].as_str().expect("a trace has an id");
        let policy = policy(&trace["policy"]);
        let mut lifetime = lifetime(&trace["lifetime"]);
        for step in trace["steps"].as_array().expect("a trace has steps") {
            let now = Timestamp::from_unix_secs(secs(&step["now"]));
            let (decision, reason, expires_at) = match policy.evaluate(&lifetime, now) {
                Decision::Keep { until } => ("keep", None, Some(until)),
                Decision::Reject { reason, .. } => ("reject", Some(reason.as_str()), None),
                Decision::Renew { lifetime: renewed } => {
                    lifetime = renewed;
                    ("renew", None, Some(renewed.expires_at()))
                }
            };
            assert_eq!(step["decision"].as_str(), Some(decision), "{id} at {now}");
            assert_eq!(step["reason"].as_str(), reason, "{id} at {now}");
            let expires_at = expires_at.map(Timestamp::as_unix_secs);
            assert_eq!(step["expires_at"].as_i64(), expires_at, "{id} at {now}");
            if decision == "keep" {
                assert_eq!(expires_at, Some(lifetime.expires_at().as_unix_secs()), "{id} at {now}");
            }
            *steps.entry(reason.unwrap_or(decision)).or_default() += 1;
        }
        *traces.entry(trace["peer"].as_str().expect("a trace has a peer").into()).or_default() += 1;
    }
    let peers =
        [("@auth/core@0.41.3", 63), ("alexedwards/scs@v2.9.0", 99), ("better-auth@1.7.25", 38)];
    assert_eq!(traces, peers.map(|(peer, traces)| (peer.into(), traces)).into());
    assert_eq!(traces.values().sum::<u32>(), 200);
    assert_eq!(steps.values().sum::<u32>(), 448);
    assert_eq!(steps, [("absolute_cap", 4), ("idle", 93), ("keep", 92), ("renew", 259)].into());
}

fn policy(trace: &Value) -> SessionPolicy {
    let setting = |name: &str| TimeDelta::seconds(secs(&trace[name]));
    SessionPolicy::new(setting("max_age"), setting("update_age"), setting("absolute_cap")).unwrap()
}

fn lifetime(trace: &Value) -> Lifetime {
    let instant = |name: &str| Timestamp::from_unix_secs(secs(&trace[name]));
    Lifetime::restore(
        instant("created_at"),
        instant("renewed_at"),
        instant("expires_at"),
        instant("absolute_expires_at"),
    )
    .unwrap()
}

fn secs(value: &Value) -> i64 {
    value.as_i64().expect("whole seconds")
}
