//! What stands around every page, with the one line that counts down.

use chrono::TimeDelta;
use maud::{DOCTYPE, Markup, html};
use session_policy::{Authenticated, SessionPolicy};

use super::words;
use crate::app::{ADMIN, App};
use crate::notice::Told;
use crate::routes::session::Countdown;

/// WCAG 2.2.1 asks for at least 20 seconds.
const LEAST_WARNING: TimeDelta = TimeDelta::seconds(20);
const IDLE_WARNING: TimeDelta = TimeDelta::minutes(2);
const CAP_WARNING: TimeDelta = TimeDelta::minutes(5);
/// Typing extends the session at most this often.
const LEAST_TYPING: TimeDelta = TimeDelta::seconds(10);
/// A browser without scripts leaves a page at its deadline, unless that is days away.
const LONGEST_REFRESH: TimeDelta = TimeDelta::days(1);

#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    plain_http: bool,
    here: &'a str,
    told: Told,
    signed_in: Option<SignedIn<'a>>,
}

#[derive(Clone, Copy)]
pub(super) struct SignedIn<'a> {
    pub(super) served: &'a Authenticated,
    pub(super) policy: &'a SessionPolicy,
}

impl<'a> Frame<'a> {
    /// Of a page that nobody need have signed in for.
    pub(crate) fn outside(plain_http: bool) -> Self {
        Self { plain_http, here: "", told: Told::default(), signed_in: None }
    }

    /// Of the page of this path.
    pub(crate) fn of(app: &'a App, served: Option<&'a Authenticated>, here: &'a str) -> Self {
        let signed_in = served.map(|served| SignedIn {
            served,
            policy: app.sessions.policies().policy_for(served.session.profile()),
        });
        Self { here, signed_in, ..Self::outside(app.plain_http) }
    }

    /// With what was done before.
    pub(crate) fn saying(self, told: Told) -> Self {
        Self { told, ..self }
    }

    pub(super) fn signed_in(&self) -> Option<SignedIn<'a>> {
        self.signed_in
    }

    /// The whole page.
    pub(super) fn page(&self, title: &str, content: &Markup) -> Markup {
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
                    script src="/page.js" defer {}
                    @if let Some(signed_in) = &self.signed_in {
                        script src="/session.js" defer {}
                        (self.refresh(signed_in))
                    }
                }
                body {
                    a .skip href="#content" { "Skip to the content" }
                    @if self.plain_http {
                        aside .development aria-label="Development" {
                            "Plain HTTP on loopback: the cookie has neither " code { "Secure" }
                            " nor " code { "__Host-" } "."
                        }
                    }
                    header {
                        a .brand href="/" { "Sessions" }
                        @if let Some(signed_in) = &self.signed_in { (self.navigation(signed_in)) }
                    }
                    main #content tabindex="-1" {
                        @if let Some(sentence) = self.told.sentence() {
                            p .notice role="status" { (sentence) }
                        }
                        (content)
                    }
                    @if let Some(signed_in) = &self.signed_in { (countdown(signed_in)) (cover()) }
                }
            }
        }
    }

    fn navigation(&self, signed_in: &SignedIn<'_>) -> Markup {
        let session = &signed_in.served.session;
        let admin = (session.profile() == ADMIN).then_some(("/admin", "Administration"));
        let pages = [("/", "Account"), ("/devices", "Devices"), ("/password", "Password")];
        html! {
            nav aria-label="Pages" {
                @for (path, name) in pages.into_iter().chain(admin) {
                    a href=(path) aria-current=[(path == self.here).then_some("page")] { (name) }
                }
            }
            form .sign-out method="post" action="/sign-out" {
                span .who { (session.subject()) }
                button .quiet { "Sign out" }
            }
        }
    }

    /// Without a script nothing else takes a private page off the screen.
    fn refresh(&self, signed_in: &SignedIn<'_>) -> Markup {
        let status = signed_in.served.status;
        let left = status.idle_expires_at.since(status.now);
        let next = if self.here.is_empty() { "/" } else { self.here };
        html! {
            @if left < LONGEST_REFRESH {
                noscript {
                    meta http-equiv="refresh" content={ (left.num_seconds()) ";url=/session?next=" (next) };
                }
            }
        }
    }
}

/// One line, which expands when a deadline is near (WCAG 2.2 success criterion 2.2.1): a
/// region beside the page, which takes neither the focus nor a key.
fn countdown(signed_in: &SignedIn<'_>) -> Markup {
    let SignedIn { served, policy } = signed_in;
    let status = served.status;
    // Serialising a few integers never fails.
    let json = serde_json::to_string(&Countdown::from(*served)).unwrap_or_default();
    html! {
        footer #session aria-label="Time limit of this session"
            data-status=(json)
            data-typing=(policy.update_age().max(LEAST_TYPING).num_seconds())
            data-warn-idle=(idle_warning(policy).num_seconds())
            data-warn-cap=(cap_warning(policy).num_seconds()) {
            p .line {
                span #live hidden { span #left .left role="timer" {} " left" }
                span #idle {
                    "ends at " (words::clock(status.idle_expires_at, status.now))
                    @if status.extendable { " without activity" }
                }
                @if status.extendable {
                    span #cap { "by " (words::clock(status.absolute_expires_at, status.now)) " in any case" }
                }
            }
            div #late hidden {
                p #warning role="status" {}
                p #extend-problem .problem role="alert" hidden { "That did not work. Try again." }
                div .actions {
                    button #extend type="button" hidden { "Stay signed in" }
                    a #again .button href="/sign-in?next=/session" target="_blank" rel="noopener" hidden {
                        "Sign in again " span .small { "(new tab)" }
                    }
                    button #dismiss .quiet type="button" { "Hide" }
                }
            }
        }
    }
}

/// What hides the page once its time is over, also where the server cannot be reached.
fn cover() -> Markup {
    html! {
        div #cover role="main" tabindex="-1" aria-labelledby="cover-title" hidden {
            h1 #cover-title {}
            p #cover-text role="status" {}
            div .actions {
                a #cover-sign-in .button href="/sign-in" { "Sign in" }
                button #cover-retry .quiet type="button" hidden { "Try again" }
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
