use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::frame::{Frame, SignedIn};
use crate::guesses::Wait;

impl Frame<'_> {
    /// What an answer of this status means, and what to do.
    pub(crate) fn problem(&self, status: StatusCode) -> Markup {
        let (title, text) = match status {
            StatusCode::NOT_FOUND => {
                ("There is no such page", "The address is mistyped, or the page has moved.")
            }
            StatusCode::METHOD_NOT_ALLOWED => (
                "That cannot be done here",
                "This address is there, but not for what was asked of it. Begin on another page.",
            ),
            StatusCode::FORBIDDEN => (
                "Not from another site",
                "Another site, or a page that is not ours, sent this. Nothing was changed. \
                 If you meant it, do it on the page itself.",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => (
                "That is too much",
                "What was sent is larger than any form here. Nothing was changed.",
            ),
            StatusCode::CONFLICT => (
                "Signed in at once",
                "You were not signed in here: other devices signed in at the same moment. \
                 Try again.",
            ),
            StatusCode::SERVICE_UNAVAILABLE => (
                "Not available just now",
                "Sessions cannot be looked up at the moment. Nothing is lost and nothing was \
                 changed: try again in a few seconds.",
            ),
            status if status.is_client_error() => (
                "The form could not be read",
                "Something is missing in it, or has a form that nobody here wrote. Nothing was \
                 changed. Go back and try again.",
            ),
            _ => ("Something went wrong", "The page could not be made. It has been logged."),
        };
        let content = html! {
            div .narrow {
                h1 { (title) }
                p { (text) }
                p .actions { a .button href="/" { @if self.signed_in().is_some() { "Account" } @else { "To the first page" } } }
                p .hint { "Status " (status.as_u16()) }
            }
        };
        self.page(title, &content)
    }
}

/// A page after too many wrong passwords.
pub(crate) fn too_many_guesses(Wait(secs): Wait, page: Markup) -> Response {
    (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, secs.to_string())], page).into_response()
}

pub(crate) fn forbidden(frame: &Frame<'_>) -> Markup {
    let who = frame.signed_in().map(|SignedIn { served, .. }| served.session.subject());
    let content = html! {
        div .narrow {
            h1 { "Administrators only" }
            p { "You are signed in as " strong { (who.unwrap_or_default()) } ", who is none." }
            p .actions { a .button href="/" { "Account" } }
        }
    };
    frame.page("Administrators only", &content)
}
