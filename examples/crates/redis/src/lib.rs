//! Keeps the sessions of [`session_policy`] in Redis, Valkey or a cluster of them.
//!
//! # Layout
//!
//! | key | type | holds |
//! | --- | --- | --- |
//! | `{prefix}:session:{id}` | hash | the session, a field each; instants as unix seconds |
//! | `{prefix}:subject:{subject}` | sorted set | notes of the subject's sessions, by when to forget them |
//! | `{prefix}:expiry:{0..15}` | sorted set | notes by `expires_at`, or earlier, for the sweep and the scan |
//!
//! (The braces are placeholders; the keys have none.) The hash is the truth. The
//! sorted sets are notes of where to look, each an id and a random number of its one
//! creation: whatever they say is checked against the hash, so a note too many is
//! harmless. A note too few would hide a session
//! from [`remove_all`], so a session is created after its notes and dropped before
//! them.
//!
//! Every script and every command touches one key, so that all of this works on a
//! Redis Cluster. The index by expiry is spread over 16 keys, so that no one key
//! takes all sign-ins; renewals, the frequent write, do not touch it, since a note
//! may be early.
//!
//! | verb | commands |
//! | --- | --- |
//! | `load` | one `HMGET` |
//! | `update` | one `EVALSHA` (and another, between two `ZADD`, if it brings `expires_at` forward) |
//! | `create` | one `EVALSHA` and one `ZADD` together, then one `EVALSHA`, then one `ZADD` |
//! | `remove` | one `EVALSHA`, then two `ZREM` together |
//! | `remove_expired` | 16 `ZRANGE`, then as much as `remove` for each, and three commands for each that was renewed |
//! | `list` | one `ZRANGE`, then one `HMGET` for each |
//! | `remove_all` | one `ZRANGE`, then one `EVALSHA` for each, then at most 17 `ZREM` for every 256 |
//! | `scan` | `ZSCAN` until the page is full, and one `HMGET` for each |
//!
//! # The engine's own expiry
//!
//! Each session's key has an expiry, so that memory is freed even where nothing
//! sweeps. It is the later of `expires_at` and the engine's own time, and a
//! [grace](RedisStore::with_grace) of two days more: it is a garbage collection and
//! never a judgement. A session ends at the second that its policy says, by the
//! application's clock; the engine's clock, which nobody injects, may be off by the
//! grace without ending one early, and a store under a test clock of any year
//! behaves as any other.
//!
//! A sweep should run: it removes what ended longer ago than the sessions'
//! retention, a day unless set, and tells of each, which the engine does not. Let the
//! grace be longer than the retention by as much as a sweep may be late. Without a
//! sweep, notes in the index by expiry stay behind.
//!
//! # What the engine's settings promise
//!
//! | setting | after a crash |
//! | --- | --- |
//! | `appendonly yes`, `appendfsync always` | nothing that was acknowledged is lost |
//! | `appendonly yes`, `appendfsync everysec` | about the last second is lost |
//! | snapshots alone (Redis's default) | the state of the last snapshot comes back: sessions started since are lost, and **sessions ended since are back** until their cap |
//! | a replica that is promoted | what it had not received is lost, in either direction |
//!
//! Use `appendfsync always` where a logout must survive a crash. On a cluster, a
//! promoted replica that had not received a subject's note hides that session from
//! [`remove_all`] until its cap. Redis replicates asynchronously, so that no setting
//! rules this out; `min-replicas-to-write` narrows it.
//!
//! Set `maxmemory-policy noeviction`: a store is no cache. When memory runs out,
//! sign-ins fail and renewals are deferred, and live sessions are still served and
//! ended. Under an evicting policy, Redis may drop a live session (its user signs
//! in again) or the index of a subject (`remove_all` then misses its sessions).
//!
//! A read-only replica serves [`load`], and renewals are deferred.
//!
//! # After a lost answer
//!
//! A command whose answer was lost may have been carried out. A cluster's
//! connection then tries again by itself: a `create` finds itself and succeeds, an
//! `update` finds its own version and is refused, and a `remove` may find nothing. All
//! are on the safe side: `Sessions` loads again after a refusal, and the session is
//! gone or as it was written.
//!
//! [`load`]: session_policy::store::SessionStore::load
//! [`remove_all`]: session_policy::store::SessionStore::remove_all

mod index;
mod layout;
mod record;
mod scan;
mod store;
mod sweep;

pub use crate::layout::PrefixError;
pub use crate::store::RedisStore;

/// Compiles the README's program as a doc test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
