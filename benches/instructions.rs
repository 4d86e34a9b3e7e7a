//! One marked function a piece of work, for callgrind: `benches/instructions.sh`.
#![allow(clippy::expect_used, reason = "a bench fails by panicking")]

mod work;

use std::hint::black_box;

use session_policy::{Lifetime, SessionPolicy, Timestamp};
use work::rule::{Instants, Mix, Reference, Scan, instants};

const RECORDS: usize = 1_000;

#[inline(never)]
fn measured_evaluate(policy: &SessionPolicy, lifetimes: &[Lifetime], now: Timestamp) {
    for lifetime in lifetimes {
        black_box(policy.evaluate(lifetime, now));
    }
}

#[inline(never)]
fn measured_reference(policy: &Reference, instants: &[Instants], now: i64) {
    for instants in instants {
        black_box(policy.decide(instants, now));
    }
}

#[inline(never)]
fn measured_status(policy: &SessionPolicy, lifetimes: &[Lifetime], now: Timestamp) {
    for lifetime in lifetimes {
        black_box(policy.status(lifetime, now));
    }
}

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    let mix = if name.ends_with("mixed") { Mix::Mixed } else { Mix::MostlyKept };
    let scan = Scan::new(mix, RECORDS);
    let plain: Vec<Instants> = scan.lifetimes.iter().map(instants).collect();
    match name.trim_end_matches("_mixed") {
        "evaluate" => measured_evaluate(&scan.policy, &scan.lifetimes, scan.now),
        "reference" => {
            measured_reference(&Reference::from(&scan.policy), &plain, scan.now.as_unix_secs());
        }
        "status" => measured_status(&scan.policy, &scan.lifetimes, scan.now),
        _ => {}
    }
    let floor = std::time::Instant::now();
    let n = 20_000;
    for _ in 0..n { measured_reference(&Reference::from(&scan.policy), &plain, scan.now.as_unix_secs()); }
    let r = floor.elapsed().as_nanos() as f64 / f64::from(n) / 1000.0;
    let floor = std::time::Instant::now();
    for _ in 0..n { measured_evaluate(&scan.policy, &scan.lifetimes, scan.now); }
    let e = floor.elapsed().as_nanos() as f64 / f64::from(n) / 1000.0;
    println!("{name} reference {r:.2} ns, evaluate {e:.2} ns");
}
