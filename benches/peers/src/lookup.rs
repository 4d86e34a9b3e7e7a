//! Finds and judges one of many sessions, and what a session takes in memory.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use futures_util::FutureExt;
use moka::sync::Cache;
use serde_json::{Value, json};
use session_policy::{MemoryStore, SessionToken, Sessions, SignIn};
use tower_sessions::SessionStore;
use tower_sessions::cookie::time::{Duration, OffsetDateTime};

use crate::record::{IdHasher, LIMITS, Record, Records, Verdict, now, parse, random, token};
use crate::rule::POLICY;
use crate::task::{Group, Task};

type Id = [u8; 16];

/// `authenticate` among `sessions` sessions, none of which is due, in an order
/// that the caches of the processor cannot foresee.
#[must_use]
pub fn group(sessions: usize) -> Group {
    let tasks = vec![sharded_map(sessions), ours(sessions), moka(sessions)];
    Group::new("authenticate among many sessions", 500, tasks)
}

/// Sessions in our store, each of a subject of its own, and their tokens.
///
/// # Panics
///
/// If one cannot be started.
#[must_use]
pub fn our_sessions(count: usize) -> (Sessions<MemoryStore>, Vec<SessionToken>) {
    let sessions = Sessions::new(MemoryStore::new(), POLICY);
    let tokens = (0..count).map(|at| {
        let started = sessions.start(SignIn::of(subject(at))).now_or_never();
        let Some(Ok(started)) = started else { panic!("no session was started") };
        started.token
    });
    let tokens = tokens.collect();
    (sessions, tokens)
}

/// Sessions in tower-sessions' store with the facts that one of ours has. It has
/// no index of subjects.
#[must_use]
pub fn tower_sessions(count: usize) -> tower_sessions::MemoryStore {
    let (max_age, _, cap) = LIMITS;
    let facts = |at| {
        json!({
            "subject": &*subject(at),
            "profile": "default",
            "version": 0,
            "created_at": now(),
            "renewed_at": now(),
            "absolute_expires_at": now() + cap,
        })
    };
    tower_sessions_with(count, Duration::seconds(max_age), facts)
}

/// The same with nothing but the subject.
#[must_use]
pub fn tower_sessions_of_subjects(count: usize) -> tower_sessions::MemoryStore {
    let facts = |at| json!({ "user": &*subject(at) });
    tower_sessions_with(count, Duration::seconds(LIMITS.0), facts)
}

fn tower_sessions_with(
    count: usize,
    max_age: Duration,
    facts: impl Fn(usize) -> Value,
) -> tower_sessions::MemoryStore {
    let store = tower_sessions::MemoryStore::default();
    for at in 0..count {
        let data: HashMap<_, _> = match facts(at) {
            Value::Object(facts) => facts.into_iter().collect(),
            _ => unreachable!("facts have names"),
        };
        let expiry_date = OffsetDateTime::now_utc() + max_age;
        let id = tower_sessions::session::Id(i128::from_ne_bytes(random()));
        let mut record = tower_sessions::session::Record { id, data, expiry_date };
        let created = store.create(&mut record).now_or_never();
        assert!(matches!(created, Some(Ok(()))));
    }
    store
}

fn ours(count: usize) -> Task {
    let (sessions, tokens) = our_sessions(count);
    let mut at = scattered(count);
    Task::new("session-policy", move || {
        let served = sessions.authenticate(tokens[at()].expose()).now_or_never();
        assert!(matches!(served, Some(Ok(served)) if served.session.subject().len() == 11));
    })
}

fn sharded_map(count: usize) -> Task {
    let records = Records::default();
    let tokens = fill(count, |id, record| {
        records.insert(id, record);
    });
    let mut at = scattered(count);
    Task::new("sharded map and SHA-256", move || {
        let token = parse(&tokens[at()]);
        let record = token.and_then(|(id, secret)| records.get(&id).filter(|it| it.opens(secret)));
        let served = record.filter(|record| record.instants.verdict(now()) == Verdict::Keep);
        assert!(served.is_some_and(|record| record.subject.len() == 11));
    })
}

fn moka(count: usize) -> Task {
    let cache: Cache<Id, Arc<Record>, BuildHasherDefault<IdHasher>> =
        Cache::builder().build_with_hasher(BuildHasherDefault::default());
    let tokens = fill(count, |id, record| cache.insert(id, Arc::new(record)));
    cache.run_pending_tasks();
    let mut at = scattered(count);
    Task::new("moka and SHA-256", move || {
        let token = parse(&tokens[at()]);
        let record = token.and_then(|(id, secret)| cache.get(&id).filter(|it| it.opens(secret)));
        let served = record.filter(|record| record.instants.verdict(now()) == Verdict::Keep);
        assert!(served.is_some_and(|record| record.subject.len() == 11));
    })
}

fn fill(count: usize, insert: impl Fn(Id, Record)) -> Vec<String> {
    let one = |at| {
        let (id, secret) = (random(), random());
        insert(id, Record::new(subject(at), &secret, now()));
        token(&id, &secret)
    };
    (0..count).map(one).collect()
}

/// 11 bytes.
fn subject(at: usize) -> Arc<str> {
    format!("user{at:07}").into()
}

/// Every index once, far from the one before.
fn scattered(count: usize) -> impl FnMut() -> usize {
    let mut at = 0;
    move || {
        at = (at + 611_953) % count;
        at
    }
}
