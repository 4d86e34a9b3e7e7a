use maud::{Markup, html};

use super::frame::{Frame, SignedIn};
use super::words;
use crate::guesses::Wait;
use crate::users::{PasswordError, SHORTEST_PASSWORD};

pub(crate) fn account(frame: &Frame<'_>) -> Markup {
    let Some(SignedIn { served, policy }) = frame.signed_in() else { return html! {} };
    let (session, now) = (&served.session, served.status.now);
    let content = html! {
        h1 { "Hello, " (session.subject()) }
        p .lead {
            "You signed in " (words::ago(session.lifetime().created_at(), now))
            @if let Some(about) = session.about() { " with " (about) }
            "."
        }
        section .card aria-labelledby="rules" {
            h2 #rules { "How long you stay signed in" }
            dl .facts {
                div {
                    dt { "Without activity" }
                    dd {
                        (words::duration(policy.max_age()))
                        p .hint { "Opening a page and typing are activity. A page that only stays open is not." }
                    }
                }
                div {
                    dt { "In all" }
                    dd {
                        (words::duration(policy.absolute_cap()))
                        p .hint { "However active you are. Only another sign-in starts a new session." }
                    }
                }
                div {
                    dt { "Kind of session" }
                    dd { (words::profile(session.profile())) }
                }
            }
        }
    };
    frame.page("Account", &content)
}

pub(crate) fn password(frame: &Frame<'_>, error: Option<&PasswordError>) -> Markup {
    let complaint = error.map(|error| format!("Not changed: {error}."));
    let about_new = matches!(error, Some(PasswordError::Length | PasswordError::Same));
    let about_current = matches!(error, Some(PasswordError::Wrong));
    password_page(frame, complaint.as_deref(), about_current, about_new)
}

/// The same after too many guesses.
pub(crate) fn password_after(frame: &Frame<'_>, wait: Wait) -> Markup {
    let complaint = format!("Not changed: too many wrong passwords. Try again in {wait}.");
    password_page(frame, Some(&complaint), true, false)
}

fn password_page(
    frame: &Frame<'_>,
    complaint: Option<&str>,
    about_current: bool,
    about_new: bool,
) -> Markup {
    let Some(SignedIn { served, .. }) = frame.signed_in() else { return html! {} };
    let described = |about: bool| about.then_some("problem");
    let new_described = if about_new { "problem rule" } else { "rule" };
    let content = html! {
        h1 { "Change password" }
        p .lead { "You stay signed in here. Your other devices will be signed out." }
        form .card.stack.form method="post" action="/password" {
            @if let Some(complaint) = complaint { p #problem .problem role="alert" { (complaint) } }
            input type="text" name="username" autocomplete="username" value=(served.session.subject()) hidden;
            label { "Current password"
                input type="password" name="current" autocomplete="current-password" required
                    autofocus[!about_new] aria-invalid=[about_current.then_some("true")]
                    aria-describedby=[described(about_current)];
            }
            label { "New password"
                input type="password" name="new" autocomplete="new-password" required
                    autofocus[about_new] aria-invalid=[about_new.then_some("true")]
                    minlength=(SHORTEST_PASSWORD) maxlength="128" aria-describedby=(new_described);
            }
            p #rule .hint { "At least " (SHORTEST_PASSWORD) " characters; a few words are good." }
            div .actions { button { "Change password" } }
        }
    };
    frame.page(if complaint.is_some() { "Not changed: password" } else { "Password" }, &content)
}

/// Where a sign-in in another tab leads, and a page without scripts whose time was over,
/// if the session was used elsewhere.
pub(crate) fn still_signed_in(frame: &Frame<'_>, next: &str) -> Markup {
    let Some(SignedIn { served, .. }) = frame.signed_in() else { return html! {} };
    let content = html! {
        div .narrow {
            h1 { "You are signed in" }
            p { "As " strong { (served.session.subject()) } ". If you came here from another tab, close this one and go on there." }
            p .actions { a .button href=(if next == "/session" { "/" } else { next }) { "Continue" } }
        }
    };
    frame.page("Signed in", &content)
}
