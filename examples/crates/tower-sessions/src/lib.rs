//! Adds an absolute cap to any tower-sessions store, and keeps a signed-out session from
//! coming back.
//!
//! tower-sessions slides a session on every write, for ever, and a request that
//! is still running when its session is signed out saves it back. `CappedStore`
//! wraps the store and `CappedLayer` the routes; the handlers stay as they are.
//!
//! Each version of tower-sessions has a module with an example, behind a feature.
//! Features add up, so two versions can be in one build:
//!
//! | tower-sessions | feature | module |
//! | --- | --- | --- |
//! | 0.14 (axum-login 0.18) | `v0-14` | `v0_14` |
//! | 0.15 | `v0-15` (default) | `v0_15` |
//!
//! | you use | what is enforced |
//! | --- | --- |
//! | the store alone | the cap, `max_age`, no resurrection; a session slides when it is modified, or on every request with `with_always_save(true)`, written at most once per `update_age` |
//! | the store and the layer | also: every request slides it, and the cookie is sent exactly when the record is written, with the same end (leave `with_always_save` off) |
//!
//! # What keeps the four instants
//!
//! They live in the record's data under `KEY`. A handler can read that key and
//! can write to it, to no effect: the store takes the instants from the stored
//! row and never from the record it is asked to save. Under a new id
//! (`Session::cycle_id`) the row is gone by the time the record is created; the
//! store then takes the instants that it kept when it deleted that row, once, and
//! refuses a record whose `KEY` names none. A handler that clears the session,
//! or removes the key, before it cycles the id starts a new session. So does one
//! that writes after `Session::flush`, under an id of its own.
//!
//! Of several requests that cycle the id of one session at once, one goes on and
//! the others are answered with 500. If a sign-out is among them, none goes on.
//!
//! `cycle_id` keeps the cap. axum-login cycles the id at a sign-in, so a visitor
//! who had an anonymous session signs in under what is left of its cap; a handler
//! that wants a new one calls `Session::flush` first.
//!
//! # What ends a session for good
//!
//! A tower-sessions store has no compare-and-set: its `save` is an upsert. So the
//! end of a session is a record of its own, a tombstone under an id derived from
//! the session's, kept until the cap:
//!
//! * `delete` writes the tombstone, then deletes the row;
//! * `save` refuses an id without a row, writes, then looks for the tombstone and
//!   deletes the row again if there is one;
//! * `load` reads the row and the tombstone, and a tombstone wins.
//!
//! Over a store whose reads see every write that was answered before them (one
//! primary), no `load` that begins after `delete` has returned gives the session,
//! whichever process, and whatever is cancelled or crashes in between. That costs
//! a second read per request and a write per sign-out.
//!
//! What remains, and cannot be closed without compare-and-set:
//!
//! * over a store that reads from lagging replicas, the session may be served
//!   until the tombstone arrives;
//! * a row that the store itself already hides as expired gets no tombstone. A
//!   renewal in *another* process, begun before that second and still being
//!   written, then survives a sign-out in that second, under its old cap;
//! * a sign-out in *another* process, between the two writes of a `cycle_id`, ends
//!   the old id alone;
//! * two processes that save one session at once: the later data wins, as in
//!   tower-sessions, and a renewal may be written once by each. In one process
//!   saves of one session take turns.
//!
//! # Other differences from a plain store
//!
//! * `save` never creates: for an id without a row it is an error, which
//!   tower-sessions answers with 500 and without a cookie. (Answered with
//!   success, it would send a dead cookie over that of a new sign-in.)
//! * An expiry that the application asks for (`Expiry`, `Session::set_expiry`)
//!   may be earlier than the policy's end, never later. `Expiry::OnSessionEnd`,
//!   tower-sessions' default, asks for two weeks.
//! * A record from before the adapter, which has no instants, is adopted: its
//!   first load writes them, as if its session had begun then, and it ends no
//!   later than it would have.
//! * One policy for all sessions: tower-sessions has no profiles.

#[cfg(feature = "v0-14")]
pub mod v0_14;
#[cfg(feature = "v0-15")]
pub mod v0_15;
