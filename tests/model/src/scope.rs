//! How far a model goes.

pub mod bounds;
pub mod shapes;

use crate::limit::Seed;
use crate::rules::Rules;
use crate::script::{Bound, Sec};

/// What may happen in a model, and how often.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// The strategy and its policies.
    pub rules: Rules,
    /// How far the second node's clock is ahead of true time, which is the first
    /// one's, and a third one's behind it.
    pub skew: Sec,
    /// How many nodes there are, where clocks or policies differ; else one is as good as
    /// another.
    pub nodes: usize,
    /// The last second.
    pub horizon: Sec,
    /// How many requests may be under way at once.
    pub parallel: usize,
    /// How long a request, and an answer, may be under way; `None` for ever.
    pub transit: Option<Sec>,
    /// Whether a node may hear the store's answer in a later second.
    pub late: bool,
    /// For how long a node may answer with a bound that it has asked for before.
    pub cache: Sec,
    /// What may come to hold for the subject, and how often it may change.
    pub bounds: &'static [Option<Bound>],
    /// See `bounds`.
    pub changes: u8,
    /// How many requests the client may cut off.
    pub cancels: u8,
    /// Whether nodes may be given the tightened policy.
    pub deploys: u8,
    /// How many calls the store may fail.
    pub failures: u8,
    /// How many times the user may ask for the sessions.
    pub lists: u8,
    /// How many times the user may sign out, of this device or everywhere.
    pub logouts: u8,
    /// How many answers may be lost on their way to the client.
    pub losses: u8,
    /// How many requests of the client may be polls, which renew nothing.
    pub polls: u8,
    /// How many requests the client may send.
    pub requests: u8,
    /// How many sign-ins may be in the place of another session.
    pub replacements: u8,
    /// How many rotations it may ask for.
    pub rotations: u8,
    /// Under a limit, the sessions from before.
    pub seeds: &'static [Seed],
    /// Under a limit, how many sign-ins there may be.
    pub sign_ins: u8,
    /// How many sweeps there may be.
    pub sweeps: u8,
    /// How many requests a thief may send.
    pub thefts: u8,
}

impl Scope {
    /// A scope in which nothing happens.
    #[must_use]
    pub const fn nothing(rules: Rules) -> Self {
        Self {
            rules,
            skew: 0,
            nodes: 2,
            horizon: 0,
            parallel: 2,
            transit: None,
            late: false,
            cache: 0,
            bounds: &[],
            changes: 0,
            cancels: 0,
            deploys: 0,
            failures: 0,
            lists: 0,
            logouts: 0,
            losses: 0,
            polls: 0,
            requests: 0,
            replacements: 0,
            rotations: 0,
            seeds: &[],
            sign_ins: 0,
            sweeps: 0,
            thefts: 0,
        }
    }
}

impl Scope {
    /// One request and one second more.
    #[must_use]
    pub const fn deeper(self) -> Self {
        Self { requests: self.requests + 1, horizon: self.horizon + 1, ..self }
    }

    /// How far a node's clock is ahead of true time.
    #[must_use]
    pub const fn ahead(&self, node: usize) -> Sec {
        [0, self.skew, -self.skew][node]
    }

    /// By how much two clocks may differ.
    #[must_use]
    pub const fn spread(&self) -> Sec {
        if self.nodes == 3 { 2 * self.skew } else { self.skew }
    }
}

/// Scopes of opaque tokens.
pub mod opaque {
    use super::{Rules, Scope};

    const RULES: Rules = Rules::opaque([3, 1, 5]).tight([2, 1, 4]);
    const BASE: Scope = Scope { skew: 1, ..Scope::nothing(RULES) };

    /// Requests, a thief's among them, and a rotation race a logout.
    pub const LOGOUT: Scope =
        Scope { horizon: 1, logouts: 2, requests: 2, rotations: 1, thefts: 1, ..BASE };
    /// Requests up to the cap, a tightened policy and answers that are heard late.
    pub const LIMITS: Scope = Scope { horizon: 6, late: true, deploys: 1, requests: 2, ..BASE };
    /// Requests race a sweep.
    pub const SWEEP: Scope = Scope { horizon: 6, requests: 3, sweeps: 1, ..BASE };
    /// Requests up to the cap, by one clock.
    pub const SEEN: Scope =
        Scope { horizon: 6, late: true, polls: 1, requests: 2, skew: 0, ..BASE };
    /// A rotation up to the cap.
    pub const ROTATION: Scope = Scope { horizon: 6, requests: 1, rotations: 1, ..BASE };
    /// Two rotations, of one secret or of one and the next.
    pub const ROTATIONS: Scope = Scope { horizon: 1, requests: 1, rotations: 2, ..BASE };
    /// The store fails once, a request is cut off, an answer is lost.
    pub const FAULTS: Scope = Scope {
        horizon: 1,
        cancels: 1,
        failures: 1,
        logouts: 1,
        losses: 1,
        polls: 1,
        requests: 1,
        rotations: 1,
        ..BASE
    };
}

/// Scopes of hybrid tokens.
pub mod hybrid {
    use super::{Rules, Scope};

    const LONG: Rules = Rules::hybrid([60, 3, 90], 3);
    const MIDDLE: Rules = Rules::hybrid([6, 2, 12], 2).tight([3, 2, 5]);
    const SHORT: Rules = Rules::hybrid([3, 1, 5], 1).tight([2, 1, 4]);

