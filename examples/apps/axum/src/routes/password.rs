use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::Markup;
use serde::Deserialize;
use session_policy::web::{Active, Auth};
use session_policy::{Session, SignIn};
use tracing::Instrument;

use crate::app::App;
use crate::guesses::Guesser;
use crate::notice::{Notice, Told};
use crate::pages::{self, Frame};
use crate::peer::Peer;
use crate::refusal::{self, Why};
use crate::routes::form::Form;
use crate::routes::problem::Failure;
use crate::users::{PasswordError, Users, UsersError};

pub(super) async fn page(State(app): State<App>, active: Active, told: Told) -> Markup {
    pages::password(&Frame::of(&app, Some(&active), "/password").saying(told), None)
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
    Peer(address): Peer,
    auth: Auth,
    active: Active,
    Form(form): Form<Change>,
) -> Result<Response, Failure> {
    let account = active.session.subject();
    let refused = |error: PasswordError| {
        let page = pages::password(&Frame::of(&app, Some(&active), "/password"), Some(&error));
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
    };
    let guesser = Guesser { account, address };
    if let Err(wait) = app.guesses.take(guesser, app.now()) {
        let frame = Frame::of(&app, Some(&active), "/password");
        return Ok(pages::too_many_guesses(wait, pages::password_after(&frame, wait)));
    }
    let Some(epoch) = app.users.verify(account, form.current.clone()).await? else {
        return refused(PasswordError::Wrong);
    };
    app.guesses.was_right(guesser);
    if let Err(error) = Users::check(&form.new, &form.current) {
        return refused(error);
    }
    let new = app.users.hash(form.new).await.map_err(UsersError::from)?;
    // A task of its own, which goes on where the client hangs up.
    let replacing = replace(app.clone(), auth, active.session.clone(), epoch, new);
    tokio::spawn(replacing.in_current_span()).await.map_err(UsersError::from)?
}

/// All that changes, with no hashing in between. This session ends first, and not by the
/// sign-in that replaces it: if it was signed out or revoked meanwhile, or the store cannot
/// write, nothing has changed.
async fn replace(
    app: App,
    auth: Auth,
    session: Session,
    verified: u64,
    new: Arc<str>,
) -> Result<Response, Failure> {
    let gone = || Ok(refusal::sign_in(Some(Why::Ended), "/").into_response());
    if !app.sessions.end(&session.id()).await? {
        return gone();
    }
    let Some(epoch) = app.users.replace(session.subject(), verified, &new).await? else {
        return gone();
    };
    let sign_in = SignIn::of(session.subject())
        .profile(session.profile())
        .epoch(epoch)
        .about(session.about().unwrap_or_default());
    let started = auth.sign_in(sign_in).await;
    // Nobody is let in by them any more; this removes what is left of them.
    let ended = match &started {
        Ok(active) => app.sessions.end_others(&active.session).await,
        Err(_) => app.sessions.end_all(session.subject()).await,
    };
    if let Err(error) = &ended {
        tracing::warn!(%error, "the revoked sessions were not removed");
    }
    Ok(match started {
        Ok(_) => Notice::PasswordChanged.on("/password", ended.ok()).into_response(),
        Err(error) => {
            tracing::error!(%error, "the password is changed, and no session was started");
            refusal::sign_in(Some(Why::NewPassword), "/").into_response()
        }
    })
}
