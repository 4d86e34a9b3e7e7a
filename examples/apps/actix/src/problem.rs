//! What went wrong, as RFC 9457 problem details.

use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use session_policy::store::StoreError;
use session_policy::{AuthenticateError, RejectReason};

/// A problem, in an `application/problem+json` body. It tells a client what to
/// do, and an attacker nothing: everything that is wrong with a token but the end
/// of its session is [`NO_SESSION`](Self::NO_SESSION).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Problem {
    status: u16,
    /// The last part of its `type`.
    word: &'static str,
    title: &'static str,
    detail: &'static str,
}

impl Problem {
    /// The session has reached its absolute cap.
    pub const CAP: Self = Self {
        status: 401,
        word: "session-cap",
        title: "The session has reached its longest duration",
        detail: "Sign in again. Activity cannot extend a session any further.",
    };
    /// The request comes from another site.
    pub const CROSS_ORIGIN: Self = Self {
        status: 403,
        word: "cross-origin",
        title: "The request comes from another origin",
        detail: "A request that changes something must come from this origin.",
    };
    /// The name or the password is wrong.
    pub const CREDENTIALS: Self = Self {
        status: 401,
        word: "credentials",
        title: "The name or the password is wrong",
        detail: "Check both and try again.",
    };
    /// The session was not used for too long.
    pub const IDLE: Self = Self {
        status: 401,
        word: "session-idle",
        title: "The session was not used for too long",
        detail: "Sign in again.",
    };
    /// The request's body is not what the route takes.
    pub const MALFORMED: Self = Self {
        status: 400,
        word: "malformed",
        title: "The request's body is malformed",
        detail: "Send the JSON object that the route takes, as application/json.",
    };
    /// There is no session, whatever the reason.
    pub const NO_SESSION: Self =
        Self { status: 401, word: "no-session", title: "There is no session", detail: "Sign in." };
    /// There is no such resource.
    pub const NOT_FOUND: Self = Self {
        status: 404,
        word: "not-found",
        title: "There is no such resource",
        detail: "Check the address. The sessions of others are not found.",
    };
    /// The store cannot tell.
    pub const UNAVAILABLE: Self = Self {
        status: 503,
        word: "unavailable",
        title: "The sessions are unavailable",
        detail: "Nothing is lost. Try again after the seconds of Retry-After.",
    };

    const ALL: [Self; 8] = [
        Self::CAP,
        Self::CROSS_ORIGIN,
        Self::CREDENTIALS,
        Self::IDLE,
        Self::MALFORMED,
        Self::NO_SESSION,
        Self::NOT_FOUND,
        Self::UNAVAILABLE,
    ];

    /// The problem of this word, to be read at the address that is its `type`.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.word == word)
    }

    /// Its title and its detail.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n\n{}\n", self.title, self.detail)
    }
}

impl From<&AuthenticateError> for Problem {
    fn from(error: &AuthenticateError) -> Self {
        match error {
            AuthenticateError::Rejected { reason: RejectReason::AbsoluteCap, .. } => Self::CAP,
            AuthenticateError::Rejected { reason: RejectReason::Idle, .. } => Self::IDLE,
            AuthenticateError::Store(_) => Self::UNAVAILABLE,
            _ => Self::NO_SESSION,
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the session store failed");
        Self::UNAVAILABLE
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self.status {
            // RFC 9110 section 11.6.1 asks for a challenge.
            401 => _ = response.insert_header((header::WWW_AUTHENTICATE, "Cookie realm=\"api\"")),
            503 => _ = response.insert_header((header::RETRY_AFTER, "5")),
            _ => {}
        }
        let body = serde_json::json!({
            "type": format!("/problems/{}", self.word),
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        });
        response
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .content_type("application/problem+json")
            .body(body.to_string())
    }
}
