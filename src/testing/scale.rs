//! As many sessions as show a scan, a page limit or a lost batch.

use std::vec::Vec;

use super::fixture::{at, expiring, id, renewal_at, session_of, with_lifetime};
use super::join::join_all;
use super::probe::{Probe, Verdict, expect};
use crate::record::Session;
use crate::rule::Lifetime;
use crate::store::SessionStore;

const SESSIONS: u32 = 10_000;
const SUBJECTS: u32 = 5;
/// How many calls run together.
const CALLS: usize = 32;

/// Every second session expires at 0, the others later; every fourth is renewed.
pub(super) async fn sessions<S: SessionStore>(store: Probe<S>) -> Verdict {
    let sessions: Vec<_> = (0..SESSIONS).map(|n| expiring(n, at(i64::from(n % 2)))).collect();
    create(&store, &sessions).await?;
    let renewals: Vec<_> = sessions
        .iter()
        .step_by(4)
        .map(|session| renewal_at(session, at(-1), at(-1), at(900)))
        .collect();
    for batch in renewals.chunks(CALLS) {
        for won in join_all(batch.iter().map(|renewal| store.update(renewal))).await {
            expect("a renewal among many", &true, &won?)?;
        }
    }
    let mut swept = 0;
    loop {
        let removed = store.sweep(at(0), 1_000).await?;
        swept += removed;
        if removed < 1_000 {
            break;
        }
    }
    expect("swept of many", &u64::from(SESSIONS / 4), &swept)?;
    for n in [0, 1, 2, 3, SESSIONS - 4, SESSIONS - 3, SESSIONS - 2, SESSIONS - 1] {
        let held = store.load(id(n)).await?.is_some();
        expect("a session among many lives", &(n % 4 != 2), &held)?;
    }
    Ok(())
}

pub(super) async fn subjects<S: SessionStore>(store: Probe<S>) -> Verdict {
    let lifetime = Lifetime::ordered(at(0), at(0), at(901), at(3_607));
    let sessions: Vec<_> =
        (0..SESSIONS).map(|n| with_lifetime(&session_of(n, subject(n)), lifetime)).collect();
    create(&store, &sessions).await?;
    let each = SESSIONS / SUBJECTS;
    for n in 0..SUBJECTS {
        let listed: Vec<_> = store.list(&subject(n)).await?.iter().map(Session::id).collect();
        let expected: Vec<_> = (n..SESSIONS).step_by(SUBJECTS as usize).map(id).collect();
        expect("listed of many", &expected, &listed)?;
        let ended = store.remove_all(&subject(n), Some(id(n))).await?;
        expect("ended of many", &u64::from(each - 1), &ended)?;
    }
    expect("the spared are left", &u64::from(SUBJECTS), &store.sweep(at(901), SESSIONS).await?)
}

fn subject(n: u32) -> std::string::String {
    std::format!("user-{}", n % SUBJECTS)
}

async fn create<S: SessionStore>(store: &Probe<S>, sessions: &[Session]) -> Verdict {
    for batch in sessions.chunks(CALLS) {
        for created in join_all(batch.iter().map(|session| store.create(session))).await {
            created?;
        }
    }
    Ok(())
}
