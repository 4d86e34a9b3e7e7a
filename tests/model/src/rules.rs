//! What is deployed.

use crate::limit::When;
use crate::script::Sec;

/// One strategy and its settings, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// `max_age`, `update_age`, `absolute_cap`.
    pub policy: [Sec; 3],
    /// `clock_skew`.
    pub skew: Sec,
    /// The policy that nodes may be given while the model runs, or that of a bound.
    pub tight: [Sec; 3],
    /// Of hybrid sessions.
    pub grace: Option<Sec>,
    /// Whether there is no store.
    pub stateless: bool,
    /// Whether bounds are asked.
    pub bounds: bool,
    /// On concurrent sessions.
    pub limit: Option<(When, u32)>,
    /// How long a sweep keeps what has ended.
    pub retention: Sec,
}

impl Rules {
    /// Opaque tokens.
    #[must_use]
    pub const fn opaque(policy: [Sec; 3]) -> Self {
        Self {
            policy,
            skew: 1,
            tight: policy,
            grace: None,
            stateless: false,
            bounds: false,
            limit: None,
            retention: 1,
        }
    }

    /// Hybrid tokens.
    #[must_use]
    pub const fn hybrid(policy: [Sec; 3], grace: Sec) -> Self {
        Self { grace: Some(grace), ..Self::opaque(policy) }
    }

    /// Tokens without a store.
    #[must_use]
    pub const fn stateless(policy: [Sec; 3]) -> Self {
        Self { stateless: true, ..Self::opaque(policy) }
    }

    /// With a tightened policy.
    #[must_use]
    pub const fn tight(self, tight: [Sec; 3]) -> Self {
        Self { tight, ..self }
    }

    /// With bounds, which may tighten to this policy.
    #[must_use]
    pub const fn bounds(self, tight: [Sec; 3]) -> Self {
        Self { tight, bounds: true, ..self }
    }

    /// Whether tokens are signed.
    #[must_use]
    pub const fn signs(&self) -> bool {
        self.grace.is_some() || self.stateless
    }

    /// The policy in force on a node.
    #[must_use]
    pub const fn of(&self, tight: bool) -> [Sec; 3] {
        if tight { self.tight } else { self.policy }
    }
}
