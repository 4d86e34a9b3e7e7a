use alloc::vec::Vec;
use core::fmt;

use chrono::TimeDelta;

use super::timeline_event::{Happening, TimelineEvent};
use crate::rule::{Decision, Lifetime, RejectReason, SessionPolicy};
use crate::time::Timestamp;

/// One session, played request by request under a policy: every decision, write
/// and cookie.
///
/// It shows what [`Sessions`](crate::Sessions) would do, without a store or a clock, and
/// what a browser holds: a cookie runs to the cap, at most 400 days, and is sent again
/// at a renewal only where the cap is longer than that. `jwt::JwtSessions` re-issues a
/// token, in a cookie of the same kind, where `Sessions` writes. `jwt::HybridSessions` does so
/// only once the previous token was presented and its grace is over; such a token's `exp` is the
/// cap. A timeline leaves out the write that confirms a hybrid token.
///
/// `Display` prints one line per event. Serialised with instants as unix seconds and
/// durations as whole seconds.
///
/// # Example
///
/// ```
/// use chrono::TimeDelta;
/// use session_policy::review::{Happening, Timeline};
/// use session_policy::{SessionPolicy, Timestamp};
///
/// let login = Timestamp::from_unix_secs(1_800_000_000);
/// let minutes = |minutes| login.saturating_add(TimeDelta::minutes(minutes));
/// let timeline = Timeline::play(&SessionPolicy::WORKING_DAY, login, [5, 20, 500].map(minutes));
/// assert_eq!(
///     timeline.to_string(),
///     "\
/// 2027-01-15T08:00:00Z  signed in, until 2027-01-15T16:00:00Z; record created; cookie for 8h; \
/// token until 2027-01-15T16:00:00Z
/// 2027-01-15T08:05:00Z  kept, until 2027-01-15T16:00:00Z
/// 2027-01-15T08:20:00Z  renewed, until 2027-01-15T16:00:00Z; record written; \
/// token until 2027-01-15T16:00:00Z
/// 2027-01-15T16:00:00Z  ended: the absolute cap is reached
/// 2027-01-15T16:20:00Z  refused since 2027-01-15T16:00:00Z: the absolute cap is reached",
/// );
/// assert_eq!(timeline.events()[2].happening, Happening::Renewed);
/// ```
///
#[doc = include_str!("examples/timeline.md")]
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Timeline {
    policy: SessionPolicy,
    events: Vec<TimelineEvent>,
}

impl Timeline {
    /// Plays a session that is started at `sign_in` and gets these requests, in
    /// this order; an instant may step back, as a clock may.
    #[must_use]
    pub fn play<T: Into<Timestamp>>(
        policy: &SessionPolicy,
        sign_in: impl Into<Timestamp>,
        requests: impl IntoIterator<Item = T>,
    ) -> Self {
        let sign_in = sign_in.into();
        let mut player = Player {
            policy,
            lifetime: policy.start(sign_in),
            events: Vec::new(),
            cookie_until: sign_in,
            has_lapsed: false,
            has_ended: false,
        };
        player.emit(sign_in, Happening::SignedIn);
        for request in requests {
            player.request(request.into());
        }
        player.lapse(player.until());
        player.end();
        Self { policy: *policy, events: player.events }
    }

    /// The same with a warning `before` the end, wherever the end comes so near
    /// without a request (WCAG 2.2 success criterion 2.2.1: at least 20 s).
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use session_policy::review::{Happening, Timeline};
    /// use session_policy::{SessionPolicy, Timestamp};
    ///
    /// let login = Timestamp::from_unix_secs(1_800_000_000);
    /// let timeline = Timeline::play(&SessionPolicy::WORKING_DAY, login, [login])
    ///     .with_warning(TimeDelta::minutes(2));
    /// let warning = timeline.events()[2];
    /// assert_eq!(warning.happening, Happening::Warned);
    /// assert_eq!(warning.at, login.saturating_add(TimeDelta::minutes(7 * 60 + 58)));
    /// ```
    #[must_use]
    pub fn with_warning(self, before: TimeDelta) -> Self {
        let mut events = Vec::with_capacity(self.events.len() + 1);
        let mut warned_of = None;
        for (index, event) in self.events.iter().enumerate() {
            events.push(*event);
            let end = event.until;
            let at = end.saturating_sub(before).max(event.at);
            let quiet = self.events.get(index + 1).is_some_and(|next| next.at > at);
            if quiet && at < end && warned_of != Some(end) {
                warned_of = Some(end);
                let happening = Happening::Warned;
                events.push(TimelineEvent { at, happening, cookie: None, token: None, ..*event });
            }
        }
        Self { events, ..self }
    }

