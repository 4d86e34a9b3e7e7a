//! A state of the model: the store, the nodes, the requests and answers under
//! way, and what has to be remembered for the laws.

use crate::limit::{Admissions, Course};
use crate::script::{Answer, Bound, Id, Row, Script, Sec, Secret, Token, Verb};
use crate::store::{Looking, Store};

/// Whose request it is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Who {
    /// The user, with the token of the latest answer.
    Client,
    /// The service itself: a sweep.
    Operator,
    /// Who has a copy of a token.
    Thief,
}

/// A request under way.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Flight {
    /// Whose it is.
    pub who: Who,
    /// Which node has it.
    pub node: usize,
    /// When it was sent, by true time.
    pub sent: Sec,
    /// What it has heard.
    pub script: Script,
    /// An answer of the store that has not been heard yet, and since when.
    pub unheard: Option<(Sec, Answer)>,
    /// How far its `remove_all` is.
    pub looking: Looking,
    /// The latest activity that counted when it was sent.
    pub counted: Sec,
    /// What had been finished before it was sent, after which it must not be
    /// served.
    pub after: Option<Law>,
    /// The tighter policy held for everybody when it was sent.
    pub tight: bool,
    /// The store has answered it after the session's end.
    pub stale: bool,
    /// Of a sign-in under a limit.
    pub course: Course,
}

impl Flight {
    /// The token that it presents.
    #[must_use]
    pub const fn token(&self) -> Option<&Token> {
        match &self.script.verb {
            Verb::Authenticate(token) | Verb::Peek(token) | Verb::Rotate(token, _) => Some(token),
            Verb::End(_) | Verb::EndAll | Verb::List | Verb::Start(..) | Verb::Sweep => None,
        }
    }

    /// The row that it has seen last, and when it heard of it by its node's clock.
    #[must_use]
    pub fn last_look(&self) -> Option<(Sec, Row)> {
        self.script.heard.iter().rev().find_map(|(at, answer)| match answer {
            Answer::Loaded(Some(row)) => Some((*at, *row)),
            _ => None,
        })
    }
}

/// An answer on its way to the client.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Mail {
    /// The token that it brings.
    pub token: Token,
    /// Since when, by true time.
    pub sent: Sec,
    /// The request that it answers counted as activity at this second.
    pub counted: Option<Sec>,
}

/// What must always hold.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Law {
    /// A bound only tightens, and one request sees one.
    Bound,
    /// No service at or after the cap, and no cookie or token beyond it.
    Cap,
    /// No session of another epoch is served, renewed, issued again or listed.
    Epoch,
    /// A generation of a hybrid session has one successor.
    Generation,
    /// An honest client is never logged out by a race or a lost answer.
    Honest,
    /// `renewed_at` is the last activity that counted, to within `update_age`.
    LastSeen,
    /// Of sign-ins under a limit, those stand that it has stand.
    Limit,
    /// Nobody is served after a finished logout.
    Logout,
    /// A superseded token is not served after its grace, and ends the session.
    Reuse,
    /// A rotation replaces the secret that it was asked with, and no other.
    Rotation,
    /// At most one renewal in any `update_age`.
    Throttle,
    /// A version of a session, and a secret, has one successor.
    Version,
}

/// What is spent of what the scope allows.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Spent {
    /// Requests cut off by their client.
    pub cancels: u8,
    /// Changes of what holds for the subject.
    pub changes: u8,
    /// Nodes that were given the tightened policy.
    pub deploys: u8,
    /// Calls that the store failed.
    pub failures: u8,
    /// Lists of the subject's sessions.
    pub lists: u8,
    /// Sign-outs.
    pub logouts: u8,
    /// Answers that were lost on their way to the client.
    pub losses: u8,
    /// Polls of the client.
    pub polls: u8,
    /// Requests of the client.
    pub requests: u8,
    /// Sign-ins in the place of another session.
    pub replacements: u8,
    /// Rotations that the client asked for.
    pub rotations: u8,
    /// The names of the sign-ins.
    pub sign_ins: Vec<Id>,
    /// Sweeps.
    pub sweeps: u8,
    /// Requests of the thief.
    pub thefts: u8,
}

/// What the laws have to remember.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Memory {
    /// The law that has been broken.
    pub broken: Option<Law>,
    /// What became of sign-ins under a limit.
    pub admissions: Admissions,
    /// The first second in which a generation of a family was confirmed, by true time.
    pub confirmed: Vec<(Secret, u8, Sec)>,
    /// The latest second of activity that counts, by the clock of its node.
    pub counted: Sec,
    /// A logout's removal has been carried out.
    pub ended: bool,
    /// The sessions that were removed.
    pub gone: Vec<Id>,
    /// Generations of a family that have a successor.
    pub grown: Vec<(Secret, u8)>,
    /// The user has been told of the logout.
    pub logged_out: bool,
    /// A superseded token has been reported.
    pub reused: bool,
    /// Secrets whose successor was handed out.
    pub rotated: Vec<Secret>,
    /// Secrets that the store holds no longer.
    pub superseded: Vec<Secret>,
    /// How many were told that it was they who ended the session.
    pub told: u8,
    /// Versions that have a successor.
    pub won: Vec<(Id, u8)>,
}

/// A state of the model.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct World {
    /// True time.
    pub now: Sec,
    /// The rows.
    pub store: Store,
    /// What held for the subject and holds now, and since when; empty if nobody is asked.
    pub bounds: Vec<(Sec, Option<Bound>)>,
    /// Whether each node has been given the tightened policy.
    pub tight: [bool; 3],
    /// The requests under way, in order.
    pub flights: Vec<Flight>,
    /// The answers under way, in order.
    pub mail: Vec<Mail>,
    /// The client's token.
    pub jar: Token,
    /// The thief's token.
    pub loot: Option<Token>,
    /// What has been spent.
    pub spent: Spent,
    /// What the laws remember.
    pub memory: Memory,
}

impl World {
    /// With these rows, and a client that holds this token.
    #[must_use]
    pub fn of(rows: Vec<Row>, jar: Token) -> Self {
        Self {
            now: 0,
            store: Store { rows },
            bounds: Vec::new(),
            tight: [false; 3],
            flights: Vec::new(),
            mail: Vec::new(),
            jar,
            loot: None,
            spent: Spent::default(),
            memory: Memory::default(),
        }
    }
}
