//! NIST SP 800-63B-4, sections 2.1.3, 2.2.3, 2.3.3, 5.1.1 and 5.2.

use chrono::TimeDelta;

use super::super::super::setting::Setting;
use super::super::rule::{Rule, Test};
use super::make::{at_most, both, by_crate, shall, should};

pub(super) const AAL1: &[Rule] = &[
    shall("2.1.3", "an overall limit", Test::Exists(Setting::AbsoluteCap)),
    should("2.1.3", "at most 30 days in all", at_most(Setting::AbsoluteCap, TimeDelta::days(30))),
    EITHER,
    RESETS,
    BOTH,
    COOKIE_SECURE,
    COOKIE_SCOPE,
    COOKIE_HTTP_ONLY,
    COOKIE_EXPIRES,
    COOKIE_ENFORCES_NOTHING,
    COOKIE_PREFIX,
    COOKIE_SAME_SITE,
    COOKIE_OPAQUE,
    COOKIE_PERSONAL,
];

pub(super) const AAL2: &[Rule] = &[
    shall("2.2.3", "an overall limit", Test::Exists(Setting::AbsoluteCap)),
    should("2.2.3", "at most 24 hours in all", at_most(Setting::AbsoluteCap, TimeDelta::hours(24))),
    should("2.2.3", "at most 1 hour of inactivity", at_most(Setting::MaxAge, TimeDelta::hours(1))),
    EITHER,
    RESETS,
    BOTH,
    COOKIE_SECURE,
    COOKIE_SCOPE,
    COOKIE_HTTP_ONLY,
    COOKIE_EXPIRES,
    COOKIE_ENFORCES_NOTHING,
    COOKIE_PREFIX,
    COOKIE_SAME_SITE,
    COOKIE_OPAQUE,
    COOKIE_PERSONAL,
];

pub(super) const AAL3: &[Rule] = &[
    shall("2.3.3", "at most 12 hours in all", at_most(Setting::AbsoluteCap, TimeDelta::hours(12))),
    should(
        "2.3.3",
        "at most 15 minutes of inactivity",
        at_most(Setting::MaxAge, TimeDelta::minutes(15)),
    ),
    EITHER,
    RESETS,
    BOTH,
    COOKIE_SECURE,
    COOKIE_SCOPE,
    COOKIE_HTTP_ONLY,
    COOKIE_EXPIRES,
    COOKIE_ENFORCES_NOTHING,
    COOKIE_PREFIX,
    COOKIE_SAME_SITE,
    COOKIE_OPAQUE,
    COOKIE_PERSONAL,
];

const EITHER: Rule = shall(
    "5.2",
    "either limit ends the session",
    Test::ByTheRule("`evaluate` refuses a session from the earlier of its two deadlines on."),
);

const RESETS: Rule = shall("5.2", "activity resets the inactivity limit", Test::Resets);

const BOTH: Rule = shall(
    "5.2",
    "re-authentication resets both limits",
    both("Start a new session after each re-authentication; `SignIn::replacing` ends the old one."),
);

const COOKIE_SECURE: Rule = shall(
    "5.1.1",
    "a cookie has Secure",
    by_crate("`SessionCookie::host` and `domain` set it; use `loopback` for development only."),
);

const COOKIE_SCOPE: Rule = shall(
    "5.1.1",
    "as few hostnames and paths as practical read a cookie",
    by_crate(
        "`SessionCookie::host` leaves it to one hostname, and to all its paths, as `__Host-` \
         demands; `domain` opens it to each hostname below.",
    ),
);

const COOKIE_HTTP_ONLY: Rule =
    should("5.1.1", "a cookie has HttpOnly", by_crate("`SessionCookie` always sets it."));

const COOKIE_EXPIRES: Rule =
    should("5.1.1", "a cookie expires with the session or soon after", Test::CookieExpires);

const COOKIE_ENFORCES_NOTHING: Rule = shall(
    "5.1.1",
    "the expiry of a cookie does not enforce the limits",
    Test::ByTheRule(
        "`evaluate` judges the record, and refuses a session that is over while its cookie is \
         still there.",
    ),
);

const COOKIE_PREFIX: Rule = should(
    "5.1.1",
    "a cookie has `__Host-` and Path=/",
    by_crate("`SessionCookie::host` sets both; `domain` and `loopback` give up `__Host-`."),
);

const COOKIE_SAME_SITE: Rule = should(
    "5.1.1",
    "a cookie has SameSite=Lax or Strict",
    by_crate("`SessionCookie` sets Lax, unless `same_site` says otherwise."),
);

const COOKIE_OPAQUE: Rule = should(
    "5.1.1",
    "a cookie holds an opaque string only",
    by_crate(
        "The token of `Sessions` is an id and a secret; those of `HybridSessions` and \
         `JwtSessions` are signed claims, which whoever holds one can read.",
    ),
);

const COOKIE_PERSONAL: Rule = shall(
    "5.1.1",
    "a cookie holds no personal information in clear text",
    both(
        "The token of `Sessions` holds none; with `HybridSessions` and `JwtSessions`, put none \
         into subject and claims, which are not encrypted.",
    ),
);
