//! Processor times against floors that need no framework, as ratios of one run:
//! both sides alternately, the best of many rounds each.
//!
//! `cargo bench --features jwt --bench ratios`, with the sections to measure
//! after `--` (`rule`, `store`, `threads`, `sizes`, `bytes`, `sweep`, `limit`,
//! `jwt`; all if none is named).
#![allow(clippy::expect_used, reason = "a bench fails by panicking")]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "numbers are small")]

mod work;

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use pollster::block_on;
use rustix::time::{ClockId, clock_gettime};
use session_policy::SessionToken;
use session_policy::store::SessionStore;
use work::Random;
use work::jwt::Jwt;
use work::rule::{Instants, Mix, Reference, Scan, instants};
use work::store::{Bare, BareRecords, World, at};

const MILLION: usize = 1_000_000;

fn main() {
    let sections: [(&str, fn()); 8] = [
        ("rule", rule),
        ("store", store),
        ("threads", threads),
        ("sizes", sizes),
        ("bytes", bytes),
        ("sweep", sweep),
        ("limit", limit),
        ("jwt", jwt),
    ];
    let named: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    println!("| work | measured | floor | ratio |\n| --- | --- | --- | --- |");
    for (name, section) in sections {
        if named.is_empty() || named.iter().any(|wanted| wanted == name) {
            section();
        }
    }
}

/// The best time of each over as many rounds, alternately: what this thread works,
/// since others may have the processor meanwhile.
fn best<const N: usize>(rounds: usize, mut works: [&mut dyn FnMut(); N]) -> [Duration; N] {
    let mut best = [Duration::MAX; N];
    for _ in 0..rounds {
        for (best, work) in best.iter_mut().zip(&mut works) {
            let start = worked();
            work();
            *best = worked().saturating_sub(start).min(*best);
        }
    }
    best
}

/// How long this thread has had a processor.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("not before it began")
}

fn row(work: &str, ours: Duration, floor: Duration, calls: usize) {
    let nanos = |time: Duration| time.as_secs_f64() * 1e9 / calls as f64;
    let ratio = ours.as_secs_f64() / floor.as_secs_f64();
    println!("| {work} | {:.1} ns | {:.1} ns | {ratio:.2} |", nanos(ours), nanos(floor));
}

fn rule() {
    const RECORDS: usize = 50_000; // More than a branch predictor learns by heart.
    let [kept, mixed] = [Mix::MostlyKept, Mix::Mixed].map(|mix| {
        let scan = Scan::new(mix, RECORDS);
        scan.assert_same();
        let plain: Vec<Instants> = scan.lifetimes.iter().map(instants).collect();
        let reference = Reference::from(&scan.policy);
        let [ours, floor] = best(
            400,
            [
                &mut || {
                    for lifetime in &scan.lifetimes {
                        let _ = black_box(scan.policy.evaluate(lifetime, scan.now));
                    }
                },
                &mut || {
                    for instants in &plain {
                        black_box(reference.decide(instants, scan.now.as_unix_secs()));
                    }
                },
            ],
        );
        let name = match mix {
            Mix::MostlyKept => "`evaluate`, 90 % keep, against the integer reference",
            Mix::Mixed => "`evaluate`, mixed outcomes, against the integer reference",
        };
        row(name, ours, floor, RECORDS);
        ours
    });
    row("`evaluate`, mixed outcomes, against 90 % keep", mixed, kept, RECORDS);

    let scan = Scan::new(Mix::Mixed, MILLION);
    let mut served = 0;
    let [ours, floor] = best(
        40,
        [
            &mut || {
                let is_served = |lifetime| scan.policy.evaluate(lifetime, scan.now).is_served();
                served = black_box(scan.lifetimes.iter().filter(|&it| is_served(it)).count());
            },
            &mut || {
                // Every word of the same memory, once.
                let sum = |sum: i64, lifetime| sum ^ instants(lifetime).iter().sum::<i64>();
                black_box(scan.lifetimes.iter().fold(0, sum));
            },
        ],
    );
    assert!(served > MILLION / 3 && served < MILLION / 2);
    row("1,000,000 lifetimes in a slice, against reading them", ours, floor, MILLION);
}

