use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::Markup;
use serde::Deserialize;
use session_policy::{Session, SignIn};
use tracing::Instrument;

use crate::app::App;
use crate::pages;
use crate::refusal::{self, Reason};
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

/// Changes the password, and with it the user's epoch, which ends all sessions there are
/// (OWASP ASVS 5.0 7.4.3). The user goes on in a new one, with a new cap.
pub(super) async fn change(
    State(app): State<App>,
    signed_in: SignedIn,
    Form(form): Form<Change>,
) -> Result<Response, PageError> {
    let refused = |error: &PasswordError| {
        let page = pages::password(&app, &signed_in, Some(error));
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
    };
    let Some(epoch) = app.users.verify(signed_in.session.subject(), form.current).await? else {
        return refused(&PasswordError::Wrong);
    };
    if let Err(error) = Users::check(&form.new) {
        return refused(&error);
    }
    let new = app.users.hash(form.new).await?;
    // A task of its own, which goes on where the client hangs up.
    let replacing = replace(app, signed_in.session, epoch, new);
    tokio::spawn(replacing.in_current_span()).await?
}

/// All that changes, with no hashing in between. This session ends first, and not by
/// [`SignIn::replacing`]: if it was signed out or revoked meanwhile, or the store cannot
/// write, nothing has changed.
async fn replace(
    app: App,
    session: Session,
    verified: u64,
    new: Arc<str>,
) -> Result<Response, PageError> {
    let sessions = &app.web.sessions;
    if !sessions.end(&session.id()).await? {
        return Ok(refusal::sign_in(Reason::Ended, "/").into_response());
    }
    let Some(epoch) = app.users.replace(session.subject(), verified, new) else {
        return Ok(refusal::sign_in(Reason::Ended, "/").into_response());
    };
    let sign_in = SignIn::of(session.subject())
        .profile(session.profile())
        .epoch(epoch)
        .about(session.about().unwrap_or_default());
    let started = match sessions.start(sign_in).await {
        Ok(started) => started,
        Err(error) => {
            tracing::error!(%error, "the password is changed, and no session was started");
            return Ok(refusal::sign_in(Reason::NewPassword, "/").into_response());
        }
    };
    // Nobody is let in by them any more; this removes what is left of them.
    let ended = sessions.end_others(&started.session).await;
    if let Err(error) = &ended {
        tracing::warn!(%error, "the revoked sessions were not removed");
    }
    let cookie = app.web.set(&started.token, started.status);
    let signed_in = SignedIn { session: started.session, status: started.status };
    Ok((cookie, pages::password_changed(&app, &signed_in, ended.ok())).into_response())
}
