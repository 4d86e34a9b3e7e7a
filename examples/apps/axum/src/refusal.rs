//! What a request is told that has no live session, and why.

use axum::Json;
use axum::extract::Request;
use axum::http::header::{ACCEPT, RETRY_AFTER};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};
use session_policy::{AuthenticateError, RejectReason};

use crate::pages;

/// Why a page asks for a sign-in. An attacker learns from it only what the
/// holder of the session's own token knows: what is no token, a wrong secret, a
/// session that was ended and one that never was are all [`Ended`](Self::Ended).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The session reached its cap.
    AbsoluteCap,
    /// There is no such session.
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

impl Reason {
    /// The reason of a refusal; `None` if the store could not tell.
    pub(crate) fn of(error: &AuthenticateError) -> Option<Self> {
        match error {
            AuthenticateError::Rejected { reason: RejectReason::AbsoluteCap, .. } => {
                Some(Self::AbsoluteCap)
            }
            AuthenticateError::Rejected { reason: RejectReason::Idle, .. } => Some(Self::Idle),
            AuthenticateError::Store(_) => None,
            _ => Some(Self::Ended),
        }
    }

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

/// Where a refused request came from, which decides the form of the answer: a
/// page goes to the sign-in, a script gets a status.
#[derive(Debug)]
pub(crate) struct Refusal {
    wants_json: bool,
    page: Option<&'static str>,
}

#[derive(Serialize)]
struct Body {
    reason: &'static str,
}

impl Refusal {
    pub(crate) fn of(request: &Request) -> Self {
        let accepts = request.headers().get(ACCEPT);
        Self {
            wants_json: accepts.is_some_and(|value| value == "application/json"),
            page: (request.method() == Method::GET).then(|| known_page(request.uri().path())),
        }
    }

    /// The answer to a request that presents no token at all.
    pub(crate) fn without_token(&self) -> Response {
        if self.wants_json {
            json_refused(Reason::Ended)
        } else {
            Redirect::to(&format!("/sign-in?next={}", self.next())).into_response()
        }
    }

    pub(crate) fn answer(&self, error: &AuthenticateError) -> Response {
        let Some(reason) = Reason::of(error) else {
            tracing::error!(%error, "no session could be looked up");
            return if self.wants_json { json_unavailable() } else { pages::unavailable() };
        };
        if self.wants_json {
            json_refused(reason)
        } else {
            sign_in(reason, self.next()).into_response()
        }
    }

    fn next(&self) -> &'static str {
        self.page.unwrap_or("/")
    }
}

/// The way to the sign-in, for this reason and then on to `next`.
pub(crate) fn sign_in(reason: Reason, next: &'static str) -> Redirect {
    Redirect::to(&format!("/sign-in?reason={}&next={next}", reason.as_str()))
}

/// The page of this path, or the first: where a sign-in may lead. Anything else
/// would let a link send a user, just signed in, to another site.
pub(crate) fn known_page(path: &str) -> &'static str {
    ["/admin", "/devices", "/password"].into_iter().find(|page| *page == path).unwrap_or("/")
}

pub(crate) fn json_refused(reason: Reason) -> Response {
    (StatusCode::UNAUTHORIZED, Json(Body { reason: reason.as_str() })).into_response()
}

pub(crate) fn json_unavailable() -> Response {
    let body = Json(Body { reason: "unavailable" });
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")], body).into_response()
}
