//! One task under callgrind; `ir.sh` runs them all. Without arguments it lists
//! the tasks, with a group and a task it does that task 1,000 times.

use std::env;

use session_policy_peers::task::Group;
use session_policy_peers::{jwt, lookup, on_actix, on_axum, record};

const TIMES: u32 = 1_000;

fn main() {
    let numbers: Result<Vec<usize>, _> = env::args().skip(1).map(|arg| arg.parse()).collect();
    match numbers.as_deref() {
        Ok([]) => (0..).map_while(group).enumerate().for_each(|(at, group)| list(at, &group)),
        Ok([at, task]) => {
            let Some(mut group) = group(*at) else { panic!("there is no group {at}") };
            let task = &mut group.tasks[*task];
            task.run(TIMES);
            task.run_measured(TIMES);
        }
        _ => panic!("give the numbers of a group and of a task"),
    }
}

/// The group of this number. Only the one that is run is made, since valgrind
/// takes its time.
fn group(number: usize) -> Option<Group> {
    Some(match number {
        0 => Group::of_apps("axum, a protected route", on_axum::apps()),
        1 => Group::of_apps("actix-web, a protected route", on_actix::apps()),
        2 => Group::new("one SHA-256 block", TIMES, vec![record::one_block()]),
        3 => lookup::group(1_000),
        4 => Group::of_apps("axum, a route that asks for no session", on_axum::open_routes()),
        _ => return jwt::groups().into_iter().nth(number - 5),
    })
}

/// Group, task, whether the group's first task is to be taken off, and names.
fn list(number: usize, group: &Group) {
    for (at, task) in group.tasks.iter().enumerate() {
        println!("{number}\t{at}\t{}\t{}\t{}", group.is_net, group.name, task.name);
    }
}
