use alloc::sync::Arc;

use super::error::AuthenticateError;
use crate::record::{Session, SessionId};
use crate::rule::{Lifetime, RejectReason, Status};
use crate::store::Removed;
use crate::time::Timestamp;

/// One step in the life of a session, for an audit log (OWASP ASVS 5.0 16.2 and
/// 16.3).
///
/// It holds no secret: an id finds a session but does not open it. It borrows its
/// strings, so an ignored event allocates nothing.
///
/// Serialises as one flat object with a tag, such as
/// `{"at":1800000000,"session":"…","subject":"user-42","profile":"default","event":"started","expires_at":…}`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Event<'a> {
    /// When it happened, by the clock of the sessions; `Expired` is dated at the session's
    /// end.
    pub at: Timestamp,
    /// Which session. Of a refused token that did not prove itself it is the id that the
    /// token names, which nothing proves; `None` if the token cannot be read.
    pub session: Option<SessionId>,
    /// Whose session, if known; not to `end`, nor where no record was found.
    pub subject: Option<&'a str>,
    /// The profile of the session, if known.
    pub profile: Option<&'a str>,
    /// Whether the event is about a token that did not prove to be one of these sessions':
    /// by its secret, or by its signature, issuer, audience and claims. It may name
    /// anybody's session. Serialised where it is so.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "is_proven"))]
    pub unproven: bool,
    /// What happened.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub kind: EventKind,
}

/// What happened to a session. Serialised under the tag `event`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case", tag = "event"))]
#[non_exhaustive]
pub enum EventKind {
    /// The session was ended before its time.
    Ended {
        /// By what, as a stable word: the verb `end`, `end_all` or `end_others`; `limit`,
        /// by a sign-in that exceeded a limit; `replaced`, by one in its place; or
        /// `revoked`, by its subject's bound.
        cause: &'static str,
    },
    /// The session's time was over, and its record was removed. The event is dated at
    /// its end. What a store's engine drops by itself is not told of.
    Expired {
        /// At which limit of time.
        reason: RejectReason,
    },
    /// A superseded token of a hybrid session came back before its successor was
    /// presented, and was answered with the successor again: the answer was lost, or a
    /// thief and the owner take turns. A run of these is a thief's trace.
    Forgiven {
        /// The generation of the successor.
        generation: u64,
    },
    /// A token was issued anew: a stateless session's, or the next generation of a hybrid
    /// one's.
    Reissued {
        /// The session's new end without further activity. A stateless token ends then; a
        /// hybrid one runs to the cap, and its renewal is this event alone.
        expires_at: Timestamp,
    },
    /// A token was refused.
    Rejected {
        /// Why, as the stable word of the error's `as_str`.
        reason: &'static str,
    },
    /// Something that was due could not be carried out: a renewal, the confirmation
    /// of a generation, or the issue of a token. The session was served.
    RenewalDeferred,
    /// The stored session was renewed.
    Renewed {
        /// The session's new end without further activity.
        expires_at: Timestamp,
    },
    /// A superseded token came back, so its session is ended (RFC 9700 section
    /// 4.14.2, OWASP ASVS 5.0 10.4.5). If the store fails, `Rejected` with the reason
    /// `store` follows, and the next such request tries again.
    ReuseDetected {
        /// The generation of the token.
        presented: u64,
        /// The generation of the session.
        current: u64,
    },
    /// The session goes on under a new token.
    Rotated {
        /// The generation of the new token; 0 for an opaque one.
        generation: u64,
    },
    /// The session was started.
    Started {
        /// Its end whatever the activity.
        absolute_expires_at: Timestamp,
        /// Its end without further activity.
        expires_at: Timestamp,
    },
}

impl EventKind {
    pub(crate) const fn started(lifetime: &Lifetime) -> Self {
        Self::Started {
            absolute_expires_at: lifetime.absolute_expires_at(),
            expires_at: lifetime.expires_at(),
        }
    }

