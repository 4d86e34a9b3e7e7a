//! What is in the keys, and what becomes of them when something is amiss.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::atomic::{AtomicU8, Ordering};

use chrono::TimeDelta;
use redis::{AsyncTypedCommands, Client};
use session_policy::store::{Removed, SecretHash, SessionStore, StoreError, Update};
use session_policy::{Clock, Lifetime, Session, SessionId, SessionPolicy, SystemClock, Timestamp};
use session_policy_redis::{PrefixError, RedisStore};

use crate::common::{Server, delete, manager, prefix, shared, store};

const DAY: i64 = 86_400;
const SLIDES: SessionPolicy =
    match SessionPolicy::new(TimeDelta::hours(1), TimeDelta::minutes(5), TimeDelta::hours(8)) {
        Ok(policy) => policy,
        Err(_) => panic!("contradictory policy"),
    };

/// Each under an id of its own.
fn session(subject: &str, at: Timestamp) -> Session {
    static NEXT: AtomicU8 = AtomicU8::new(0);
    let id = SessionId::from_bytes([NEXT.fetch_add(1, Ordering::Relaxed); 16]);
    let secret = SecretHash::of_secret(&[1; 32]);
    Session::new(id, subject, "default", secret, SLIDES.start(at)).unwrap()
}

async fn expire_time(client: &Client, key: &str) -> i64 {
    let mut connection = manager(client).await;
    redis::cmd("EXPIRETIME").arg(key).query_async(&mut connection).await.unwrap()
}

#[tokio::test]
async fn the_engine_drops_a_session_a_grace_after_its_end_and_its_note_after_that() {
    let Some(client) = shared().await else { return };
    let (store, prefix) = store(&client);
    let now = SystemClock.now();
    let live = session("user-42", now);
    store.create(&live).await.unwrap();
    let key = format!("{prefix}:session:{}", live.id());
    let expires_at = live.lifetime().expires_at().as_unix_secs();
    assert_eq!(expire_time(&client, &key).await, expires_at + 2 * DAY);
    let cap = live.lifetime().absolute_expires_at().as_unix_secs();
    let note = expire_time(&client, &format!("{prefix}:subject:user-42")).await;
    assert_eq!(note, cap + 4 * DAY);

    let later = now.saturating_add(TimeDelta::minutes(10));
    let renewed = Lifetime::restore(
        now,
        later,
        later.saturating_add(TimeDelta::hours(1)),
        live.lifetime().absolute_expires_at(),
    );
    let update = Update::new(&live, later, &renewed.unwrap());
    assert!(store.update(&update).await.unwrap());
    assert_eq!(expire_time(&client, &key).await, expires_at + 600 + 2 * DAY);
    delete(&client, &prefix).await;
}

#[tokio::test]
async fn a_session_of_another_year_is_kept_for_the_grace() {
    let Some(client) = shared().await else { return };
    let (store, prefix) = store(&client);
    for at in [Timestamp::MIN, Timestamp::from_unix_secs(0)] {
        let before = SystemClock.now().as_unix_secs();
        let past = session("user-42", at);
        store.create(&past).await.unwrap();
        assert_eq!(store.load(&past.id()).await.unwrap(), Some(past.clone()));
        let key = format!("{prefix}:session:{}", past.id());
        let drop_at = expire_time(&client, &key).await;
        assert!((before + 2 * DAY..before + 2 * DAY + 60).contains(&drop_at), "{drop_at}");
    }
    assert_eq!(store.list("user-42").await.unwrap().len(), 2);
    delete(&client, &prefix).await;
}

#[tokio::test]
async fn an_unreadable_record_lets_nobody_in_and_can_be_ended() {
    let Some(client) = shared().await else { return };
    let (store, prefix) = store(&client);
    let mut connection = manager(&client).await;
    for (field, value) in [
        ("secret", "short"),
        ("version", "-1"),
        ("expires_at", "soon"),
        ("created_at", "9999999999999999"),
        ("absolute_expires_at", "0"),
        ("profile", ""),
    ] {
        let broken = session("user-42", SystemClock.now());
        store.create(&broken).await.unwrap();
        let key = format!("{prefix}:session:{}", broken.id());
        connection.hset(&key, field, value).await.unwrap();
        let error = store.load(&broken.id()).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)), "{field}: {error}");
        connection.hdel(&key, field).await.unwrap();
        assert!(store.load(&broken.id()).await.is_err(), "without {field}");
    }
    assert_eq!(store.remove_all("user-42", None).await.unwrap().len(), 6);
    delete(&client, &prefix).await;
}

