use std::vec::Vec;

use super::fixture::{at, expiring, renewal, session, with_lifetime};
use super::probe::{Probe, Verdict, expect};
use crate::record::Session;
use crate::rule::Lifetime;
use crate::store::SessionStore;
use crate::time::Timestamp;

pub(super) async fn half_open<S: SessionStore>(store: Probe<S>) -> Verdict {
    let (before, on, after) = (expiring(0, at(-1)), expiring(1, at(0)), expiring(2, at(1)));
    create(&store, [&before, &on, &after]).await?;
    expect("expired at the second before", &1, &store.sweep(at(-1), 10).await?)?;
    store.lacks("no session that expires before", before.id()).await?;
    store.holds("the session that expires a second later", &on).await?;
    expect("expired at its own second", &1, &store.sweep(at(0), 10).await?)?;
    store.lacks("no session that expires now", on.id()).await?;
    store.holds("the session that expires a second later", &after).await
}

pub(super) async fn limit<S: SessionStore>(store: Probe<S>) -> Verdict {
    let expired: Vec<_> = (0..7).map(|n| expiring(n, at(0))).collect();
    create(&store, &expired).await?;
    for (limit, removed) in [(0, 0), (3, 3), (1, 1)] {
        expect("swept within the limit", &removed, &store.sweep(at(0), limit).await?)?;
    }
    expect("left over", &3, &count(&store, &expired).await?)
}

pub(super) async fn resumes<S: SessionStore>(store: Probe<S>) -> Verdict {
    let expired: Vec<_> = (0..25).map(|n| expiring(n, at(-i64::from(n)))).collect();
    create(&store, &expired).await?;
    for removed in [10, 10, 5, 0] {
        expect("swept with limit 10", &removed, &store.sweep(at(0), 10).await?)?;
    }
    expect("left over", &0, &count(&store, &expired).await?)
}

pub(super) async fn spares_the_living<S: SessionStore>(store: Probe<S>) -> Verdict {
    let living: Vec<_> = (0..5).map(|n| expiring(n, at(1 + 1_000 * i64::from(n)))).collect();
    create(&store, &living).await?;
    create(&store, [&expiring(9, at(0))]).await?;
    expect("swept", &1, &store.sweep(at(0), u32::MAX).await?)?;
    expect("swept again", &0, &store.sweep(at(0), u32::MAX).await?)?;
    for session in &living {
        store.holds("a living session", session).await?;
    }
    Ok(())
}

pub(super) async fn follows_renewals<S: SessionStore>(store: Probe<S>) -> Verdict {
    let (longer, shorter) = (session(0), session(1));
    create(&store, [&longer, &shorter]).await?;
    for (session, expires_at) in [(&longer, 961), (&shorter, 121)] {
        let renewal = renewal(session, at(60), at(expires_at));
        expect("renewed", &true, &store.update(&renewal).await?)?;
    }
    for (now, swept) in [(120, 0), (121, 1), (901, 0), (960, 0), (961, 1)] {
        expect("swept by the renewed expires_at", &swept, &store.sweep(at(now), 10).await?)?;
    }
    Ok(())
}

pub(super) async fn ends_of_the_range<S: SessionStore>(store: Probe<S>) -> Verdict {
    let (min, max) = (Timestamp::MIN, Timestamp::MAX);
    let last = with_lifetime(&session(0), Lifetime::ordered(min, min, max, max));
    create(&store, [&last, &expiring(1, at(0))]).await?;
    expect("expired at the first second", &0, &store.sweep(min, 10).await?)?;
    let second_last = Timestamp::from_unix_secs(max.as_unix_secs() - 1);
    expect("expired at the last second but one", &1, &store.sweep(second_last, 10).await?)?;
    store.holds("the session of the last second", &last).await?;
    expect("expired at the last second", &1, &store.sweep(max, 10).await?)
}

async fn create<'a, S: SessionStore>(
    store: &Probe<S>,
    sessions: impl IntoIterator<Item = &'a Session>,
) -> Verdict {
    for session in sessions {
        store.create(session).await?;
    }
    Ok(())
}

async fn count<S: SessionStore>(store: &Probe<S>, sessions: &[Session]) -> Verdict<usize> {
    let mut count = 0;
    for session in sessions {
        count += usize::from(store.load(session.id()).await?.is_some());
    }
    Ok(count)
}
