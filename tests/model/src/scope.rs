//! How far a model goes.

use crate::script::{Rules, Sec};

/// What may happen in a model, and how often.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// The strategy and its policies.
    pub rules: Rules,
    /// How far the second node's clock is ahead of true time, which is the first
    /// one's.
    pub skew: Sec,
    /// The last second.
    pub horizon: Sec,
    /// How many requests may be under way at once.
    pub parallel: usize,
    /// How long a request, and an answer, may be under way; `None` for ever.
    pub transit: Option<Sec>,
    /// Whether a node may hear the store's answer in a later second.
    pub late: bool,
    /// How many requests the client may cut off.
    pub cancels: u8,
    /// Whether nodes may be given the tightened policy.
    pub deploys: u8,
    /// How many calls the store may fail.
    pub failures: u8,
    /// How many times the user may sign out, of this device or everywhere.
    pub logouts: u8,
    /// How many answers may be lost on their way to the client.
    pub losses: u8,
    /// How many requests the client may send.
    pub requests: u8,
    /// How many rotations it may ask for.
    pub rotations: u8,
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
            horizon: 0,
            parallel: 2,
            transit: None,
            late: false,
            cancels: 0,
            deploys: 0,
            failures: 0,
            logouts: 0,
            losses: 0,
            requests: 0,
            rotations: 0,
            sweeps: 0,
            thefts: 0,
        }
    }
}
