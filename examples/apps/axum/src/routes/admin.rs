use axum::Form;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use chrono::TimeDelta;
use maud::Markup;
use serde::Deserialize;

use crate::app::{ADMIN, App};
use crate::pages::{self, Overview};
use crate::refusal::{self, Reason};
use crate::routes::PageError;
use crate::session::SignedIn;

/// How long ago the sign-in may be.
pub(crate) const RECENT: TimeDelta = TimeDelta::minutes(15);

/// An administrator, in a session of the administrators' profile, who signed in
/// recently. `created_at` is the sign-in, and no renewal moves it.
pub(super) struct Administrator(SignedIn);

impl FromRequestParts<App> for Administrator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let signed_in =
            SignedIn::from_request_parts(parts, app).await.map_err(IntoResponse::into_response)?;
        let session = &signed_in.session;
        if session.profile() != ADMIN || !app.users.is_admin(session.subject()) {
            return Err((StatusCode::FORBIDDEN, pages::forbidden(app, &signed_in)).into_response());
        }
        if signed_in.status.now.since(session.lifetime().created_at()) >= RECENT {
            return Err(refusal::sign_in(Reason::Recent, "/admin").into_response());
        }
        Ok(Self(signed_in))
    }
}

pub(super) async fn page(
    State(app): State<App>,
    Administrator(signed_in): Administrator,
) -> Result<Markup, PageError> {
    let mut users = Vec::new();
    for name in app.users.names() {
        let sessions = app.web.sessions.list(&name).await?;
        users.push(Overview { admin: app.users.is_admin(&name), name, sessions });
    }
    Ok(pages::admin(&app, &signed_in, &users))
}

#[derive(Deserialize)]
pub(super) struct Whose {
    name: String,
}

/// Ends all sessions of a user (OWASP ASVS 5.0 7.4.5), but not the one that
/// asks.
pub(super) async fn end_all(
    State(app): State<App>,
    Administrator(signed_in): Administrator,
    Form(whose): Form<Whose>,
) -> Result<Redirect, PageError> {
    if whose.name == signed_in.session.subject() {
        app.web.sessions.end_others(&signed_in.session).await?;
    } else {
        app.web.sessions.end_all(&whose.name).await?;
    }
    Ok(Redirect::to("/admin"))
}
