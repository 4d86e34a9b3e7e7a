//! What is asked, and what is answered: numbers only.

/// `max_age`, `update_age`, `absolute_cap` and `clock_skew`.
pub type Settings = [i64; 4];
/// `created_at`, `renewed_at`, `expires_at` and `absolute_expires_at`.
pub type Record = [i64; 4];

/// What every function of the rule is asked at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Case {
    /// The policy that judges.
    pub today: Settings,
    /// The one it meets.
    pub other: Settings,
    /// What it judges.
    pub record: Record,
    /// When.
    pub now: i64,
    /// Of a start at `now`; and what an adopted record says of its end.
    pub ceiling: i64,
    /// What another write has made of the record meanwhile: `renewed_at`, `expires_at`.
    pub onto: [i64; 2],
    /// Of a watched connection.
    pub interval: i64,
    /// When it is asked next.
    pub later: i64,
}

/// What they answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Answer {
    /// Of `evaluate`; see [`oracle`](crate::oracle).
    pub kind: i64,
    /// Since when, or until when.
    pub at: i64,
    /// The lifetime from then on, but for its creation.
    pub then: [i64; 3],
    /// Of `peek`.
    pub peek: [i64; 2],
    /// Of `status`.
    pub idle_expires_at: i64,
    /// Of `status`.
    pub absolute_expires_at: i64,
    /// Of `status`: 1 or 0.
    pub extendable: i64,
    /// Of `status`.
    pub cookie: i64,
    /// Of `start_until`, but for the creation.
    pub started: [i64; 3],
    /// Of `adopt`, but for the creation.
    pub adopted: [i64; 3],
    /// Of `meet`.
    pub met: Settings,
    /// The first of `renewal_schedule`.
    pub scheduled: Option<i64>,
    /// Whether the write of what was decided applies: 1 or 0.
    pub applies: i64,
    /// The record after it, but for its creation.
    pub applied: [i64; 3],
    /// Of `Watch::next`: 1 where the connection ends, and when it ends or looks.
    pub look: [i64; 2],
}
