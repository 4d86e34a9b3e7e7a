use axum::Form;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::USER_AGENT;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;
use serde::Deserialize;
use session_policy::{Policies, SignIn, StartError};

use crate::app::{ADMIN, App, REMEMBER_ME};
use crate::pages;
use crate::refusal::{self, Reason, known_page};
use crate::routes::PageError;
use crate::session::SignedIn;

#[derive(Deserialize)]
pub(super) struct Asked {
    reason: Option<Reason>,
    next: Option<String>,
}

/// A query that nobody of ours wrote is as good as none.
pub(super) async fn page(
    State(app): State<App>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Markup {
    let (reason, next) = asked.map_or((None, None), |Query(asked)| (asked.reason, asked.next));
    pages::sign_in(&app, reason, known_page(next.as_deref().unwrap_or("/")), None)
}

#[derive(Deserialize)]
pub(super) struct Credentials {
    name: String,
    password: String,
    remember: Option<String>,
    next: String,
}

/// Every sign-in starts a new session, with a new token and a new cap, also for
/// a user who is signed in (OWASP ASVS 5.0 7.2.4). The old one ends once the new one
/// stands.
pub(super) async fn sign_in(
    State(app): State<App>,
    headers: HeaderMap,
    Form(form): Form<Credentials>,
) -> Result<Response, PageError> {
    let next = known_page(&form.next);
    let refused = |name: &str| {
        tracing::warn!("a sign-in failed");
        let page = pages::sign_in(&app, None, next, Some(name));
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
    };
    let Some(epoch) = app.users.verify(&form.name, form.password).await? else {
        return refused(&form.name);
    };
    let profile = match form.remember {
        _ if app.users.is_admin(&form.name) => ADMIN,
        Some(_) => REMEMBER_ME,
        None => Policies::DEFAULT,
    };
    let browser = headers.get(USER_AGENT).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let mut sign_in = SignIn::of(&*form.name).profile(profile).epoch(epoch).about(browser);
    if let Some(token) = app.web.token(&headers)
        && let Ok(old) = app.web.sessions.peek(token).await
    {
        sign_in = sign_in.replacing(&old.session);
    }
    let started = match app.web.sessions.start(sign_in).await {
        // The password has changed since.
        Err(StartError::Revoked) => return refused(&form.name),
        started => started?,
    };
    Ok((app.web.set(&started.token, started.status), Redirect::to(next)).into_response())
}

/// If the store cannot write, the session lives on and the cookie stays, so that
/// the user is told and can try again.
pub(super) async fn sign_out(
    State(app): State<App>,
    signed_in: SignedIn,
) -> Result<impl IntoResponse, PageError> {
    app.web.sessions.end(&signed_in.session.id()).await?;
    Ok((app.web.clear(), refusal::sign_in(Reason::SignedOut, "/")))
}