    pub(crate) fn expired(status: &Status) -> Self {
        Self::Expired { reason: reason(status.idle_expires_at, status.absolute_expires_at) }
    }

    pub(crate) const fn rejected(error: &AuthenticateError) -> Self {
        Self::Rejected { reason: error.as_str() }
    }
}

fn reason(end: Timestamp, cap: Timestamp) -> RejectReason {
    if end == cap { RejectReason::AbsoluteCap } else { RejectReason::Idle }
}

/// Is told what happens to sessions, if it was given to them by `with_observer`.
///
/// A session is over with the event [`Ended`](EventKind::Ended),
/// [`Expired`](EventKind::Expired) or [`ReuseDetected`](EventKind::ReuseDetected), or
/// `Rejected` as `revoked`.
///
/// It is called once per event, after the fact, within the request: hand slow
/// work to a queue. A read that changes nothing is no event. Without an observer no
/// event is built.
///
/// # Example
///
/// A closure is one:
///
/// ```
/// # #[cfg(all(feature = "memory", feature = "serde"))] {
/// use session_policy::{Event, MemoryStore, SessionPolicy, Sessions};
///
/// let log = |event: &Event<'_>| println!("{}", serde_json::to_string(event).unwrap());
/// let sessions =
///     Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY).with_observer(log);
/// pollster::block_on(sessions.start("user-42"))?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A type that counts is one, too:
///
/// ```
/// # #[cfg(feature = "memory")] {
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use session_policy::{Event, EventKind, MemoryStore, Observer, SessionPolicy, Sessions};
///
/// #[derive(Default)]
/// struct SignIns(AtomicU64);
///
/// impl Observer for SignIns {
///     fn observe(&self, event: &Event<'_>) {
///         if let EventKind::Started { .. } = event.kind {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
///
/// # pollster::block_on(async {
/// let sign_ins = Arc::new(SignIns::default());
/// let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY)
///     .with_observer(Arc::clone(&sign_ins));
/// let started = sessions.start("ada").await?;
/// sessions.end(&started.session.id()).await?;
/// assert_eq!(sign_ins.0.load(Ordering::Relaxed), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// # }
/// ```
pub trait Observer: Send + Sync {
    /// Takes note of `event`. It must not panic.
    fn observe(&self, event: &Event<'_>);
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn observe(&self, event: &Event<'_>) {
        (**self).observe(event);
    }
}

impl<F: Fn(&Event<'_>) + Send + Sync> Observer for F {
    fn observe(&self, event: &Event<'_>) {
        self(event);
    }
}

impl<'a> Event<'a> {
    /// What happened to nobody in particular.
    pub(crate) const fn anonymous(at: Timestamp, kind: EventKind) -> Self {
        Self { at, session: None, subject: None, profile: None, unproven: false, kind }
    }

    pub(crate) fn of(session: &'a Session, at: Timestamp, kind: EventKind) -> Self {
        Self {
            at,
            session: Some(session.id()),
            subject: Some(session.subject()),
            profile: Some(session.profile()),
            unproven: false,
            kind,
        }
    }

    /// Dated at its end.
    pub(crate) fn expired(removed: &'a Removed) -> Self {
        Self {
            at: removed.expires_at(),
            session: Some(removed.id()),
            subject: Some(removed.subject()),
            profile: Some(removed.profile()),
            unproven: false,
            kind: EventKind::Expired {
                reason: reason(removed.expires_at(), removed.absolute_expires_at()),
            },
        }
    }

    pub(crate) const fn unproven(self) -> Self {
        Self { unproven: true, ..self }
    }

    pub(crate) const fn with_session(self, id: SessionId) -> Self {
        Self { session: Some(id), ..self }
    }

    pub(crate) const fn with_subject(self, subject: &'a str) -> Self {
        Self { subject: Some(subject), ..self }
    }
}

#[cfg(feature = "serde")]
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_proven(unproven: &bool) -> bool {
    !*unproven
}
