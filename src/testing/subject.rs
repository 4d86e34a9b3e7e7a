use std::string::String;
use std::vec::Vec;

use super::fixture::{SUBJECT, at, id, renewal, session, session_of, with_lifetime};
use super::probe::{Probe, Verdict, expect, unexpected};
use crate::rule::Lifetime;
use crate::store::SessionStore;

pub(super) async fn list<S: SessionStore>(store: Probe<S>) -> Verdict {
    expect("no session of an unknown subject", &Vec::new(), &store.list(SUBJECT).await?)?;
    let idle = with_lifetime(&session(0), Lifetime::ordered(at(0), at(0), at(0), at(3_607)));
    let ended = with_lifetime(&session(1), Lifetime::ordered(at(0), at(0), at(0), at(0)));
    let sessions = [idle, ended, session(2), session(3)];
    for session in &sessions {
        store.create(session).await?;
    }
    store.create(&session_of(4, "user-43")).await?;
    expect("all sessions of the subject", &sessions.to_vec(), &store.list(SUBJECT).await?)
}

pub(super) async fn list_follows<S: SessionStore>(store: Probe<S>) -> Verdict {
    let sessions: Vec<_> = (0..3).map(session).collect();
    for session in &sessions {
        store.create(session).await?;
    }
    let renewal = renewal(&sessions[0], at(60), at(961));
    let renewed = match (store.update(&renewal).await?, renewal.apply(&sessions[0])) {
        (true, Some(renewed)) => renewed,
        other => return Err(unexpected("a renewal that applies", &other)),
    };
    expect("removed", &true, &store.remove(id(1)).await?)?;
    let expected = std::vec![renewed.clone(), sessions[2].clone()];
    expect("one renewed, one removed", &expected, &store.list(SUBJECT).await?)?;
    expect("swept", &1, &store.sweep(at(901), 10).await?)?;
    expect("one swept", &std::vec![renewed], &store.list(SUBJECT).await?)
}

pub(super) async fn told_apart<S: SessionStore>(store: Probe<S>) -> Verdict {
    let longest = "x".repeat(1_023);
    let mut subjects: Vec<String> = LOOK_ALIKES.iter().map(|one| String::from(*one)).collect();
    subjects.extend(["a", "b", "A"].map(|last| longest.clone() + last));
    subjects.push(longest);
    let sessions: Vec<_> =
        (0..).zip(&subjects).map(|(n, subject)| session_of(n, subject.as_str())).collect();
    for session in &sessions {
        store.create(session).await?;
    }
    for session in &sessions {
        let listed = store.list(session.subject()).await?;
        expect("the one session of this subject", &std::vec![session.clone()], &listed)?;
    }
    for session in &sessions {
        let ended = store.remove_all(session.subject(), None).await?;
        expect("ended of one subject", &1, &ended)?;
    }
    Ok(())
}

/// Subjects that a collation, a trim, a pattern or a prefix takes for one.
const LOOK_ALIKES: &[&str] = &[
    "user",
    "User",
    "USER",
    "user ",
    " user",
    "user\t",
    "use",
    "userr",
    "use_",
    "use%",
    "us*r",
    "us\u{e9}r",
    "use\u{301}r",
    "\u{ff55}ser",
    "us\u{435}r",
    "stra\u{df}e",
    "strasse",
    "1",
    "01",
    "1.0",
    "\u{130}",
    "i\u{307}",
    "\u{1f600}",
    "\u{1f601}",
];

pub(super) async fn remove_all<S: SessionStore>(store: Probe<S>) -> Verdict {
    for n in 0..5 {
        store.create(&session(n)).await?;
    }
    let other = session_of(9, "user-43");
    store.create(&other).await?;
    for ended in [5, 0] {
        expect("sessions ended", &ended, &store.remove_all(SUBJECT, None).await?)?;
    }
    for n in 0..5 {
        store.lacks("no session after remove_all", id(n)).await?;
    }
    expect("listed after remove_all", &Vec::new(), &store.list(SUBJECT).await?)?;
    store.holds("the session of another subject", &other).await
}

pub(super) async fn remove_all_except<S: SessionStore>(store: Probe<S>) -> Verdict {
    let sessions: Vec<_> = (0..3).map(session).collect();
    for session in &sessions {
        store.create(session).await?;
    }
    let other = session_of(9, "user-43");
    store.create(&other).await?;
    expect("the others ended", &2, &store.remove_all(SUBJECT, Some(id(1))).await?)?;
    store.holds("the excepted session", &sessions[1]).await?;
    expect("nothing left but it", &0, &store.remove_all(SUBJECT, Some(id(1))).await?)?;
    let foreign = store.remove_all(SUBJECT, Some(other.id())).await?;
    expect("ended, with another subject's session excepted", &1, &foreign)?;
    store.holds("the session of another subject", &other).await
}
