use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::Markup;
use serde::Deserialize;
use session_policy::Session;
use tracing::Instrument;

use crate::app::App;
use crate::pages;
use crate::routes::PageError;
use crate::session::SignedIn;
use crate::users::{PasswordError, Users};

pub(super) async fn page(State(app): State<App>, signed_in: SignedIn) -> Markup {
    pages::password(&app, &signed_in, None)
}

#[derive(Deserialize)]
pub(super) struct Change {
    current: String,
    new: String,
}

/// Changes the password, gives this session a new token and ends the others (OWASP
/// ASVS 5.0 7.4.3).
pub(super) async fn change(
    State(app): State<App>,
    signed_in: SignedIn,
    Form(form): Form<Change>,
) -> Result<Response, PageError> {
    let refused = |error: &PasswordError| {
        let page = pages::password(&app, &signed_in, Some(error));
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
    };
    let Some(verified) = app.users.verify(signed_in.session.subject(), form.current).await? else {
        return refused(&PasswordError::Wrong);
    };
    if let Err(error) = Users::check(&form.new) {
        return refused(&error);
    }
    let new = app.users.hash(form.new).await?;
    if !app.users.is_current(signed_in.session.subject(), &verified) {
        return refused(&PasswordError::Wrong);
    }
    // A task of its own, which goes on where the client hangs up.
    let replacing = replace(app.clone(), signed_in.session, verified, new);
    tokio::spawn(replacing.in_current_span()).await?
}

/// All that changes, with no hashing in between. The new token comes first: if the
/// store cannot write, or the session has ended, nothing has changed.
async fn replace(
    app: App,
    session: Session,
    verified: Arc<str>,
    new: Arc<str>,
) -> Result<Response, PageError> {
    let rotated = app.web.sessions.rotate(&session).await?;
    let cookie = app.web.set(&rotated.token, rotated.status);
    let signed_in = SignedIn { session: rotated.session, status: rotated.status };
    if !app.users.replace(session.subject(), &verified, new) {
        let page = pages::password(&app, &signed_in, Some(&PasswordError::Wrong));
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, cookie, page).into_response());
    }
    let ended = app.web.sessions.end_others(&signed_in.session).await;
    if let Err(error) = &ended {
        tracing::error!(%error, "the other sessions were not ended");
    }
    Ok((cookie, pages::password_changed(&app, &signed_in, ended.ok())).into_response())
}