    /// The policy that judged.
    #[must_use]
    pub const fn policy(&self) -> &SessionPolicy {
        &self.policy
    }

    /// What happened, in the order it was played. The end of the session is an
    /// event of its own, whether or not a request came after it.
    #[must_use]
    pub fn events(&self) -> &[TimelineEvent] {
        &self.events
    }

    /// How often `Sessions` writes the record: created once, and at each renewal.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.events.iter().filter(|event| event.is_write()).count()
    }

    /// How many requests were judged, the sign-in not among them.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.events.iter().filter(|event| event.is_request()).count()
    }

    /// The pauses longer than `threshold` (to the second) between requests, each from the request
    /// before it to the one after.
    pub fn gaps(&self, threshold: TimeDelta) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let active =
            |event: &&TimelineEvent| event.is_request() || event.happening == Happening::SignedIn;
        let instants = self.events.iter().filter(active).map(|event| event.at);
        let next = instants.clone().skip(1);
        instants.zip(next).filter(move |(from, to)| to.since(*from) > threshold)
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, event) in self.events.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{event}")?;
        }
        Ok(())
    }
}

struct Player<'a> {
    policy: &'a SessionPolicy,
    lifetime: Lifetime,
    events: Vec<TimelineEvent>,
    /// Until when the browser holds the cookie.
    cookie_until: Timestamp,
    has_lapsed: bool,
    has_ended: bool,
}

impl Player<'_> {
    fn request(&mut self, at: Timestamp) {
        self.lapse(at);
        if self.has_lapsed {
            return self.emit(at, Happening::WithoutCookie);
        }
        match self.policy.evaluate(&self.lifetime, at) {
            Decision::Keep { .. } => self.emit(at, Happening::Kept),
            Decision::Reject { reason, since } => {
                if reason != RejectReason::NotYetValid {
                    self.end();
                }
                self.emit(at, Happening::Refused { reason, since });
            }
            Decision::Renew { lifetime } => {
                self.lifetime = lifetime;
                self.emit(at, Happening::Renewed);
            }
        }
    }

    /// The browser drops the cookie of a session that lives on.
    fn lapse(&mut self, now: Timestamp) {
        let lapses = self.cookie_until <= now && self.cookie_until < self.until();
        if lapses && !self.has_lapsed {
            self.has_lapsed = true;
            self.emit(self.cookie_until, Happening::CookieLapsed);
        }
        if self.has_lapsed && self.until() <= now {
            self.end();
        }
    }

    fn end(&mut self) {
        if let Decision::Reject { reason, since } = self.policy.peek(&self.lifetime, self.until())
            && !self.has_ended
        {
            self.has_ended = true;
            self.emit(since, Happening::Ended { reason });
        }
    }

    fn emit(&mut self, at: Timestamp, happening: Happening) {
        let status = self.policy.status(&self.lifetime, at);
        let is_sent = match happening {
            Happening::SignedIn => true,
            Happening::Renewed => status.outlives_cookies(&self.lifetime),
            _ => false,
        };
        let cookie = is_sent.then(|| status.cookie_max_age());
        if let Some(max_age) = cookie {
            self.cookie_until = at.saturating_add(max_age);
        }
        let is_issued = matches!(happening, Happening::SignedIn | Happening::Renewed);
        let token = is_issued.then(|| self.lifetime.expires_at());
        let until = self.until();
        self.events.push(TimelineEvent { at, happening, until, cookie, token });
    }

    fn until(&self) -> Timestamp {
        self.policy.status(&self.lifetime, self.lifetime.renewed_at()).idle_expires_at
    }
}
