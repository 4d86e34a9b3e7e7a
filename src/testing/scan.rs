//! A store that is gone through from end to end.

use std::collections::{BTreeMap, BTreeSet};
use std::format;
use std::vec::Vec;

use super::differ::{expect, expect_ids, expect_session};
use super::fixture::{at, expiring, full, id, renewal, rewrite, session, session_of, with};
use super::probe::Probe;
use super::report::{Failure, Verdict};
use super::scale::create;
use crate::record::{Session, SessionId};
use crate::store::Cursor;
use crate::time::Timestamp;

/// A scan may take so many pages more than there are sessions.
const PAGES: usize = 2_000;

/// A scan under way.
struct Scan {
    limit: u32,
    sessions: usize,
    pages: usize,
    from: Option<Cursor>,
    ended: bool,
}

impl Scan {
    const fn new(limit: u32, sessions: usize) -> Self {
        Self { limit, sessions, pages: 0, from: None, ended: false }
    }

    fn from(cursor: Cursor, limit: u32, sessions: usize) -> Self {
        Self { from: Some(cursor), ..Self::new(limit, sessions) }
    }

    const fn is_endless(&self) -> bool {
        self.pages > self.sessions * 2 + PAGES
    }

    /// The sessions of the next page; `None` after the last.
    async fn next(&mut self, probe: &Probe) -> Verdict<Option<Vec<Session>>> {
        if self.ended {
            return Ok(None);
        }
        let Self { limit, sessions, .. } = *self;
        if self.is_endless() {
            let why = format!("a scan of {sessions} sessions with limit {limit} does not end");
            return Err(Failure::new(why));
        }
        let page = probe.scan(self.from.as_ref(), limit).await?;
        let count = page.sessions.len();
        if count > (limit as usize).saturating_mul(10).max(200) {
            return Err(Failure::new(format!(
                "a page for a limit of {limit} has {count} sessions"
            )));
        }
        self.pages += 1;
        self.ended = page.next.is_none();
        // A cursor is bytes, and nothing more.
        self.from = page.next.map(|next| Cursor::from_bytes(next.as_bytes().to_vec()));
        Ok(Some(page.sessions))
    }

    /// All that is left.
    async fn rest(mut self, probe: &Probe) -> Verdict<Vec<Session>> {
        let mut seen = Vec::new();
        while let Some(page) = self.next(probe).await? {
            seen.extend(page);
        }
        Ok(seen)
    }
}

/// Each of these was seen, whole.
fn seen_all(what: &str, expected: &[Session], seen: &[Session]) -> Verdict {
    let by_id: BTreeMap<_, _> = seen.iter().map(|session| (session.id(), session)).collect();
    let missing = expected.iter().map(Session::id).filter(|id| !by_id.contains_key(id));
    expect_ids(&format!("{what}: missed"), &[], &missing.collect::<Vec<_>>())?;
    for session in expected {
        expect_session(what, Some(session), by_id.get(&session.id()).copied())?;
    }
    Ok(())
}

pub(super) async fn nothing(probe: Probe) -> Verdict {
    for limit in [1, 100, u32::MAX] {
        let seen = Scan::new(limit, 0).rest(&probe).await?;
        expect("sessions of an empty store", &0, &seen.len())?;
    }
    Ok(())
}

/// Sessions of every kind, and none that is not there.
fn mixed(count: u32) -> Vec<Session> {
    (0..count)
        .map(|n| match n % 4 {
            0 => full(n),
            1 => session_of(n, format!("user-{n}")),
            2 => expiring(n, at(i64::from(n))),
            _ => session(n),
        })
        .collect()
}

pub(super) async fn whole(probe: Probe) -> Verdict {
    let mut sessions = mixed(300);
    probe.create_all(&sessions).await?;
    for n in [0, 7] {
        expect("removed", &true, &probe.remove(sessions.remove(n).id()).await?)?;
    }
    let update = rewrite(&sessions[5], 4);
    expect("updated", &true, &probe.update(&update).await?)?;
    let updated = update.apply(&sessions[5]);
    sessions[5] = updated.ok_or_else(|| Failure::new("an update that applies"))?;
    let ids: Vec<_> = sessions.iter().map(Session::id).collect();
    for limit in [1, 2, 7, 299, 300, 1_000, u32::MAX] {
        let seen = Scan::new(limit, sessions.len()).rest(&probe).await?;
        seen_all("scanned", &sessions, &seen)?;
        let extra = seen.iter().map(Session::id).filter(|id| !ids.contains(id));
        expect_ids("scanned, though not there", &[], &extra.collect::<Vec<_>>())?;
    }
    for session in &sessions {
        probe.holds("a session after scans", session).await?;
    }
    Ok(())
}

