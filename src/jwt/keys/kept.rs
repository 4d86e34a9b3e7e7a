//! What a thread keeps of the keys that it uses: to set one up can take nearly as long as a
//! signature, and what a backend makes of it may not leave its thread.

use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::cell::RefCell;
use std::thread::LocalKey;
use std::thread_local;

use jsonwebtoken::crypto::{JwtSigner, JwtVerifier};
use jsonwebtoken::errors::Error;
use jsonwebtoken::{DecodingKey, EncodingKey};

/// A thread that uses more keys in turn sets them up anew.
const MOST: usize = 8;

thread_local! {
    static SIGNERS: Keep<EncodingKey, dyn JwtSigner> = const { RefCell::new(Vec::new()) };
    static VERIFIERS: Keep<DecodingKey, dyn JwtVerifier> = const { RefCell::new(Vec::new()) };
}

type Keep<K, M> = RefCell<Vec<Kept<K, M>>>;

struct Kept<K, M: ?Sized> {
    /// It also keeps the place in memory, which tells a key from all others, from being used
    /// again.
    key: Weak<K>,
    made: Box<M>,
}

/// `None` if the backend fails, also anew.
pub(super) fn sign(
    key: &Arc<EncodingKey>,
    set_up: impl FnOnce() -> Result<Box<dyn JwtSigner>, Error>,
    message: &[u8],
) -> Option<Vec<u8>> {
    with_kept(&SIGNERS, key, set_up, |signer| signer.try_sign(message).ok())
}

pub(super) fn verifies(
    key: &Arc<DecodingKey>,
    set_up: impl FnOnce() -> Result<Box<dyn JwtVerifier>, Error>,
    message: &[u8],
    signature: &Vec<u8>,
) -> bool {
    with_kept(&VERIFIERS, key, set_up, |verifier| Some(verifier.verify(message, signature).is_ok()))
        .unwrap_or(false)
}

/// What `act` says of what is kept of the key, or if that is `None`, of what is made anew.
fn with_kept<K, M: ?Sized, T>(
    keep: &'static LocalKey<Keep<K, M>>,
    key: &Arc<K>,
    set_up: impl FnOnce() -> Result<Box<M>, Error>,
    act: impl Fn(&M) -> Option<T>,
) -> Option<T> {
    // Taken out meanwhile: a backend may have keys of its own here.
    let kept = in_keep(keep, |keep| {
        let is_its_own = |kept: &Kept<K, M>| kept.key.as_ptr() == Arc::as_ptr(key);
        keep.iter().position(is_its_own).map(|at| keep.remove(at))
    });
    if let Some(kept) = kept.flatten()
        && let Some(done) = act(&kept.made)
    {
        put(keep, kept);
        return Some(done);
    }
    forget_gone(&SIGNERS);
    forget_gone(&VERIFIERS);
    let made = set_up().ok()?;
    let done = act(&made)?;
    put(keep, Kept { key: Arc::downgrade(key), made });
    Some(done)
}

/// In the place of the one that was used longest ago, if need be.
fn put<K, M: ?Sized>(keep: &'static LocalKey<Keep<K, M>>, kept: Kept<K, M>) {
    in_keep(keep, |keep| {
        if keep.len() == MOST {
            keep.remove(0);
        }
        keep.push(kept);
    });
}

/// Of rings that were dropped.
fn forget_gone<K, M: ?Sized>(keep: &'static LocalKey<Keep<K, M>>) {
    in_keep(keep, |keep| keep.retain(|kept| kept.key.strong_count() > 0));
}

/// `None` at the end of the thread.
fn in_keep<K, M: ?Sized, T>(
    keep: &'static LocalKey<Keep<K, M>>,
    act: impl FnOnce(&mut Vec<Kept<K, M>>) -> T,
) -> Option<T> {
    keep.try_with(|keep| keep.try_borrow_mut().ok().map(|mut keep| act(&mut keep))).ok().flatten()
}
