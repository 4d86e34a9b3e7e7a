//! trial
use session_policy_model::real::Real;
use session_policy_model::run::check;
use session_policy_model::scope::Scope;
use session_policy_model::script::Rules;

const RULES: Rules = Rules { policy: [3, 1, 5], tight: [2, 1, 4], grace: None };

#[test]
fn trial() {
    let base = Scope { skew: 1, ..Scope::nothing(RULES) };
    let scopes = [
        ("logout", Scope { horizon: 1, requests: 2, rotations: 1, logouts: 1, thefts: 1, parallel: 2, ..base }),
        ("limits", Scope { horizon: 6, requests: 2, deploys: 1, late: true, ..base }),
        ("sweep", Scope { horizon: 6, requests: 3, sweeps: 1, ..base }),
        ("faults", Scope { horizon: 1, requests: 1, rotations: 1, logouts: 1, failures: 1, cancels: 1, losses: 1, ..base }),
    ];
    for (name, scope) in scopes {
        let report = check(name, scope, Real, None);
        for (name, acts) in &report.found { println!("  {name}"); for act in acts { println!("    {act:?}"); } }
    }
}
