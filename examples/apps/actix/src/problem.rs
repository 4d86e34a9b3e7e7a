//! What went wrong, as RFC 9457 problem details.

use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};

/// A problem that is not about a session, in the form that refusals have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Problem {
    /// The name or the password is wrong.
    Credentials,
    /// A request that changes something comes from another origin.
    CrossOrigin,
    /// The request's body is not what the route takes.
    Malformed,
    /// There is no such resource; the sessions of others are none.
    NotFound,
    /// Passwords cannot be verified right now.
    Unavailable,
}

impl Problem {
    fn parts(self) -> (StatusCode, &'static str) {
        match self {
            Self::Credentials => (StatusCode::UNAUTHORIZED, "credentials"),
            Self::CrossOrigin => (StatusCode::FORBIDDEN, "cross_origin"),
            Self::Malformed => (StatusCode::BAD_REQUEST, "malformed"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.parts().1)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.parts().0
    }

    fn error_response(&self) -> HttpResponse {
        let (status, reason) = self.parts();
        // In the order of a refusal's; no part has a character to be escaped.
        let title = status.canonical_reason().unwrap_or_default();
        let body = format!(
            r#"{{"type":"about:blank","title":"{title}","status":{},"reason":"{reason}"}}"#,
            status.as_u16(),
        );
        let mut response = HttpResponse::build(status);
        if self == &Self::Unavailable {
            response.insert_header((header::RETRY_AFTER, "5"));
        }
        response.content_type("application/problem+json").body(body)
    }
}
