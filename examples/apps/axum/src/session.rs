//! session-policy in axum: cookie, middleware, extractor. The rest is the application.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{CACHE_CONTROL, COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, request::Parts};
use axum::middleware::Next;
use axum::response::{AppendHeaders, IntoResponse, Response};
use chrono::TimeDelta;
use cookie::{Cookie, SameSite, time::Duration};
use session_policy::store::AnyStore;
use session_policy::{Clock, Cookie as Outcome, Session, SessionToken, Sessions, Status};

use crate::log::SessionLog;
use crate::refusal::Refusal;

const NO_STORE: (HeaderName, HeaderValue) = (CACHE_CONTROL, HeaderValue::from_static("no-store"));
/// Headers to put before a response.
pub type SetCookie = (AppendHeaders<[(HeaderName, String); 1]>, [(HeaderName, HeaderValue); 1]);

/// Over any store, by any clock, with a log of what happens.
type AppSessions = Sessions<Arc<dyn DynSessionStore>, Arc<dyn Clock>, SessionLog>;

/// The sessions, and the cookie that carries their tokens.
#[derive(Clone)]
#[allow(missing_debug_implementations, reason = "a store need not have one")]
pub struct WebSessions {
    /// Shared by all requests.
    pub sessions: Arc<AppSessions>,
    /// `false` only for plain HTTP in development.
    pub secure: bool,
}

impl WebSessions {
    /// The token of a request; a malformed one is none.
    pub fn token(&self, headers: &HeaderMap) -> Option<SessionToken> {
        let all = headers.get_all(COOKIE).iter().flat_map(|it| it.as_bytes().split(|b| *b == b';'));
        let mut pairs = all.filter_map(|it| str::from_utf8(it).ok()?.split_once('='));
        pairs.find(|(name, _)| name.trim_ascii() == self.cookie_name())?.1.trim_ascii().parse().ok()
    }

    /// The headers that hand a token to the browser.
    pub fn set(&self, token: &SessionToken, max_age: TimeDelta) -> SetCookie {
        self.cookie(token.expose(), max_age)
    }

    /// The headers that take it back.
    pub fn clear(&self) -> SetCookie {
        self.cookie(String::new(), TimeDelta::zero())
    }

    /// A browser takes a `__Host-` cookie only from this host, over TLS and for
    /// all paths, so that no other host can plant one (RFC 6265bis 4.1.3.2).
    fn cookie_name(&self) -> &'static str {
        if self.secure { "__Host-session" } else { "session" }
    }

    fn cookie(&self, value: String, max_age: TimeDelta) -> SetCookie {
        let cookie = Cookie::build((self.cookie_name(), value))
            .max_age(Duration::seconds(max_age.num_seconds()))
            .path("/")
            .secure(self.secure)
            .http_only(true)
            .same_site(SameSite::Lax);
        (AppendHeaders([(SET_COOKIE, cookie.to_string())]), [NO_STORE])
    }
}

/// Lets a request through only with a live session, and re-sends the cookie when
/// the session was renewed. Requests of a timer stay outside: they `peek`.
pub async fn require_session(
    State(web): State<WebSessions>,
    mut request: Request,
    next: Next,
) -> Response {
    let refusal = Refusal::of(&request);
    let Some(token) = web.token(request.headers()) else {
        return refusal.without_token();
    };
    let outcome = match web.sessions.authenticate(token.expose()).await {
        Ok(authenticated) => {
            let (session, status) = (authenticated.session, authenticated.status);
            request.extensions_mut().insert(SignedIn { session, status });
            authenticated.cookie
        }
        Err(error) if error.cookie() == Outcome::Clear => {
            return (web.clear(), refusal.answer(&error)).into_response();
        }
        Err(error) => return refusal.answer(&error),
    };
    let response = ([NO_STORE], next.run(request).await).into_response();
    // The session may have ended or been replaced while the handler ran, also by
    // another request: its token must not come back, or oust its successor's.
    if outcome != Outcome::Keep
        && let Ok(live) = web.sessions.peek(token.expose()).await
    {
        let max_age = live.session.lifetime().cookie_max_age(live.status.now);
        return (web.set(&token, max_age), response).into_response();
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
