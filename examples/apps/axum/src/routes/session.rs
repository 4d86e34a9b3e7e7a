//! How long the session has left: read or followed without extending it, or extended.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response, Sse};
use chrono::TimeDelta;
use futures_util::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use session_policy::web::{Active, Auth, Peeked};
use session_policy::{Authenticated, SessionId, Status};
use tokio::sync::mpsc;

use crate::app::App;
use crate::pages::{self, Frame};
use crate::refusal::{asks_for_json, known_page};

/// How soon a browser is to connect again.
const RECONNECT: Duration = Duration::from_secs(1);
/// How many looks may wait for a client that is slow to read; later ones are left out.
const UNREAD: usize = 4;

/// What `session.js` reads.
#[derive(Clone, Serialize)]
pub(crate) struct Countdown<'a> {
    /// Tells a page that another session has taken its place,
    session: SessionId,
    /// and whether that is another user's.
    subject: &'a str,
    #[serde(flatten)]
    status: Status,
}

impl<'a> From<&'a Authenticated> for Countdown<'a> {
    fn from(served: &'a Authenticated) -> Self {
        let Authenticated { session, status, .. } = served;
        Self { session: session.id(), subject: session.subject(), status: *status }
    }
}

#[derive(Deserialize)]
pub(super) struct Back {
    next: Option<String>,
}

/// Never renews, so an open page does not keep a session alive. A browser without scripts
/// comes here when the time of a page is over, and after a sign-in in another tab.
pub(super) async fn status(
    State(app): State<App>,
    headers: HeaderMap,
    seen: Peeked,
    Query(back): Query<Back>,
) -> Response {
    if asks_for_json(&headers) {
        return Json(Countdown::from(&*seen)).into_response();
    }
    let next = known_page(back.next.as_deref().unwrap_or("/"));
    pages::still_signed_in(&Frame::of(&app, Some(&seen), ""), next).into_response()
}

/// For the user's "stay signed in", and for typing: an ordinary request, which renews if
/// due.
pub(super) async fn extend(active: Active) -> Response {
    Json(Countdown::from(&*active)).into_response()
}

/// The countdown as it goes on: what each look saw, and why the session ended, at its
/// deadline or at once when it is signed out.
pub(super) async fn events(
    State(app): State<App>,
    auth: Auth,
    seen: Peeked,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = app.changes.of(seen.session.id());
    let look_every = app.look_every;
    let (tell, told) = mpsc::channel(UNREAD);
    let ended = async move {
        let interval = TimeDelta::from_std(2 * look_every).unwrap_or(TimeDelta::MAX);
        let changes = &changes;
        let sleep = |time| async move {
            tokio::select! { () = tokio::time::sleep(time) => (), () = changes.next() => () }
        };
        let look = |status: &Status| {
            let now = Countdown { status: *status, ..Countdown::from(&*seen) };
            // A client that does not read is told the next time.
            let _ = tell.try_send(event("status", &now));
        };
        let refused = auth.ended_after(interval, sleep, look).await;
        event("ended", &serde_json::json!({ "reason": refused.as_str() }))
    };
    let looks = stream::unfold(told, async |mut told| Some((told.recv().await?, told)));
    let events = stream::select(looks, stream::once(ended)).map(Ok);
    Sse::new(events.take_until(app.closing.cancelled_owned()))
}

fn event(name: &str, data: &impl Serialize) -> Event {
    // Serialising a few integers never fails.
    let data = serde_json::to_string(data).unwrap_or_default();
    Event::default().event(name).retry(RECONNECT).data(data)
}
