//! trial
use session_policy_model::real::Real;
use session_policy_model::run::check;
use session_policy_model::scope::Scope;
use session_policy_model::script::Rules;

const LONG: Rules = Rules { policy: [60, 3, 90], tight: [60, 3, 90], grace: Some(3) };
const SHORT: Rules = Rules { policy: [4, 1, 6], tight: [2, 1, 4], grace: Some(1) };

#[test]
fn trial() {
    let base = Scope { ..Scope::nothing(LONG) };
    let scopes = [
        ("honest", Scope { horizon: 9, requests: 4, losses: 2, transit: Some(2), ..base }),
        ("honest skewed, bound less skew", Scope { skew:1, horizon: 9, requests: 4, losses: 2, transit: Some(1), ..base }),
        ("honest skewed", Scope { skew:1, horizon: 9, requests: 4, losses: 2, transit: Some(2), ..base }),
        ("thief", Scope { skew:1, horizon: 9, requests: 3, losses: 1, thefts: 2, transit: Some(1), ..base }),
        ("logout", Scope { rules: SHORT, skew:1, horizon: 3, requests: 2, losses: 1, thefts: 1, logouts:1, rotations:1, transit: Some(1), ..base }),
        ("limits", Scope { rules: SHORT, skew:1, horizon: 8, requests: 3, deploys: 2, sweeps:1, ..base }),
        ("idle", Scope { rules: SHORT, skew:0, horizon: 8, requests: 4, losses: 2, ..base }),
    ];
    for (name, scope) in scopes {
        let report = check(name, scope, Real, None);
            for (name, acts) in &report.found { println!("  {name}"); for act in acts { println!("    {act:?}"); } }
    }
}
