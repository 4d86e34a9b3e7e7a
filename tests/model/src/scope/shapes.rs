//! Policies at the ends of what one may be, a third clock, and clients that hang up.

use super::{Rules, Scope, Seed};
use crate::limit::When;

/// No throttle: each request renews.
const EAGER: Rules = Rules::opaque([2, 0, 4]).tight([1, 0, 3]);
/// A renewal is due in the last second alone.
const LAST: Rules = Rules::opaque([3, 2, 6]).tight([2, 1, 5]);
/// Nothing slides: a working day.
const DAY: Rules = Rules::opaque([4, 1, 4]).tight([3, 1, 3]);

const fn opaque(rules: Rules) -> Scope {
    let scope = Scope::nothing(rules);
    let [.., cap] = rules.policy;
    Scope { horizon: cap + 1, deploys: 1, requests: 1, rotations: 1, skew: 1, ..scope }
}

/// Opaque tokens at an `update_age` of 0 s.
pub const OPAQUE_EAGER: Scope = opaque(EAGER);
/// At a second less than `max_age`.
pub const OPAQUE_LAST: Scope = opaque(LAST);
/// With `max_age` at the cap.
pub const OPAQUE_DAY: Scope = opaque(DAY);
/// The same by one clock, for what was seen last.
pub const OPAQUE_EAGER_SEEN: Scope =
    Scope { deploys: 0, late: true, polls: 1, requests: 2, rotations: 0, skew: 0, ..OPAQUE_EAGER };
/// And where a renewal is due in the last second alone.
pub const OPAQUE_LAST_SEEN: Scope = Scope { horizon: 7, rules: LAST, ..OPAQUE_EAGER_SEEN };
/// And where nothing slides.
pub const OPAQUE_DAY_SEEN: Scope = Scope { rules: DAY, ..OPAQUE_EAGER_SEEN };
/// Requests, a rotation and a logout at three nodes, of which one is ahead and one behind.
pub const OPAQUE_THREE: Scope = Scope {
    horizon: 2,
    logouts: 1,
    nodes: 3,
    requests: 1,
    rotations: 1,
    sweeps: 1,
    skew: 1,
    ..Scope::nothing(Rules { skew: 2, retention: 2, ..Rules::opaque([3, 1, 5]) })
};

/// Hybrid tokens at the shortest `update_age` and grace: none of 0 s is accepted.
pub const HYBRID_EAGER: Scope = Scope {
    horizon: 6,
    losses: 2,
    requests: 4,
    transit: Some(0),
    ..Scope::nothing(Rules { skew: 0, ..Rules::hybrid([3, 1, 5], 1) })
};
/// With `max_age` at the cap.
pub const HYBRID_DAY: Scope = Scope {
    horizon: 8,
    losses: 1,
    requests: 3,
    transit: Some(1),
    ..Scope::nothing(Rules::hybrid([7, 2, 7], 2))
};
/// Three nodes, whose clocks differ by as much as the grace leaves time for.
pub const HYBRID_THREE: Scope = Scope {
    horizon: 6,
    losses: 1,
    nodes: 3,
    requests: 3,
    skew: 1,
    transit: Some(0),
    ..Scope::nothing(Rules { skew: 2, ..Rules::hybrid([60, 3, 90], 3) })
};
/// The client hangs up, and its store fails.
pub const HYBRID_HANG_UPS: Scope = Scope {
    cancels: 1,
    failures: 1,
    horizon: 3,
    logouts: 1,
    requests: 1,
    rotations: 1,
    transit: Some(1),
    ..Scope::nothing(Rules::hybrid([6, 2, 12], 2))
};

/// Sessions without a store to the cap, a tightened policy, answers lost.
pub const STATELESS_LIMITS: Scope = Scope {
    deploys: 2,
    horizon: 6,
    losses: 1,
    requests: 3,
    skew: 1,
    ..Scope::nothing(Rules::stateless([3, 1, 5]).tight([2, 1, 4]))
};
/// At an `update_age` of 0 s.
pub const STATELESS_EAGER: Scope =
    Scope { rules: Rules::stateless([3, 0, 5]).tight([2, 0, 4]), ..STATELESS_LIMITS };

/// Sign-ins at three nodes whose clocks differ.
#[must_use]
pub const fn limit_three(when: When) -> Scope {
    const SEEDS: &[Seed] = &[Seed::new(2, 0), Seed::new(1, 0)];
    let max = if matches!(when, When::Refuse) { 3 } else { 2 };
    let rules = Rules { limit: Some((when, max)), skew: 2, ..Rules::opaque([3, 0, 6]) };
    Scope { nodes: 3, requests: 1, seeds: SEEDS, sign_ins: 2, skew: 1, ..Scope::nothing(rules) }
}
