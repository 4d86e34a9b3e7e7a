use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;
use serde::Deserialize;

use crate::app::App;
use crate::pages;
use crate::refusal::{self, Reason};
use crate::routes::PageError;
use crate::session::SignedIn;

pub(super) async fn page(State(app): State<App>, signed_in: SignedIn) -> Result<Markup, PageError> {
    let sessions = app.web.sessions.list(signed_in.session.subject()).await?;
    Ok(pages::devices(&app, &signed_in, &sessions))
}

#[derive(Deserialize)]
pub(super) struct Which {
    id: String,
}

/// Ends a session of the user. An id is public, so it is looked up among the
/// user's own: anybody else's is not found.
pub(super) async fn end(
    State(app): State<App>,
    signed_in: SignedIn,
    Form(which): Form<Which>,
) -> Result<Response, PageError> {
    let own = app.web.sessions.list(signed_in.session.subject()).await?;
    let Some(session) = own.iter().find(|session| session.id().to_string() == which.id) else {
        return Ok((StatusCode::NOT_FOUND, pages::not_found()).into_response());
    };
    app.web.sessions.end(&session.id()).await?;
    if session.id() == signed_in.session.id() {
        return Ok((app.web.clear(), refusal::sign_in(Reason::SignedOut, "/")).into_response());
    }
    Ok(Redirect::to("/devices").into_response())
}

pub(super) async fn end_others(
    State(app): State<App>,
    signed_in: SignedIn,
) -> Result<Redirect, PageError> {
    app.web.sessions.end_others(&signed_in.session).await?;
    Ok(Redirect::to("/devices"))
}
