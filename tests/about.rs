//! What a user knows a session by: kept with the row, and shown nowhere else.
#![cfg(feature = "memory")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use pollster::block_on;
use session_policy::store::SessionStore;
use session_policy::{
    Event, ManualClock, MemoryStore, Policies, SessionLimit, SessionPolicy, Sessions, SignIn,
    Timestamp, WhenFull,
};

const LOGIN: Timestamp = Timestamp::from_unix_secs(1_800_000_000);
const ABOUT: &str = "Firefox on Linux";

fn about(text: &str) -> Option<String> {
    let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
    let sign_in = SignIn::of("user-42").about(text);
    let started = block_on(sessions.start(sign_in)).unwrap();
    let stored = block_on(sessions.store().load(&started.session.id())).unwrap().unwrap();
    assert_eq!(stored.about(), started.session.about());
    stored.about().map(str::to_owned)
}

#[test]
fn a_text_is_cleaned_and_cut_and_never_refused() {
    let long = "x".repeat(1_024);
    for (given, kept) in [
        (ABOUT, Some(ABOUT)),
        ("", None),
        ("\n\t\u{7f}\u{85}\0", None),
        ("Fire\r\nfox\x1b[31m", Some("Firefox[31m")),
        // Overrides, isolates and marks of direction, and the breaks of lines.
        ("\u{202e}a\u{202d}b\u{2066}c\u{2069}d\u{200e}e\u{61c}f", Some("abcdef")),
        ("a\u{2028}b\u{2029}c", Some("abc")),
        ("<b>bold</b> & 'q' \u{1f98a} شبكة", Some("<b>bold</b> & 'q' \u{1f98a} شبكة")),
        (&long, Some(&long)),
        (&format!("{long}y"), Some(&long)),
        // At a character, not in it: 4 bytes across the end, or just before it.
        (&format!("{}\u{1f98a}", &long[..1_021]), Some(&long[..1_021])),
        (&format!("{}\u{1f98a}z", &long[..1_020]), Some(&format!("{}\u{1f98a}", &long[..1_020]))),
        // What is removed does not count.
        (&format!("\n{long}"), Some(&long)),
    ] {
        assert_eq!(about(given).as_deref(), kept, "{given:?}");
    }
}

#[test]
fn it_is_in_the_row_and_in_no_event_token_or_debug() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heard);
    let clock = ManualClock::new(LOGIN);
    let one = SessionLimit::new(std::num::NonZeroU32::MIN, WhenFull::EndOldest);
    let policies = Policies::new(SessionPolicy::WORKING_DAY).with_limit("default", one).unwrap();
    let observer = move |event: &Event<'_>| {
        log.lock().unwrap().push(format!("{event:?}"));
        #[cfg(feature = "serde")]
        log.lock().unwrap().push(serde_json::to_string(event).unwrap());
    };
    let sessions = Sessions::new(MemoryStore::new(), policies).with_clock(clock.clone());
    let sessions = sessions.with_observer(observer);
    let sign_in = SignIn::of("user-42").about(ABOUT).epoch(7);
    let started = block_on(sessions.start(sign_in)).unwrap();
    let mut shown = vec![format!("{started:?} {}", started.token.expose())];

    clock.advance(TimeDelta::minutes(20));
    let renewed = block_on(sessions.authenticate(started.token.expose())).unwrap();
    assert_eq!(renewed.session.version(), 1);
    let rotated = block_on(sessions.rotate(&renewed.session)).unwrap();
    assert_eq!(rotated.session.id(), started.session.id());
    let [listed] = &block_on(sessions.list("user-42")).unwrap()[..] else {
        panic!("one session is listed")
    };
    for session in [&started.session, &renewed.session, &rotated.session, listed] {
        assert_eq!(session.about(), Some(ABOUT));
        assert_eq!((session.epoch(), session.ordinal()), (Some(7), 1));
    }
    assert_eq!(listed.secret(), rotated.session.secret());

    // Displaced, so that it is told of once more.
    let next = block_on(sessions.start("user-42")).unwrap();
    assert_eq!((next.session.about(), next.session.epoch()), (None, None));
    assert_eq!(next.session.ordinal(), 2);
    shown.push(format!("{renewed:?} {rotated:?} {listed:?} {}", rotated.token.expose()));
    shown.append(&mut heard.lock().unwrap());
    assert!(shown.iter().any(|shown| shown.contains("Ended")), "{shown:?}");
    assert!(shown.iter().all(|shown| !shown.contains("Firefox")), "{shown:?}");
}

#[cfg(feature = "jwt")]
#[test]
fn it_is_in_no_signed_token_and_survives_a_hybrid_rotation() {
    use base64ct::{Base64UrlUnpadded, Encoding};
    use session_policy::NoClaims;
    use session_policy::jwt::{Algorithm, HybridSessions, KeyRing, SigningKey};

    let key = SigningKey::secret("k", Algorithm::Hs256, [7; 32]).unwrap();
    let ring = KeyRing::new(key).unwrap();
    let sessions =
        HybridSessions::new(MemoryStore::new(), ring, SessionPolicy::WORKING_DAY).unwrap();
    let sign_in = SignIn::of("user-42").about(ABOUT);
    let started = block_on(sessions.start(sign_in)).unwrap();
    let rotated = block_on(sessions.rotate(&started.session, NoClaims {})).unwrap();
    assert_eq!(rotated.session.about(), Some(ABOUT));
    for token in [&started.token, &rotated.token] {
        let payload = token.expose().split('.').nth(1).unwrap();
        let payload = String::from_utf8(Base64UrlUnpadded::decode_vec(payload).unwrap()).unwrap();
        assert!(payload.contains("user-42"), "{payload}");
        assert!(!payload.contains("Firefox"), "{payload}");
    }
}
