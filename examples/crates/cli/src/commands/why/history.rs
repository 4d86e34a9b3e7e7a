use std::collections::{HashMap, HashSet};

use session_policy::{RejectReason, SessionId, Timestamp};

use super::cause::Cause;
use crate::input::{Kind, Logged};

/// The sessions of one subject, as the log tells of them.
///
/// The events may come in any order, as from the logs of several nodes; of one second, they are
/// taken in the order of the files, and what ends a session last. Memory grows with the subject's
/// own events, with those that name no subject, such as sign-outs, and by 16 bytes and a little
/// for each session of another subject.
pub(super) struct History<'a> {
    subject: &'a str,
    /// Of the subject, and those that name none, as a sign-out.
    events: Vec<(SessionId, Logged)>,
    sessions: HashMap<SessionId, Known>,
    /// Sessions of others.
    others: HashSet<SessionId>,
    /// Ended sessions whose subject the log has not named.
    unnamed: u64,
    last: Option<Timestamp>,
}

#[derive(Default)]
struct Known {
    profile: Option<String>,
    expires_at: Option<Timestamp>,
    absolute_expires_at: Option<Timestamp>,
    end: Option<Ending>,
}

struct Ending {
    at: Timestamp,
    cause: Cause,
    evidence: Evidence,
}

/// How the log shows that a session ended.
#[derive(Clone, Copy)]
pub(super) enum Evidence {
    /// Its last deadline lies before the last event of the log.
    Deadline,
    /// An event says so; a request may have been refused before.
    Event { refused_at: Option<Timestamp> },
    /// A request was refused, the first one then.
    Refused { at: Timestamp },
}

/// The end of a session.
pub(super) struct End {
    pub(super) at: Timestamp,
    pub(super) session: SessionId,
    pub(super) profile: Option<String>,
    pub(super) cause: Cause,
    pub(super) evidence: Evidence,
}

impl<'a> History<'a> {
    pub(super) fn of(subject: &'a str) -> Self {
        let (sessions, others) = (HashMap::new(), HashSet::new());
        Self { subject, events: Vec::new(), sessions, others, unnamed: 0, last: None }
    }

    /// How many sessions of the subject the log names.
    pub(super) fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// How many sessions ended of which the log does not say whose they were.
    pub(super) const fn unnamed(&self) -> u64 {
        self.unnamed
    }

    /// The latest instant of the log.
    pub(super) const fn last(&self) -> Option<Timestamp> {
        self.last
    }

    pub(super) fn add(&mut self, event: Logged) {
        self.last = self.last.max(Some(event.at));
        let Some(id) = event.session else { return };
        match event.subject.as_deref() {
            Some(subject) if subject == self.subject => {
                self.sessions.entry(id).or_default();
            }
            Some(_) => {
                self.others.insert(id);
                return;
            }
            None => {}
        }
        self.events.push((id, event));
    }

    /// Goes through the events, once all are there.
    pub(super) fn read(&mut self) {
        // Of one second, what ends a session comes last: it is not served afterwards.
        self.events.sort_by_key(|(_, event)| (event.at, event.kind.ends()));
        for (id, event) in self.events.drain(..) {
            if let Some(known) = self.sessions.get_mut(&id) {
                known.profile = known.profile.take().or(event.profile);
                known.add(event.at, event.kind);
            } else if matches!(event.kind, Kind::Ended { .. }) && !self.others.contains(&id) {
                self.unnamed += 1;
            }
        }
    }

    /// Every end, the earliest first.
    pub(super) fn ends(self) -> Vec<End> {
        let last = self.last;
        let end = |(session, known): (SessionId, Known)| {
            let Ending { at, cause, evidence } = known.end_by(last)?;
            Some(End { at, session, profile: known.profile, cause, evidence })
        };
        let mut ends: Vec<_> = self.sessions.into_iter().filter_map(end).collect();
        ends.sort_unstable_by_key(|end| (end.at, end.session));
        ends
    }
}

impl Known {
    fn add(&mut self, at: Timestamp, kind: Kind) {
        let refused_at = match &mut self.end {
            None => None,
            Some(Ending { evidence: Evidence::Refused { at }, .. }) => Some(*at),
            // The first event that ends it is why it ended. One that its time ended is told of
            // by a sweep, after a request may have been refused.
            Some(Ending { cause, evidence, .. }) => {
                if let (Cause::Time(_), Kind::Rejected { reason }) = (&*cause, &kind)
                    && let Evidence::Event { refused_at: refused_at @ None } = evidence
                    && cause.as_str() == reason
                {
                    *refused_at = Some(at);
                }
                return;
            }
        };
        let cause = match kind {
            Kind::Served { expires_at, absolute_expires_at } => {
                self.expires_at = expires_at.or(self.expires_at);
                self.absolute_expires_at = absolute_expires_at.or(self.absolute_expires_at);
                // It was refused under a policy that has been changed back since, or by
                // one of its tokens that had been replaced.
                self.end = None;
                return;
            }
            Kind::Expired { reason } => Cause::Time(reason),
            Kind::Rejected { reason } => return self.refuse(at, &reason),
            // It had ended before, and was tidied away.
            Kind::Ended { .. } | Kind::ReuseDetected if refused_at.is_some() => return,
            Kind::Ended { cause } => Cause::Ended(cause),
            Kind::ReuseDetected => Cause::Reuse,
        };
        self.end = Some(Ending { at, cause, evidence: Evidence::Event { refused_at } });
    }

    /// The first request that is refused for good tells of an end that came before.
    fn refuse(&mut self, at: Timestamp, reason: &str) {
        if self.end.is_some() {
            return;
        }
        let (cause, deadline) = match reason {
            "absolute_cap" => (Cause::Time(RejectReason::AbsoluteCap), self.absolute_expires_at),
            "idle" => (Cause::Time(RejectReason::Idle), self.expires_at),
            "reused" => (Cause::Reuse, None),
            "revoked" => (Cause::Ended(reason.to_owned()), None),
            // Of a token, not of the session; or the store was out of reach.
            _ => return,
        };
        let ended_at = deadline.map_or(at, |deadline| deadline.min(at));
        self.end = Some(Ending { at: ended_at, cause, evidence: Evidence::Refused { at } });
    }

    fn end_by(&self, last: Option<Timestamp>) -> Option<Ending> {
        if let Some(Ending { at, cause, evidence }) = &self.end {
            return Some(Ending { at: *at, cause: cause.clone(), evidence: *evidence });
        }
        let at = self.expires_at.filter(|&at| Some(at) <= last)?;
        let is_cap = self.absolute_expires_at == Some(at);
        let reason = if is_cap { RejectReason::AbsoluteCap } else { RejectReason::Idle };
        Some(Ending { at, cause: Cause::Time(reason), evidence: Evidence::Deadline })
    }
}
