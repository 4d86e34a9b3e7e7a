//! Scopes of what holds for a subject, and changes while requests are under way and nodes
//! remember what held before.

use super::{Bound, Rules, Scope, Sec, Seed};
use crate::limit::When;

/// Another epoch, greater or less, or no session for the subject.
const EPOCHS: &[Option<Bound>] =
    &[Some(Bound { epoch: 1, tight: false }), Some(Bound { epoch: 3, tight: false }), None];
/// A policy that is tighter but for its `max_age`.
const TIGHT: &[Option<Bound>] = &[Some(Bound { epoch: 2, tight: true })];
const TIGHTER: [Sec; 3] = [5, 1, 6];

const fn epochs(rules: Rules) -> Scope {
    let rules = rules.bounds(rules.policy);
    let scope = Scope { bounds: EPOCHS, cache: 2, changes: 1, ..Scope::nothing(rules) };
    Scope { horizon: 2, requests: 1, ..scope }
}

const fn policies(rules: Rules) -> Scope {
    let scope = Scope::nothing(rules.bounds(TIGHTER));
    let scope = Scope { bounds: TIGHT, cache: 2, changes: 1, ..scope };
    Scope { horizon: 6, requests: 2, ..scope }
}

/// The epoch of opaque sessions changes.
pub const OPAQUE_EPOCHS: Scope =
    Scope { failures: 1, lists: 1, requests: 2, ..epochs(Rules::opaque([8, 1, 9])) };
/// And while they are rotated.
pub const OPAQUE_ROTATION: Scope =
    Scope { polls: 1, rotations: 1, ..epochs(Rules::opaque([8, 1, 9])) };
/// That of hybrid ones.
pub const HYBRID_EPOCHS: Scope =
    Scope { failures: 1, rotations: 1, transit: Some(1), ..epochs(Rules::hybrid([8, 1, 9], 1)) };
/// That of sessions without a store, of whose token a thief has a copy.
pub const STATELESS_EPOCHS: Scope =
    Scope { failures: 1, losses: 1, requests: 3, thefts: 1, ..epochs(Rules::stateless([8, 1, 9])) };
/// The policy of opaque sessions is tightened.
pub const OPAQUE_POLICY: Scope = policies(Rules::opaque([3, 1, 7]));
/// That of hybrid ones, whose `update_age` is then within the grace.
pub const HYBRID_POLICY: Scope =
    Scope { requests: 3, transit: Some(1), ..policies(Rules::hybrid([3, 2, 8], 2)) };

/// A bound comes to hold while sign-ins under a limit are under way.
#[must_use]
pub const fn limit_policy(when: When) -> Scope {
    const SEEDS: &[Seed] = &[Seed::new(2, -1).of(2), Seed::new(1, 0).of(2)];
    let rules = Rules { limit: Some((when, 2)), ..Rules::opaque([3, 1, 6]) };
    let scope = Scope::nothing(rules.bounds([2, 1, 4]));
    Scope { bounds: TIGHT, changes: 1, horizon: 2, seeds: SEEDS, sign_ins: 2, ..scope }
}

/// The epoch changes while sign-ins under a limit are under way, and one of the sessions
/// from before is of a former epoch.
#[must_use]
pub const fn limit(when: When) -> Scope {
    const SEEDS: &[Seed] = &[Seed::new(2, 0).of(7), Seed::new(1, 0).of(2)];
    let rules = Rules { limit: Some((when, 2)), ..Rules::opaque([3, 1, 6]) };
    let scope = Scope::nothing(rules.bounds(rules.policy));
    Scope { bounds: EPOCHS, changes: 1, seeds: SEEDS, sign_ins: 2, ..scope }
}
