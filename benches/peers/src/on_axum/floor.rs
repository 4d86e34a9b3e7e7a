use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::app::{App, SUBJECT, greet};
use crate::record::{LIMITS, Record, Records, Verdict, now, parse, random, token};

/// The same in as little code as can be: an extractor, a map, comparisons.
pub(super) fn app() -> App {
    let router = Router::new()
        .route("/me", get(page))
        .route("/sign-in", get(sign_in))
        .with_state(Arc::new(Records::default()));
    super::app("hand-written", Arc::default(), router)
}

async fn sign_in(State(records): State<Arc<Records>>) -> Response {
    let (id, secret) = (random(), random());
    records.insert(id, Record::new(SUBJECT.into(), &secret, now()));
    ([set_cookie(&token(&id, &secret), LIMITS.0)], "").into_response()
}

async fn page(user: User) -> Response {
    let body = ([(CACHE_CONTROL, "no-store")], greet(&user.subject)).into_response();
    match user.renewed {
        Some((token, max_age)) => ([set_cookie(&token, max_age)], body).into_response(),
        None => body,
    }
}

fn set_cookie(token: &str, max_age: i64) -> (axum::http::HeaderName, String) {
    let attributes = "HttpOnly; SameSite=Lax; Secure; Path=/";
    (SET_COOKIE, format!("__Host-session={token}; {attributes}; Max-Age={max_age}"))
}

struct User {
    subject: Arc<str>,
    renewed: Option<(String, i64)>,
}

impl FromRequestParts<Arc<Records>> for User {
    type Rejection = StatusCode;

    async fn from_request_parts(
        parts: &mut Parts,
        records: &Arc<Records>,
    ) -> Result<Self, StatusCode> {
        user(parts, records).ok_or(StatusCode::UNAUTHORIZED)
    }
}

fn user(parts: &Parts, records: &Records) -> Option<User> {
    let cookies = parts.headers.get(COOKIE)?.to_str().ok()?;
    let token = cookies.split("; ").find_map(|pair| pair.strip_prefix("__Host-session="))?;
    let (id, secret) = parse(token)?;
    let record = records.get(&id).filter(|record| record.opens(secret))?;
    let (subject, now) = (Arc::clone(&record.subject), now());
    let verdict = record.instants.verdict(now);
    drop(record);
    match verdict {
        Verdict::Keep => Some(User { subject, renewed: None }),
        Verdict::Reject => None,
        Verdict::Renew(renewed_at, expires_at) => {
            let instants = &mut records.get_mut(&id)?.instants;
            (instants.renewed_at, instants.expires_at) = (renewed_at, expires_at);
            Some(User { subject, renewed: Some((token.into(), expires_at - now)) })
        }
    }
}
