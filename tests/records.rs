//! Records and tokens from outside: what is not exactly right is refused, never
//! repaired, and no message repeats a secret.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod strategies;

use proptest::prelude::*;
use session_policy::store::SessionError;
use session_policy::store::{SecretHash, SessionParts, Update};
use session_policy::{Lifetime, Session, SessionId, SessionToken, Timestamp};
use sha2::{Digest, Sha256};

use crate::strategies::cases;

const ID: &str = "AAECAwQFBgcICQoLDA0ODw";
const SECRET: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

#[test]
fn a_lifetime_takes_four_instants_in_one_order_only() {
    let at = |instants: [i64; 4]| {
        let [created, renewed, expires, cap] = instants.map(Timestamp::from_unix_secs);
        Lifetime::restore(created, renewed, expires, cap)
    };
    let mut taken = 0;
    for instants in all_of_four() {
        let [created, renewed, expires, cap] = instants;
        let message = at(instants).err().map(|error| error.to_string());
        let [c, r, e, a] = instants.map(|secs| format!("`1970-01-01T00:00:0{secs}Z`"));
        let expected = if renewed < created {
            Some(format!("renewed_at {r} is before created_at {c}"))
        } else if expires < renewed {
            Some(format!("expires_at {e} is before renewed_at {r}"))
        } else if cap < expires {
            Some(format!("expires_at {e} is after absolute_expires_at {a}"))
        } else {
            taken += 1;
            None
        };
        assert_eq!(message, expected, "{instants:?}");
    }
    // Of the 256, those that do not decrease.
    assert_eq!(taken, 35);
}

#[test]
fn a_renewal_says_what_it_writes_and_onto_which_version() {
    let at = Timestamp::from_unix_secs;
    let session = Session::restore(SessionParts {
        id: SessionId::from_bytes([3; 16]),
        subject: "user".into(),
        profile: "default".into(),
        epoch: None,
        ordinal: 0,
        about: None,
        version: 7,
        secret: SecretHash::from_bytes([0; 32]),
        lifetime: Lifetime::restore(at(0), at(100), at(1_000), at(5_000)).unwrap(),
        generation: 5,
        confirmed_at: Some(at(200)),
    })
    .unwrap();
    for (expires, written) in [(4_999, 4_999), (5_000, 5_000), (5_001, 5_000)] {
        let lifetime = Lifetime::restore(at(0), at(900), at(expires), at(9_999)).unwrap();
        let renewal = Update::new(&session, at(901), &lifetime);
        assert_eq!((renewal.id(), renewal.expected_version()), (session.id(), 7));
        assert_eq!((renewal.at(), renewal.renewed_at()), (at(901), at(900)));
        assert_eq!(renewal.expires_at(), at(written));
        assert_eq!((renewal.generation(), renewal.confirmed_at()), (5, Some(at(200))));
        let rotated = renewal.with_generation(6, Some(at(901)));
        assert_eq!((rotated.generation(), rotated.confirmed_at()), (6, Some(at(901))));
        assert_eq!(rotated.with_generation(5, Some(at(200))), renewal);
    }
    // It applies before the cap, wherever it ends.
    let lifetime = Lifetime::restore(at(0), at(900), at(4_000), at(5_000)).unwrap();
    for (now, applies) in [(4_999, true), (5_000, false), (5_001, false)] {
        let renewed = Update::new(&session, at(now), &lifetime).apply(&session);
        assert_eq!(renewed.map(|renewed| renewed.version()), applies.then_some(8), "{now}");
    }
}

#[cfg(feature = "serde")]
#[test]
fn a_stored_lifetime_is_checked_as_it_is_read() {
    let mut taken = 0;
    for instants in all_of_four() {
        let [created, renewed, expires, cap] = instants;
        let text = format!(
            r#"{{"created_at":{created},"renewed_at":{renewed},"expires_at":{expires},"absolute_expires_at":{cap}}}"#,
        );
        let restored = {
            let [created, renewed, expires, cap] = instants.map(Timestamp::from_unix_secs);
            Lifetime::restore(created, renewed, expires, cap).map_err(|error| error.to_string())
        };
        let read = serde_json::from_str::<Lifetime>(&text).map_err(|error| error.to_string());
        assert_eq!(read, restored, "{text}");
        if let Ok(lifetime) = read {
            assert_eq!(serde_json::to_string(&lifetime).unwrap(), text);
            taken += 1;
        }
    }
    assert_eq!(taken, 35);
}

