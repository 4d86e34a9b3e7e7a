//! Both deadlines, and the warnings before them (WCAG 2.2 success criterion
//! 2.2.1).

use chrono::TimeDelta;
use maud::{Markup, html};
use session_policy::SessionPolicy;

use super::words;
use crate::app::App;
use crate::routes::countdown::Countdown;
use crate::session::SignedIn;

/// WCAG 2.2.1 asks for at least 20 seconds.
const LEAST_WARNING: TimeDelta = TimeDelta::seconds(20);
const IDLE_WARNING: TimeDelta = TimeDelta::minutes(2);
const CAP_WARNING: TimeDelta = TimeDelta::minutes(5);

pub(super) fn panel(app: &App, signed_in: &SignedIn) -> Markup {
    let policy = app.web.sessions.policies().policy_for(signed_in.session.profile());
    let status = signed_in.status;
    // Serialising a few integers never fails.
    let json = serde_json::to_string(&Countdown::from(signed_in)).unwrap_or_default();
    html! {
        section #countdown .card aria-labelledby="countdown-title"
            data-status=(json)
            data-poll=(app.poll.as_secs())
            data-warn-idle=(idle_warning(policy).num_seconds())
            data-warn-cap=(cap_warning(policy).num_seconds()) {
            h2 #countdown-title { "This session" }
            dl {
                div {
                    dt { "Ends without activity" }
                    dd {
                        span .left role="timer" data-left="idle" hidden {}
                        (words::instant(status.idle_expires_at))
                    }
                }
                div {
                    dt { "Ends in any case" }
                    dd {
                        span .left role="timer" data-left="cap" hidden {}
                        (words::instant(status.absolute_expires_at))
                    }
                }
            }
            noscript { p .hint { "Without JavaScript there is no live countdown. Every page that you open counts as activity." } }
            p #announcement .visually-hidden role="status" {}
        }
        (idle_dialog(policy))
        (cap_dialog(policy))
    }
}

fn idle_dialog(policy: &SessionPolicy) -> Markup {
    html! {
        dialog #warn-idle role="alertdialog" aria-labelledby="warn-idle-title" aria-describedby="warn-idle-text" {
            h2 #warn-idle-title { "Are you still there?" }
            p #warn-idle-text {
                "You will be signed out in " strong data-left="idle" { "a moment" }
                ", since nothing was done for a while."
            }
            p .hint { "A session ends after " (words::duration(policy.max_age())) " without activity." }
            p .problem data-problem role="alert" hidden {}
            div .actions {
                button type="button" data-extend autofocus { "Stay signed in" }
                button .quiet type="submit" form="sign-out-now" { "Sign out" }
            }
            form #sign-out-now method="post" action="/sign-out" {}
        }
    }
}

fn cap_dialog(policy: &SessionPolicy) -> Markup {
    html! {
        dialog #warn-cap role="alertdialog" aria-labelledby="warn-cap-title" aria-describedby="warn-cap-text" {
            h2 #warn-cap-title { "Save your work now" }
            p #warn-cap-text {
                "This session ends in " strong data-left="cap" { "a moment" }
                ", whatever you do. What is not saved by then is lost."
            }
            p .hint {
                "It cannot be extended: a session lasts " (words::duration(policy.absolute_cap()))
                " at most from the sign-in, so that nobody can keep a stolen one alive."
            }
            div .actions {
                button type="button" data-close autofocus { "Understood" }
                a .button.quiet href="/sign-in" { "Sign in again" }
            }
        }
    }
}

/// Not earlier than a renewal is due, so that the one action that the warning
/// offers does extend.
fn idle_warning(policy: &SessionPolicy) -> TimeDelta {
    (policy.guaranteed_idle() / 2).min(IDLE_WARNING).max(LEAST_WARNING)
}

fn cap_warning(policy: &SessionPolicy) -> TimeDelta {
    (policy.absolute_cap() / 4).min(CAP_WARNING).max(LEAST_WARNING)
}
