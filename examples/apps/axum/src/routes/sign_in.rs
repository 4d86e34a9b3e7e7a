use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{COOKIE, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;
use serde::Deserialize;
use session_policy::web::{Auth, Peeked, Reason, Refused};
use session_policy::{Policies, SessionId, SignIn};

use crate::app::{ADMIN, App, REMEMBER_ME};
use crate::browser;
use crate::guesses::Guesser;
use crate::pages::{self, Attempt, Complaint};
use crate::peer::Peer;
use crate::refusal::{self, Why, known_page};
use crate::routes::form::Form;
use crate::routes::problem::Failure;

#[derive(Deserialize)]
pub(super) struct Asked {
    reason: Option<Why>,
    next: Option<String>,
}

/// A query that nobody of ours wrote is as good as none.
pub(super) async fn page(
    State(app): State<App>,
    headers: HeaderMap,
    seen: Result<Peeked, Refused>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Markup {
    let (reason, next) = asked.map_or((None, None), |Query(asked)| (asked.reason, asked.next));
    // A cookie runs to the cap: one that opens nothing was a session's that has ended.
    let held = || headers.get_all(COOKIE).iter().any(holds_token).then_some(Why::Ended);
    let why = match &seen {
        Err(refused) if refused.is_signed_out() => reason.or_else(held),
        _ => reason,
    };
    let next = known_page(next.as_deref().unwrap_or("/"));
    pages::sign_in(&app, why, &Attempt { next, ..Attempt::default() })
}

fn holds_token(cookies: &HeaderValue) -> bool {
    cookies.as_bytes().split(|byte| *byte == b';').any(|pair| {
        let pair = pair.trim_ascii();
        pair.starts_with(b"__Host-session=") || pair.starts_with(b"session=")
    })
}

#[derive(Deserialize)]
pub(super) struct Credentials {
    name: String,
    password: String,
    remember: Option<String>,
    next: String,
    /// The session to be ended for this one, where there are too many.
    end: Option<String>,
}

/// Every sign-in starts a new session, with a new token and a new cap, also for
/// a user who is signed in (OWASP ASVS 5.0 7.2.4). The old one ends once the new one
/// stands.
pub(super) async fn sign_in(
    State(app): State<App>,
    Peer(address): Peer,
    headers: HeaderMap,
    auth: Auth,
    Form(form): Form<Credentials>,
) -> Result<Response, Failure> {
    let Credentials { name, password, remember, next, end } = form;
    let next = known_page(&next);
    let attempt =
        |complaint| Attempt { next, name: &name, remember: remember.is_some(), complaint };
    let mismatch = || {
        tracing::warn!("a sign-in failed");
        let page = pages::sign_in(&app, None, &attempt(Some(Complaint::Mismatch)));
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
    };
    let guesser = Guesser { account: &name, address };
    if let Err(wait) = app.guesses.take(guesser, app.now()) {
        tracing::warn!("a sign-in came after too many that failed");
        let page = pages::sign_in(&app, None, &attempt(Some(Complaint::TooManyGuesses(wait))));
        return Ok(pages::too_many_guesses(wait, page));
    }
    let Some(epoch) = app.users.verify(&name, password).await? else { return mismatch() };
    app.guesses.was_right(guesser);
    let profile = match remember {
        _ if app.users.is_admin(&name).await? => ADMIN,
        Some(_) => REMEMBER_ME,
        None => Policies::DEFAULT,
    };
    let user_agent = headers.get(USER_AGENT).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let about = browser::name(user_agent);
    let mut sign_in = SignIn::of(&*name).profile(profile).epoch(epoch).about(about);
    if let Some(id) = end.and_then(|id| id.parse::<SessionId>().ok()) {
        let own = app.sessions.list(&name).await?;
        if let Some(session) = own.iter().find(|session| session.id() == id) {
            sign_in = sign_in.replacing(session);
        }
    }
    match auth.sign_in(sign_in).await {
        Ok(_) => Ok(Redirect::to(next).into_response()),
        Err(refused) => match refused.reason() {
            // The password has changed since.
            Reason::Revoked => mismatch(),
            Reason::TooMany { sessions, .. } => {
                let page = pages::too_many(&app, &attempt(None), sessions);
                Ok((StatusCode::CONFLICT, page).into_response())
            }
            _ => Err(refused.into()),
        },
    }
}

/// If the store cannot write, the session lives on and the cookie stays, so that
/// the user is told and can try again.
pub(super) async fn sign_out(auth: Auth) -> Result<Redirect, Failure> {
    auth.sign_out().await?;
    Ok(refusal::sign_in(Some(Why::SignedOut), "/"))
}
