//! Times of the same work, interleaved, and their ratios. Takes the number of
//! rounds (51) and of sessions in the lookup (1,000,000).

use std::env;
use std::time::Instant;

use session_policy_peers::task::Group;
use session_policy_peers::{jwt, lookup, on_actix, on_axum, rule};

fn main() {
    let mut args = env::args().skip(1).map(|arg| arg.parse::<usize>());
    let mut arg = |default| match args.next() {
        None => default,
        Some(Ok(number)) => number,
        Some(Err(error)) => panic!("rounds and sessions are numbers: {error}"),
    };
    let (rounds, sessions) = (arg(51).max(3), arg(1_000_000));
    report(Group::of_apps("axum, a protected route", on_axum::apps()), rounds);
    report(Group::of_apps("actix-web, a protected route", on_actix::apps()), rounds);
    for group in jwt::groups().into_iter().chain(rule::groups()) {
        report(group, rounds);
    }
    report(lookup::group(sessions), rounds);
}

/// Runs all tasks in turn, each round beginning with another, and prints the
/// medians. A ratio is the median of the ratios of each round, so that a
/// neighbour on the machine disturbs both its sides.
fn report(mut group: Group, rounds: usize) {
    for task in &mut group.tasks {
        task.run(group.batch);
    }
    let count = group.tasks.len();
    let mut nanos = vec![Vec::with_capacity(rounds); count];
    for round in 0..rounds {
        for turn in 0..count {
            let at = (round + turn) % count;
            let start = Instant::now();
            group.tasks[at].run(group.batch);
            let each = start.elapsed().as_secs_f64() * 1e9 / f64::from(group.batch);
            nanos[at].push(each);
        }
    }
    if group.is_net {
        let (frame, work) = nanos.split_at_mut(1);
        for task in work {
            task.iter_mut().zip(&frame[0]).for_each(|(nanos, frame)| *nanos -= frame);
        }
    }
    let ours: Vec<_> =
        (0..count).filter(|at| group.tasks[*at].name.starts_with("session-policy")).collect();
    let frame = if group.is_net { ", above the first" } else { "" };
    print!("\n{} ({rounds} rounds of {})\n{:34} {:>10}", group.name, group.batch, "", "ns");
    for at in &ours {
        let name = group.tasks[*at].name;
        print!(
            "  {:>14}",
            name.strip_prefix("session-policy, ").unwrap_or("ours").to_owned() + " / it"
        );
    }
    println!("{frame}");
    for (at, task) in group.tasks.iter().enumerate() {
        print!("{:34} {:10.1}", task.name, median(nanos[at].iter().copied()));
        for our in ours.iter().filter(|our| **our != at && !(group.is_net && at == 0)) {
            let ratios = nanos[*our].iter().zip(&nanos[at]).map(|(ours, its)| ours / its);
            print!("  {:14.2}", median(ratios));
        }
        println!();
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