    /// An honest client, as slow as the grace allows.
    pub const HONEST: Scope = Scope {
        horizon: 8,
        late: true,
        losses: 1,
        requests: 3,
        transit: Some(2),
        ..Scope::nothing(LONG)
    };
    /// The same, while nodes hear the store at once.
    pub const PROMPT: Scope = Scope { late: false, ..HONEST };
    /// The same on nodes whose clocks differ.
    pub const SKEWED: Scope = Scope { skew: 1, transit: Some(1), ..PROMPT };
    /// With the shortest `update_age` that a skew of 1 s leaves time for, two answers lost.
    pub const SHORTEST: Scope = Scope {
        horizon: 9,
        losses: 2,
        requests: 4,
        transit: Some(0),
        skew: 1,
        ..Scope::nothing(Rules::hybrid([6, 2, 16], 2))
    };
    /// With the longest, which is a second less than `max_age`.
    pub const LONGEST: Scope = Scope {
        horizon: 12,
        transit: Some(2),
        ..Scope { rules: Rules::hybrid([6, 5, 16], 4), ..SHORTEST }
    };
    /// The same while the tokens' family changes.
    pub const LONGEST_ROTATED: Scope =
        Scope { losses: 1, requests: 2, rotations: 1, horizon: 9, ..LONGEST };
    /// Clocks that differ by more than the grace.
    pub const BELOW_SKEW: Scope = Scope {
        horizon: 6,
        requests: 3,
        transit: Some(0),
        skew: 2,
        ..Scope::nothing(Rules { skew: 2, ..Rules::hybrid([9, 2, 12], 1) })
    };
    /// An honest client at the end of its idle time, an answer lost.
    pub const IDLE: Scope =
        Scope { horizon: 8, losses: 1, requests: 4, transit: Some(1), ..Scope::nothing(MIDDLE) };
    /// The store fails once.
    pub const FAULTS: Scope =
        Scope { horizon: 4, failures: 1, requests: 4, transit: Some(1), ..Scope::nothing(MIDDLE) };
    /// A thief with a copy of the client's token.
    pub const THIEF: Scope = Scope {
        horizon: 8,
        polls: 1,
        requests: 2,
        thefts: 1,
        skew: 1,
        transit: Some(1),
        ..Scope::nothing(LONG)
    };
    /// A thief who tries again and again within the grace.
    pub const PERSISTENT_THIEF: Scope =
        Scope { horizon: 4, requests: 2, thefts: 2, transit: Some(1), ..Scope::nothing(MIDDLE) };
    /// A rotation among requests, whose answers are lost or overtaken.
    pub const ROTATION: Scope = Scope {
        horizon: 5,
        losses: 1,
        requests: 2,
        rotations: 1,
        transit: Some(1),
        ..Scope::nothing(MIDDLE)
    };
    /// Requests, a thief's among them, and a rotation race a logout.
    pub const LOGOUT: Scope = Scope {
        horizon: 3,
        logouts: 1,
        requests: 1,
        rotations: 1,
        thefts: 1,
        transit: Some(1),
        ..Scope::nothing(MIDDLE)
    };
    /// Requests up to the cap, a tightened policy and a sweep.
    pub const LIMITS: Scope =
        Scope { horizon: 7, deploys: 1, requests: 2, skew: 1, sweeps: 1, ..Scope::nothing(SHORT) };
    /// Requests that are pinned at the cap.
    pub const PINNED: Scope =
        Scope { horizon: 4, requests: 2, ..Scope::nothing(Rules::hybrid([4, 2, 5], 2)) };
}

/// Scopes of a limit on concurrent sessions.
pub mod limit {
    use super::{Rules, Scope, Seed};
    use crate::limit::When;

    const RULES: Rules = Rules::opaque([3, 1, 6]);

    /// The oldest by its ordinal is not that by its id.
    const LIVE: &[Seed] = &[Seed::new(2, 0), Seed::new(1, 0)];
    /// The first ends after a second, and a request under way may renew it then.
    const ENDING: &[Seed] = &[Seed::new(2, -2), Seed::new(1, 0)];
    /// The last in order has ended by the second clock.
    const DISPUTED: &[Seed] = &[Seed::new(1, 0), Seed::new(2, 0), Seed::new(3, -2)];

    const fn of(when: When, max: u32) -> Scope {
        Scope::nothing(Rules { limit: Some((when, max)), ..RULES })
    }

    /// Sign-ins race each other, on two clocks; where they are refused, for one place.
    #[must_use]
    pub const fn races(when: When) -> Scope {
        let max = if matches!(when, When::Refuse) { 3 } else { 2 };
        Scope { parallel: 3, seeds: LIVE, sign_ins: 3, skew: 1, ..of(when, max) }
    }

    /// Sign-ins race the end of a session and its renewal.
    #[must_use]
    pub const fn renewals(when: When) -> Scope {
        Scope { horizon: 2, parallel: 3, requests: 1, seeds: ENDING, sign_ins: 2, ..of(when, 2) }
    }

    /// Sign-ins in the place of another session race other sign-ins.
    #[must_use]
    pub const fn replacing(when: When) -> Scope {
        let seeds = LIVE;
        Scope { parallel: 3, replacements: 2, seeds, sign_ins: 3, ..of(when, 2) }
    }

    /// The store fails once, a sign-in is dropped, a session is signed out; where sign-ins
    /// are refused, there is one place.
    #[must_use]
    pub const fn faults(when: When) -> Scope {
        let max = if matches!(when, When::Refuse) { 3 } else { 2 };
        let (cancels, failures, logouts) = (1, 1, 1);
        let base = Scope { cancels, failures, logouts, replacements: 1, ..of(when, max) };
        Scope { seeds: LIVE, sign_ins: 2, ..base }
    }

    /// Two sign-ins by clocks that disagree about whether a session has ended.
    #[must_use]
    pub const fn disputed(when: When) -> Scope {
        Scope { seeds: DISPUTED, sign_ins: 2, skew: 1, ..of(when, 3) }
    }
}
