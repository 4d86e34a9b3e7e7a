use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::layout;
use crate::app::App;
use crate::session::SignedIn;

/// The store cannot be reached: nobody is let in, and nobody is signed out.
pub(crate) fn unavailable() -> Response {
    let page = problem(
        "Not available just now",
        "Sessions cannot be looked up at the moment. \
        Nothing is lost and nothing was changed: try again in a few seconds.",
    );
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")], page).into_response()
}

/// As many sessions as there may be: the policy's limit let this one not start.
pub(crate) fn too_many_sessions() -> Response {
    let page = problem(
        "Too many devices",
        "You were not signed in here: you are on as many other devices as you may be. \
        Sign out on one of them, and try again.",
    );
    (StatusCode::CONFLICT, page).into_response()
}

/// Later sign-ins took the place of this one.
pub(crate) fn displaced() -> Response {
    let page = problem(
        "Signed in elsewhere",
        "You were not signed in here: later sign-ins on other devices took the place of this one.",
    );
    (StatusCode::CONFLICT, page).into_response()
}

/// Sign-ins at once, of which none got the last place.
pub(crate) fn raced() -> Response {
    let page = problem(
        "Signed in at once",
        "You were not signed in here: you signed in on other devices at the same moment.",
    );
    (StatusCode::CONFLICT, page).into_response()
}

pub(crate) fn failed() -> Response {
    let page = problem("Something went wrong", "The page could not be made. It has been logged.");
    (StatusCode::INTERNAL_SERVER_ERROR, page).into_response()
}

pub(crate) fn not_found() -> Response {
    let page = problem("Not found", "There is no such page, or it is not yours.");
    (StatusCode::NOT_FOUND, page).into_response()
}

pub(crate) fn forbidden(app: &App, signed_in: &SignedIn) -> Markup {
    let content = html! {
        h1 { "Administrators only" }
        p { "You are signed in as " strong { (signed_in.session.subject()) } ", who is none." }
    };
    layout("Administrators only", Some(app), Some((signed_in, "")), &content)
}

fn problem(title: &str, text: &str) -> Markup {
    let content = html! {
        div .narrow {
            h1 { (title) }
            p .problem role="alert" { (text) }
            p { a href="/" { "Try again" } }
        }
    };
    layout(title, None, None, &content)
}
