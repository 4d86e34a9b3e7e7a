use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::Markup;
use serde::Deserialize;

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

/// Changes the password, gives this session a new id and ends the others (OWASP
/// ASVS 5.0 7.4.3). The new id comes first: if the store cannot write, nothing
/// has changed.
pub(super) async fn change(
    State(app): State<App>,
    signed_in: SignedIn,
    Form(form): Form<Change>,
) -> Result<Response, PageError> {
    let name = signed_in.session.subject();
    let refused = |error: &PasswordError| {
        let page = pages::password(&app, &signed_in, Some(error));
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
    };
    if !app.users.verify(name, form.current).await? {
        return refused(&PasswordError::Wrong);
    }
    if let Err(error) = Users::check(&form.new) {
        return refused(&error);
    }
    let rotated = app.web.sessions.rotate(&signed_in.session).await?;
    app.users.set_password(name, form.new).await?;
    let ended = app.web.sessions.end_others(&rotated.session).await;
    if let Err(error) = &ended {
        tracing::error!(%error, "the other sessions were not ended");
    }
    let signed_in = SignedIn { session: rotated.session, status: rotated.status };
    let cookie = app.web.set(&rotated.token, rotated.max_age);
    Ok((cookie, pages::password_changed(&app, &signed_in, ended.ok())).into_response())
}
