//! What a request is told that has no session, or whose verb was refused.

use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};
use session_policy::RejectReason;
use session_policy::web::{Reason, Refused};

use crate::pages;

/// Why a page asks for a sign-in.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Why {
    /// The session reached its cap.
    AbsoluteCap,
    /// The browser holds a token that opens no session any more.
    Ended,
    /// The session was not used for too long.
    Idle,
    /// The password was changed, and no session is left.
    NewPassword,
    /// The page wants a recent sign-in.
    Recent,
    /// The user signed out.
    SignedOut,
}

impl Why {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::AbsoluteCap => "absolute_cap",
            Self::Ended => "ended",
            Self::Idle => "idle",
            Self::NewPassword => "new_password",
            Self::Recent => "recent",
            Self::SignedOut => "signed_out",
        }
    }
}

/// Answers each refusal: a script gets problem details, a page without a session goes to
/// the sign-in, and all else is told what happened.
pub(crate) fn answer(plain_http: bool) -> impl Fn(&Refused) -> Response + Clone {
    move |refused| {
        if refused.status() >= 500 {
            tracing::error!(error = format!("{refused:#}"), "a request was refused");
        }
        let request = refused.request();
        if request.is_some_and(|it| it.accept.as_deref().is_some_and(is_for_script)) {
            return refused.response();
        }
        let why = match refused.reason() {
            Reason::Expired { reason: RejectReason::AbsoluteCap, .. } => Some(Why::AbsoluteCap),
            Reason::Expired { .. } => Some(Why::Idle),
            Reason::NotFresh { .. } => Some(Why::Recent),
            // The sign-in sees by the cookie whether there was one.
            Reason::Ambiguous | Reason::NoSession | Reason::Revoked => None,
            _ => {
                let status = StatusCode::from_u16(refused.status());
                let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let page = pages::Frame::outside(plain_http).problem(status);
                let retry_after = refused.retry_after().map(|secs| [("retry-after", secs)]);
                return match retry_after {
                    Some([(name, secs)]) => {
                        (status, [(name, secs.to_string())], page).into_response()
                    }
                    None => (status, page).into_response(),
                };
            }
        };
        let path = request.map_or("/", |request| request.path.as_str());
        sign_in(why, known_page(path)).into_response()
    }
}

/// The way to the sign-in, for this reason and then on to `next`.
pub(crate) fn sign_in(why: Option<Why>, next: &'static str) -> Redirect {
    Redirect::to(&match why {
        Some(why) => format!("/sign-in?reason={}&next={next}", why.as_str()),
        None => format!("/sign-in?next={next}"),
    })
}

/// The page of this path and what is below it, or the first: where a sign-in may lead.
/// Anything else would let a link send a user, just signed in, to another site.
pub(crate) fn known_page(path: &str) -> &'static str {
    let path = path.split('?').next().unwrap_or_default();
    let pages = ["/admin", "/devices", "/password", "/session"];
    let is_of = |page: &&str| {
        path.strip_prefix(*page).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    pages.into_iter().find(is_of).unwrap_or("/")
}

pub(crate) fn asks_for_json(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|it| it.to_str().ok()).is_some_and(is_for_script)
}

/// Whether a script asked, and not a browser for a page.
fn is_for_script(accept: &str) -> bool {
    let names = |kind| accept.contains(kind);
    (names("application/json") || names("text/event-stream")) && !names("text/html")
}
