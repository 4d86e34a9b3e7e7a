//! What a request has heard so far, and what it does next.
//!
//! A request is a function of what it is asked and of what its store and clock
//! answer, so its transcript is its whole state: to go on, the crate's own code is
//! run again from the start against the transcript, up to the first call that it
//! does not hold. Random ids and secrets are renamed to small numbers where they
//! reach the store or the client.

use crate::rules::Rules;

/// An instant, in seconds after the sign-in by true time.
pub type Sec = i8;

/// The name of a session.
pub type Id = u8;

/// The name of a secret: that of the session whose first it is, or of the rotation that
/// wrote it.
pub type Secret = u8;

/// A session as the store holds it. Its subject and profile go without saying.
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
    /// Which secret opens it, and is the family of its signed tokens.
    pub secret: Secret,
    /// That of the subject under which it was started.
    pub epoch: Option<u8>,
    /// Its place among its subject's; 0 without a limit.
    pub ordinal: u8,
    /// Of a hybrid session; 0 of an opaque one.
    pub generation: u8,
    /// `confirmed_at`.
    pub confirmed: Option<Sec>,
}

/// What holds for the subject.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Bound {
    /// Today's.
    pub epoch: u8,
    /// Whether it has the policy `Rules::tight`.
    pub tight: bool,
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
    /// The new secret, or the former one.
    pub secret: Secret,
    /// The new generation.
    pub generation: u8,
    /// The new `confirmed_at`.
    pub confirmed: Option<Sec>,
}

/// What a client holds.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Token {
    /// `id.secret`.
    Opaque(Id, Secret),
    /// The claims of a hybrid token, which names a row and its cap, and has its secret
    /// as a family.
    Signed(Row),
}

impl Token {
    /// Which session it names.
    #[must_use]
    pub const fn id(&self) -> Id {
        match self {
            Self::Opaque(id, _) => *id,
            Self::Signed(claims) => claims.id,
        }
    }

    /// Which secret it has, or stands for.
    #[must_use]
    pub const fn secret(&self) -> Secret {
        match self {
            Self::Opaque(_, secret) => *secret,
            Self::Signed(claims) => claims.secret,
        }
    }

    /// Which generation of it; 0 of an opaque one.
    #[must_use]
    pub const fn generation(&self) -> u8 {
        match self {
            Self::Opaque(..) => 0,
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
    /// Asks for the sessions of the subject.
    List,
    /// Judges the token and renews nothing.
    Peek(Token),
    /// Judges the token, then gives its session the secret of this name.
    Rotate(Token, Secret),
    /// Signs in: a session of this name, perhaps in the place of another.
    Start(Id, Option<Id>),
    /// Removes expired sessions.
    Sweep,
}

impl Verb {
    /// Whether it starts a session.
    #[must_use]
    pub const fn is_sign_in(&self) -> bool {
        matches!(self, Self::Start(..))
    }

    /// The name of what it makes of randomness: a session and its first secret, or
    /// another secret.
    #[must_use]
    pub const fn makes(&self) -> Option<u8> {
        match self {
            Self::Rotate(_, name) | Self::Start(name, _) => Some(*name),
            _ => None,
        }
    }
}

/// What a request asks of its store.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Call {
    /// `Bounds::bound`.
    Bound,
    /// `create`.
    Create(Row),
    /// `list`.
    List,
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
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Answer {
    /// What holds for the subject, if it is to have sessions.
    Bound(Option<Bound>),
    /// The session is there.
    Created,
    /// `StoreError::Unavailable`, whatever became of the call.
    Failed,
    /// What a `list` found.
    Listed(Vec<Row>),
    /// What a `load` found.
    Loaded(Option<Row>),
    /// The bounds could not tell.
    NotTold,
    /// Whether it removed.
    Removed(bool),
    /// What a `remove_all` or a sweep removed.
    RemovedMany(Vec<Row>),
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
    /// The epoch that a sign-in carries.
    pub epoch: Option<u8>,
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
    /// It was a logout or a sweep; whether it removed something.
    Ended(bool),
    /// It was a list; whether it has a session.
    Listed(bool),
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
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Refusal {
    /// `RejectReason::AbsoluteCap`.
    Cap,
    /// A sign-in that others displaced.
    Displaced,
    /// `RejectReason::Idle`.
    Idle,
    /// A sign-in that raced for the last place.
    Raced,
    /// A superseded token, which has ended its session.
    Reused,
    /// The bound revokes it.
    Revoked,
    /// The store failed: a 503.
    Store,
    /// A sign-in without room.
    TooMany,
    /// There is no such session.
    Unknown,
    /// The secret is another.
    WrongSecret,
    /// Anything else; never expected.
    Other,
}

/// Runs the crate under test, with the guard that it offers to stores.
pub trait Driver: Send + Sync + 'static {
    /// Runs a request as far as its script goes.
    fn play(&self, rules: Rules, script: &Script) -> Next;
    /// The row after a guarded write, if it applies: `Update::apply`.
    fn updated(&self, row: &Row, write: Write) -> Option<Row>;
}