/// A page can be read again, whatever was read since.
pub(super) async fn again(probe: Probe) -> Verdict {
    let sessions = mixed(100);
    probe.create_all(&sessions).await?;
    let mut cursors = Vec::new();
    let mut scan = Scan::new(10, sessions.len());
    let mut before = Vec::new();
    while let Some(page) = scan.next(&probe).await? {
        before.extend(page);
        cursors.extend(scan.from.clone().map(|cursor| (before.clone(), cursor)));
    }
    for (mut seen, cursor) in cursors.into_iter().rev() {
        seen.extend(Scan::from(cursor, 10, sessions.len()).rest(&probe).await?);
        seen_all("scanned on from a former cursor", &sessions, &seen)?;
    }
    for foreign in [&b""[..], b"x", b"\xff\xfe", &[0; 1_000]] {
        // Refused, or taken for a place; without a panic and without an end.
        let foreign = Cursor::from_bytes(foreign.to_vec());
        drop(probe.scan(Some(&foreign), 10).await);
    }
    Ok(())
}

/// Whatever is written between the pages, what is there throughout is seen.
pub(super) async fn meanwhile(probe: Probe) -> Verdict {
    for (round, limit) in (0..).zip([1, 3, 10]) {
        let all_of = mixed(200);
        let is_kept = |n: usize| !n.is_multiple_of(3);
        probe.create_all(&all_of).await?;
        let mut kept: BTreeMap<SessionId, Session> = (0..)
            .zip(&all_of)
            .filter(|(n, _)| is_kept(*n))
            .map(|(_, session)| (session.id(), session.clone()))
            .collect();
        let gone: Vec<_> =
            (0..).zip(&all_of).filter(|(n, _)| !is_kept(*n)).map(|(_, one)| one.id()).collect();
        let mut created = Vec::new();
        let kept_ids: Vec<_> = kept.keys().copied().collect();
        let (mut scan, mut seen) = (Scan::new(limit, 600), Vec::new());
        while let Some(sessions) = scan.next(&probe).await? {
            seen.extend(sessions);
            let page = scan.pages - 1;
            // Updates move every instant; removals and creations every place.
            for step in 0..3 {
                let held = &kept[&kept_ids[(page * 7 + step * 31) % kept_ids.len()]];
                let (renewed_at, by) = (held.lifetime().renewed_at(), page % 50 * 20);
                let update = match step {
                    0 => renewal(held, renewed_at, renewed_at),
                    1 => rewrite(held, 0),
                    _ => rewrite(held, u32::try_from(by).unwrap_or(0)),
                };
                if let Some(updated) = update.apply(held) {
                    expect("updated", &true, &probe.update(&update).await?)?;
                    kept.insert(updated.id(), updated);
                }
            }
            let place = if round == 1 { gone.len().wrapping_sub(page + 1) } else { page };
            if let Some(id) = gone.get(place) {
                probe.remove(*id).await?;
            }
            if page < 60 {
                let n = u32::try_from(page).unwrap_or(0);
                let mut bytes = [u8::try_from(page * 4 % 256).unwrap_or(0); 16];
                bytes[12..].copy_from_slice(&n.to_be_bytes());
                let new = with(&session(n), |parts| parts.id = SessionId::from_bytes(bytes));
                probe.create(&new).await?;
                created.push(new.id());
            }
        }
        let ids: BTreeSet<_> = seen.iter().map(Session::id).collect();
        let missed = kept.keys().filter(|id| !ids.contains(id)).copied();
        let what = format!("there throughout a scan with limit {limit}");
        expect_ids(&what, &missed.collect::<Vec<_>>(), &[])?;
        let known: Vec<_> = all_of.iter().map(Session::id).chain(created.iter().copied()).collect();
        let strange = ids.iter().filter(|id| !known.contains(id)).copied();
        expect_ids("scanned, though nobody made it", &[], &strange.collect::<Vec<_>>())?;
        probe.sweep(Timestamp::MAX, u32::MAX).await?;
        probe.lacks("no session once all are swept", id(1)).await?;
    }
    Ok(())
}

/// The last session of each page is removed before the next is read.
pub(super) async fn cut_off(probe: Probe) -> Verdict {
    let sessions = mixed(60);
    probe.create_all(&sessions).await?;
    let (mut seen, mut removed) = (Vec::new(), Vec::new());
    let mut scan = Scan::new(4, sessions.len());
    while let Some(page) = scan.next(&probe).await? {
        if let Some(last) = page.last()
            && probe.remove(last.id()).await?
        {
            removed.push(last.id());
        }
        seen.extend(page.iter().map(Session::id));
    }
    let there = sessions.iter().map(Session::id).filter(|id| !removed.contains(id));
    let missed: Vec<_> = there.filter(|id| !seen.contains(id)).collect();
    expect_ids("there throughout a scan whose last of each page was removed", &missed, &[])
}

pub(super) async fn large(probe: Probe) -> Verdict {
    let sessions: Vec<_> = (0..probe.settings.large).map(session).collect();
    create(&probe, &sessions).await?;
    let seen = Scan::new(1_000, sessions.len()).rest(&probe).await?;
    seen_all("scanned of many", &sessions, &seen)
}
