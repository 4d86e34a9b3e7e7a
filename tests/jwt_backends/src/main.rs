//! Signs in, verifies and re-issues on the backend that the features give.

use std::error::Error;

use session_policy::SessionPolicy;
use session_policy::jwt::{Algorithm, JwtSessions, KeyRing, SigningKey};

fn main() -> Result<(), Box<dyn Error>> {
    // Does not compile without a backend: `KeyRing::new` comes with one.
    #[cfg(any(feature = "aws_lc", not(feature = "own")))]
    play("aws-lc-rs", KeyRing::new(key()?)?)?;

    #[cfg(feature = "own")]
    {
        use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;

        play("rust_crypto", KeyRing::with_provider(&DEFAULT_PROVIDER, key()?)?)?;
    }
    // The trap that the ring avoids: jsonwebtoken cannot choose between two.
    #[cfg(feature = "both")]
    {
        let header = jsonwebtoken::Header::default();
        let secret = jsonwebtoken::EncodingKey::from_secret(&[7; 32]);
        let panics = std::panic::catch_unwind(|| {
            let claims = std::collections::BTreeMap::from([("sub", "ada")]);
            jsonwebtoken::encode(&header, &claims, &secret).is_ok()
        });
        assert!(panics.is_err(), "jsonwebtoken chose a backend");
        // Its panic latches, and the ring does not notice.
        play("aws-lc-rs after the panic", KeyRing::new(key()?)?)?;

        // Numbers, which serde_json has as texts here, are read as they were issued.
        let sessions = JwtSessions::new(KeyRing::new(key()?)?, SessionPolicy::WORKING_DAY);
        let sessions = sessions.with_claims::<serde_json::Value>();
        let claims: serde_json::Value = serde_json::from_str(r#"{"height":1.750,"of":[{"n":1}]}"#)?;
        let sign_in = session_policy::SignIn::of("ada").claims(claims.clone());
        let started = pollster::block_on(sessions.start(sign_in))?;
        let served = pollster::block_on(sessions.authenticate(started.token.expose()))?;
        assert_eq!(served.claims, claims);
    }
    Ok(())
}

fn key() -> Result<SigningKey, session_policy::jwt::KeyError> {
    SigningKey::secret("2026-03", Algorithm::Hs256, [7; 32])
}

fn play(backend: &str, ring: KeyRing) -> Result<(), Box<dyn Error>> {
    let sessions = JwtSessions::new(ring, SessionPolicy::WORKING_DAY);
    let started = pollster::block_on(sessions.start("ada"))?;
    let served = pollster::block_on(sessions.authenticate(started.token.expose()))?;
    assert_eq!(served.session, started.session);
    println!("signed in with {backend}");
    Ok(())
}