const REQUESTS: usize = 20_000;

fn some_tokens(world: &World, random: &mut Random) -> Vec<SessionToken> {
    some(random, world.secrets.len(), |number| world.token(number))
}

fn some<T>(random: &mut Random, count: usize, of: impl Fn(usize) -> T) -> Vec<T> {
    let number = |random: &mut Random| usize::try_from(random.below(count as u64));
    (0..REQUESTS).map(|_| of(number(random).expect("an index"))).collect()
}

fn store() {
    let world = World::new(MILLION);
    let (bare, records) = (Bare::new(&world), BareRecords::new(&world));
    let mut random = Random::new(3);
    let mut times = [Duration::MAX; 3];
    for _ in 0..60 {
        // Other sessions for each, so that none finds the other's in a cache.
        let tokens = some_tokens(&world, &mut random);
        let [of_hashes, of_records] =
            [(), ()].map(|()| some(&mut random, MILLION, |number| world.parts(number)));
        let round = best(
            1,
            [
                &mut || tokens.iter().for_each(|token| assert!(world.authenticate(token))),
                &mut || {
                    for (id, secret) in &of_hashes {
                        assert!(bare.authenticate(id, secret));
                    }
                },
                &mut || {
                    for (id, secret) in &of_records {
                        assert!(records.authenticate(id, secret));
                    }
                },
            ],
        );
        times = std::array::from_fn(|at| times[at].min(round[at]));
    }
    let [ours, bare, records] = times;
    let name = "`authenticate`, 1,000,000 sessions, against a bare map of";
    row(&format!("{name} hashes and SHA-256"), ours, bare, REQUESTS);
    row(&format!("{name} the same records and SHA-256"), ours, records, REQUESTS);
    let token = world.token(7);
    let counted = measure(|| assert!(world.authenticate(&token)));
    println!("| its allocations | {} | | |", counted.count_total);
}

fn threads() {
    let world = World::new(MILLION);
    let mut rates = [0.0_f64; 2];
    for round in 0..20 {
        for (rate, threads) in rates.iter_mut().zip(1..=2_u64) {
            let lists: Vec<_> = (0..threads)
                .map(|thread| some_tokens(&world, &mut Random::new(round * 2 + thread)))
                .collect();
            let start = Instant::now();
            thread::scope(|scope| {
                for list in &lists {
                    let world = &world;
                    scope.spawn(move || list.iter().for_each(|it| assert!(world.authenticate(it))));
                }
            });
            let done = (lists.len() * REQUESTS) as f64;
            *rate = rate.max(done / start.elapsed().as_secs_f64());
        }
    }
    let [one, two] = rates;
    println!(
        "| `authenticate` a second on 2 threads, against 1 | {two:.0} | {one:.0} | {:.2} |",
        two / one
    );
}

fn sizes() {
    for count in [1_000, 10_000, 100_000, MILLION, 10 * MILLION] {
        let world = World::new(count);
        let mut random = Random::new(3);
        let mut fastest = Duration::MAX;
        for _ in 0..20 {
            let tokens = some_tokens(&world, &mut random);
            let round = best(
                1,
                [&mut || tokens.iter().for_each(|token| assert!(world.authenticate(token)))],
            );
            fastest = fastest.min(round[0]);
        }
        let nanos = fastest.as_secs_f64() * 1e9 / REQUESTS as f64;
        println!("| `authenticate`, {count} sessions | {nanos:.0} ns | | |");
    }
}

/// Requested bytes, without what the allocator adds.
fn bytes() {
    let world = World::empty(MILLION);
    let counted = measure(|| (0..MILLION).for_each(|number| world.create(number, 0)));
    assert_eq!(world.sessions.store().len(), MILLION);
    let each = counted.bytes_current as f64 / MILLION as f64;
    let held = counted.count_current as f64 / MILLION as f64;
    println!("| bytes per session of its own subject, indexes included | {each:.0} | | |");
    println!("| its allocations | {held:.2} | | |");
}

