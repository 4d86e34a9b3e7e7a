//! What does not depend on the machine: allocations, store traffic, cookies,
//! bytes. Stops if one of ours is above its bound.

use std::sync::Arc;

use allocation_counter::measure;
use chrono::TimeDelta;
use session_policy::{Clock, ManualClock, SystemClock};
use session_policy_peers::app::{App, Caller};
use session_policy_peers::on_axum::Browser;
use session_policy_peers::task::Group;
use session_policy_peers::traffic::Traffic;
use session_policy_peers::{jwt, lookup, on_actix, on_axum};

const REQUESTS: u64 = 1_000;
/// Of 1,000 requests, one a minute, under an `update_age` of 1 h.
const MOST_RENEWALS: u64 = 17;

fn main() {
    println!("Outcomes");
    for app in on_axum::apps().into_iter().chain(on_actix::apps()).filter(is_protected) {
        check_refusals(app);
    }

    println!("\nAllocations a request\n{:34} {:>8} {:>8}", "", "count", "net");
    allocations(Group::of_apps("axum", on_axum::apps()), &[("session-policy", 6)]);
    let bounds = [("session-policy, opaque", 3), ("session-policy, hybrid", 4)];
    allocations(Group::of_apps("actix-web", on_actix::apps()), &bounds);
    let reading: &[_] = &[("session-policy", 2), ("session-policy, hybrid", 1)];
    for (group, bounds) in jwt::groups().into_iter().zip([reading, &[("session-policy", 6)]]) {
        allocations(group, bounds);
    }
    allocations(lookup::group(1_000), &[("session-policy", 0)]);

    println!(
        "\nPer 1,000 requests, one a minute\n{:34} {:>8} {:>8} {:>8}",
        "", "reads", "writes", "cookies"
    );
    let clock = a_clock();
    let ours = traffic(on_axum::counted_ours(clock.clone()), &clock);
    assert!(ours.0 <= MOST_RENEWALS && ours.1 <= MOST_RENEWALS, "{ours:?}");
    let ours = two_clients();
    assert!(ours.0 <= MOST_RENEWALS && ours.1 <= MOST_RENEWALS, "{ours:?}");
    let opaque = traffic(on_actix::counted_opaque(clock.clone()), &clock);
    assert!(opaque.0 <= MOST_RENEWALS && opaque.1 <= MOST_RENEWALS, "{opaque:?}");
    let hybrid = traffic(on_actix::counted_hybrid(clock.clone()), &clock);
    // It also writes when a token is first presented.
    assert!(hybrid.0 <= 2 * MOST_RENEWALS && hybrid.1 <= MOST_RENEWALS, "{hybrid:?}");
    for app in on_axum::counted_peers().into_iter().chain(on_actix::counted_peers()) {
        traffic(app, &clock);
    }

    bytes(100_000);
}

fn is_protected(app: &App) -> bool {
    app.name != "no session"
}

fn check_refusals(mut app: App) {
    app.serve();
    app.refuse(Caller::Stranger);
    app.refuse(Caller::Forger);
    app.serve();
    println!("{:34} serves its user and nobody else", app.name);
}

/// Above the first of the group, if that is only the frame.
fn allocations(group: Group, bounds: &[(&str, i64)]) {
    let mut frame = None;
    println!("{}", group.name);
    for mut task in group.tasks {
        task.run(10);
        let count = i64::try_from(measure(|| task.run(100)).count_total / 100);
        let count = count.unwrap_or(i64::MAX);
        let net = count - *frame.get_or_insert(if group.is_net { count } else { 0 });
        println!("{:34} {count:8} {net:8}", task.name);
        for (_, bound) in bounds.iter().filter(|(name, _)| *name == task.name) {
            assert!(net <= *bound, "{} allocates {net} times, not {bound}", task.name);
        }
    }
}

/// 1,000 requests, one a minute by `clock`; how many writes and cookies. The
/// peers' clock is the system's, so for them no time passes.
fn traffic(mut app: App, clock: &ManualClock) -> (u64, u64) {
    let before = (app.traffic.reads(), app.traffic.writes());
    let mut cookies = 0;
    for _ in 0..REQUESTS {
        clock.advance(TimeDelta::minutes(1));
        cookies += count(app.serve());
    }
    let (reads, writes) = (app.traffic.reads() - before.0, app.traffic.writes() - before.1);
    println!("{:34} {reads:8} {writes:8} {cookies:8}", app.name);
    (writes, cookies)
}

/// It stands at the system's time, and is then moved by hand.
fn a_clock() -> ManualClock {
    ManualClock::new(SystemClock.now())
}

/// Two clients with one cookie, which ask at the same instant, 500 times.
fn two_clients() -> (u64, u64) {
    let clock = a_clock();
    let counted = Arc::new(Traffic::default());
    let browser = Browser::of_ours(Arc::clone(&counted), clock.clone());
    let before = (counted.reads(), counted.writes());
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
    let mut cookies = 0;
    for _ in 0..REQUESTS / 2 {
        clock.advance(TimeDelta::minutes(1));
        let both = futures_util::future::join(browser.ask(), browser.ask());
        let (one, other) = runtime.block_on(both);
        cookies += count(one + other);
    }
    let (reads, writes) = (counted.reads() - before.0, counted.writes() - before.1);
    println!("{:34} {reads:8} {writes:8} {cookies:8}", "session-policy, two at once");
    (writes, cookies)
}

fn count(cookies: usize) -> u64 {
    u64::try_from(cookies).unwrap_or(u64::MAX)
}

fn bytes(count: u32) {
    println!("\nBytes a session, of {count}\n{:34} {:>8} {:>8}", "", "bytes", "allocs");
    let number = usize::try_from(count).unwrap_or(usize::MAX);
    let ours = each("session-policy, with its index", count, || lookup::our_sessions(number).0);
    let theirs = each("tower-sessions, the same facts", count, || lookup::tower_sessions(number));
    let subject = || lookup::tower_sessions_of_subjects(number);
    let least = each("tower-sessions, only the subject", count, subject);
    println!("ratio {:.2}, to only the subject {:.2}", ours / theirs, ours / least);
    assert!(ours / theirs < 0.6, "{ours} bytes, and they {theirs}");
}

/// What is left in memory of `make`, by what was asked of the allocator.
fn each<T>(name: &str, count: u32, make: impl FnOnce() -> T) -> f64 {
    let mut kept = None;
    let grown = measure(|| kept = Some(make()));
    drop(kept);
    let count = i64::from(count);
    println!("{name:34} {:8} {:8}", grown.bytes_current / count, grown.count_current / count);
    i32::try_from(grown.bytes_current / count).map_or(f64::MAX, f64::from)
}
