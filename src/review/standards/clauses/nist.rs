//! NIST SP 800-63B-4, sections 2.1.3, 2.2.3, 2.3.3, 5.1.1 and 5.2, and one clause of 5.1.

use chrono::TimeDelta;

use super::super::super::setting::Setting;
use super::super::rule::{Rule, Test};
use super::make::{application, at_most, both, by_crate, shall, should};

pub(super) const AAL1: &[Rule] = &[
    shall("2.1.3", "an overall limit", Test::Exists(Setting::AbsoluteCap)),
    should("2.1.3", "at most 30 days in all", at_most(Setting::AbsoluteCap, TimeDelta::days(30))),
];

pub(super) const AAL2: &[Rule] = &[
    shall("2.2.3", "an overall limit", Test::Exists(Setting::AbsoluteCap)),
    should("2.2.3", "at most 24 hours in all", at_most(Setting::AbsoluteCap, TimeDelta::hours(24))),
    should("2.2.3", "at most 1 hour of inactivity", at_most(Setting::MaxAge, TimeDelta::hours(1))),
];

pub(super) const AAL3: &[Rule] = &[
    shall("2.3.3", "at most 12 hours in all", at_most(Setting::AbsoluteCap, TimeDelta::hours(12))),
    should(
        "2.3.3",
        "at most 15 minutes of inactivity",
        at_most(Setting::MaxAge, TimeDelta::minutes(15)),
    ),
];

/// At every level: sections 5.2, 5.1 and 5.1.1.
pub(super) const EVERY_LEVEL: &[Rule] = &[
    shall(
        "5.2",
        "either limit ends the session",
        Test::ByTheRule("`evaluate` refuses a session from the earlier of its two deadlines on."),
    ),
    shall("5.2", "activity resets the inactivity limit", Test::Resets),
    shall(
        "5.2",
        "re-authentication resets both limits",
        both(
            "Start a new session after each re-authentication; `SignIn::replacing` ends the old \
             one.",
        ),
    ),
    shall(
        "5.2",
        "both limits are documented in a security plan",
        application("Write down the numbers of this policy there, and why."),
    ),
    should(
        "5.1",
        "a session's secret does not outlive a restart of the browser",
        by_crate(
            "A `SessionCookie` outlives it, since it runs to the cap; make it `until_closed` where \
             that is not meant (a browser may still restore it with its tabs). A client with a \
             bearer token is to keep it in memory only.",
        ),
    ),
    shall(
        "5.1.1",
        "a cookie has Secure",
        by_crate("`SessionCookie::host` and `domain` set it; use `loopback` for development only."),
    ),
    shall(
        "5.1.1",
        "as few hostnames and paths as practical read a cookie",
        by_crate(
            "`SessionCookie::host` leaves it to one hostname, and to all its paths, as `__Host-` \
             demands; `domain` opens it to each hostname below.",
        ),
    ),
    should("5.1.1", "a cookie has HttpOnly", by_crate("`SessionCookie` always sets it.")),
    should("5.1.1", "a cookie expires with the session or soon after", Test::CookieExpires),
    shall(
        "5.1.1",
        "the expiry of a cookie does not enforce the limits",
        Test::ByTheRule(
            "`evaluate` judges the record, and refuses a session that is over while its cookie is \
             still there.",
        ),
    ),
    should(
        "5.1.1",
        "a cookie has `__Host-` and Path=/",
        by_crate("`SessionCookie::host` sets both; `domain` and `loopback` give up `__Host-`."),
    ),
    should(
        "5.1.1",
        "a cookie has SameSite=Lax or Strict",
        by_crate("`SessionCookie` sets Lax, unless `same_site` says otherwise."),
    ),
    should(
        "5.1.1",
        "a cookie holds an opaque string only",
        by_crate(
            "The token of `Sessions` is an id and a secret; those of `HybridSessions` and \
             `JwtSessions` are signed claims, which whoever holds one can read.",
        ),
    ),
    shall(
        "5.1.1",
        "a cookie holds no personal information in clear text",
        both(
            "The token of `Sessions` holds none; with `HybridSessions` and `JwtSessions`, put none \
             into subject and claims, which are not encrypted.",
        ),
    ),
];
