//! A limit on guessing passwords: of one account, and from one address.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use session_policy::Timestamp;

/// So much memory, however many names and addresses are tried: those whose hash is the
/// same share a limit, which is rare.
const SLOTS: usize = 65_536;

/// A wrong password a minute after the first ten: a thousand take most of a day
/// (NIST SP 800-63B-4 section 3.2.2).
const ACCOUNT: Limit = Limit { at_once: 10, one_more_after: 60 };
/// A household or an office shares an address.
const ADDRESS: Limit = Limit { at_once: 30, one_more_after: 10 };

struct Limit {
    at_once: i64,
    one_more_after: i64,
}

/// Who guessed how often lately, in this process. Each slot holds the instant at which all
/// its guesses will be forgotten (the generic cell rate algorithm).
#[derive(Debug)]
pub(crate) struct Guesses {
    slots: Mutex<Box<[i64]>>,
    hasher: RandomState,
}

/// The guesses are used up; how many seconds until there is one more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Wait(pub(crate) i64);

/// Who guesses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guesser<'a> {
    pub(crate) account: &'a str,
    pub(crate) address: Option<IpAddr>,
}

impl Default for Guesses {
    fn default() -> Self {
        Self { slots: Mutex::new(vec![0; SLOTS].into()), hasher: RandomState::new() }
    }
}

impl Guesses {
    /// Counts a guess before the password is checked, so that guesses at the same time are
    /// counted, too.
    pub(crate) fn take(&self, guesser: Guesser<'_>, now: Timestamp) -> Result<(), Wait> {
        let now = now.as_unix_secs();
        let mut slots = self.slots();
        let all = self.slots_of(guesser);
        let over = |(slot, limit): &(usize, Limit)| {
            let Limit { at_once, one_more_after } = *limit;
            slots[*slot].max(now) + one_more_after - now - at_once * one_more_after
        };
        let wait = all.iter().flatten().map(over).max().unwrap_or_default();
        if wait > 0 {
            return Err(Wait(wait));
        }
        for (slot, limit) in all.into_iter().flatten() {
            slots[slot] = slots[slot].max(now) + limit.one_more_after;
        }
        Ok(())
    }

    /// The password was right: the account's guesses are forgotten, and the address has this
    /// one back. It keeps its others, or whoever has an account could guess at all others.
    pub(crate) fn was_right(&self, guesser: Guesser<'_>) {
        let mut slots = self.slots();
        let [account, address] = self.slots_of(guesser);
        if let Some((slot, _)) = account {
            slots[slot] = 0;
        }
        if let Some((slot, limit)) = address {
            slots[slot] -= limit.one_more_after;
        }
    }

    fn slots_of(&self, guesser: Guesser<'_>) -> [Option<(usize, Limit)>; 2] {
        let slot = |hash: u64| usize::try_from(hash % SLOTS as u64).unwrap_or_default();
        let account = slot(self.hasher.hash_one(guesser.account));
        let address = guesser.address.map(|it| slot(self.hasher.hash_one(network(it))));
        [Some((account, ACCOUNT)), address.map(|address| (address, ADDRESS))]
    }

    fn slots(&self) -> MutexGuard<'_, Box<[i64]>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One subscriber has 64 bits of IPv6 to choose from.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_unix_secs(1_800_000_000 + secs)
    }

    fn from(account: &str, address: &str) -> (String, IpAddr) {
        (account.to_owned(), address.parse().unwrap())
    }

    fn take(guesses: &Guesses, who: &(String, IpAddr), secs: i64) -> Result<(), Wait> {
        guesses.take(Guesser { account: &who.0, address: Some(who.1) }, at(secs))
    }

    #[test]
    fn ten_guesses_at_an_account_are_free_and_then_one_a_minute() {
        let guesses = Guesses::default();
        for last in 0..10 {
            // From anywhere.
            assert_eq!(take(&guesses, &from("ada", &format!("192.0.2.{last}")), 0), Ok(()));
        }
        let who = from("ada", "198.51.100.1");
        for (secs, expected) in
            [(0, Err(Wait(60))), (59, Err(Wait(1))), (60, Ok(())), (60, Err(Wait(60)))]
        {
            assert_eq!(take(&guesses, &who, secs), expected, "at {secs} s");
        }
        assert_eq!(take(&guesses, &from("grace", "198.51.100.1"), 60), Ok(()));
    }

    #[test]
    fn an_address_guesses_thirty_times_at_whomever_and_then_once_in_ten_seconds() {
        let guesses = Guesses::default();
        for user in 0..30 {
            // A network of IPv6 is one address.
            let who = from(&format!("user-{user}"), &format!("2001:db8::{user}"));
            assert_eq!(take(&guesses, &who, 0), Ok(()));
        }
        let who = from("user-30", "2001:db8::ffff:1");
        assert_eq!(take(&guesses, &who, 0), Err(Wait(10)));
        assert_eq!(take(&guesses, &from("user-30", "2001:db8:0:1::1"), 0), Ok(()));
        assert_eq!(take(&guesses, &who, 10), Ok(()));
    }

    #[test]
    fn the_right_password_counts_for_nothing_and_forgives_its_account_alone() {
        let guesses = Guesses::default();
        let who = from("ada", "192.0.2.1");
        for _ in 0..100 {
            assert_eq!(take(&guesses, &who, 0), Ok(()));
            guesses.was_right(Guesser { account: &who.0, address: Some(who.1) });
        }
        for user in 0..30 {
            let wrong = from(&format!("user-{user}"), "192.0.2.1");
            assert_eq!(take(&guesses, &wrong, 0), Ok(()));
        }
        assert_eq!(take(&guesses, &who, 0), Err(Wait(10)));
    }
}
