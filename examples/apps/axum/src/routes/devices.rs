use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::Markup;
use serde::Deserialize;
use session_policy::SessionId;
use session_policy::web::{Active, Auth};

use crate::app::App;
use crate::notice::{Notice, Told};
use crate::pages::{self, Confirm, Frame};
use crate::refusal::{self, Why};
use crate::routes::form::Form;
use crate::routes::problem::Failure;

pub(super) async fn page(
    State(app): State<App>,
    auth: Auth,
    active: Active,
    told: Told,
) -> Result<Markup, Failure> {
    let sessions = auth.list().await?;
    Ok(pages::devices(&Frame::of(&app, Some(&active), "/devices").saying(told), &sessions))
}

#[derive(Deserialize)]
pub(super) struct Which {
    id: String,
}

/// An id is public, so it is looked up among the user's own: anybody else's is not there.
pub(super) async fn confirm(
    State(app): State<App>,
    auth: Auth,
    active: Active,
    Query(which): Query<Which>,
) -> Result<Response, Failure> {
    let own = auth.list().await?;
    let Some(session) = own.iter().find(|session| session.id().to_string() == which.id) else {
        return Ok(Notice::DeviceGone.on("/devices", None).into_response());
    };
    let frame = Frame::of(&app, Some(&active), "/devices");
    let device = session.about().unwrap_or("This device");
    let question = Confirm {
        title: format!("Sign out {device}?"),
        text: "Whoever uses it has to sign in again there.".to_owned(),
        button: "Sign out",
        fields: &[("id", &which.id)],
    };
    Ok(pages::confirm(&frame, "/devices/end", &question).into_response())
}

/// A device that is not there has signed out meanwhile, which is what the user wanted.
pub(super) async fn end(
    auth: Auth,
    active: Active,
    Form(which): Form<Which>,
) -> Result<Redirect, Failure> {
    let ended = match which.id.parse::<SessionId>() {
        Ok(id) if id == active.session.id() => {
            auth.sign_out().await?;
            return Ok(refusal::sign_in(Some(Why::SignedOut), "/"));
        }
        Ok(id) => auth.end(&id).await?,
        Err(_) => false,
    };
    let notice = if ended { Notice::DeviceSignedOut } else { Notice::DeviceGone };
    Ok(notice.on("/devices", None))
}

pub(super) async fn confirm_others(State(app): State<App>, active: Active) -> Markup {
    let question = Confirm {
        title: "Sign out all other devices?".to_owned(),
        text: "You stay signed in here alone.".to_owned(),
        button: "Sign out the others",
        fields: &[],
    };
    let frame = Frame::of(&app, Some(&active), "/devices");
    pages::confirm(&frame, "/devices/end-others", &question)
}

pub(super) async fn end_others(auth: Auth) -> Result<Redirect, Failure> {
    let ended = auth.end_others().await?;
    Ok(Notice::OthersSignedOut.on("/devices", Some(ended)))
}
