//! One piece of work at a time, for callgrind to count: `benches/instructions.sh`.
//!
//! Only what happens inside `measured` is counted. `--list` prints the names; a
//! name does its work and prints how often.
#![allow(clippy::expect_used, reason = "a bench fails by panicking")]

mod work;

use std::hint::black_box;

#[cfg(feature = "review")]
use session_policy::SessionPolicy;
#[cfg(feature = "review")]
use session_policy::review::{Impact, PolicyChange};
use session_policy::store::{SecretHash, SessionStore};
use session_policy::{RenewalOutcome, SessionToken, Timestamp};
use work::jwt::Jwt;
use work::rule::{Instants, Mix, Reference, Scan, instants};
use work::store::{Bare, World, at, now};

const CALLS: u32 = 1_000;
const RECORDS: usize = CALLS as usize;

/// The only place that callgrind counts.
#[inline(never)]
fn measured<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}

const NAMES: &[&str] = &[
    "reference",
    "evaluate, nine in ten kept",
    "evaluate, mixed outcomes",
    "status",
    "start",
    #[cfg(feature = "review")]
    "impact",
    "token parse",
    "secret hash",
    "bare map and SHA-256",
    "MemoryStore authenticate, keep",
    "MemoryStore authenticate, renew",
    "MemoryStore authenticate, reject",
    "jsonwebtoken::decode",
    "JWT authenticate",
    "jsonwebtoken::encode",
    "JWT re-issue",
];

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    if !NAMES.contains(&name.as_str()) {
        // Also for cargo's own `--bench`.
        println!("{}", NAMES.join("\n"));
        return;
    }
    rule(&name);
    token(&name);
    store(&name);
    jwt(&name);
    println!("{CALLS}");
}

fn rule(name: &str) {
    let mix = if name.ends_with("kept") { Mix::MostlyKept } else { Mix::Mixed };
    let scan = Scan::new(mix, RECORDS);
    let Scan { policy, lifetimes, now } = &scan;
    match name {
        "reference" => {
            let (reference, now) = (Reference::from(policy), now.as_unix_secs());
            let instants: Vec<Instants> = lifetimes.iter().map(instants).collect();
            measured(|| {
                for instants in &instants {
                    black_box(reference.decide(instants, now));
                }
            });
        }
        "evaluate, nine in ten kept" | "evaluate, mixed outcomes" => measured(|| {
            for lifetime in lifetimes {
                let _ = black_box(policy.evaluate(lifetime, *now));
            }
        }),
        "status" => measured(|| {
            for lifetime in lifetimes {
                black_box(policy.status(lifetime, *now));
            }
        }),
        "start" => measured(|| {
            for secs in 0..i64::from(CALLS) {
                black_box(policy.start(Timestamp::from_unix_secs(secs)));
            }
        }),
        #[cfg(feature = "review")]
        "impact" => {
            let change = PolicyChange::between(*policy, SessionPolicy::WORKING_DAY);
            let mut impact = Impact::new(change, *now);
            measured(|| impact.extend(lifetimes.iter().copied()));
            assert_eq!(impact.total(), u64::from(CALLS));
        }
        _ => {}
    }
}

fn token(name: &str) {
    let world = World::new(1);
    let token = world.token(0);
    for _ in 0..CALLS {
        match name {
            "token parse" => {
                measured(|| token.expose().parse::<SessionToken>()).expect("a token");
            }
            "secret hash" => {
                measured(|| SecretHash::of_secret(&world.secrets[0].1));
            }
            _ => {}
        }
    }
}

/// One session, so that no hash meets another, whatever the keys of the map.
fn store(name: &str) {
    let world = World::new(1);
    let (token, (id, secret)) = (world.token(0), world.parts(0));
    let bare = Bare::new(&world);
    for call in 0..i64::from(CALLS) {
        match name {
            "bare map and SHA-256" => assert!(measured(|| bare.authenticate(&id, &secret))),
            "MemoryStore authenticate, keep" => {
                let served = measured(|| now(world.sessions.authenticate(token.expose())));
                assert!(matches!(served.expect("served").renewal, RenewalOutcome::NotDue));
            }
            "MemoryStore authenticate, renew" => {
                // Due again at each, within the cap.
                if call % 90 == 0 {
                    now(world.sessions.store().remove(&id)).expect("removed");
                    world.create(0, 0);
                }
                world.clock.set(at(300 * (call % 90 + 1)));
                let served = measured(|| now(world.sessions.authenticate(token.expose())));
                assert!(matches!(served.expect("served").renewal, RenewalOutcome::Renewed));
            }
            "MemoryStore authenticate, reject" => {
                world.clock.set(at(1_800));
                assert!(measured(|| now(world.sessions.authenticate(token.expose()))).is_err());
            }
            _ => {}
        }
    }
}

fn jwt(name: &str) {
    let jwt = Jwt::new();
    jwt.assert_same();
    let claims = jwt.decode().claims;
    if name == "JWT re-issue" {
        jwt.make_due();
    }
    for _ in 0..CALLS {
        match name {
            "jsonwebtoken::decode" => drop(measured(|| jwt.decode())),
            "JWT authenticate" => drop(measured(|| jwt.authenticate())),
            "jsonwebtoken::encode" => drop(measured(|| jwt.encode(&claims))),
            "JWT re-issue" => assert!(measured(|| jwt.authenticate()).token.is_some()),
            _ => {}
        }
    }
}
