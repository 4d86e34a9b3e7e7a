use maud::{Markup, html};
use session_policy::Session;

use super::{layout, words};
use crate::app::App;
use crate::session::SignedIn;

pub(crate) fn devices(app: &App, signed_in: &SignedIn, sessions: &[Session]) -> Markup {
    let current = signed_in.session.id();
    let others = sessions.iter().filter(|session| session.id() != current).count();
    let content = html! {
        h1 { "Devices" }
        p .lead { "Where you are signed in. End what you do not know, and then change your password." }
        ul .devices {
            @for session in sessions {
                li .card {
                    div {
                        h2 {
                            (words::profile(session.profile()))
                            @if session.id() == current { " " span .tag { "this device" } }
                        }
                        p .hint {
                            "Signed in " (words::instant(session.lifetime().created_at()))
                            ", last active " (words::instant(session.lifetime().renewed_at()))
                            br;
                            "Ends " (words::instant(session.lifetime().expires_at()))
                            " without activity, "
                            (words::instant(session.lifetime().absolute_expires_at())) " in any case"
                        }
                        @if let Some(about) = session.about() { p .hint { (about) } }
                        p .hint { "Session " code { (session.id()) } }
                    }
                    form method="post" action="/devices/end" {
                        input type="hidden" name="id" value=(session.id());
                        button .quiet aria-label={ "End session " (session.id()) } { "End" }
                    }
                }
            }
        }
        @if others > 0 {
            form .actions method="post" action="/devices/end-others" {
                button .danger {
                    @if others == 1 { "End the other session" } @else { "End the " (others) " others" }
                }
            }
        }
    };
    layout("Devices", Some(app), Some((signed_in, "/devices")), &content)
}

/// A user as an administrator sees one.
pub(crate) struct Overview {
    pub(crate) name: String,
    pub(crate) admin: bool,
    pub(crate) sessions: Vec<Session>,
}

pub(crate) fn admin(app: &App, signed_in: &SignedIn, users: &[Overview]) -> Markup {
    let content = html! {
        h1 { "Administration" }
        p .lead {
            "Open for " (words::duration(crate::routes::admin::RECENT))
            " after a sign-in, in sessions of a working day that nothing extends."
        }
        div .card.scroll {
            table {
                caption { "Users and their live sessions" }
                thead { tr {
                    th scope="col" { "Name" }
                    th scope="col" { "Sessions" }
                    th scope="col" { span .visually-hidden { "Action" } }
                } }
                tbody {
                    @for user in users {
                        tr {
                            th scope="row" { (user.name) @if user.admin { " " span .tag { "administrator" } } }
                            td { (user.sessions.len()) }
                            td .action {
                                @if user.sessions.iter().any(|s| s.id() != signed_in.session.id()) {
                                    form method="post" action="/admin/end-all" {
                                        input type="hidden" name="name" value=(user.name);
                                        button .quiet aria-label={ "End all sessions of " (user.name) } { "End all" }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    layout("Administration", Some(app), Some((signed_in, "/admin")), &content)
}
