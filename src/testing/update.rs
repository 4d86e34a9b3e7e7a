use super::fixture::{at, id, renewal, renewal_at, session, session_of, with, with_lifetime};
use super::probe::{Probe, Verdict, expect};
use crate::record::{Session, SessionParts};
use crate::rule::Lifetime;
use crate::store::{SessionStore, Update};

pub(super) async fn never_creates<S: SessionStore>(store: Probe<S>) -> Verdict {
    let never_stored = session(0);
    let renewed = store.update(&renewal(&never_stored, at(60), at(961))).await?;
    expect("a renewal of no session", &false, &renewed)?;
    store.lacks("no session after it", never_stored.id()).await
}

pub(super) async fn instants<S: SessionStore>(store: Probe<S>) -> Verdict {
    let held = session(0);
    store.create(&held).await?;
    must_win(&store, &renewal(&held, at(61), at(963))).await?;
    let lifetime = store.load(held.id()).await?.map(|held| *held.lifetime());
    let expected = Lifetime::ordered(at(0), at(61), at(963), at(3_607));
    expect("the renewed instants", &Some(expected), &lifetime)
}

pub(super) async fn counts<S: SessionStore>(store: Probe<S>) -> Verdict {
    let mut held = session(0);
    store.create(&held).await?;
    for (step, version) in [(60, 1), (120, 2), (180, 3)] {
        must_win(&store, &renewal(&held, at(step), at(step + 901))).await?;
        let seen = store.load(held.id()).await?.map(|held| held.version());
        expect("the version after a renewal", &Some(version), &seen)?;
        held = with(&held, |parts| parts.version = version);
    }
    Ok(())
}

pub(super) async fn generation<S: SessionStore>(store: Probe<S>) -> Verdict {
    let mut held = session(0);
    store.create(&held).await?;
    for (step, generation, confirmed_at) in [(60, 1, None), (120, 1, Some(at(121)))] {
        let issued = with(&held, |parts| {
            parts.generation = generation;
            parts.confirmed_at = confirmed_at;
        });
        must_win(&store, &renewal(&issued, at(step), at(step + 901))).await?;
        let seen = store.load(held.id()).await?;
        let seen = seen.map(|held| (held.generation(), held.confirmed_at()));
        expect("generation and confirmation", &Some((generation, confirmed_at)), &seen)?;
        held = with(&issued, |parts| parts.version += 1);
    }
    Ok(())
}

pub(super) async fn keeps<S: SessionStore>(store: Probe<S>) -> Verdict {
    let held = with(&session(0), |parts| parts.profile = "remember-me".into());
    store.create(&held).await?;
    // Made from a record that differs in all that a renewal must not write.
    let forged = with(&session_of(0, "mallory"), |parts| {
        parts.lifetime = Lifetime::ordered(at(30), at(30), at(901), at(3_500));
    });
    must_win(&store, &renewal(&forged, at(60), at(961))).await?;
    let kept = |session: Session| {
        let SessionParts { id, subject, profile, secret, lifetime, .. } = session.into_parts();
        (id, subject, profile, secret, lifetime.created_at(), lifetime.absolute_expires_at())
    };
    let seen = store.load(held.id()).await?.map(kept);
    expect("all that no renewal changes", &Some(kept(held)), &seen)
}

pub(super) async fn others<S: SessionStore>(store: Probe<S>) -> Verdict {
    let (held, other) = (session(0), session(1));
    store.create(&held).await?;
    store.create(&other).await?;
    must_win(&store, &renewal(&held, at(60), at(961))).await?;
    store.holds("the other session, unchanged", &other).await
}

pub(super) async fn version<S: SessionStore>(store: Probe<S>) -> Verdict {
    let held = with(&session(0), |parts| parts.version = 5);
    store.create(&held).await?;
    for version in [0, 4, 6] {
        let other = with(&held, |parts| parts.version = version);
        must_lose(&store, "a renewal of another version", &renewal(&other, at(60), at(961)), &held)
            .await?;
    }
    let renewal = renewal(&held, at(60), at(961));
    must_win(&store, &renewal).await?;
    let again = store.update(&renewal).await?;
    expect("the same renewal again", &false, &again)
}

pub(super) async fn at_the_cap<S: SessionStore>(store: Probe<S>) -> Verdict {
    let held = session(0);
    store.create(&held).await?;
    for late in [3_607, 3_608, 1_000_000] {
        let renewal = renewal_at(&held, at(late), at(60), at(961));
        must_lose(&store, "a renewal at or after the cap", &renewal, &held).await?;
    }
    must_win(&store, &renewal_at(&held, at(3_606), at(3_606), at(3_607))).await
}

pub(super) async fn past_the_cap<S: SessionStore>(store: Probe<S>) -> Verdict {
    let held = session(0);
    store.create(&held).await?;
    // Made from a record whose cap is later than the stored one's.
    let lifetime = Lifetime::ordered(at(0), at(0), at(901), at(9_999));
    let forged = with_lifetime(&held, lifetime);
    for expires_at in [3_608, 9_999] {
        let renewal = renewal(&forged, at(60), at(expires_at));
        must_lose(&store, "a renewal past the stored cap", &renewal, &held).await?;
    }
    must_win(&store, &renewal(&forged, at(60), at(3_607))).await
}

pub(super) async fn order<S: SessionStore>(store: Probe<S>) -> Verdict {
    let lifetime = Lifetime::ordered(at(0), at(100), at(901), at(3_607));
    let held = with_lifetime(&session(0), lifetime);
    store.create(&held).await?;
    let back = renewal(&held, at(99), at(961));
    must_lose(&store, "a renewal that goes back", &back, &held).await?;
    // `Update::new` clamps expires_at to the cap, and so before renewed_at.
    let crossed = renewal_at(&held, at(60), at(3_608), at(3_700));
    must_lose(&store, "a renewal after its own end", &crossed, &held).await?;
    must_win(&store, &renewal(&held, at(100), at(100))).await?;
    let held = with(&held, |parts| parts.version = 1);
    must_win(&store, &renewal(&held, at(3_606), at(3_607))).await
}

pub(super) async fn shortens<S: SessionStore>(store: Probe<S>) -> Verdict {
    let held = session(0);
    store.create(&held).await?;
    must_win(&store, &renewal(&held, at(60), at(121))).await?;
    let lifetime = store.load(id(0)).await?.map(|held| *held.lifetime());
    let expected = Lifetime::ordered(at(0), at(60), at(121), at(3_607));
    expect("the shortened instants", &Some(expected), &lifetime)
}

async fn must_win<S: SessionStore>(store: &Probe<S>, renewal: &Update) -> Verdict {
    expect("a renewal that applies", &true, &store.update(renewal).await?)
}

async fn must_lose<S: SessionStore>(
    store: &Probe<S>,
    what: &str,
    renewal: &Update,
    held: &Session,
) -> Verdict {
    expect(what, &false, &store.update(renewal).await?)?;
    store.holds("the session, unchanged by a refused renewal", held).await
}
