//! OWASP ASVS 5.0, all of chapter 7. A title begins with the level from which it is asked.

use super::super::super::setting::Setting;
use super::super::rule::{Rule, Test};
use super::make::{application, both, by_crate, shall};

pub(super) const CHAPTER_7: &[Rule] = &[
    shall(
        "7.1.1",
        "L2: both limits and each deviation from NIST SP 800-63B are documented",
        application("Write them down; `check` with a NIST level lists how the limits deviate."),
    ),
    shall(
        "7.1.2",
        "L2: the number of concurrent sessions is documented, and what happens at it",
        both(
            "Set a `SessionLimit` per profile (`max_sessions` in a file), which is not looked at \
             here, and write it down with its `WhenFull`.",
        ),
    ),
    shall(
        "7.1.3",
        "L2: the systems of a federation and how their sessions depend on each other are documented",
        application("Write down which system starts, limits and ends which session."),
    ),
    shall(
        "7.2.1",
        "L1: a backend verifies every token",
        by_crate("`authenticate` does it on the server; trust no token that it has not judged."),
    ),
    shall(
        "7.2.2",
        "L1: tokens are made for the session, not static secrets",
        by_crate("`start` makes one per sign-in; accept no fixed API key in its place."),
    ),
    shall(
        "7.2.3",
        "L1: reference tokens have 128 random bits",
        by_crate("Let `start` make the tokens, whose secrets have 256 random bits."),
    ),
    shall(
        "7.2.4",
        "L1: a new token at authentication and re-authentication, and the end of the old one",
        both("Start a session after each; `SignIn::replacing` ends the old one."),
    ),
    shall("7.3.1", "L2: an inactivity limit", Test::Exists(Setting::MaxAge)),
    shall(
        "7.3.1",
        "L2: the inactivity limit follows a documented risk analysis",
        application("Write down why this max_age and this update_age."),
    ),
    shall("7.3.2", "L2: an absolute limit", Test::Exists(Setting::AbsoluteCap)),
    shall(
        "7.3.2",
        "L2: the absolute limit follows a documented risk analysis",
        application("Write down why this absolute_cap."),
    ),
    shall(
        "7.4.1",
        "L1: a terminated session cannot be used again",
        both(
            "Call `end` at a sign-out: a store's session is gone for good; a self-contained token \
             needs an epoch per user (`Bounds`).",
        ),
    ),
    shall(
        "7.4.2",
        "L1: all sessions end when an account is disabled or deleted",
        both("Call `end_all` from there, and let `Bounds` answer `None` for that user."),
    ),
    shall(
        "7.4.3",
        "L2: the user can end the other sessions after a change of a factor",
        both("Offer `end_others` there."),
    ),
    shall(
        "7.4.4",
        "L2: every page behind a sign-in shows how to sign out",
        application("Put a visible sign-out on each of them."),
    ),
    shall(
        "7.4.5",
        "L2: administrators can end the sessions of one user or of all",
        both("Offer them `end` and `end_all`; for all users, another epoch from `Bounds`."),
    ),
    shall(
        "7.5.1",
        "L2: full re-authentication before a change of what authentication depends on",
        both("Ask `is_fresh` there, and for every factor if it is not."),
    ),
    shall(
        "7.5.2",
        "L2: users see their sessions and, having authenticated again, can end each",
        both("Offer a page with `list` and `end`, and ask `is_fresh` before `end`."),
    ),
    shall(
        "7.5.3",
        "L3: a further factor or a second verification before highly sensitive operations",
        both("Ask `is_fresh` or for a profile that only a second factor starts."),
    ),
    shall(
        "7.6.1",
        "L2: sessions here and at the identity provider end as documented",
        both("Cap them with `SignIn::until`, and call `end` when the provider signs out."),
    ),
    shall(
        "7.6.2",
        "L2: no session without the user's consent or action",
        application("Call `start` only in answer to something that the user did."),
    ),
];
