use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::error::Error;
use core::{fmt, iter};

use super::reason::Reason;
use crate::store::StoreError;

/// How long a client is to wait when the store is away.
const RETRY_AFTER_SECS: u32 = 5;

/// A request that is refused, or a verb that could not be carried out: why, and what to
/// answer.
///
/// It is what extractors reject with, an error for `?` in handlers, and a response. The
/// layer writes that response: by default problem details (RFC 9457), or what
/// `SessionLayer::on_refusal` makes of it.
///
/// | [`reason`](Self::reason) | status | [`as_str`](Self::as_str), the `reason` of problem details | more in them |
/// | --- | --- | --- | --- |
/// | [`NoSession`](Reason::NoSession) | 401 | `no_session` | |
/// | [`Expired`](Reason::Expired) | 401 | `idle`, `absolute_cap` | |
/// | [`NotFresh`](Reason::NotFresh) | 401 | `not_fresh` | `max_age`, in seconds |
/// | [`Ambiguous`](Reason::Ambiguous) | 401 | `ambiguous` | |
/// | [`Revoked`](Reason::Revoked) | 401 | `revoked` | |
/// | [`Raced`](Reason::Raced) | 409 | `raced` | |
/// | [`TooMany`](Reason::TooMany) | 409 | `too_many_sessions` | |
/// | [`Failed`](Reason::Failed) | 500 | `failed` | |
/// | [`Misuse`](Reason::Misuse) | 500 | `failed` | the mistake, as `detail` |
/// | [`Unavailable`](Reason::Unavailable) | 503, `Retry-After: 5` (seconds) | `unavailable` | |
///
/// A 401 to a bearer has `WWW-Authenticate: Bearer`, with the error of RFC 6750 section
/// 3.1 where the session's time is over, that of RFC 9470 section 3 where the sign-in is
/// too long ago, and else a realm. Nothing tells a forged token from none.
#[doc = include_str!("examples/refused.md")]
#[derive(Clone)]
pub struct Refused(Box<Fields>);

/// Behind a pointer, since every request moves what it might be refused with.
#[derive(Clone)]
struct Fields {
    reason: Arc<Reason>,
    request: Option<Arc<RequestHead>>,
    is_bearer: bool,
}

/// What of a request its refusal may depend on.
///
/// # Example
///
/// ```
/// use session_policy::web::RequestHead;
///
/// let head = RequestHead::new("GET", "/reset?token=secret", Some(b"text/html,*/*;q=0.8"));
/// assert!(head.wants_html());
/// assert!(!format!("{head:?}").contains("secret"));
/// ```
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub struct RequestHead {
    /// Such as `GET`.
    pub method: String,
    /// The path and the query, as they were sent.
    pub path: String,
    /// The header `Accept`, if there is one that is text.
    pub accept: Option<String>,
}

impl RequestHead {
    /// From the parts of a request.
    #[must_use]
    pub fn new(method: &str, path: &str, accept: Option<&[u8]>) -> Self {
        let accept = accept.and_then(|bytes| str::from_utf8(bytes).ok());
        Self { method: method.into(), path: path.into(), accept: accept.map(Into::into) }
    }

    /// Whether the client asks for a page: its `Accept` names `text/html`.
    #[must_use]
    pub fn wants_html(&self) -> bool {
        self.accept.as_ref().is_some_and(|accept| accept.contains("text/html"))
    }
}

/// Without the query, which may have a secret, such as a token to reset a password.
impl fmt::Debug for RequestHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.split('?').next().unwrap_or_default();
        f.debug_struct("RequestHead")
            .field("method", &self.method)
            .field("path", &path)
            .field("accept", &self.accept)
            .finish()
    }
}

/// Of a verb that a handler calls by the sessions themselves, such as
/// [`end_all`](crate::Sessions::end_all): [`Reason::Unavailable`].
///
/// ```
/// use session_policy::store::StoreError;
/// use session_policy::web::Refused;
///
/// let refused = Refused::from(StoreError::unavailable("the database is away"));
/// assert_eq!((refused.status(), refused.retry_after()), (503, Some(5)));
/// ```
impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::new(Reason::from(error), false)
    }
}

impl Refused {
    pub(super) fn new(reason: Reason, is_bearer: bool) -> Self {
        Self(Box::new(Fields { reason: Arc::new(reason), request: None, is_bearer }))
    }

    /// Because of a mistake of the application's, for a framework's integration: a route
    /// without the integration around it.
    #[must_use]
    pub fn misuse(mistake: &'static str) -> Self {
        Self::new(Reason::Misuse(mistake), false)
    }