#[tokio::test]
async fn notes_of_sessions_that_are_gone_are_harmless_and_swept() {
    let Some(client) = shared().await else { return };
    let (store, prefix) = store(&client);
    let mut connection = manager(&client).await;
    let now = SystemClock.now();
    let dropped = session("user-42", now);
    store.create(&dropped).await.unwrap();
    // As the engine does at the key's expiry, and as a crash leaves it between
    // the notes and the session.
    connection.del(format!("{prefix}:session:{}", dropped.id())).await.unwrap();
    assert!(store.list("user-42").await.unwrap().is_empty());
    assert_eq!(store.remove_all("user-42", None).await.unwrap(), []);
    let end = dropped.lifetime().expires_at();
    assert_eq!(store.remove_expired(end, 10).await.unwrap(), []);
    let mut notes = 0;
    for shard in 0..16 {
        notes += connection.zcard(format!("{prefix}:expiry:{shard}")).await.unwrap();
    }
    assert_eq!(notes, 0, "the sweep has dropped the note");
    delete(&client, &prefix).await;
}

#[tokio::test]
async fn a_session_that_is_ended_leaves_no_key_behind() {
    let Some(client) = shared().await else { return };
    let (store, prefix) = store(&client);
    let now = SystemClock.now();
    let sessions: Vec<_> = (0..40).map(|_| session("user-42", now)).collect();
    for session in &sessions {
        store.create(session).await.unwrap();
    }
    assert!(store.remove(&sessions[0].id()).await.unwrap());
    let ended = store.remove_all("user-42", Some(&sessions[1].id())).await.unwrap();
    assert_eq!(ended.len(), 38);
    let end = sessions[1].lifetime().expires_at();
    let swept = store.remove_expired(end, u32::MAX).await.unwrap();
    assert_eq!(swept, [Removed::of(&sessions[1])]);
    assert_eq!(delete(&client, &prefix).await, 0);
}

#[tokio::test]
async fn scripts_that_the_engine_forgot_are_loaded_again() {
    let Some(server) = Server::start(&[]) else { return };
    let (store, _) = store(&server.client());
    for _ in 0..2 {
        store.create(&session("user-42", SystemClock.now())).await.unwrap();
        server.command::<()>(redis::cmd("SCRIPT").arg("FLUSH")).await;
    }
    assert_eq!(store.remove_all("user-42", None).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_prefix_that_is_none_is_refused() {
    let Some(client) = shared().await else { return };
    let connection = manager(&client).await;
    let refused = |prefix: &str| RedisStore::new(connection.clone(), prefix).unwrap_err();
    assert_eq!(refused(""), PrefixError::Empty);
    assert_eq!(
        refused("{app}").to_string(),
        "the key prefix `{app}` has braces, which are a hash tag to a cluster"
    );
    assert_eq!(
        refused("a:subject:b").to_string(),
        "the key prefix `a:subject:b` has a colon, which ends a prefix: use `-`"
    );
    assert!(RedisStore::new(connection.clone(), &prefix()).is_ok());
}

#[tokio::test]
async fn no_prefix_meets_the_keys_of_another_whatever_the_subjects() {
    let Some(server) = Server::start(&[]) else { return };
    let prefixes = ["a", "ab", "a-b", "a-subject", "b"];
    let mut connection = manager(&server.client()).await;
    for prefix in prefixes {
        let store = RedisStore::new(connection.clone(), prefix).unwrap();
        for subject in ["b", "b:session:x", ":expiry:0", "-b:subject:b", "subject:b"] {
            store.create(&session(subject, SystemClock.now())).await.unwrap();
        }
    }
    let all = connection.keys("*").await.unwrap();
    let mut owned = 0;
    for prefix in prefixes {
        let own = connection.keys(format!("{prefix}:*")).await.unwrap();
        owned += own.len();
        let store = RedisStore::new(connection.clone(), prefix).unwrap();
        for subject in ["b", "b:session:x", ":expiry:0", "-b:subject:b", "subject:b"] {
            assert_eq!(store.remove_all(subject, None).await.unwrap().len(), 1, "{prefix}");
        }
        assert_eq!(connection.keys(format!("{prefix}:*")).await.unwrap(), [""; 0]);
        assert_eq!(connection.keys("*").await.unwrap().len(), all.len() - owned);
    }
    assert_eq!(owned, all.len(), "each key is of one prefix");
}
