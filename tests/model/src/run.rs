//! Runs a model and reports what came of it.

use std::collections::BTreeMap;
use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};

use crate::model::{Act, Check};
use crate::scope::Scope;
use crate::script::Doors;
use crate::store::StoreFault;

/// What a check found.
#[derive(Debug)]
pub struct Report {
    /// Different states.
    pub states: usize,
    /// For each property with a discovery, the acts that lead there: of a law, how
    /// it is broken; of what is to happen, how it does.
    pub found: BTreeMap<&'static str, Vec<Act>>,
}

/// Explores a scope to its end, or up to the first broken law, and prints how far
/// it got.
pub fn check<D: Doors>(name: &str, scope: Scope, doors: D, fault: Option<StoreFault>) -> Report {
    let start = Instant::now();
    let checker = Check::new(scope, doors, fault)
        .checker()
        .threads(2)
        .finish_when(HasDiscoveries::AnyFailures)
        .target_state_count(std::env::var("CAP").map_or(1_500_000, |c| c.parse().unwrap()))
        .spawn_bfs()
        .join();
    let found = checker
        .discoveries()
        .into_iter()
        .map(|(property, path)| (property, path.into_actions()))
        .collect();
    println!(
        "{name}: {} states, {} transitions, depth {}, {} runs of the front doors, {:.1} s",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
        checker.model().runs(),
        start.elapsed().as_secs_f64(),
    );
    Report { states: checker.unique_state_count(), found }
}
