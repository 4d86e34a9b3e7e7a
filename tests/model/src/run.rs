//! Runs a model and reports what came of it.

use std::collections::BTreeMap;
use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};

use crate::act::Act;
use crate::model::Check;
use crate::properties::LAWS;
use crate::real::Real;
use crate::scope::Scope;
use crate::script::Driver;
use crate::store::StoreFault;

/// What a check found.
#[derive(Debug)]
pub struct Report {
    /// Different states.
    pub states: usize,
    /// Steps from one to another.
    pub transitions: usize,
    /// For each property with a discovery, the acts that lead there: of a law, how
    /// it is broken; of what is to happen, how it does.
    pub found: BTreeMap<&'static str, Vec<Act>>,
}

impl Report {
    /// The law that is broken, if any, and the acts that break it.
    #[must_use]
    pub fn broken(&self) -> Option<(&'static str, &[Act])> {
        LAWS.iter().find_map(|law| Some((*law, self.found.get(law)?.as_slice())))
    }
}

/// Explores a scope to its end, or up to the first broken law, and prints how far
/// it got. Breadth first on one thread, so that a broken law is shown in the
/// fewest acts.
pub fn check<D: Driver>(name: &str, scope: Scope, driver: D, fault: Option<StoreFault>) -> Report {
    let start = Instant::now();
    let checker = Check::new(scope, driver, fault)
        .checker()
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    let discoveries = checker.discoveries().into_iter();
    let found = discoveries.map(|(name, path)| (name, path.into_actions())).collect();
    let (states, transitions) = (checker.unique_state_count(), checker.state_count());
    let report = Report { states, transitions, found };
    println!(
        "{name}: {} states, {} transitions, depth {}, {} runs of the crate, {:.1} s",
        report.states,
        report.transitions,
        checker.max_depth(),
        checker.model().runs(),
        start.elapsed().as_secs_f64(),
    );
    if let Some((law, acts)) = report.broken() {
        println!("    broken: {law}");
        for act in acts {
            println!("    {act}");
        }
    }
    report
}

/// Checks that every state of a scope keeps every law in the crate as it is,
/// that each of `happens` does, and that README.md says how far it goes.
///
/// # Panics
///
/// If not.
pub fn holds(name: &str, scope: Scope, happens: &[&str]) {
    let deeper = std::env::var_os("SESSION_POLICY_MODEL_DEEPER").is_some();
    let report = check(name, if deeper { scope.deeper() } else { scope }, Real, None);
    assert_eq!(report.broken(), None, "{name}");
    for happening in happens {
        assert!(report.found.contains_key(happening), "{name}: never: {happening}");
    }
    let row = include_str!("../README.md")
        .lines()
        .find(|line| line.starts_with(&format!("| {name} |")))
        .unwrap_or_else(|| panic!("README.md has no row of {name}"));
    let counts = format!("| {} | {} |", grouped(report.states), grouped(report.transitions));
    assert!(deeper || row.ends_with(&counts), "README.md is to say {name}: {counts}");
}

/// With a comma after the millions and the thousands.
fn grouped(number: usize) -> String {
    let (millions, thousands, ones) = (number / 1_000_000, number / 1_000 % 1_000, number % 1_000);
    match (millions, thousands) {
        (0, 0) => ones.to_string(),
        (0, _) => format!("{thousands},{ones:03}"),
        _ => format!("{millions},{thousands:03},{ones:03}"),
    }
}
