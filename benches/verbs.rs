//! How long is each verb? For a glance on one machine; `ratios.rs` holds what
//! matters against its floor, and `instructions.rs` counts.
#![allow(clippy::expect_used, reason = "a bench fails by panicking")]

mod work;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
#[cfg(feature = "review")]
use session_policy::SessionPolicy;
#[cfg(feature = "review")]
use session_policy::review::{Impact, PolicyChange};
use session_policy::store::SecretHash;
use session_policy::{RenewalOutcome, SessionToken, Timestamp};
use work::jwt::Jwt;
use work::rule::{Mix, Scan, policy};
use work::store::{World, at, now};

/// So many records fit the nearest caches.
const RECORDS: usize = 1_000;
const SESSIONS: usize = 10_000;

fn main() {
    divan::main();
}

#[divan::bench(args = ["mostly kept", "mixed"])]
fn evaluate(bencher: Bencher<'_, '_>, mix: &str) {
    let scan = scan(mix);
    bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| {
        for lifetime in &scan.lifetimes {
            let _ = black_box(scan.policy.evaluate(black_box(lifetime), scan.now));
        }
    });
}

#[divan::bench(args = ["mostly kept", "mixed"])]
fn status(bencher: Bencher<'_, '_>, mix: &str) {
    let scan = scan(mix);
    bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| {
        for lifetime in &scan.lifetimes {
            black_box(scan.policy.status(black_box(lifetime), scan.now));
        }
    });
}

#[divan::bench]
fn start(bencher: Bencher<'_, '_>) {
    let policy = policy();
    bencher.bench_local(|| policy.start(black_box(Timestamp::from_unix_secs(1_800_000_000))));
}

#[cfg(feature = "review")]
#[divan::bench]
fn impact(bencher: Bencher<'_, '_>) {
    let scan = scan("mixed");
    let change = PolicyChange::between(scan.policy, SessionPolicy::WORKING_DAY);
    bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| {
        let mut impact = Impact::new(change, scan.now);
        impact.extend(scan.lifetimes.iter().copied());
        assert_eq!(impact.total(), RECORDS as u64);
        impact
    });
}

#[divan::bench]
fn token_parse(bencher: Bencher<'_, '_>) {
    let token = World::new(1).token(0);
    bencher.bench_local(|| black_box(token.expose()).parse::<SessionToken>().expect("a token"));
}

#[divan::bench]
fn secret_hash(bencher: Bencher<'_, '_>) {
    let (_, secret) = World::new(1).secrets[0];
    bencher.bench_local(|| SecretHash::of_secret(black_box(&secret)));
}

#[divan::bench]
fn authenticate_and_keep(bencher: Bencher<'_, '_>) {
    let world = World::new(SESSIONS);
    let mut next = (0..SESSIONS).cycle();
    bencher
        .with_inputs(|| world.token(next.next().expect("endless")))
        .bench_local_refs(|token| assert!(world.authenticate(token)));
}

#[divan::bench]
fn authenticate_and_renew(bencher: Bencher<'_, '_>) {
    let world = World::new(SESSIONS);
    // Each session is due once at each of these instants.
    let mut due = (1..90).flat_map(|turn| (0..SESSIONS).map(move |number| (turn, number)));
    bencher
        .with_inputs(|| {
            let (turn, number) = due.next().expect("fewer samples than renewals");
            world.clock.set(at(300 * turn));
            world.token(number)
        })
        .bench_local_refs(|token| {
            let served = now(world.sessions.authenticate(token.expose())).expect("served");
            assert!(matches!(served.renewal, RenewalOutcome::Renewed));
        });
}

#[divan::bench]
fn authenticate_and_reject(bencher: Bencher<'_, '_>) {
    let world = World::new(SESSIONS);
    world.clock.set(at(1_800));
    let mut next = (0..SESSIONS).cycle();
    bencher
        .with_inputs(|| world.token(next.next().expect("endless")))
        .bench_local_refs(|token| assert!(!world.authenticate(token)));
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn sweep(bencher: Bencher<'_, '_>) {
    bencher
        .counter(ItemsCount::new(SESSIONS))
        .with_inputs(|| {
            let world = World::new(SESSIONS);
            world.clock.set(at(1_800));
            world
        })
        .bench_local_refs(|world| {
            let swept = now(world.sessions.sweep(u32::MAX)).expect("swept");
            assert_eq!(swept, SESSIONS as u64);
        });
}

#[divan::bench]
fn jwt_verify(bencher: Bencher<'_, '_>) {
    let jwt = Jwt::new();
    jwt.assert_same();
    bencher.bench_local(|| jwt.authenticate());
}

#[divan::bench]
fn jwt_issue(bencher: Bencher<'_, '_>) {
    let jwt = Jwt::new();
    jwt.make_due();
    bencher.bench_local(|| {
        let issued = jwt.authenticate().token;
        assert!(issued.is_some());
        issued
    });
}

fn scan(mix: &str) -> Scan {
    let scan = Scan::new(if mix == "mixed" { Mix::Mixed } else { Mix::MostlyKept }, RECORDS);
    scan.assert_same();
    scan
}
