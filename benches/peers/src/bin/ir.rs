//! One task under callgrind; `ir.sh` runs them all. Without arguments it lists
//! the tasks, with a group and a task it does that task 1,000 times.

use std::env;

use session_policy_peers::task::Group;
use session_policy_peers::{jwt, lookup, on_actix, on_axum, record};

const TIMES: u32 = 1_000;

fn main() {
    let mut groups = vec![
        Group::of_apps("axum, a protected route", on_axum::apps()),
        Group::of_apps("actix-web, a protected route", on_actix::apps()),
        Group::new("one SHA-256 block", TIMES, vec![record::one_block()]),
        lookup::group(10_000),
    ];
    groups.extend(jwt::groups());
    let numbers: Result<Vec<usize>, _> = env::args().skip(1).map(|arg| arg.parse()).collect();
    match numbers.as_deref() {
        Ok([]) => list(&groups),
        Ok([group, task]) => {
            let task = &mut groups[*group].tasks[*task];
            task.run(TIMES);
            task.run_measured(TIMES);
        }
        _ => panic!("give the numbers of a group and of a task"),
    }
}

/// Group, task, whether the group's first task is to be taken off, and names.
fn list(groups: &[Group]) {
    for (number, group) in groups.iter().enumerate() {
        for (at, task) in group.tasks.iter().enumerate() {
            println!("{number}\t{at}\t{}\t{}\t{}", group.is_net, group.name, task.name);
        }
    }
}
