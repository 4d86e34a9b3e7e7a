//! Which clauses a report lists, who sees to each, and what it says of cookies.
#![cfg(feature = "review")]
#![allow(clippy::unwrap_used, reason = "tests")]

use chrono::TimeDelta;
use session_policy::review::standards::{Duty, Finding, Level, Standard, Verdict};
use session_policy::{SessionPolicy, Timestamp};

const D: i64 = 86_400;
const NIST: [Standard; 3] = [Standard::NistAal1, Standard::NistAal2, Standard::NistAal3];

fn policy(max_age: i64, absolute_cap: i64) -> SessionPolicy {
    let [max_age, absolute_cap] = [max_age, absolute_cap].map(TimeDelta::seconds);
    SessionPolicy::new(max_age, TimeDelta::seconds(1), absolute_cap).unwrap()
}

fn cookie_expires(policy: &SessionPolicy) -> Finding {
    let mut findings = policy.check(Standard::NistAal1).findings.into_iter();
    findings.find(|finding| finding.clause.title.starts_with("a cookie expires")).unwrap()
}

#[test]
fn every_requirement_of_asvs_chapter_7_is_listed_with_who_sees_to_it() {
    use Duty::{Application, Both, Crate, Policy};

    let report = Standard::Asvs5.preset().check(Standard::Asvs5);
    let told: Vec<_> = report.findings.iter().map(|f| (f.clause.id, f.duty)).collect();
    assert_eq!(
        told,
        [
            ("7.1.1", Application),
            ("7.1.2", Both),
            ("7.1.3", Application),
            ("7.2.1", Crate),
            ("7.2.2", Crate),
            ("7.2.3", Crate),
            ("7.2.4", Both),
            ("7.3.1", Policy),
            ("7.3.1", Application),
            ("7.3.2", Policy),
            ("7.3.2", Application),
            ("7.4.1", Both),
            ("7.4.2", Both),
            ("7.4.3", Both),
            ("7.4.4", Application),
            ("7.4.5", Both),
            ("7.5.1", Both),
            ("7.5.2", Both),
            ("7.5.3", Both),
            ("7.6.1", Both),
            ("7.6.2", Application),
        ],
    );
    assert!(report.findings.iter().all(|finding| finding.clause.level == Level::Shall));
    // All that the numbers cannot show is left to be shown.
    for finding in &report.findings {
        assert_eq!(finding.verdict == Verdict::Kept, finding.duty == Policy, "{finding}");
    }
}

#[test]
fn every_clause_of_nist_on_cookies_is_listed_at_every_level() {
    use Duty::{Both, Crate};
    use Level::{Shall, Should};
    use Verdict::{Departed, Kept, Unverified};

    for standard in NIST {
        let report = standard.preset().check(standard);
        let cookies = report.findings.iter().filter(|finding| finding.clause.id == "5.1.1");
        let told: Vec<_> =
            cookies.map(|f| (f.clause.level, f.clause.title, f.duty, f.verdict)).collect();
        assert_eq!(
            told,
            [
                (Shall, "a cookie has Secure", Crate, Unverified),
                (Shall, "as few hostnames and paths as practical read a cookie", Crate, Unverified),
                (Should, "a cookie has HttpOnly", Crate, Unverified),
                (Should, "a cookie expires with the session or soon after", Crate, Departed),
                (Shall, "the expiry of a cookie does not enforce the limits", Crate, Kept),
                (Should, "a cookie has `__Host-` and Path=/", Crate, Unverified),
                (Should, "a cookie has SameSite=Lax or Strict", Crate, Unverified),
                (Should, "a cookie holds an opaque string only", Crate, Unverified),
                (Shall, "a cookie holds no personal information in clear text", Both, Unverified),
            ],
        );
    }
}

/// What the report says of the cookie is what [`Status::cookie_max_age`] does.
///
/// [`Status::cookie_max_age`]: session_policy::Status::cookie_max_age
#[test]
fn a_cookie_departs_where_it_outlives_an_unused_session() {
    for (max_age, cap, verdict, by) in [
        (3_600, 3_600, Verdict::Kept, 0),
        (3_599, 3_600, Verdict::Departed, 1),
        (D, 30 * D, Verdict::Departed, 29 * D),
        (400 * D, 400 * D, Verdict::Kept, 0),
        (400 * D - 1, 500 * D, Verdict::Departed, 1),
        (400 * D, 500 * D, Verdict::Kept, 0),
        (400 * D + 1, 500 * D, Verdict::Unverified, -1),
        (500 * D, 500 * D, Verdict::Unverified, -100 * D),
    ] {
        let policy = policy(max_age, cap);
        let finding = cookie_expires(&policy);
        assert_eq!(finding.verdict, verdict, "{finding}");
        let now = Timestamp::from_unix_secs(0);
        let lifetime = policy.start(now);
        let cookie = policy.status(&lifetime, now).cookie_max_age();
        assert_eq!((cookie - lifetime.expires_at().since(now)).num_seconds(), by, "{finding}");
    }
}

#[test]
fn a_departure_says_by_how_much_and_what_for_and_breaks_nothing() {
    let report = policy(3_600, D).check(Standard::NistAal2);
    let departed: Vec<_> = report.with(Verdict::Departed).map(ToString::to_string).collect();
    assert_eq!(
        departed,
        ["departed   5.1.1 (SHOULD, crate) a cookie expires with the session or soon after: \
          max_age is 1h. The cookie outlives an unused session by up to 23h, since it runs to the \
          absolute_cap (at most 400 days), so that a lost answer costs no live session its cookie."]
    );
    assert_eq!(report.broken().next(), None);
    assert!(report.to_string().starts_with("NIST SP 800-63B-4 AAL2: 0 broken, 1 departed, "));
}

#[test]
fn the_rule_keeps_what_nist_forbids_of_cookies_under_every_policy() {
    for standard in Standard::ALL {
        for judge in NIST {
            let report = standard.preset().check(judge);
            let enforces = report.findings.iter().find(|f| f.clause.title.contains("enforce"));
            assert_eq!(enforces.unwrap().verdict, Verdict::Kept, "{report}");
        }
    }
}

/// What the findings promise of [`SessionCookie`], read off a `Set-Cookie`.
///
/// [`SessionCookie`]: session_policy::web::SessionCookie
#[cfg(feature = "memory")]
#[test]
fn the_cookie_is_as_the_report_says() {
    use session_policy::web::{SessionCookie, WebSessions};
    use session_policy::{MemoryStore, Sessions};

    let set_cookie = |cookie| {
        let sessions = Sessions::new(MemoryStore::new(), policy(3_600, D));
        let exchange = WebSessions::new(sessions, cookie).unwrap().exchange();
        pollster::block_on(async {
            exchange.auth([], []).sign_in("ada@example.org").await.unwrap();
            exchange.reply([]).await.unwrap().set_cookie.unwrap()
        })
    };
    let host = set_cookie(SessionCookie::host("s"));
    assert!(host.starts_with("__Host-s="), "{host}");
    let attributes = "; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=86400";
    assert!(host.ends_with(attributes), "{host}");
    assert!(!host.contains("Domain") && !host.contains("ada"), "{host}");
    let domain = set_cookie(SessionCookie::host("s").domain("example.org"));
    assert!(domain.starts_with("__Secure-s="), "{domain}");
    assert!(
        domain.contains("; HttpOnly; Secure; ")
            && domain.ends_with("Domain=example.org; Max-Age=86400")
    );
    let loopback = set_cookie(SessionCookie::loopback("s"));
    assert!(loopback.starts_with("s=") && !loopback.contains("Secure"), "{loopback}");
}
