//! The HTML. It works without a script, but for the live countdown.

mod account;
mod countdown;
mod devices;
mod problem;
mod sign_in;
mod words;

use maud::{DOCTYPE, Markup, html};

pub(crate) use self::account::{home, password, password_changed};
pub(crate) use self::devices::{Overview, admin, devices};
pub(crate) use self::problem::{
    displaced, failed, forbidden, not_found, raced, too_many_sessions, unavailable,
};
pub(crate) use self::sign_in::sign_in;
use crate::app::{ADMIN, App};
use crate::session::SignedIn;

/// A whole page. `app` is there for all but the pages of a problem.
fn layout(
    title: &str,
    app: Option<&App>,
    signed_in: Option<(&SignedIn, &str)>,
    content: &Markup,
) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " – Sessions" }
                link rel="icon" href="/favicon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/app.css";
                script src="/countdown.js" defer {}
            }
            body {
                a .skip href="#content" { "Skip to the content" }
                @if app.is_some_and(|app| !app.web.secure) {
                    aside .development {
                        strong { "Development: " }
                        "plain HTTP on loopback. The session cookie has neither " code { "Secure" }
                        " nor the " code { "__Host-" } " prefix."
                    }
                }
                header {
                    a .brand href="/" { "Sessions" }
                    @if let Some((signed_in, here)) = signed_in { (navigation(signed_in, here)) }
                }
                main #content tabindex="-1" {
                    (content)
                    @if let (Some(app), Some((signed_in, _))) = (app, signed_in) {
                        (countdown::panel(app, signed_in))
                    }
                }
            }
        }
    }
}

fn navigation(signed_in: &SignedIn, here: &str) -> Markup {
    let admin = (signed_in.session.profile() == ADMIN).then_some(("/admin", "Administration"));
    let pages = [("/", "Account"), ("/devices", "Devices"), ("/password", "Password")];
    html! {
        nav aria-label="Pages" {
            @for (path, name) in pages.into_iter().chain(admin) {
                a href=(path) aria-current=[(path == here).then_some("page")] { (name) }
            }
        }
        form .sign-out method="post" action="/sign-out" {
            span .who { (signed_in.session.subject()) }
            button .quiet { "Sign out" }
        }
    }
}
