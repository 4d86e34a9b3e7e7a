use super::fixture::{at, renewal, session};
use super::probe::{Probe, Verdict, expect};
use crate::store::SessionStore;

pub(super) async fn idempotent<S: SessionStore>(store: Probe<S>) -> Verdict {
    let held = session(0);
    store.create(&held).await?;
    for removed in [true, false, false] {
        expect("whether this call removed it", &removed, &store.remove(held.id()).await?)?;
        store.lacks("no session once removed", held.id()).await?;
    }
    store.create(&held).await?;
    store.holds("a new session of the freed id", &held).await
}

pub(super) async fn others<S: SessionStore>(store: Probe<S>) -> Verdict {
    let (held, other) = (session(0), session(1));
    store.create(&held).await?;
    store.create(&other).await?;
    expect("removed", &true, &store.remove(held.id()).await?)?;
    store.holds("the other session of the subject", &other).await
}

pub(super) async fn before_renewal<S: SessionStore>(store: Probe<S>) -> Verdict {
    let held = session(0);
    store.create(&held).await?;
    let in_flight = renewal(&held, at(60), at(961));
    expect("logged out", &true, &store.remove(held.id()).await?)?;
    expect("the renewal in flight", &false, &store.update(&in_flight).await?)?;
    store.lacks("no session after a logout", held.id()).await
}

pub(super) async fn after_renewal<S: SessionStore>(store: Probe<S>) -> Verdict {
    let held = session(0);
    store.create(&held).await?;
    expect("renewed", &true, &store.update(&renewal(&held, at(60), at(961))).await?)?;
    expect("logged out", &true, &store.remove(held.id()).await?)?;
    store.lacks("no session after a logout", held.id()).await?;
    let late = renewal(&held, at(120), at(1_021));
    expect("a late renewal", &false, &store.update(&late).await?)?;
    store.lacks("no session after a late renewal", held.id()).await
}