    /// The same refusal, of this request.
    #[must_use]
    pub fn of(mut self, request: impl Into<Arc<RequestHead>>) -> Self {
        self.0.request = Some(request.into());
        self
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.0.reason
    }

    /// The request, where that is known.
    #[must_use]
    pub fn request(&self) -> Option<&RequestHead> {
        self.0.request.as_deref()
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self.reason() {
            Reason::Ambiguous
            | Reason::Expired { .. }
            | Reason::NoSession
            | Reason::NotFresh { .. }
            | Reason::Revoked => 401,
            Reason::Raced | Reason::TooMany { .. } => 409,
            Reason::Failed(_) | Reason::Misuse(_) => 500,
            Reason::Unavailable(_) => 503,
        }
    }

    /// The reason as its stable, machine-readable word, one of those of the
    /// [table](Self).
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self.reason() {
            Reason::Ambiguous => "ambiguous",
            Reason::Expired { reason, .. } => reason.as_str(),
            Reason::Failed(_) | Reason::Misuse(_) => "failed",
            Reason::NoSession => "no_session",
            Reason::NotFresh { .. } => "not_fresh",
            Reason::Raced => "raced",
            Reason::Revoked => "revoked",
            Reason::TooMany { .. } => "too_many_sessions",
            Reason::Unavailable(_) => "unavailable",
        }
    }

    /// Whether the request has no session, or one whose time is over. A route that only asks
    /// whether there is a session goes on without one.
    #[must_use]
    pub fn is_signed_out(&self) -> bool {
        matches!(self.reason(), Reason::Expired { .. } | Reason::NoSession)
    }

    /// The header `WWW-Authenticate` of the answer, if it has one.
    #[must_use]
    pub fn www_authenticate(&self) -> Option<String> {
        let challenge = match self.reason() {
            Reason::NotFresh { within } => format!(
                r#"Bearer error="insufficient_user_authentication", max_age="{}""#,
                within.num_seconds(),
            ),
            Reason::Expired { .. } => r#"Bearer error="invalid_token""#.into(),
            // A challenge needs a parameter (RFC 6750 section 3).
            _ => r#"Bearer realm="session""#.into(),
        };
        (self.0.is_bearer && self.status() == 401).then_some(challenge)
    }

    /// The header `Retry-After` of the answer, in seconds, if it has one.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        matches!(self.reason(), Reason::Unavailable(_)).then_some(RETRY_AFTER_SECS)
    }

    /// The body of the answer as problem details (RFC 9457), of type
    /// `application/problem+json`.
    #[must_use]
    pub fn problem(&self) -> String {
        let status = self.status();
        let title = match status {
            401 => "Unauthorized",
            409 => "Conflict",
            503 => "Service Unavailable",
            _ => "Internal Server Error",
        };
        let more = match self.reason() {
            Reason::Misuse(mistake) => {
                let is_plain = |c: &char| !c.is_control() && !['"', '\\'].contains(c);
                let detail: String = mistake.chars().filter(is_plain).collect();
                format!(r#","detail":"{detail}""#)
            }
            Reason::NotFresh { within } => format!(r#","max_age":{}"#, within.num_seconds()),
            _ => String::new(),
        };
        let reason = self.as_str();
        format!(
            r#"{{"type":"about:blank","title":"{title}","status":{status},"reason":"{reason}"{more}}}"#
        )
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fields { reason, request, is_bearer } = &*self.0;
        f.debug_struct("Refused")
            .field("reason", reason)
            .field("request", request)
            .field("is_bearer", is_bearer)
            .finish()
    }
}

/// For a log: it says more than the answer to the client does. `{:#}` adds the causes, down to
/// the store's own words, which are safe to log only if the store's are.
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error: &dyn Error = match self.reason() {
            Reason::Expired { reason, since } => {
                return write!(f, "refused since {since}: {reason}");
            }
            Reason::Misuse(mistake) => return write!(f, "refused: {mistake}"),
            Reason::Failed(error) => &**error,
            Reason::Unavailable(error) => error,
            _ => return write!(f, "refused: {}", self.as_str()),
        };
        let mut said = error.to_string();
        write!(f, "refused: {said}")?;
        for cause in iter::successors(error.source(), |&cause| cause.source()) {
            let text = cause.to_string();
            // Some print their cause themselves.
            if f.alternate() && !said.ends_with(&text) {
                write!(f, ": {}", text.escape_debug())?;
            }
            said = text;
        }
        Ok(())
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self.reason() {
            Reason::Failed(error) => Some(&**error),
            Reason::Unavailable(error) => Some(error),
            _ => None,
        }
    }
}
