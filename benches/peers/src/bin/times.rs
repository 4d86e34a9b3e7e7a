//! Times of the same work, interleaved, and their ratios. Takes the number of
//! rounds (101) and of sessions in the lookup (1,000,000).

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
    let (rounds, sessions) = (arg(101).max(3), arg(1_000_000));
    report(Group::of_apps("axum, a protected route", on_axum::apps()), rounds);
    report(
        Group::of_apps("axum, a route that asks for no session", on_axum::open_routes()),
        rounds,
    );
    report(Group::of_apps("actix-web, a protected route", on_actix::apps()), rounds);
    for group in jwt::groups().into_iter().chain(rule::groups()) {
        report(group, rounds);
    }
    report(lookup::group(sessions), rounds);
}

/// Runs all tasks in turn, each round beginning with another, and prints of each
/// the time that one round in ten is below: what else runs on the machine only
/// ever adds to it.
fn report(mut group: Group, rounds: usize) {
    for task in &mut group.tasks {
        task.run(group.batch);
    }
    let count = group.tasks.len();
    let mut rounds_of = vec![Vec::with_capacity(rounds); count];
    for round in 0..rounds {
        for turn in 0..count {
            let at = (round + turn) % count;
            let start = Instant::now();
            group.tasks[at].run(group.batch);
            let each = start.elapsed().as_secs_f64() * 1e9 / f64::from(group.batch);
            rounds_of[at].push(each);
        }
    }
    let nanos: Vec<_> = rounds_of.into_iter().map(undisturbed).collect();
    let frame = if group.is_net { nanos[0] } else { 0.0 };
    let ours: Vec<_> =
        (0..count).filter(|at| group.tasks[*at].name.starts_with("session-policy")).collect();
    print!("\n{}\n{:34} {:>10} {:>10}", group.name, "", "ns", "net");
    for our in &ours {
        let name = group.tasks[*our].name.split(", ").nth(1).unwrap_or("ours");
        print!(" {:>11}", format!("{name} / it"));
    }
    println!();
    for (at, task) in group.tasks.iter().enumerate() {
        let net = nanos[at] - frame;
        print!("{:34} {:10.1} {net:10.1}", task.name, nanos[at]);
        for our in ours.iter().filter(|_| net > 0.0) {
            print!(" {:11.2}", (nanos[*our] - frame) / net);
        }
        println!();
    }
}

fn undisturbed(mut nanos: Vec<f64>) -> f64 {
    nanos.sort_by(f64::total_cmp);
    nanos[nanos.len() / 10]
}
