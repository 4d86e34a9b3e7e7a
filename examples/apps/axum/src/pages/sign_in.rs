use maud::{Markup, html};

use super::layout;
use crate::app::App;
use crate::refusal::Reason;
use crate::users::DEMO_USERS;

/// `refused` is the name of an attempt that failed.
pub(crate) fn sign_in(
    app: &App,
    reason: Option<Reason>,
    next: &str,
    refused: Option<&str>,
) -> Markup {
    let described = (reason.is_some() || refused.is_some()).then_some("reason");
    let content = html! {
        div .narrow {
            h1 { "Sign in" }
            @if refused.is_some() {
                p #reason .problem role="alert" { "This name and password do not match." }
            } @else if let Some(reason) = reason {
                p #reason .notice role="status" data-reason=(reason.as_str()) { (sentence(reason)) }
            }
            form .card.stack method="post" action="/sign-in" {
                input type="hidden" name="next" value=(next);
                label { "Name"
                    input name="name" autocomplete="username" autocapitalize="none" spellcheck="false"
                        required autofocus value=[refused] aria-describedby=[described];
                }
                label { "Password"
                    input type="password" name="password" autocomplete="current-password" required;
                }
                label .check {
                    input type="checkbox" name="remember" value="yes" aria-describedby="remember-hint";
                    "Remember me on this device"
                }
                p #remember-hint .hint { "Leave it off on a shared computer. Administrators are never remembered." }
                div .actions { button { "Sign in" } }
            }
            section .demo aria-labelledby="demo" {
                h2 #demo { "Demonstration users" }
                table {
                    thead { tr { th scope="col" { "Name" } th scope="col" { "Password" } } }
                    tbody {
                        @for (name, password, admin) in DEMO_USERS {
                            tr {
                                th scope="row" { (name) @if admin { " " span .tag { "administrator" } } }
                                td { code { (password) } }
                            }
                        }
                    }
                }
            }
        }
    };
    let title = match (refused, reason) {
        (Some(_), _) => "Not signed in",
        (None, Some(Reason::AbsoluteCap | Reason::Ended | Reason::Idle)) => {
            "Session ended: sign in"
        }
        (None, _) => "Sign in",
    };
    layout(title, Some(app), None, &content)
}

fn sentence(reason: Reason) -> &'static str {
    match reason {
        Reason::AbsoluteCap => {
            "Your session reached its time limit. Every session ends a fixed time after its \
             sign-in, however active it was. Sign in to start a new one."
        }
        Reason::Ended => {
            "This session has ended: you signed out, or it was ended from another device."
        }
        Reason::Idle => "You were signed out because nothing was done for a while.",
        Reason::NewPassword => "Your password is changed. Sign in with the new one.",
        Reason::Recent => "Administration asks for a sign-in within the last 15 minutes.",
        Reason::SignedOut => "You are signed out.",
    }
}
