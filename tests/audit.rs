//! All three kinds of sessions tell their observer what happens, and tell no secret.
#![cfg(feature = "memory")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use pollster::block_on;
use session_policy::{
    Event, ManualClock, MemoryStore, Observer, SessionPolicy, SessionToken, Sessions, Timestamp,
};

const NINE: i64 = 1_800_003_600;

fn at(offset: i64) -> Timestamp {
    Timestamp::from_unix_secs(NINE + offset)
}

fn policy() -> SessionPolicy {
    let secs = TimeDelta::seconds;
    let policy = SessionPolicy::new(secs(1_800), secs(300), secs(3_600)).unwrap();
    policy.with_clock_skew(secs(0)).unwrap() // A grace of 30 s.
}

/// Keeps every event as it prints.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// What has been told since the last call.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Observer for Log {
    fn observe(&self, event: &Event<'_>) {
        let secs = event.at.as_unix_secs() - NINE;
        let (named, subject) = (event.session.is_some(), event.subject.unwrap_or("-"));
        let kind = format!("{:?}", event.kind);
        let unproven = if event.unproven { " unproven" } else { "" };
        let line = format!("{secs} {named} {subject} {kind}{unproven}");
        self.0.lock().unwrap().push(line);
    }
}

#[test]
fn opaque_sessions_tell_every_step() {
    let (log, clock) = (Log::default(), ManualClock::new(at(0)));
    let sessions = Sessions::new(MemoryStore::new(), policy())
        .with_clock(clock.clone())
        .with_observer(Arc::new(log.clone()));
    let started = block_on(sessions.start("ada")).unwrap();
    assert_eq!(
        log.take(),
        [
            "0 true ada Started { absolute_expires_at: 2027-01-15T10:00:00Z, expires_at: 2027-01-15T09:30:00Z }"
        ],
    );
    let _ = block_on(sessions.authenticate(started.token.expose())).unwrap();
    let _ = block_on(sessions.peek(started.token.expose())).unwrap();
    assert_eq!(log.take(), [""; 0]);
    clock.set(at(300));
    let served = block_on(sessions.authenticate(started.token.expose())).unwrap();
    assert_eq!(log.take(), ["300 true ada Renewed { expires_at: 2027-01-15T09:35:00Z }"]);
    let rotated = block_on(sessions.rotate(&served.session)).unwrap();
    assert_eq!(log.take(), ["300 true ada Rotated { generation: 0 }"]);
    block_on(sessions.authenticate(started.token.expose())).unwrap_err();
    let forged = SessionToken::from_parts(rotated.session.id(), [0; 32]);
    block_on(sessions.peek(forged.expose())).unwrap_err();
    block_on(sessions.authenticate("a.b.c")).unwrap_err();
    clock.set(at(2_100));
    block_on(sessions.authenticate(rotated.token.expose())).unwrap_err();
    clock.set(at(3_600));
    block_on(sessions.authenticate(rotated.token.expose())).unwrap_err();
    assert_eq!(
        log.take(),
        [
            "300 true ada Rejected { reason: \"wrong_secret\" } unproven",
            "300 true ada Rejected { reason: \"wrong_secret\" } unproven",
            "300 false - Rejected { reason: \"malformed\" } unproven",
            "2100 true ada Rejected { reason: \"idle\" }",
            "3600 true ada Rejected { reason: \"idle\" }",
        ],
    );
    block_on(sessions.end(&rotated.session.id())).unwrap();
    block_on(sessions.end(&rotated.session.id())).unwrap();
    assert_eq!(log.take(), ["3600 true - Ended { cause: \"end\" }"]);
    block_on(sessions.authenticate(rotated.token.expose())).unwrap_err();
    assert_eq!(log.take(), ["3600 true - Rejected { reason: \"unknown\" } unproven"]);
    for _ in 0..3 {
        let _ = block_on(sessions.start("ada")).unwrap();
    }
    log.take();
    block_on(sessions.end_all("ada")).unwrap();
    block_on(sessions.end_all("ada")).unwrap();
    assert_eq!(log.take(), ["3600 true ada Ended { cause: \"end_all\" }"; 3]);
}

#[cfg(feature = "jwt")]
mod tokens {
    use session_policy::jwt::{Algorithm, HybridSessions, JwtSessions, KeyRing, SigningKey};

    use super::*;

    fn ring() -> KeyRing {
        KeyRing::new(SigningKey::secret("k", Algorithm::Hs256, [7; 32]).unwrap()).unwrap()
    }

