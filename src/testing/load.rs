use super::fixture::{at, expiring, id, renewal, session, with_lifetime};
use super::probe::{Probe, Verdict, expect};
use crate::rule::Lifetime;
use crate::store::SessionStore;
use crate::time::Timestamp;

pub(super) async fn nothing<S: SessionStore>(store: Probe<S>) -> Verdict {
    store.lacks("nothing to load", id(0)).await?;
    expect("nothing to remove", &false, &store.remove(id(0)).await?)?;
    expect("nothing to sweep", &0, &store.sweep(Timestamp::MAX, 10).await?)
}

pub(super) async fn expired<S: SessionStore>(store: Probe<S>) -> Verdict {
    // 2001-09-09: by any clock, past its idle limit, then past its cap too.
    let past = Timestamp::from_unix_secs(1_000_000_000);
    let later = Timestamp::from_unix_secs(1_000_003_600);
    for (n, cap) in [(0, at(0)), (1, later)] {
        let session = with_lifetime(&session(n), Lifetime::ordered(past, past, later, cap));
        store.create(&session).await?;
        match store.load(session.id()).await? {
            None if store.engine_expires => {}
            seen => expect("the expired session as created", &Some(session), &seen)?,
        }
    }
    Ok(())
}

pub(super) async fn writes_nothing<S: SessionStore>(store: Probe<S>) -> Verdict {
    let held = expiring(0, at(900));
    store.create(&held).await?;
    for _ in 0..3 {
        store.holds("the session, unchanged by loading", &held).await?;
    }
    expect("swept at its expires_at, though loaded", &1, &store.sweep(at(900), 10).await?)?;

    let held = session(1);
    store.create(&held).await?;
    store.holds("the session as created", &held).await?;
    let won = store.update(&renewal(&held, at(60), at(961))).await?;
    expect("a renewal of the version before loading", &true, &won)
}
