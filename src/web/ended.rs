use core::future::{Future, poll_fn};
use core::mem;
use core::pin::pin;
use core::task::{Poll, ready};
use core::time::Duration;

use chrono::TimeDelta;

use super::auth::Auth;
use super::reason::Reason;
use super::refused::Refused;
use crate::rule::{RejectReason, Status};
use crate::sessions::{Look, Watch};
use crate::store::{StoreError, yield_now};
use crate::time::Timestamp;

const SECOND: TimeDelta = TimeDelta::seconds(1);

impl<A: Clone + Send + Sync + 'static> Auth<A> {
    /// Waits until the request's session has ended, and returns why: for event streams,
    /// `WebSocket`s and long polling, which are to be closed then.
    ///
    /// It looks when [`Watch`] says so, and extends nothing. It returns at the session's
    /// deadline, within `interval` (whole seconds, from 2 s) after a sign-out anywhere, or
    /// when the store has not answered for that long. A renewal by another request moves
    /// the deadline, if a look is told of it in time; a rotation ends the wait, so that the
    /// client connects anew. A [`Clock`](crate::Clock) has whole seconds, so each of these may
    /// be less than a second late, and what the timer is late besides.
    ///
    /// `sleep` is the runtime's timer, asked for whole seconds: until the next look, and
    /// meanwhile for how long its answer may take. Where it returns early, there is a look at
    /// once, after one that is under way, so an [`Observer`](crate::Observer) can wake those
    /// that wait in the same process.
    ///
    /// A stateless session is known by its token alone: the wait ends when that token does.
    ///
    /// ```
    /// # #[cfg(feature = "memory")] {
    /// use chrono::TimeDelta;
    /// use session_policy::web::{SessionCookie, WebSessions};
    /// use session_policy::{Clock, ManualClock, MemoryStore, SessionPolicy, Sessions};
    ///
    /// # pollster::block_on(async {
    /// let clock = ManualClock::new(chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap());
    /// let sessions =
    ///     Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY).with_clock(clock.clone());
    /// let auth = WebSessions::new(sessions, SessionCookie::host("session"))?.exchange().auth([], []);
    /// let started = auth.sign_in("user-42").await?;
    ///
    /// // A server passes `tokio::time::sleep`.
    /// let sleep = async |time| _ = clock.advance(TimeDelta::from_std(time).unwrap());
    /// let refused = auth.ended(TimeDelta::seconds(30), sleep).await;
    /// assert_eq!(refused.as_str(), "absolute_cap");
    /// assert_eq!(clock.now(), started.status.absolute_expires_at);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// # }
    /// ```
    pub async fn ended<F: Future<Output = ()>>(
        &self,
        interval: TimeDelta,
        sleep: impl Fn(Duration) -> F,
    ) -> Refused {
        self.ended_after(interval, sleep, |_| ()).await
    }

    /// [`ended`](Self::ended), which also tells what each look that was answered saw, the first
    /// one at once and the next ones begun every half interval: for a countdown in an event
    /// stream, which no other request then has to keep up to date.
    ///
    /// ```
    /// # #[cfg(feature = "memory")] {
    /// # use chrono::TimeDelta;
    /// # use session_policy::web::{SessionCookie, WebSessions};
    /// # use session_policy::{Clock, ManualClock, MemoryStore, SessionPolicy, Sessions};
    /// # pollster::block_on(async {
    /// # let clock = ManualClock::new(chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap());
    /// # let sessions =
    /// #     Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY).with_clock(clock.clone());
    /// # let auth = WebSessions::new(sessions, SessionCookie::host("session"))?.exchange().auth([], []);
    /// # auth.sign_in("user-42").await?;
    /// # let sleep = |time| {
    /// #     let clock = clock.clone();
    /// #     async move { clock.advance(TimeDelta::from_std(time).unwrap()) }
    /// # };
    /// let mut left = Vec::new();
    /// let saw = |status: &session_policy::Status| {
    ///     left.push(status.idle_expires_at.since(status.now).num_hours());
    /// };
    /// auth.ended_after(TimeDelta::hours(4), sleep, saw).await;
    /// assert_eq!(left, [8, 6, 4, 2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// # }
    /// ```
    // Compiled by a package that has axum, `tests/web`.
    #[cfg_attr(not(doctest), doc = include_str!("examples/stream.md"))]
    pub async fn ended_after<F: Future<Output = ()>>(
        &self,
        interval: TimeDelta,
        sleep: impl Fn(Duration) -> F,
        mut saw: impl FnMut(&Status),
    ) -> Refused {
        let served = match self.peeked().await {
            Ok(served) => served,
            Err(refused) => return refused,
        };
        saw(&served.status);
        let sessions = &self.exchange().shared().sessions;
        let mut watch = Watch::new(&served.status, interval);
        // The handler may have taken its time.
        let now = sessions.now();
        let mut at_once = served.status.now < now;
        watch.saw(now, &served.status);
        let until = |at: Timestamp| {
            let seconds = at.since(sessions.now()).num_seconds();
            sleep(Duration::from_secs(u64::try_from(seconds).unwrap_or_default()))
        };
        let mut was_answered = true;
        loop {
            let now = sessions.now();
            let at = match watch.next(now) {
                // Not at once again: the store may be overloaded.
                Look::At { at } if !was_answered => at.max(now.saturating_add(SECOND)),
                Look::At { at } => at,
                Look::End { at, reason } => return self.refused(over(reason, at)),
            };
            if !mem::take(&mut at_once) {
                until(at).await;
                if sessions.now() < at {
                    // It was woken. A `sleep` that always returns at once is to leave others
                    // their turn.
                    yield_now().await;
                }
            }
            let began_at = sessions.now();
            let limit = watch.limit(began_at, was_answered);
            let seen = {
                let mut look = pin!(sessions.status_of(&served.session));
                let mut timer = pin!(until(limit));
                poll_fn(|context| {
                    if let Poll::Ready(seen) = look.as_mut().poll(context) {
                        return Poll::Ready(Some(seen));
                    }
                    ready!(timer.as_mut().poll(context));
                    if sessions.now() >= limit {
                        return Poll::Ready(None);
                    }
                    // Woken while it looks: it may see what was before, so it looks once more.
                    at_once = true;
                    timer.set(until(limit));
                    context.waker().wake_by_ref();
                    Poll::Pending
                })
                .await
            };
            was_answered = false;
            match seen.map(|seen| seen.map_err(Reason::from)) {
                Some(Ok(status)) => {
                    watch.saw(began_at, &status);
                    saw(&status);
                    was_answered = true;
                }
                // Perhaps the next look is answered.
                Some(Err(Reason::Unavailable(_))) | None => {}
                Some(Err(reason)) => return self.refused(reason),
            }
        }
    }
}

fn over(reason: Option<RejectReason>, since: Timestamp) -> Reason {
    match reason {
        Some(reason) => Reason::Expired { reason, since },
        None => Reason::Unavailable(StoreError::unavailable("no look was answered")),
    }
}
