//! Puts a session store under concurrent load and checks every answer against an
//! oracle.
//!
//! [`Load::run`] has many clients use the same sessions at once, through
//! [`Sessions`]: they authenticate, rotate, log out, log out everywhere and sweep,
//! while one clock, which all share, is moved on so that renewals come due and caps
//! are reached. They also read the store itself, and create sessions under one id at
//! once. What a client learns from a finished call binds all calls that
//! start later, whatever the order of those that overlap:
//!
//! | rule | says | broken, for example, by |
//! | --- | --- | --- |
//! | [`NO_RESURRECTION`] | after an `end` has finished, no call that starts later finds the session; after a rotation, none is served by the former token | a renewal that creates |
//! | [`NO_LOST_LOGOUT`] | at rest, a session that was ended is not in the store | a removal that is undone |
//! | [`ONE_WINNER`] | one renewal wins per version, one rotation per token, one removal per session | a write without a guard |
//! | [`NO_CAP_MOVED`] | what no update changes is as at the start, and no session is served past its cap | an upsert of another record |
//! | [`NO_SESSION_LOST`] | what nobody ended and no clock has reached is served, and listed | a sweep that takes live ones |
//! | [`NO_TAKEOVER`] | of those who create a session under one id, one is told that it did, and the session stays its own | a check before the write |
//! | [`NO_TORN_READ`] | a version of a session is one record, whoever reads it | a load between two halves of an update |
//! | [`NO_WRITE_LOST`] | no answer is older than one that had finished before | a stale read |
//! | [`NO_LEAK`] | at rest, the store holds no session that nobody was given; none is listed for who was refused it | an index that is written before the record |
//!
//! A call that fails (an engine that is killed under the load) has happened or
//! has not: the oracle then takes either, and goes on.
//!
//! [`rates`] has them do one thing at a time instead, and says how fast the store is and
//! what it takes.
//!
//! [`Sessions`]: session_policy::Sessions

mod claim;
mod client;
mod ledger;
mod limit;
mod load;
mod look;
mod port;
mod rates;
mod report;
mod winners;

pub use crate::limit::{SignIns, race_sign_ins};
pub use crate::load::Load;
pub use crate::port::free_port;
pub use crate::rates::{Rates, rates};
pub use crate::report::{
    NO_CAP_MOVED, NO_LEAK, NO_LOST_LOGOUT, NO_RESURRECTION, NO_SESSION_LOST, NO_TAKEOVER,
    NO_TORN_READ, NO_WRITE_LOST, ONE_WINNER, Report,
};
