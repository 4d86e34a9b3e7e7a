//! Signed tokens, against `jsonwebtoken` alone on the same token and key.

use jsonwebtoken::{Algorithm as Backend, DecodingKey, EncodingKey, Header, TokenData, Validation};
use serde::{Deserialize, Serialize};
use session_policy::jwt::{Algorithm, JwtSessions, KeyRing, SigningKey};
use session_policy::{Authenticated, ManualClock, RenewalOutcome, SessionId};

use super::rule::policy;
use super::store::{at, now};

const SECRET: [u8; 32] = [7; 32];
const ISSUER: &str = "https://login.example";
const AUDIENCE: &str = "shop";

/// The claims of our token, as an application that uses `jsonwebtoken` alone
/// would declare them.
#[derive(Debug, Deserialize, Serialize)]
pub struct Claims {
    iss: String,
    aud: String,
    pub sub: String,
    sid: String,
    auth_time: u64,
    iat: u64,
    pub exp: u64,
    cap: u64,
    jti: String,
    r#gen: u64,
    profile: String,
}

pub struct Jwt {
    pub clock: ManualClock,
    sessions: JwtSessions,
    pub token: String,
    decoding: DecodingKey,
    encoding: EncodingKey,
    validation: Validation,
    header: Header,
}

impl Jwt {
    pub fn new() -> Self {
        let clock = ManualClock::new(at(0));
        let key = SigningKey::secret("2026-03", Algorithm::Hs256, SECRET).expect("a key");
        let sessions = JwtSessions::new(KeyRing::new(key).expect("a ring"), policy())
            .with_issuer(ISSUER)
            .with_audience(AUDIENCE)
            .with_clock(clock.clone());
        let started = now(sessions.start("user-42")).expect("started");
        let mut validation = Validation::new(Backend::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        let mut header = Header::new(Backend::HS256);
        header.kid = Some("2026-03".into());
        Self {
            clock,
            sessions,
            token: started.token.expose().into(),
            decoding: DecodingKey::from_secret(&SECRET),
            encoding: EncodingKey::from_secret(&SECRET),
            validation,
            header,
        }
    }

    #[inline]
    pub fn authenticate(&self) -> Authenticated {
        now(self.sessions.authenticate(&self.token)).expect("served")
    }

    /// `jsonwebtoken` reads the system's clock, so the token's instants lie ahead
    /// of it, and it validates all it can.
    #[inline]
    pub fn decode(&self) -> TokenData<Claims> {
        jsonwebtoken::decode(&self.token, &self.decoding, &self.validation).expect("valid")
    }

    /// With a `jti` of its own, as every token of ours has.
    #[inline]
    pub fn encode_anew(&self, claims: &mut Claims) -> String {
        let mut random = [0; 16];
        getrandom::fill(&mut random).expect("randomness");
        claims.jti = SessionId::from_bytes(random).to_string();
        self.encode(claims)
    }

    #[inline]
    pub fn encode(&self, claims: &Claims) -> String {
        jsonwebtoken::encode(&self.header, claims, &self.encoding).expect("encoded")
    }

    /// Both sides see the same session, and nothing is issued.
    pub fn assert_same(&self) {
        let (ours, theirs) = (self.authenticate(), self.decode());
        assert!(ours.token.is_none() && matches!(ours.renewal, RenewalOutcome::NotDue));
        assert_eq!(ours.session.subject(), theirs.claims.sub);
        assert_eq!(
            u64::try_from(ours.session.lifetime().expires_at().as_unix_secs()),
            Ok(theirs.claims.exp)
        );
    }

    /// Due from now on: each request issues a token.
    pub fn make_due(&self) {
        self.clock.set(at(301));
        let (ours, theirs) = (self.authenticate(), self.decode());
        let issued = ours.token.expect("issued");
        // The same claims of the same length, but for the instants and `jti`.
        assert_eq!(issued.expose().len(), self.encode(&theirs.claims).len());
    }
}
