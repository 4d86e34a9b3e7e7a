use maud::{Markup, html};
use session_policy::Session;

use super::frame::Frame;
use super::words;
use crate::app::App;
use crate::guesses::Wait;
use crate::refusal::Why;
use crate::users::DEMO_USERS;

/// What was typed before, but for the password.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) next: &'a str,
    pub(crate) name: &'a str,
    pub(crate) remember: bool,
    pub(crate) complaint: Option<Complaint>,
}

impl Default for Attempt<'_> {
    fn default() -> Self {
        Self { next: "/", name: "", remember: false, complaint: None }
    }
}

/// Why it did not sign in.
#[derive(Clone, Copy)]
pub(crate) enum Complaint {
    Mismatch,
    TooManyGuesses(Wait),
}

pub(crate) fn sign_in(app: &App, why: Option<Why>, attempt: &Attempt<'_>) -> Markup {
    let problem = attempt.complaint.map(|complaint| match complaint {
        Complaint::Mismatch => "This name and password do not match.".to_owned(),
        Complaint::TooManyGuesses(wait) => {
            format!("Too many wrong passwords. Try again in {wait}.")
        }
    });
    let content = html! {
        div .narrow {
            h1 { "Sign in" }
            @if let Some(problem) = &problem {
                p #reason .problem role="alert" { (problem) }
            } @else if let Some(why) = why {
                p #reason .notice role="status" data-reason=(why.as_str()) { (sentence(why)) }
            }
            form .card.stack method="post" action="/sign-in" {
                (credentials(attempt, problem.is_some(), problem.is_some() || why.is_some()))
                label .check {
                    input type="checkbox" name="remember" value="yes" checked[attempt.remember]
                        aria-describedby="remember-hint";
                    "Remember me on this device"
                }
                p #remember-hint .hint { "Leave it off on a shared computer. Administrators are never remembered." }
                div .actions { button { "Sign in" } }
            }
            (demonstration())
        }
    };
    let title = match (attempt.complaint, why) {
        (Some(_), _) => "Not signed in",
        (None, Some(Why::AbsoluteCap | Why::Ended | Why::Idle)) => "Session ended: sign in",
        (None, _) => "Sign in",
    };
    Frame::outside(app.plain_http).page(title, &content)
}

/// The sessions in the way, one of which can be ended. The password is asked for once more,
/// so that the page holds nothing that signs in.
pub(crate) fn too_many(app: &App, attempt: &Attempt<'_>, sessions: &[Session]) -> Markup {
    let now = app.now();
    let content = html! {
        div .narrow {
            h1 { "Too many devices" }
            p #reason { "You are signed in on as many devices as you may be. Choose one to sign out, and sign in here in its place." }
            form .card.stack method="post" action="/sign-in" {
                fieldset {
                    legend { "Sign out" }
                    @for (place, session) in sessions.iter().enumerate() {
                        label .check {
                            input type="radio" name="end" value=(session.id()) required checked[place == 0];
                            span {
                                (session.about().unwrap_or("An unknown browser"))
                                " " span .hint { "active " (words::ago(session.lifetime().renewed_at(), now)) }
                            }
                        }
                    }
                }
                @if attempt.remember { input type="hidden" name="remember" value="yes"; }
                (credentials(attempt, false, true))
                div .actions {
                    button { "Sign in here instead" }
                    a .button.quiet href="/sign-in" { "Cancel" }
                }
            }
        }
    };
    Frame::outside(app.plain_http).page("Too many devices", &content)
}

/// The focus is where something is to be typed: after a mistyped password, there.
fn credentials(attempt: &Attempt<'_>, is_wrong: bool, is_described: bool) -> Markup {
    let described = is_described.then_some("reason");
    let invalid = is_wrong.then_some("true");
    let has_name = !attempt.name.is_empty();
    html! {
        input type="hidden" name="next" value=(attempt.next);
        label { "Name"
            input name="name" autocomplete="username" autocapitalize="none" spellcheck="false"
                required autofocus[!has_name] value=(attempt.name) aria-invalid=[invalid]
                aria-describedby=[described];
        }
        label { "Password"
            input type="password" name="password" autocomplete="current-password" required
                autofocus[has_name] aria-invalid=[invalid] aria-describedby=[described];
        }
    }
}

fn demonstration() -> Markup {
    html! {
        section .demo aria-labelledby="demo" {
            h2 #demo { "Demonstration users" }
            table {
                thead { tr { th scope="col" { "Name" } th scope="col" { "Password at first" } } }
                tbody {
                    @for (name, password, admin) in DEMO_USERS {
                        tr {
                            th scope="row" { (name) @if admin { " " span .tag { "Administrator" } } }
                            td { code { (password) } }
                        }
                    }
                }
            }
        }
    }
}

fn sentence(why: Why) -> &'static str {
    match why {
        Why::AbsoluteCap => {
            "Your session reached its time limit. Every session ends a fixed time after its \
             sign-in, however active it was. Sign in to start a new one."
        }
        Why::Ended => {
            "This session has ended: you signed out, or it was ended from another device."
        }
        Why::Idle => "You were signed out because nothing was done for a while.",
        Why::NewPassword => "Your password is changed. Sign in with the new one.",
        Why::Recent => "Administration asks for a sign-in within the last 15 minutes.",
        Why::SignedOut => "You are signed out.",
    }
}