/// Half of the sessions have expired.
fn sweep() {
    for count in [MILLION, 2 * MILLION] {
        let world = World::empty(count);
        for number in 0..count {
            // In no order of expiry.
            world.create(number, if number % 2 == 0 { 0 } else { 1_000 + number as i64 % 500 });
        }
        let due = at(1_800);
        let store = world.sessions.store();
        // A call of one chunk holds each lock for less than it works itself.
        let (mut calls, mut swept) = (Vec::new(), 0);
        let start = Instant::now();
        loop {
            let start = worked();
            let removed = block_on(store.remove_expired(due, 512)).expect("a memory").len();
            calls.push(worked().saturating_sub(start));
            swept += removed;
            if removed < 512 {
                break;
            }
        }
        let each = start.elapsed().as_secs_f64() * 1e9 / swept as f64;
        assert_eq!(swept, count / 2);
        println!("| sweep of {swept} expired among {count}, each | {each:.0} ns | | |");
        calls.sort_unstable();
        let (median, longest) = (calls[calls.len() / 2], calls[calls.len() - 1]);
        let [median, longest] = [median, longest].map(|call| call.as_micros());
        println!("| its calls for 512, the median and the longest | {median}, {longest} us | | |");
    }
}

/// Sign-ins and a list of a subject who has as many sessions as it may, or 100,000.
fn limit() {
    for (held, max) in [(100, 100), (100_000, 100), (100_000, 100_000)] {
        let world = World::limited(max);
        for number in 0..held {
            world.create_of("user", number, 0);
        }
        let mut polls = Vec::new();
        for _ in 0..20 {
            assert!(polled(&mut polls, world.sessions.start("user")).is_ok());
            let kept = polled(&mut Vec::new(), world.sessions.store().list("user"));
            assert_eq!(kept.expect("a memory").len(), max as usize);
            if held > max as usize {
                break;
            }
        }
        polls_row(&format!("a sign-in, {held} sessions under a limit of {max}"), polls);
        let mut polls = Vec::new();
        let listed = polled(&mut polls, world.sessions.list("user"));
        assert_eq!(listed.expect("a memory").len(), max as usize);
        polls_row(&format!("a list of {max} sessions"), polls);
    }
}

/// What a future comes to, and how long each of its polls works.
fn polled<T>(polls: &mut Vec<Duration>, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        let before = worked();
        let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        polls.push(worked().saturating_sub(before));
        if let Poll::Ready(output) = polled {
            return output;
        }
    }
}

fn polls_row(work: &str, mut polls: Vec<Duration>) {
    polls.sort_unstable();
    let (median, longest) = (polls[polls.len() / 2], polls[polls.len() - 1]);
    let [median, longest] = [median, longest].map(|poll| poll.as_micros());
    println!("| polls of {work}, the median and the longest | {median}, {longest} us | | |");
}

const CALLS: usize = 200;

fn jwt() {
    let (jwt, due) = (Jwt::new(), Jwt::new());
    jwt.assert_same();
    due.make_due();
    let mut claims = jwt.decode().claims;
    let many = |work: &dyn Fn()| (0..CALLS).for_each(|_| work());
    let [kept, reissued, decoded, encoded] = best(
        400,
        [
            &mut || many(&|| drop(black_box(jwt.authenticate()))),
            &mut || many(&|| drop(black_box(due.authenticate()))),
            &mut || many(&|| drop(black_box(jwt.decode()))),
            &mut || (0..CALLS).for_each(|_| drop(black_box(jwt.encode_anew(&mut claims)))),
        ],
    );
    row("JWT HS256 `authenticate`, against `jsonwebtoken::decode`", kept, decoded, CALLS);
    let reissue = reissued.saturating_sub(kept);
    let name = "its re-issue, against `jsonwebtoken::encode` and a random `jti`";
    row(name, reissue, encoded, CALLS);
    let allocations = |work: &dyn Fn()| measure(work).count_total;
    let ours = allocations(&|| drop(jwt.authenticate()));
    let theirs = allocations(&|| drop(jwt.decode()));
    println!("| their allocations | {ours} | {theirs} | |");
}
