use axum::extract::{FromRequestParts, Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;
use serde::Deserialize;
use session_policy::web::{Active, Fresh};

use crate::app::{ADMIN, App};
use crate::notice::{Notice, Told};
use crate::pages::{self, Confirm, Frame, Overview};
use crate::routes::form::Form;
use crate::routes::problem::Failure;

/// How long ago the sign-in may be, in seconds.
pub(crate) const RECENT: u32 = 15 * 60;

/// An administrator, in a session of the administrators' profile, who signed in
/// recently: no renewal moves the sign-in.
pub(super) struct Administrator(Active);

impl FromRequestParts<App> for Administrator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let active =
            Active::from_request_parts(parts, app).await.map_err(IntoResponse::into_response)?;
        let is_admin = app.users.is_admin(active.session.subject()).await;
        let is_admin = is_admin.map_err(|error| Failure::from(error).into_response())?;
        if active.session.profile() != ADMIN || !is_admin {
            let page = pages::forbidden(&Frame::of(app, Some(&active), ""));
            return Err((StatusCode::FORBIDDEN, page).into_response());
        }
        let fresh = Fresh::<RECENT>::from_request_parts(parts, app).await;
        fresh.map(|fresh| Self((*fresh).clone())).map_err(IntoResponse::into_response)
    }
}

pub(super) async fn page(
    State(app): State<App>,
    Administrator(active): Administrator,
    told: Told,
) -> Result<Markup, Failure> {
    let mut users = Vec::new();
    for name in app.users.names().await? {
        let sessions = app.sessions.list(&name).await?;
        users.push(Overview {
            admin: app.users.is_admin(&name).await?,
            count: i64::try_from(sessions.len()).unwrap_or(i64::MAX),
            has_others: sessions.iter().any(|session| session.id() != active.session.id()),
            name,
        });
    }
    Ok(pages::admin(&Frame::of(&app, Some(&active), "/admin").saying(told), &users))
}

#[derive(Deserialize)]
pub(super) struct Whose {
    name: String,
}

pub(super) async fn confirm_all(
    State(app): State<App>,
    Administrator(active): Administrator,
    Query(whose): Query<Whose>,
) -> Result<Response, Failure> {
    if !app.users.names().await?.contains(&whose.name) {
        return Ok(Redirect::to("/admin").into_response());
    }
    let frame = Frame::of(&app, Some(&active), "/admin");
    let question = Confirm {
        title: format!("End all sessions of {}?", whose.name),
        text: "They are signed out at once, on all their devices.".to_owned(),
        button: "End all",
        fields: &[("name", &whose.name)],
    };
    Ok(pages::confirm(&frame, "/admin/end-all", &question).into_response())
}

/// Ends all sessions of a user (OWASP ASVS 5.0 7.4.5), but not the one that
/// asks.
pub(super) async fn end_all(
    State(app): State<App>,
    Administrator(active): Administrator,
    Form(whose): Form<Whose>,
) -> Result<Redirect, Failure> {
    let ended = if whose.name == active.session.subject() {
        app.sessions.end_others(&active.session).await?
    } else {
        app.sessions.end_all(&whose.name).await?
    };
    Ok(Notice::UserSignedOut.on("/admin", Some(ended)))
}
