//! A thread sets a key up once, tells it from all others, and keeps none that is gone.
#![cfg(feature = "jwt")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::Cell;

use chrono::TimeDelta;
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils, aws_lc};
use jsonwebtoken::errors::Result;
use jsonwebtoken::signature::{Error, Signer, Verifier};
use jsonwebtoken::{Algorithm as Backend, DecodingKey, EncodingKey};
use pollster::block_on;
use session_policy::jwt::{Algorithm, IssueError, JwtSessions, KeyRing, SigningKey, TokenError};
use session_policy::{AuthenticateError, SessionPolicy, StartError, Started};

thread_local! {
    /// How often a key was set up in this thread, and how many are held.
    static SET_UP: Cell<u32> = const { Cell::new(0) };
    static HELD: Cell<u32> = const { Cell::new(0) };
    /// How often a signer signs until it fails.
    static SIGNS: Cell<u32> = const { Cell::new(u32::MAX) };
}

static COUNTED: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key: &EncodingKey| {
        let signer = (aws_lc::DEFAULT_PROVIDER.signer_factory)(algorithm, key)?;
        counted(signer).map(|signer| Box::new(signer) as Box<dyn JwtSigner>)
    },
    verifier_factory: |algorithm, key: &DecodingKey| {
        let verifier = (aws_lc::DEFAULT_PROVIDER.verifier_factory)(algorithm, key)?;
        counted(verifier).map(|verifier| Box::new(verifier) as Box<dyn JwtVerifier>)
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct Counted<M: ?Sized> {
    made: Box<M>,
    signed: Cell<u32>,
}

#[expect(clippy::unnecessary_wraps, reason = "as a factory returns it")]
fn counted<M: ?Sized>(made: Box<M>) -> Result<Counted<M>> {
    SET_UP.set(SET_UP.get() + 1);
    HELD.set(HELD.get() + 1);
    Ok(Counted { made, signed: Cell::new(0) })
}

impl<M: ?Sized> Drop for Counted<M> {
    fn drop(&mut self) {
        // The thread may have ended.
        let _ = HELD.try_with(|held| held.set(held.get() - 1));
    }
}

impl Signer<Vec<u8>> for Counted<dyn JwtSigner> {
    fn try_sign(&self, message: &[u8]) -> core::result::Result<Vec<u8>, Error> {
        if self.signed.replace(self.signed.get() + 1) >= SIGNS.get() {
            return Err(Error::new());
        }
        self.made.try_sign(message)
    }
}

impl Verifier<Vec<u8>> for Counted<dyn JwtVerifier> {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> core::result::Result<(), Error> {
        self.made.verify(message, signature)
    }
}

impl JwtSigner for Counted<dyn JwtSigner> {
    fn algorithm(&self) -> Backend {
        self.made.algorithm()
    }
}

impl JwtVerifier for Counted<dyn JwtVerifier> {
    fn algorithm(&self) -> Backend {
        self.made.algorithm()
    }
}

/// Under the key "k" of this secret.
fn sessions(secret: u8) -> JwtSessions {
    let key = SigningKey::secret("k", Algorithm::Hs256, vec![secret; 32]).unwrap();
    let ring = KeyRing::with_provider(&COUNTED, key).unwrap();
    let hour = TimeDelta::hours(1);
    JwtSessions::new(ring, SessionPolicy::new(hour, hour / 2, hour * 8).unwrap())
}

fn start(sessions: &JwtSessions) -> String {
    block_on(sessions.start("ada")).unwrap().token.expose().to_owned()
}

/// How often a key is set up meanwhile.
fn set_up(act: impl FnOnce()) -> u32 {
    let before = SET_UP.get();
    act();
    SET_UP.get() - before
}

#[test]
fn a_key_is_set_up_once_a_thread() {
    let sessions = sessions(1);
    let mut token = String::new();
    assert_eq!(set_up(|| token = start(&sessions)), 1);
    assert_eq!(set_up(|| drop(start(&sessions.clone()))), 0);
    let authenticate = || drop(block_on(sessions.authenticate(&token)).unwrap());
    assert_eq!(set_up(authenticate), 1);
    assert_eq!(set_up(|| (0..10).for_each(|_| authenticate())), 0);
    // A token that it refuses costs no key.
    let forged = format!("{}AAAA", &token[..token.len() - 4]);
    let refused = || block_on(sessions.authenticate(&forged)).unwrap_err();
    let signature =
        |error| matches!(error, AuthenticateError::Token(TokenError::Signature)).then_some(());
    assert_eq!(set_up(|| signature(refused()).unwrap()), 0);
    assert_eq!(set_up(authenticate), 0);
    std::thread::scope(|scope| {
        let elsewhere = scope.spawn(|| set_up(|| (0..3).for_each(|_| authenticate())));
        assert_eq!(elsewhere.join().unwrap(), 1);
    });
}

/// By more than their id, and by more than a thread keeps.
#[test]
fn keys_of_one_id_are_told_apart() {
    let all: Vec<_> = (0..20).map(sessions).collect();
    let tokens: Vec<_> = all.iter().map(start).collect();
    for _ in 0..2 {
        for (at, sessions) in all.iter().enumerate() {
            for (of, token) in tokens.iter().enumerate() {
                let answer = block_on(sessions.authenticate(token));
                match answer {
                    Ok(_) => assert_eq!(at, of),
                    Err(AuthenticateError::Token(TokenError::Signature)) => assert_ne!(at, of),
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }
    assert!(HELD.get() <= 16, "{}", HELD.get());
}

#[test]
fn no_key_of_a_ring_that_is_gone_is_kept_for_long() {
    let mut before = None;
    for secret in 0..6 {
        let sessions = sessions(secret);
        // Where the allocator gives it the place of the one before, too.
        let mut token = String::new();
        assert_eq!(set_up(|| token = start(&sessions)), 1);
        assert_eq!(HELD.get(), 1, "the verifier of the one before is gone with its signer");
        assert_eq!(set_up(|| drop(block_on(sessions.authenticate(&token)).unwrap())), 1);
        if let Some(before) = before.replace(token) {
            let refused = block_on(sessions.authenticate(&before));
            assert!(matches!(refused, Err(AuthenticateError::Token(TokenError::Signature))));
        }
    }
    assert_eq!(HELD.get(), 2);
}

#[test]
fn a_signer_that_fails_is_set_up_anew() {
    let sessions = sessions(1);
    SIGNS.set(2);
    // The first is kept for two signatures.
    for expected in [1, 0, 1, 0, 1] {
        assert_eq!(set_up(|| drop(start(&sessions))), expected);
    }
    SIGNS.set(0);
    for _ in 0..2 {
        let failed: core::result::Result<Started, _> = block_on(sessions.start("ada"));
        assert!(matches!(failed, Err(StartError::Issue(IssueError::Signing))), "{failed:?}");
    }
    SIGNS.set(u32::MAX);
    start(&sessions);
}