#[cfg(feature = "serde")]
#[test]
fn a_stored_lifetime_with_other_fields_or_types_is_refused() {
    let range = "unix seconds is outside the years -262143 to 262142";
    let fields = "expected one of `created_at`, `renewed_at`, `expires_at`, `absolute_expires_at`";
    for (stored, message) in [
        ("{}", "missing field `created_at`".into()),
        (
            r#"{"created_at":0,"renewed_at":0,"expires_at":0}"#,
            "missing field `absolute_expires_at`".into(),
        ),
        (r#"{"createdAt":0}"#, format!("unknown field `createdAt`, {fields}")),
        (r#"{"created_at":0,"created_at":0}"#, "duplicate field `created_at`".into()),
        (r#"{"created_at":0.0}"#, "invalid type: floating point `0.0`, expected i64".into()),
        (r#"{"created_at":"0"}"#, r#"invalid type: string "0", expected i64"#.into()),
        (r#"{"created_at":null}"#, "invalid type: null, expected i64".into()),
        (r#"{"created_at":true}"#, "invalid type: boolean `true`, expected i64".into()),
        (r#"{"created_at":9223372036854775807}"#, format!("`9223372036854775807` {range}")),
        (r#"{"created_at":-8334601228801}"#, format!("`-8334601228801` {range}")),
        (r#"{"created_at":8210266876800}"#, format!("`8210266876800` {range}")),
        (
            r#"{"created_at":9223372036854775808}"#,
            "invalid value: integer `9223372036854775808`, expected i64".into(),
        ),
    ] {
        let error = serde_json::from_str::<Lifetime>(stored).unwrap_err().to_string();
        let (got, _line_and_column) = error.rsplit_once(" at line ").unwrap();
        assert_eq!(got, message, "{stored}");
    }
    let ends = r#"{"created_at":-8334601228800,"renewed_at":0,"expires_at":0,"absolute_expires_at":8210266876799}"#;
    let widest: Lifetime = serde_json::from_str(ends).unwrap();
    assert_eq!(widest.created_at(), Timestamp::MIN);
    assert_eq!(widest.absolute_expires_at(), Timestamp::MAX);
}

#[test]
fn an_id_has_one_text() {
    let id: SessionId = ID.parse().unwrap();
    assert_eq!(id.to_string(), ID);
    assert_eq!(format!("{id:?}"), format!("SessionId({ID})"));
    for refused in not_exactly(ID, SessionId::CHARS).chain(stray_bits(ID)) {
        let error = refused.parse::<SessionId>().unwrap_err();
        assert_eq!(error.to_string(), "session id is not 22 base64url characters", "{refused:?}");
    }
}

#[test]
fn a_secret_hash_has_one_text() {
    SECRET.parse::<SecretHash>().unwrap();
    for refused in not_exactly(SECRET, 43).chain(stray_bits(SECRET)) {
        let error = refused.parse::<SecretHash>().unwrap_err();
        assert_eq!(error.to_string(), "secret hash is not 43 base64url characters", "{refused:?}");
    }
}

#[test]
fn what_is_no_token_is_refused_and_not_repeated() {
    let token = format!("{ID}.{SECRET}");
    assert_eq!(token.parse::<SessionToken>().unwrap().expose(), token);
    let message =
        "session token is not 22 and 43 base64url characters with a full stop between them";
    for refused in no_tokens() {
        let error = refused.parse::<SessionToken>().unwrap_err();
        assert_eq!(error.to_string(), message, "{refused:?}");
        assert_eq!(format!("{error:?}"), format!("ParseError(Text {{ expected: {message:?} }})"));
    }
}

/// Its secret is hashed as it stands, so one with stray bits is another one.
#[cfg(feature = "memory")]
#[test]
fn no_other_text_than_the_token_s_own_authenticates() {
    use pollster::block_on;
    use session_policy::store::SessionStore;
    use session_policy::{AuthenticateError, ManualClock, MemoryStore, SessionPolicy, Sessions};

    let store = MemoryStore::new();
    block_on(store.create(&session())).unwrap();
    let clock = ManualClock::new(Timestamp::from_unix_secs(0));
    let sessions = Sessions::new(store, SessionPolicy::WORKING_DAY).with_clock(clock);
    assert!(block_on(sessions.authenticate(token().expose())).is_ok());
    for stray in stray_bits(SECRET) {
        let token: SessionToken = format!("{ID}.{stray}").parse().unwrap();
        let error = block_on(sessions.authenticate(token.expose())).unwrap_err();
        assert!(matches!(error, AuthenticateError::WrongSecret), "{stray}: {error}");
    }
    for refused in no_tokens() {
        let error = block_on(sessions.authenticate(&refused)).unwrap_err();
        assert_eq!(error.as_str(), "malformed", "{refused:?}: {error}");
    }
}

/// Near misses of a token, but for stray bits of its secret.
fn no_tokens() -> impl Iterator<Item = String> {
    let token = format!("{ID}.{SECRET}");
    let halves = not_exactly(ID, 22)
        .chain(stray_bits(ID))
        .map(|id| format!("{id}.{SECRET}"))
        .chain(not_exactly(SECRET, 43).map(|secret| format!("{ID}.{secret}")));
    let whole = not_exactly(&token, 66).chain([
        format!("{ID}{SECRET}"),
        format!("{SECRET}.{ID}"),
        format!("{ID}:{SECRET}"),
        format!("{ID}..{SECRET}"),
        format!(".{ID}{SECRET}"),
        format!("{ID}{SECRET}."),
        format!("{ID}.{SECRET}.{SECRET}"),
        format!("Bearer {token}"),
        format!("\"{token}\""),
    ]);
    halves.chain(whole)
}

proptest! {
    #![proptest_config(cases(1_024))]

    #[test]
    fn what_is_printed_is_read_back(id: [u8; 16], secret: [u8; 32]) {
        let id = SessionId::from_bytes(id);
        let token = SessionToken::from_parts(id, secret);
        let read: SessionToken = token.expose().parse().unwrap();
        prop_assert_eq!(read.expose(), token.expose());
        let (first, second) = token.expose().split_once('.').unwrap();
        prop_assert_eq!(id.to_string(), first);
        prop_assert_eq!(first.parse(), Ok(id));
        let hash = SecretHash::of_secret(&secret);
        let digest: [u8; 32] = Sha256::digest(second).into();
        prop_assert_eq!(*hash.as_bytes(), digest);
        prop_assert_eq!(SecretHash::from_bytes(*hash.as_bytes()), hash);
        #[cfg(feature = "serde")]
        {
            let text = serde_json::to_string(&(id, hash)).unwrap();
            prop_assert_eq!(serde_json::from_str(&text).ok(), Some((id, hash)));
        }
    }

    /// A text is refused or is exactly what the parsed token prints.
    #[test]
    fn no_other_text_is_read(text in r"[A-Za-z0-9_\-]{22}[.][A-Za-z0-9_\-]{43}|\PC{0,80}") {
        if let Ok(token) = text.parse::<SessionToken>() {
            prop_assert_eq!(token.expose(), text);
        }
    }

    /// The hash of another secret does not match, however near.
    #[test]
    fn a_secret_that_is_off_by_a_bit_does_not_open_the_session(
        secret: [u8; 32],
        byte in 0..32_usize,
        bit in 0..8_u32,
    ) {
        let mut forged = secret;
        forged[byte] ^= 1 << bit;
        let hash = SecretHash::of_secret(&secret);
        prop_assert_ne!(SecretHash::of_secret(&forged), hash);
        let mut other = *hash.as_bytes();
        other[byte] ^= 1 << bit;
        prop_assert_ne!(SecretHash::from_bytes(other), hash);
    }
}

#[test]
fn debug_shows_neither_the_secret_nor_its_hash() {
    let (token, session) = (token(), session());
    assert_eq!(format!("{token:?}"), "SessionToken([redacted])");
    assert_eq!(format!("{:?}", session.secret()), "SecretHash([redacted])");
    for shown in [format!("{session:?}"), format!("{:#?}", session.clone().into_parts())] {
        assert!(shown.contains(ID) && shown.contains("SecretHash([redacted])"), "{shown}");
        assert_hides(&shown, &token, session.secret());
    }
}

/// Nor any session: a store of a program's may be printed with what holds it.
#[cfg(feature = "memory")]
#[test]
fn debug_of_sessions_and_their_store_names_the_policies_alone() {
    use session_policy::store::AnyStore;
    use session_policy::{MemoryStore, SessionPolicy, Sessions};

    let sessions = Sessions::new(AnyStore::new(MemoryStore::new()), SessionPolicy::WORKING_DAY);
    drop(pollster::block_on(sessions.start("user-42")).unwrap());
    assert_eq!(format!("{:?}", sessions.store()), "AnyStore { .. }");
    let shown = format!("{sessions:?}");
    assert!(shown.starts_with("Sessions { policies: ") && shown.contains("28800"), "{shown}");
    assert!(!shown.contains("user-42"), "{shown}");
}

#[cfg(feature = "memory")]
#[test]
fn debug_of_a_started_session_shows_no_secret_either() {
    use session_policy::{MemoryStore, SessionPolicy, Sessions};

    let sessions = Sessions::new(MemoryStore::new(), SessionPolicy::WORKING_DAY);
    let started = pollster::block_on(sessions.start("user-42")).unwrap();
    let shown = format!("{started:?} {started:#?}");
    assert!(shown.contains("SessionToken([redacted])"), "{shown}");
    assert_hides(&shown, &started.token, started.session.secret());
    let authenticated = pollster::block_on(sessions.authenticate(started.token.expose())).unwrap();
    let shown = format!("{authenticated:?} {sessions:?}");
    assert_hides(&shown, &started.token, started.session.secret());
}

#[test]
fn a_session_s_subject_and_profile_are_bounded() {
    let parts = session().into_parts();
    let longest = "s".repeat(1_024);
    let of = |subject: &str, profile: &str| {
        let new = Session::new(parts.id, subject, profile, parts.secret, parts.lifetime);
        let stored =
            SessionParts { subject: subject.into(), profile: profile.into(), ..parts.clone() };
        let restored = Session::restore(stored.clone());
        assert_eq!(restored, Session::try_from(stored));
        assert_eq!(new.as_ref().err(), restored.as_ref().err());
        new.map(|session| (session.subject().to_owned(), session.profile().to_owned()))
            .map_err(|error: SessionError| error.to_string())
    };
    for (subject, profile) in [
        ("u", "default"),
        (longest.as_str(), "admin"),
        ("ü\u{1f980} \t\n", "Ünïcode"),
        ("\u{feff}", " "),
        ("u", &"p".repeat(64)),
        ("u", &"é".repeat(32)),
    ] {
        assert_eq!(of(subject, profile), Ok((subject.into(), profile.into())));
    }
    for (subject, profile, message) in [
        ("", "default", "subject is empty"),
        (&"s".repeat(1_025), "default", "subject of 1025 bytes is longer than 1024 bytes"),
        (&"é".repeat(513), "default", "subject of 1026 bytes is longer than 1024 bytes"),
        ("\0", "default", "subject has a NUL character"),
        ("admin\0.example", "default", "subject has a NUL character"),
        ("u", "", "profile name is empty"),
        ("u", &"p".repeat(65), "profile name of 65 bytes is longer than 64 bytes"),
        ("u", &"é".repeat(33), "profile name of 66 bytes is longer than 64 bytes"),
        ("u", "ad\nmin", r"profile name `ad\nmin` has control characters"),
        ("u", "\0", r"profile name `\0` has control characters"),
        ("u", "admin\u{7f}", r"profile name `admin\u{7f}` has control characters"),
        ("u", "admin\u{85}", r"profile name `admin\u{85}` has control characters"),
    ] {
        assert_eq!(of(subject, profile), Err(message.into()));
    }
}

#[cfg(feature = "serde")]
#[test]
fn a_stored_session_is_one_flat_object_and_read_back_equal() {
    let session = session();
    let text = serde_json::to_string(&session).unwrap();
    let hash = serde_json::to_string(session.secret()).unwrap();
    assert_eq!(
        text,
        format!(
            concat!(
                r#"{{"id":"{ID}","subject":"user-42","profile":"default","epoch":null,"#,
                r#""ordinal":0,"about":null,"version":0,"secret":{hash},"lifetime":{{"created_at":0,"renewed_at":0,"#,
                r#""expires_at":60,"absolute_expires_at":90}},"generation":0,"confirmed_at":0}}"#,
            ),
            ID = ID,
            hash = hash,
        ),
    );
    assert_eq!(serde_json::from_str::<Session>(&text).unwrap(), session);
    let binary = postcard::to_allocvec(&session).unwrap();
    assert_eq!(postcard::from_bytes::<Session>(&binary).unwrap(), session);
}

#[cfg(feature = "serde")]
#[test]
fn a_stored_session_that_is_tampered_with_is_refused() {
    let text = serde_json::to_string(&session()).unwrap();
    for (from, to, message) in [
        (r#""user-42""#, r#""""#, "subject is empty"),
        (r#""user-42""#, r#""\u0000""#, "subject has a NUL character"),
        (r#""default""#, r#""""#, "profile name is empty"),
        (r#""expires_at":60"#, r#""expires_at":91"#, "is after absolute_expires_at"),
        (r#""renewed_at":0"#, r#""renewed_at":61"#, "is before renewed_at"),
        (r#""version":0"#, r#""version":-1"#, "invalid value: integer `-1`, expected u64"),
        (r#""version":0"#, r#""version":0,"admin":true"#, "unknown field `admin`"),
        (r#""generation":0,"#, "", "missing field `generation`"),
        (ID, "AAECAwQFBgcICQoLDA0ODx", "session id is not 22 base64url characters"),
        (ID, "", "session id is not 22 base64url characters"),
        (r#""secret":""#, r#""secret":"="#, "secret hash is not 43 base64url characters"),
        (r#""secret":""#, r#""secret":1,"x":""#, "invalid type: integer `1`, expected a text"),
    ] {
        let tampered = text.replacen(from, to, 1);
        assert_ne!(tampered, text, "{from}");
        let error = serde_json::from_str::<Session>(&tampered).unwrap_err().to_string();
        assert!(error.contains(message), "{from} as {to}: {error}");
    }
}

/// Near misses of a text of `chars` characters of the base64url alphabet.
fn not_exactly(text: &str, chars: usize) -> impl Iterator<Item = String> + use<> {
    assert_eq!(text.len(), chars);
    let short = &text[..chars - 1];
    let foreign = ['+', '/', '=', '.', ' ', '\0', '\n', '%', '~', '\u{7f}'];
    let foreign = foreign.into_iter().flat_map(|foreign| {
        let middle = format!("{}{foreign}{}", &text[..chars / 2], &text[chars / 2 + 1..]);
        [middle, format!("{foreign}{}", &text[1..]), format!("{short}{foreign}")]
    });
    let lengths = [
        String::new(),
        short.to_owned(),
        format!("{text}A"),
        format!("{text}="),
        format!("{text}=="),
        format!(" {text}"),
        format!("{text}\n"),
        // As many bytes, or as many characters.
        format!("{}é", &text[..chars - 2]),
        format!("{short}Ａ"),
        "é".repeat(chars),
        "A".repeat(10_240),
        "é".repeat(5_120),
    ];
    foreign.chain(lengths).collect::<Vec<_>>().into_iter()
}

/// The last character holds bits of no byte: with these set, the text would be
/// another one of the same bytes.
fn stray_bits(text: &str) -> impl Iterator<Item = String> {
    let (short, last) = text.split_at(text.len() - 1);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let place = alphabet.find(last).unwrap();
    (1..4).map(move |bits| format!("{short}{}", &alphabet[place + bits..][..1]))
}

fn all_of_four() -> impl Iterator<Item = [i64; 4]> {
    (0..256).map(|n: i64| [n >> 6 & 3, n >> 4 & 3, n >> 2 & 3, n & 3])
}

fn token() -> SessionToken {
    format!("{ID}.{SECRET}").parse().unwrap()
}

/// The one that the token opens.
fn session() -> Session {
    let at = Timestamp::from_unix_secs;
    let lifetime = Lifetime::restore(at(0), at(0), at(60), at(90)).unwrap();
    let secret = SecretHash::of_secret(&[1; 32]);
    Session::new(ID.parse().unwrap(), "user-42", "default", secret, lifetime).unwrap()
}

/// Neither as text nor as bytes.
fn assert_hides(shown: &str, token: &SessionToken, hash: &SecretHash) {
    let exposed = token.expose();
    let (_, secret) = exposed.split_once('.').unwrap();
    assert!(!shown.contains(secret), "{shown}");
    let hash = hash.as_bytes();
    assert!(!shown.contains(&format!("{hash:?}")), "{shown}");
    let first_bytes = format!("{}, {}, {}", hash[0], hash[1], hash[2]);
    assert!(!shown.contains(&first_bytes), "{shown}");
}
