use chrono::TimeDelta;
use maud::{Markup, html};
use session_policy::Session;

use super::frame::{Frame, SignedIn};
use super::words;
use crate::app::REMEMBER_ME;
use crate::routes::admin::RECENT;

/// Activity is noted at most once per `update_age`, so this much later is still "now".
const NOW: TimeDelta = TimeDelta::minutes(2);

pub(crate) fn devices(frame: &Frame<'_>, sessions: &[Session]) -> Markup {
    let Some(SignedIn { served, .. }) = frame.signed_in() else { return html! {} };
    let current = served.session.id();
    let now = served.status.now;
    let mut others: Vec<_> = sessions.iter().filter(|it| it.id() != current).collect();
    others.sort_by_key(|it| std::cmp::Reverse(it.lifetime().renewed_at()));
    let content = html! {
        h1 { "Devices" }
        p .lead {
            "Where you are signed in. If you do not know one of these, sign it out and "
            a href="/password" { "change your password" } "."
        }
        ul .devices.card {
            li {
                h2 { (name(&served.session)) " " span .tag { "This device" } }
                p .hint { strong .now { "Active now" } " · signed in " (words::ago(served.session.lifetime().created_at(), now)) }
                form method="post" action="/sign-out" {
                    button .quiet aria-label="Sign out this device" { "Sign out" }
                }
            }
            @for session in &others { (other(session, now)) }
        }
        @if others.len() > 1 {
            p .actions {
                a .button.danger href="/devices/end-others" data-confirm {
                    "Sign out the " (others.len()) " others"
                }
            }
        }
    };
    frame.page("Devices", &content)
}

fn name(session: &Session) -> &str {
    session.about().unwrap_or("An unknown browser")
}

fn other(session: &Session, now: session_policy::Timestamp) -> Markup {
    let lifetime = session.lifetime();
    let is_active = now.since(lifetime.renewed_at()) < NOW;
    html! {
        li data-session=(session.id()) {
            h2 { (name(session)) }
            p .hint {
                @if is_active { strong .now { "Active now" } }
                @else { "Active " (words::ago(lifetime.renewed_at(), now)) }
                " · signed in " (words::ago(lifetime.created_at(), now))
                @if session.profile() == REMEMBER_ME { " · remembered" }
            }
            a .button.quiet href={ "/devices/end?id=" (session.id()) } data-confirm
                aria-label={ "Sign out " (name(session)) ", signed in " (words::ago_text(lifetime.created_at(), now)) } {
                "Sign out"
            }
        }
    }
}

/// A question before something that cannot be undone: a page, which `page.js` shows as a
/// dialog.
pub(crate) struct Confirm<'a> {
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) button: &'a str,
    pub(crate) fields: &'a [(&'a str, &'a str)],
}

pub(crate) fn confirm(frame: &Frame<'_>, action: &str, question: &Confirm<'_>) -> Markup {
    let back = action.rsplit_once('/').map_or("/", |(back, _)| back);
    let content = html! {
        div .narrow #confirm {
            h1 #confirm-title { (question.title) }
            p { (question.text) }
            form .actions method="post" action=(action) {
                @for (name, value) in question.fields { input type="hidden" name=(name) value=(value); }
                button .danger { (question.button) }
                a .button.quiet href=(back) data-cancel { "Cancel" }
            }
        }
    };
    frame.page(&question.title, &content)
}

/// A user as an administrator sees one.
pub(crate) struct Overview {
    pub(crate) name: String,
    pub(crate) admin: bool,
    pub(crate) count: i64,
    /// Whether any is not the one that asks.
    pub(crate) has_others: bool,
}

pub(crate) fn admin(frame: &Frame<'_>, users: &[Overview]) -> Markup {
    let content = html! {
        h1 { "Administration" }
        p .lead {
            "Open for " (words::duration(TimeDelta::seconds(RECENT.into()))) " after a sign-in."
        }
        ul .devices.card aria-label="Users and their sessions" {
            @for user in users {
                li {
                    h2 { (user.name) @if user.admin { " " span .tag { "Administrator" } } }
                    p .hint { (words::count(user.count, "session")) }
                    @if user.has_others {
                        a .button.quiet href={ "/admin/end-all?name=" (user.name) } data-confirm
                            aria-label={ "End all sessions of " (user.name) } { "End all" }
                    }
                }
            }
        }
    };
    frame.page("Administration", &content)
}
