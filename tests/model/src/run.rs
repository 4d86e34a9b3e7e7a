//! Runs a model and reports what came of it.

use std::collections::BTreeMap;
use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};

use crate::act::Act;
use crate::model::Check;
use crate::properties::LAWS;
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
pub fn check<D: Doors>(name: &str, scope: Scope, doors: D, fault: Option<StoreFault>) -> Report {
    let start = Instant::now();
    let checker = Check::new(scope, doors, fault)
        .checker()
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    let discoveries = checker.discoveries().into_iter();
    let found = discoveries.map(|(name, path)| (name, path.into_actions())).collect();
    let report = Report { states: checker.unique_state_count(), found };
    println!(
        "{name}: {} states, {} transitions, depth {}, {} runs of the front doors, {:.1} s",
        report.states,
        checker.state_count(),
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
