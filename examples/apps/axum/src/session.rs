//! session-policy in axum: cookie, middleware, extractor. The rest is the application.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{CACHE_CONTROL, COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, request::Parts};
use axum::middleware::Next;
use axum::response::{AppendHeaders, IntoResponse, Response};
use cookie::{Cookie, SameSite, time::Duration};
use session_policy::store::AnyStore;
use session_policy::{Authenticated, Session, SessionToken, Sessions, Status};

use crate::refusal::Refusal;

const NO_STORE: (HeaderName, HeaderValue) = (CACHE_CONTROL, HeaderValue::from_static("no-store"));
/// Headers to put before a response.
pub type SetCookie = (AppendHeaders<[(HeaderName, String); 1]>, [(HeaderName, HeaderValue); 1]);

/// The sessions, and the cookie that carries their tokens.
#[derive(Clone, Debug)]
pub struct WebSessions {
    /// Over any store.
    pub sessions: Sessions<AnyStore>,
    /// `false` only for plain HTTP in development.
    pub secure: bool,
}

impl WebSessions {
    /// The token of a request.
    pub fn token<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let all = headers.get_all(COOKIE).iter().flat_map(|it| it.as_bytes().split(|b| *b == b';'));
        let mut pairs = all.filter_map(|it| str::from_utf8(it).ok()?.split_once('='));
        Some(pairs.find(|(name, _)| name.trim_ascii() == self.cookie_name())?.1.trim_ascii())
    }

    /// The headers that hand a token to the browser, to keep until the session's cap:
    /// the record ends a session, never its cookie.
    pub fn set(&self, token: &SessionToken, status: Status) -> SetCookie {
        self.cookie(token.expose(), status.cookie_max_age().num_seconds())
    }

    /// The headers that take it back.
    pub fn clear(&self) -> SetCookie {
        self.cookie("", 0)
    }

    /// A browser takes a `__Host-` cookie only from this host, over TLS and for
    /// all paths, so that no other host can plant one (RFC 6265bis 4.1.3.2).
    fn cookie_name(&self) -> &'static str {
        if self.secure { "__Host-session" } else { "session" }
    }

    fn is_set(&self, headers: &HeaderMap) -> bool {
        let mut set = headers.get_all(SET_COOKIE).iter().map(HeaderValue::as_bytes);
        let is_own = |rest: &[u8]| rest.starts_with(b"=");
        set.any(|it| it.strip_prefix(self.cookie_name().as_bytes()).is_some_and(is_own))
    }

    fn cookie(&self, value: &str, max_age: i64) -> SetCookie {
        let cookie = Cookie::build((self.cookie_name(), value))
            .max_age(Duration::seconds(max_age))
            .path("/")
            .secure(self.secure)
            .http_only(true)
            .same_site(SameSite::Lax);
        (AppendHeaders([(SET_COOKIE, cookie.to_string())]), [NO_STORE])
    }
}

/// Lets a request through only with a live session, and sends its cookie again where
/// `authenticate` says so: a cap of more than 400 days is longer than any cookie lives.
/// A refusal clears no cookie. Requests of a timer stay outside: they `peek`.
pub async fn require_session(
    State(web): State<WebSessions>,
    mut request: Request,
    next: Next,
) -> Response {
    let refusal = Refusal::of(&request);
    let Some(token) = web.token(request.headers()) else {
        return refusal.without_token();
    };
    let again = match web.sessions.authenticate(token).await {
        Ok(Authenticated { session, status, token, .. }) => {
            request.extensions_mut().insert(SignedIn { session, status });
            token
        }
        Err(error) => return refusal.answer(&error),
    };
    let response = ([NO_STORE], next.run(request).await).into_response();
    // The handler's own cookie wins. And the session may have ended meanwhile, also by
    // another request: its token must not oust that of the next sign-in.
    if let Some(token) = again
        && !web.is_set(response.headers())
        && let Ok(live) = web.sessions.peek(token.expose()).await
    {
        return (web.set(&token, live.status), response).into_response();
    }
    response
}

/// The session of a request; outside of [`require_session`], a 500.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// As it is stored.
    pub session: Session,
    /// Both its deadlines.
    pub status: Status,
}

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        parts.extensions.get().cloned().ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}
