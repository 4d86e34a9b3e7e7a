//! What a request has heard so far, and what it does next.
//!
//! A request is a function of what it is asked and of what its store and clock
//! answer, so its transcript is its whole state: to go on, the crate's own code is
//! run again from the start against the transcript, up to the first call that it
//! does not hold. Random ids and secrets are renamed to small numbers where they
//! reach the store or the client.

/// An instant, in seconds after the sign-in by true time.
pub type Sec = i8;

/// The name of a session: the sign-in makes 0, each rotation the next.
pub type Id = u8;

/// The id of a session that has been asked for but not created.
pub const FRESH: Id = Id::MAX;

/// A session as the store holds it. Its subject, profile and secret go without
/// saying.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Row {
    /// Its name.
    pub id: Id,
    /// The guarded writes so far.
    pub version: u8,
    /// `created_at`.
    pub created: Sec,
    /// `renewed_at`.
    pub renewed: Sec,
    /// `expires_at`.
    pub expires: Sec,
    /// `absolute_expires_at`.
    pub cap: Sec,
    /// Of a hybrid session; 0 of an opaque one.
    pub generation: u8,
    /// `confirmed_at`.
    pub confirmed: Option<Sec>,
}

/// An `Update` of the crate.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Write {
    /// Of which session.
    pub id: Id,
    /// The expected version.
    pub version: u8,
    /// By the clock of the node.
    pub at: Sec,
    /// The new `renewed_at`.
    pub renewed: Sec,
    /// The new `expires_at`.
    pub expires: Sec,
    /// The new generation.
    pub generation: u8,
    /// The new `confirmed_at`.
    pub confirmed: Option<Sec>,
}

/// What a client holds.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Token {
    /// `id.secret`.
    Opaque(Id),
    /// The claims of a hybrid token, which has the four instants of a row.
    Signed(Row),
}

impl Token {
    /// Which session it names.
    #[must_use]
    pub const fn id(&self) -> Id {
        match self {
            Self::Opaque(id) => *id,
            Self::Signed(claims) => claims.id,
        }
    }

    /// Which generation of it; 0 of an opaque one.
    #[must_use]
    pub const fn generation(&self) -> u8 {
        match self {
            Self::Opaque(_) => 0,
            Self::Signed(claims) => claims.generation,
        }
    }
}

/// What a request is for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Verb {
    /// Judges the token and renews its session.
    Authenticate(Token),
    /// Signs out.
    End(Id),
    /// Signs out everywhere.
    EndAll,
    /// Judges the token and renews nothing.
    Peek(Token),
    /// Judges the token, then replaces its session.
    Rotate(Token),
    /// Signs in.
    Start,
    /// Removes expired sessions.
    Sweep,
}

/// What a request asks of its store.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Call {
    /// `create`.
    Create(Row),
    /// `load`.
    Load(Id),
    /// `remove`.
    Remove(Id),
    /// `remove_all`.
    RemoveAll,
    /// `remove_expired`.
    RemoveExpired(Sec),
    /// `update`.
    Update(Write),
}

/// What the store answers.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Answer {
    /// How many it removed.
    Count(u8),
    /// The session is there, under this name.
    Created(Id),
    /// `StoreError::Unavailable`, whatever became of the call.
    Failed,
    /// What it holds.
    Loaded(Option<Row>),
    /// Whether it removed.
    Removed(bool),
    /// Whether it wrote.
    Written(bool),
}

/// A request and all that it has heard.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Script {
    /// What it is for.
    pub verb: Verb,
    /// Whether its node has been given the tightened policy.
    pub tight: bool,
    /// When it came in, by the node's clock.
    pub began: Sec,
    /// Each answer, and when it was heard by the node's clock.
    pub heard: Vec<(Sec, Answer)>,
}

/// What a request does next.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Next {
    /// It waits for the store.
    Call(Call),
    /// It has been answered.
    Done(Outcome),
}

/// The answer to a request.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Outcome {
    /// It was a logout or a sweep; whether it found something.
    Ended(bool),
    /// Refused.
    Refused(Refusal),
    /// Served.
    Served {
        /// When that was judged, by the node's clock.
        at: Sec,
        /// When the client's cookie ends by the node's clock, if it was sent one.
        cookie: Option<Sec>,
        /// What became of the renewal.
        renewal: Renewal,
        /// The token that the client is sent.
        token: Option<Token>,
    },
}

/// What became of a renewal.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Renewal {
    /// The store failed.
    Deferred,
    /// None was due, or none gained time.
    None,
    /// It was written.
    Renewed,
    /// Another request was first.
    Superseded,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Refusal {
    /// `RejectReason::AbsoluteCap`.
    Cap,
    /// `RejectReason::Idle`.
    Idle,
    /// A superseded token, which has ended its session.
    Reused,
    /// The store failed: a 503.
    Store,
    /// There is no such session.
    Unknown,
    /// Anything else; never expected.
    Other,
}

/// One strategy and its settings, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// `max_age`, `update_age`, `absolute_cap`.
    pub policy: [Sec; 3],
    /// The same, tightened while the model runs.
    pub tight: [Sec; 3],
    /// Of hybrid sessions; `None` for opaque tokens.
    pub grace: Option<Sec>,
}

impl Rules {
    /// The policy in force on a node.
    #[must_use]
    pub const fn of(&self, tight: bool) -> [Sec; 3] {
        if tight { self.tight } else { self.policy }
    }
}

/// Runs the crate under test, with the guard that it offers to stores.
pub trait Driver: Send + Sync + 'static {
    /// Runs a request as far as its script goes.
    fn play(&self, rules: Rules, script: &Script) -> Next;
    /// The row after a guarded write, if it applies: `Update::apply`.
    fn updated(&self, row: &Row, write: Write) -> Option<Row>;
}