    #[test]
    fn stateless_sessions_tell_every_step() {
        let (log, clock) = (Log::default(), ManualClock::new(at(0)));
        let sessions =
            JwtSessions::new(ring(), policy()).with_clock(clock.clone()).with_observer(log.clone());
        let started = block_on(sessions.start("ada")).unwrap();
        let token = started.token.expose();
        assert!(log.take()[0].starts_with("0 true ada Started"));
        clock.set(at(300));
        block_on(sessions.peek(token)).unwrap();
        block_on(sessions.authenticate(token)).unwrap();
        block_on(sessions.authenticate("a.b.c")).unwrap_err();
        clock.set(at(1_800));
        block_on(sessions.peek(token)).unwrap_err();
        assert_eq!(
            log.take(),
            [
                "300 true ada Reissued { expires_at: 2027-01-15T09:35:00Z }",
                "300 false - Rejected { reason: \"malformed\" } unproven",
                "1800 true ada Rejected { reason: \"idle\" }",
            ],
        );
    }

    #[test]
    fn a_refused_hybrid_token_is_told_of_with_its_profile() {
        let profiles = Arc::new(Mutex::new(Vec::new()));
        let (told, clock) = (Arc::clone(&profiles), ManualClock::new(at(0)));
        let sessions = HybridSessions::new(MemoryStore::new(), ring(), policy())
            .unwrap()
            .with_clock(clock.clone())
            .with_observer(move |event: &Event<'_>| {
                told.lock().unwrap().extend(event.profile.map(str::to_owned));
            });
        let started = block_on(sessions.start("ada")).unwrap();
        clock.set(at(3_600));
        block_on(sessions.peek(started.token.expose())).unwrap_err();
        assert_eq!(*profiles.lock().unwrap(), ["default"; 2]);
    }

    #[test]
    fn hybrid_sessions_tell_every_step() {
        let (log, clock) = (Log::default(), ManualClock::new(at(0)));
        let sessions = HybridSessions::new(MemoryStore::new(), ring(), policy())
            .unwrap()
            .with_clock(clock.clone())
            .with_observer(log.clone());
        let started = block_on(sessions.start("ada")).unwrap();
        let first = started.token.expose().to_owned();
        assert!(log.take()[0].starts_with("0 true ada Started"));
        clock.set(at(300));
        let served = block_on(sessions.authenticate(&first)).unwrap();
        let second = served.token.unwrap();
        clock.set(at(600));
        block_on(sessions.authenticate(&first)).unwrap();
        assert_eq!(
            log.take(),
            [
                "300 true ada Reissued { expires_at: 2027-01-15T09:35:00Z }",
                "600 true ada Renewed { expires_at: 2027-01-15T09:40:00Z }",
                "600 true ada Forgiven { generation: 2 }",
            ],
        );
        // To confirm a generation is no renewal.
        block_on(sessions.authenticate(second.expose())).unwrap();
        assert_eq!(log.take(), [""; 0]);
        clock.set(at(630));
        block_on(sessions.authenticate(&first)).unwrap_err();
        block_on(sessions.authenticate(second.expose())).unwrap_err();
        block_on(sessions.peek(second.expose())).unwrap_err();
        block_on(sessions.authenticate("a.b.c")).unwrap_err();
        assert_eq!(
            log.take(),
            [
                "630 true ada ReuseDetected { presented: 1, current: 2 }",
                "630 true ada Rejected { reason: \"unknown\" }",
                "630 true ada Rejected { reason: \"unknown\" }",
                "630 false - Rejected { reason: \"malformed\" } unproven",
            ],
        );
        // Ending and sweeping tell of each session, and nothing of none.
        for _ in 0..2 {
            let _ = block_on(sessions.start("ada")).unwrap();
        }
        let _ = log.take();
        assert_eq!(block_on(sessions.end_all("ada")).unwrap(), 2);
        assert_eq!(block_on(sessions.end_all("ada")).unwrap(), 0);
        assert_eq!(log.take(), ["630 true ada Ended { cause: \"end_all\" }"; 2]);
        assert_eq!(block_on(sessions.sweep(8)).unwrap(), 0);
    }
}

#[cfg(feature = "serde")]
#[test]
fn an_event_serialises_flat_and_holds_no_secret() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&lines);
    let sessions = Sessions::new(MemoryStore::new(), policy())
        .with_clock(ManualClock::new(at(0)))
        .with_observer(move |event: &Event<'_>| {
            told.lock().unwrap().push(serde_json::to_value(event).unwrap());
        });
    let started = block_on(sessions.start("ada")).unwrap();
    let forged = SessionToken::from_parts(started.session.id(), [0; 32]);
    block_on(sessions.authenticate(forged.expose())).unwrap_err();
    let secret = started.token.expose().split_once('.').unwrap().1.to_owned();
    let lines = lines.lock().unwrap();
    let id = started.session.id().to_string();
    assert_eq!(
        *lines,
        [
            serde_json::json!({
                "at": NINE, "session": id, "subject": "ada", "profile": "default",
                "event": "started", "absolute_expires_at": NINE + 3_600, "expires_at": NINE + 1_800,
            }),
            serde_json::json!({
                "at": NINE, "session": id, "subject": "ada", "profile": "default",
                "unproven": true, "event": "rejected", "reason": "wrong_secret",
            }),
        ],
    );
    assert!(!serde_json::to_string(&*lines).unwrap().contains(&secret));
}
