use maud::{Markup, html};

use super::{layout, words};
use crate::app::App;
use crate::session::SignedIn;
use crate::users::{PasswordError, SHORTEST_PASSWORD};

pub(crate) fn home(app: &App, signed_in: &SignedIn) -> Markup {
    let session = &signed_in.session;
    let lifetime = session.lifetime();
    let policy = app.web.sessions.policies().policy_for(session.profile());
    let content = html! {
        h1 { "Hello, " (session.subject()) }
        p .lead {
            "You signed in on " (words::instant(lifetime.created_at())) " under the profile "
            strong { (words::profile(session.profile())) } "."
        }
        section .card aria-labelledby="rules" {
            h2 #rules { "What holds for it" }
            ul .facts {
                li {
                    strong { (words::duration(policy.max_age())) } " without activity end it. "
                    "Opening a page is activity, a page that stays open is not."
                }
                li {
                    strong { (words::duration(policy.absolute_cap())) } " after the sign-in it ends, "
                    "however active you are. Only another sign-in starts a new one."
                }
                li {
                    "Activity is written down at most every "
                    strong { (words::duration(policy.update_age())) } "; the last time was "
                    (words::instant(lifetime.renewed_at())) "."
                }
            }
        }
    };
    layout("Account", Some(app), Some((signed_in, "/")), &content)
}

pub(crate) fn password(app: &App, signed_in: &SignedIn, error: Option<&PasswordError>) -> Markup {
    let described = error.map(|_| "problem");
    let content = html! {
        h1 { "Change password" }
        p .lead { "You stay signed in here, in a new session. All your other devices are signed out." }
        form .card.stack method="post" action="/password" {
            @if let Some(error) = error { p #problem .problem role="alert" { "Not changed: " (error) "." } }
            input type="text" name="username" autocomplete="username" value=(signed_in.session.subject()) hidden;
            label { "Current password"
                input type="password" name="current" autocomplete="current-password" required
                    aria-describedby=[described];
            }
            label { "New password"
                input type="password" name="new" autocomplete="new-password" required
                    minlength=(SHORTEST_PASSWORD) maxlength="128" aria-describedby="rule";
            }
            p #rule .hint { "At least " (SHORTEST_PASSWORD) " characters; a few words are good." }
            div .actions { button { "Change password" } }
        }
    };
    let title = if error.is_some() { "Not changed: password" } else { "Password" };
    layout(title, Some(app), Some((signed_in, "/password")), &content)
}

/// `ended` is `None` if the store could not tell how many there were.
pub(crate) fn password_changed(app: &App, signed_in: &SignedIn, ended: Option<u64>) -> Markup {
    let content = html! {
        h1 { "Password changed" }
        @match ended {
            Some(0) => p .notice role="status" { "You were signed in nowhere else." },
            Some(1) => p .notice role="status" { "One other device was signed out." },
            Some(count) => p .notice role="status" { (count) " other devices were signed out." },
            None => p .notice role="status" { "All your other devices were signed out." },
        }
        p { "You stay signed in here, in a new session with a time limit of its own." }
    };
    layout("Password changed", Some(app), Some((signed_in, "/password")), &content)
}
