//! What a replica that lagged brings back when it is promoted, and what ends it again.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use session_policy::store::StoreError;
use session_policy::{
    AuthenticateError, Bound, Bounds, SessionPolicy, Sessions, SignIn, Started, Timestamp,
};
use session_policy_redis::RedisStore;
use tokio::time::sleep;

use crate::common::Server;

/// Every subject's epoch, which the application keeps elsewhere.
#[derive(Clone)]
struct Epoch(Arc<AtomicU64>);

impl Bounds for Epoch {
    async fn bound(&self, _: &str, _: &str) -> Result<Option<Bound>, StoreError> {
        Ok(Some(Bound::default().with_epoch(self.0.load(Ordering::Relaxed))))
    }
}

async fn sign_in(sessions: &Sessions<RedisStore>) -> Started {
    sessions.start(SignIn::of("user-42").epoch(1)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_lagged_undoes_what_it_missed_and_an_epoch_or_an_end_mends_it() {
    let Some(primary) = Server::start(&[]) else { return };
    let replica = Server::start(&["--replicaof", "127.0.0.1", &primary.port.to_string()]).unwrap();
    let epoch = Epoch(Arc::new(AtomicU64::new(1)));
    let over = |server: &Server| {
        let store = RedisStore::open(server.client(), "shop").unwrap();
        Sessions::new(store, SessionPolicy::WORKING_DAY).with_bounds(epoch.clone())
    };
    let (before, after) = (over(&primary), over(&replica));
    let (ended, rotated) = (sign_in(&before).await, sign_in(&before).await);
    while after.list("user-42").await.unwrap().len() < 2 {
        sleep(Duration::from_millis(20)).await;
    }
    let mut expiry = redis::cmd("EXPIRETIME");
    expiry.arg(format!("shop:session:{}", ended.session.id()));
    let kept_until: i64 = primary.command(&expiry).await;

    // From here on it misses everything, as with a lag, and is promoted in the end.
    replica.command::<()>(redis::cmd("REPLICAOF").arg("NO").arg("ONE")).await;
    assert!(before.end(&ended.session.id()).await.unwrap());
    let rotation = before.rotate(&rotated.session).await.unwrap();
    let started = sign_in(&before).await;

    let open = async |started: &Started| after.authenticate(started.token.expose()).await;
    let back = open(&ended).await.unwrap();
    assert!(open(&rotated).await.is_ok(), "the former token opens it");
    let refused = open(&rotation).await;
    assert!(matches!(refused, Err(AuthenticateError::WrongSecret)), "{refused:?}");
    let refused = open(&started).await;
    assert!(matches!(refused, Err(AuthenticateError::Unknown)), "{refused:?}");

    // It comes back within its time, and is kept as long as before.
    let end = back.session.lifetime().absolute_expires_at();
    assert_eq!(end, ended.session.lifetime().absolute_expires_at());
    assert_eq!(replica.command::<i64>(&expiry).await, kept_until);
    assert!(Timestamp::from_unix_secs(kept_until) > end);

    epoch.0.store(2, Ordering::Relaxed);
    for session in [&ended, &rotated] {
        let refused = open(session).await;
        assert!(matches!(refused, Err(AuthenticateError::Revoked)), "{refused:?}");
    }
    epoch.0.store(1, Ordering::Relaxed);
    assert_eq!(after.end_all("user-42").await.unwrap(), 2);
    assert!(open(&ended).await.is_err() && open(&rotated).await.is_err());
}
