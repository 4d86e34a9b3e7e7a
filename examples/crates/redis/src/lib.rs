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
//! (The braces are placeholders; the keys have none.) A prefix has no colon, so that no
//! two of them share a key, whatever a subject is called. The hash is the truth. The
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
//! # How long a call waits
//!
//! No longer than the [time limit](RedisStore::with_time_limit) for an answer, 800 ms if
//! not set, so that a request is refused within a second:
//!
//! | the engine | a call fails with `StoreError::Unavailable` |
//! | --- | --- |
//! | is killed | after about 100 ms, in which the driver tries to connect three times |
//! | hangs, or packets to it are lost | at the time limit |
//! | is a cluster, and one node hangs | at the time limit, for keys of that node; for others too where `cluster-require-full-coverage` takes the cluster down |
//!
//! The time limit is of one command. A verb gives up with the first that is not
//! answered; what is on its way to the engine then may still be carried out. `Sessions`
//! asks again after a renewal that was not answered, so that a request during which the
//! engine falls silent waits for two or three.
//!
//! A store that was [opened](RedisStore::open) over a client makes another connection
//! when three calls go unanswered within ten seconds: one attempt at a time, at most one
//! in two seconds, for at most four time limits each. The old connection serves until
//! then. Calls that are dropped count too if they had waited for half of the limit, and
//! an attempt goes on when whoever waits for it is dropped.
//!
//! # Redis Cluster
//!
//! ```no_run
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use redis::cluster::ClusterClient;
//! use session_policy_redis::RedisStore;
//!
//! let client = ClusterClient::new(["redis://10.0.0.1/", "redis://10.0.0.2/"])?;
//! let store = RedisStore::open(client, "myapp")?;
//! # drop(store);
//! # Ok(())
//! # }
//! ```
//!
//! Open the store over the client, not over a connection: while slots move, the
//! driver's connection may fall silent for ever (redis 1.8.1). It then waits for the
//! lock of its map of slots and runs none of its calls meanwhile, of which one may be
//! next to get that lock. Calls on another connection are answered. Name several nodes,
//! so that one of them can be reached.
//!
//! Do not read from replicas (`read_from_replicas`): a session that was ended would be
//! served until the replica hears of it.
//!
//! When a master fails, its sessions are not served until the cluster has promoted a
//! replica, which takes `cluster-node-timeout` and about a second or two, and the store
//! has noticed, within two seconds more. Sessions of other masters are served
//! throughout, unless `cluster-require-full-coverage` is `yes`, which it is by default.
//!
//! # What the engine's settings promise
//!
//! | setting | after a crash |
//! | --- | --- |
//! | `appendonly yes`, `appendfsync always` | nothing that was acknowledged is lost |
//! | `appendonly yes`, `appendfsync everysec` | about the last second is lost |
//! | snapshots alone (Redis's default) | the state of the last snapshot comes back: sessions started since are lost, and **sessions ended since are back** until their cap |
//! | a replica that is promoted | what it had not received is lost, in either direction: see below |
//!
//! Use `appendfsync always` where a sign-out must survive a crash.
//!
//! Set `maxmemory-policy noeviction`: a store is no cache. When memory runs out,
//! sign-ins fail and renewals are deferred, and live sessions are still served and
//! ended. Under an evicting policy, Redis may drop a live session (its user signs
//! in again) or the index of a subject (`remove_all` then misses its sessions).
//!
//! A read-only replica serves [`load`], and renewals are deferred.
//!
//! # When a replica that lags is promoted
//!
//! Redis answers before its replicas have the write, so that no setting rules this out.
//! `min-replicas-to-write 1` and `min-replicas-max-lag` bound the lag, in seconds; a
//! failover by an operator (`CLUSTER FAILOVER`) loses nothing. What was done in the lag
//! is undone:
//!
//! | done in the lag | after the promotion |
//! | --- | --- |
//! | a session was **ended**, by anyone | **it is back**, until it is ended again or its time is over |
//! | a session was started | it is unknown, and its user signs in again. On a cluster, the session may be there without its notes: [`remove_all`], [`list`] and the sweep miss it until its cap |
//! | a session was rotated | the **former token opens it**, and the new one does not |
//! | a hybrid token was issued again | the new token is ahead of the record, which counts as reuse and ends the session |
//! | a session was renewed | it ends as if it had not been |
//!
//! What to do, after a promotion that nobody coordinated:
//!
//! * **With epochs** (`Bound::with_epoch`, kept in the application's database and not in this
//!   Redis): change the epoch of each subject whose session was ended or rotated in the
//!   lag, or of all subjects if that is not known. This also reaches sessions that have
//!   lost their notes.
//! * **Without**, on one server: end what was alive in the lag. [`scan`] the store and
//!   `remove` each session whose `created_at` is before the promotion, and everybody
//!   signs in again; or `end_all` of the subjects whose sign-outs the application's own
//!   log of events has in the lag.
//! * **Without, on a cluster**: open the store with another prefix. No session under the
//!   former one is served, and the engine drops its keys in time, but for the index by
//!   expiry.
//!
//! What ended before the lag stays ended: a promotion brings no session past its end or
//! its cap, since the record and not the engine says when it ends. The engine's own
//! expiry is an instant that is replicated with the key, so what ended is kept for the
//! grace on the promoted replica too.
//!
//! # After a lost answer
//!
//! A command whose answer was lost may have been carried out. A cluster's
//! connection then tries again by itself: a `create` finds itself and succeeds, an
//! `update` finds its own version and is refused, and a `remove` may find nothing. All
//! are on the safe side: `Sessions` loads again after a refusal, and the session is
//! gone or as it was written.
//!
//! [`list`]: session_policy::store::SessionStore::list
//! [`load`]: session_policy::store::SessionStore::load
//! [`remove_all`]: session_policy::store::SessionStore::remove_all
//! [`scan`]: session_policy::store::ScanStore::scan

mod connect;
mod index;
mod layout;
mod link;
mod record;
mod scan;
mod store;
mod sweep;
mod verbs;

pub use crate::connect::Connect;
pub use crate::layout::PrefixError;
pub use crate::store::RedisStore;

/// Compiles the README's program as a doc test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
