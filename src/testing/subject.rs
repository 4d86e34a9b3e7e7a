use std::vec::Vec;

use super::call::{Answer, Call};
use super::differ::{expect, expect_ids, expect_removed};
use super::fixture::{SUBJECT, at, full, id, rewrite, session, session_of, with, with_lifetime};
use super::probe::Probe;
use super::report::{Failure, Verdict};
use crate::record::{Session, SessionId};
use crate::rule::Lifetime;

pub(super) async fn list(probe: Probe) -> Verdict {
    probe.lists("no session of an unknown subject", SUBJECT, &[]).await?;
    let idle = with_lifetime(&session(0), Lifetime::ordered(at(0), at(0), at(0), at(3_607)));
    let ended = with_lifetime(&session(1), Lifetime::ordered(at(0), at(0), at(0), at(0)));
    let sessions = [idle, ended, session(2), full(3)];
    probe.create_all(&sessions).await?;
    probe.create(&session_of(4, "user-43")).await?;
    probe.lists("all sessions of the subject", SUBJECT, &sessions).await
}

pub(super) async fn list_follows(probe: Probe) -> Verdict {
    let mut sessions: Vec<_> = (0..6).map(session).collect();
    probe.create_all(&sessions).await?;
    probe.lists("all, as created", SUBJECT, &sessions).await?;
    let update = rewrite(&sessions[0], 60);
    expect("updated", &true, &probe.update(&update).await?)?;
    let updated = update.apply(&sessions[0]);
    sessions[0] = updated.ok_or_else(|| Failure::new("an update that applies"))?;
    probe.lists("one updated", SUBJECT, &sessions).await?;
    expect("removed", &true, &probe.remove(id(1)).await?)?;
    sessions.remove(1);
    probe.lists("one removed", SUBJECT, &sessions).await?;
    let swept = probe.sweep(at(901), 2).await?;
    expect("swept", &2, &swept.len())?;
    sessions.retain(|session| swept.iter().all(|removed| removed.id() != session.id()));
    probe.lists("two swept", SUBJECT, &sessions).await?;
    let new = session(7);
    probe.create(&new).await?;
    sessions.push(new);
    probe.lists("one created", SUBJECT, &sessions).await?;
    probe.remove_all(SUBJECT, Some(id(7))).await?;
    probe.lists("all ended but one", SUBJECT, &[session(7)]).await
}

pub(super) async fn remove_all(probe: Probe) -> Verdict {
    let mut sessions: Vec<_> = (0..4).map(session).collect();
    sessions.push(full(4));
    sessions.push(with_lifetime(&session(5), Lifetime::ordered(at(0), at(0), at(0), at(0))));
    probe.create_all(&sessions).await?;
    for updated in [0, 4] {
        let update = rewrite(&sessions[updated], 9);
        expect("updated", &true, &probe.update(&update).await?)?;
    }
    let other = session_of(9, "user-43");
    probe.create(&other).await?;
    let ids: Vec<_> = sessions.iter().map(Session::id).collect();
    expect_ids("ended", &ids, &probe.remove_all(SUBJECT, None).await?)?;
    expect_ids("ended once more", &[], &probe.remove_all(SUBJECT, None).await?)?;
    for session in &sessions {
        probe.lacks("no session after remove_all", session.id()).await?;
        let late = rewrite(session, 10);
        expect("a late update", &false, &probe.update(&late).await?)?;
        expect("removed once more", &false, &probe.remove(session.id()).await?)?;
    }
    probe.lists("listed after remove_all", SUBJECT, &[]).await?;
    let ended = probe.remove_all("nobody", None).await?;
    expect_ids("ended of an unknown subject", &[], &ended)?;
    probe.holds("the session of another subject", &other).await?;
    expect_removed("left for a sweep", &[other], &probe.sweep(at(901), 10).await?)
}

pub(super) async fn remove_all_except(probe: Probe) -> Verdict {
    let sessions: Vec<_> = (0..4).map(|n| if n == 1 { full(1) } else { session(n) }).collect();
    probe.create_all(&sessions).await?;
    let others = [session_of(9, "user-43"), session_of(10, "user-43")];
    probe.create_all(&others).await?;
    let ended = probe.remove_all(SUBJECT, Some(id(1))).await?;
    expect_ids("the others, ended", &[id(0), id(2), id(3)], &ended)?;
    probe.holds("the excepted session", &sessions[1]).await?;
    probe.lists("listed but for the excepted", SUBJECT, &sessions[1..2]).await?;
    let again = probe.remove_all(SUBJECT, Some(id(1))).await?;
    expect_ids("nothing left but the excepted", &[], &again)?;
    let updated = super::update::must_win(&probe, &rewrite(&sessions[1], 4), &sessions[1]).await?;
    let swept = probe.sweep(updated.lifetime().expires_at(), 10).await?;
    let [one, other] = others;
    expect_removed("swept after the exception", &[updated, one, other], &swept)
}

/// An `except` that is not there, or another's, spares nothing and nobody.
pub(super) async fn unknown_except(probe: Probe) -> Verdict {
    let mut near = *id(0).as_bytes();
    near[15] ^= 1 << 7;
    let foreign = full(9);
    let foreign = with(&foreign, |parts| parts.subject = "user-43".into());
    probe.create(&foreign).await?;
    let removed = session(8);
    probe.create(&removed).await?;
    expect("removed", &true, &probe.remove(removed.id()).await?)?;
    for except in [
        id(77),
        SessionId::from_bytes(near),
        foreign.id(),
        removed.id(),
        SessionId::from_bytes([0; 16]),
    ] {
        let sessions: Vec<_> = (0..3).map(session).collect();
        probe.create_all(&sessions).await?;
        let ids: Vec<_> = sessions.iter().map(Session::id).collect();
        let ended = probe.remove_all(SUBJECT, Some(except)).await?;
        expect_ids("ended, where the excepted is not there", &ids, &ended)?;
        probe.lists("listed, where the excepted is not there", SUBJECT, &[]).await?;
        for id in ids {
            probe.lacks("no session after remove_all", id).await?;
        }
        probe.holds("the session of another subject", &foreign).await?;
        let ended = probe.remove_all(SUBJECT, Some(except)).await?;
        expect_ids("ended, where nothing is there", &[], &ended)?;
        match probe.call(0, &Call::Load(removed.id())).await? {
            Answer::Found(None) => {}
            _ => {
                return Err(Failure::new("a removed session came back as the excepted one"));
            }
        }
    }
    Ok(())
}
