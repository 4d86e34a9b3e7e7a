//! How do signed tokens live and end, without a store and in front of one?
//!
//! Plays a working day on a clock that is moved by hand: re-issues on schedule, a
//! key rotation at noon, a stolen old token replayed, and a password change. Run
//! it with:
//!
//! ```sh
//! cargo run --example tokens --features jwt
//! ```
//!
//! It prints:
//!
//! ```text
//! Stateless: the token is the record.
//! 09:00:00  ada signs in; token signed by `spring`, good until 17:00:00
//! 09:14:59  request: served, nothing to send
//! 09:15:00  request: served, token issued anew, signed by `spring`, good until 17:00:00
//! 09:20:00  poll: served, nothing to send
//! 11:59:59  request: served, token issued anew, signed by `spring`, good until 17:00:00
//! 12:00:00  the next key signs from now on; `spring` verifies until 20:00:00
//! 12:14:58  request: served, nothing to send
//! 12:14:59  request: served, token issued anew, signed by `summer`, good until 17:00:00
//! 12:15:00  the token of 09:00:00 is replayed: served, since nothing ended it
//! 14:00:00  ada changes the password, and with it the epoch
//! 14:00:00  ada signs in; token signed by `summer`, good until 22:00:00
//! 14:00:01  request: served, nothing to send
//! 14:00:01  the token of 09:00:00 is replayed: refused, the session is revoked
//! 20:00:00  the token of 09:00:00 is replayed: refused, the token's key is retired since 2026-03-02T20:00:00Z
//! 21:59:59  request: served, token issued anew, signed by `summer`, good until 22:00:00
//! 22:00:00  request: refused, the session is refused since 2026-03-02T22:00:00Z: the absolute cap is reached
//!
//! Hybrid: the row decides, and the token names it.
//! 09:00:00  bob signs in; token 1
//! 09:15:00  request with token 1: served, token 2
//! 09:15:01  request with token 1: served, token 2
//! 09:15:05  request with token 2: served, nothing to send
//! 09:16:34  request with token 1: served, nothing to send
//! 09:16:35  a thief replays token 1: refused, the token was superseded
//! 09:16:36  request with token 2: refused, there is no such session
//! the audit log of these: started, reissued, forgiven, reuse_detected, rejected
//! ```

use std::error::Error;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use pollster::block_on;
use session_policy::jwt::{Algorithm, HybridSessions, JwtSessions, KeyRing, SigningKey};
use session_policy::store::StoreError;
use session_policy::{
    AuthenticateError, Authenticated, Bound, Bounds, Clock, Event, ManualClock, MemoryStore,
    SessionPolicy, SignIn, Timestamp,
};

fn main() -> Result<(), Box<dyn Error>> {
    play(&mut io::stdout().lock())
}

/// Plays the day and prints it to `out`.
pub(crate) fn play(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    writeln!(out, "Stateless: the token is the record.")?;
    stateless(out)?;
    writeln!(out, "\nHybrid: the row decides, and the token names it.")?;
    hybrid(out)
}

/// The epoch of the one user of this example, which changes with the password. A real
/// one stands in the user's row, beside the password's hash.
#[derive(Default)]
struct Epoch(AtomicU64);

impl Bounds for Epoch {
    async fn bound(&self, _: &str, _: &str) -> Result<Option<Bound>, StoreError> {
        Ok(Some(Bound::default().with_epoch(self.0.load(Ordering::SeqCst))))
    }
}

fn stateless(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let clock = ManualClock::new(today("09:00:00")?);
    let policy = SessionPolicy::WORKING_DAY;

    // The secrets come from a generator, not from a source file.
    let spring = SigningKey::secret("spring", Algorithm::Hs256, [1; 32])?;
    let summer = SigningKey::secret("summer", Algorithm::Hs256, [2; 32])?;
    let noon = today("12:00:00")?;
    let retires = noon.saturating_add(policy.max_age());
    let ring = KeyRing::new(spring)?.with_successor(summer, noon, retires)?;
    let kid = |now| String::from(ring.signs_at(now).unwrap_or("none"));

    let epoch = Arc::new(Epoch::default());
    let sign_in = || SignIn::of("ada").epoch(epoch.0.load(Ordering::SeqCst));
    let sessions = JwtSessions::new(ring.clone(), policy)
        .with_issuer("https://login.example")
        .with_audience("shop")
        .with_bounds(Arc::clone(&epoch))
        .with_clock(clock.clone());

    let started = block_on(sessions.start(sign_in()))?;
    let signed = format!("token signed by `{}`", kid(clock.now()));
    let until = time(started.session.lifetime().expires_at());
    writeln!(out, "{}  ada signs in; {signed}, good until {until}", time(clock.now()))?;
    let stolen = started.token.clone();
    let mut token = started.token;

    let answer = |served: Result<Authenticated, AuthenticateError>, now| match served {
        Ok(Authenticated { session, token: Some(token), .. }) => {
            let until = time(session.lifetime().expires_at());
            let text =
                format!("served, token issued anew, signed by `{}`, good until {until}", kid(now));
            (text, Some(token))
        }
        Ok(_) => ("served, nothing to send".into(), None),
        Err(error) => (format!("refused, {error}"), None),
    };
    for (now, what) in [
        ("09:14:59", "request"),
        ("09:15:00", "request"),
        ("09:20:00", "poll"),
        ("11:59:59", "request"),
        ("12:00:00", "rotation"),
        ("12:14:58", "request"),
        ("12:14:59", "request"),
        ("12:15:00", "replay"),
        ("14:00:00", "password"),
        ("14:00:01", "request"),
        ("14:00:01", "replay"),
        ("20:00:00", "replay"),
        ("21:59:59", "request"),
        ("22:00:00", "request"),
    ] {
        let instant = today(now)?;
        clock.set(instant);
        match what {
            "request" => {
                let (text, issued) =
                    answer(block_on(sessions.authenticate(token.expose())), instant);
                writeln!(out, "{now}  request: {text}")?;
                token = issued.unwrap_or(token);
            }
            "poll" => {
                let (text, _) = answer(block_on(sessions.peek(token.expose())), instant);
                writeln!(out, "{now}  poll: {text}")?;
            }
            "replay" => {
                let served = match block_on(sessions.peek(stolen.expose())) {
                    Ok(_) => "served, since nothing ended it".into(),
                    Err(error) => format!("refused, {error}"),
                };
                writeln!(out, "{now}  the token of 09:00:00 is replayed: {served}")?;
            }
            "password" => {
                epoch.0.fetch_add(1, Ordering::SeqCst);
                writeln!(out, "{now}  ada changes the password, and with it the epoch")?;
                let started = block_on(sessions.start(sign_in()))?;
                let until = time(started.session.lifetime().expires_at());
                let signed = format!("token signed by `{}`", kid(instant));
                writeln!(out, "{now}  ada signs in; {signed}, good until {until}")?;
                token = started.token;
            }
            _ => {
                let until = time(retires);
                writeln!(
                    out,
                    "{now}  the next key signs from now on; `spring` verifies until {until}"
                )?;
            }
        }
    }
    Ok(())
}

fn hybrid(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let clock = ManualClock::new(today("09:00:00")?);
    let ring = KeyRing::new(SigningKey::secret("spring", Algorithm::Hs256, [1; 32])?)?;
    let log = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&log);
    let audit = move |event: &Event<'_>| {
        let event = serde_json::to_value(event).unwrap_or_default();
        if let (Ok(mut log), Some(kind)) = (told.lock(), event["event"].as_str()) {
            log.push(kind.to_owned());
        }
    };
    let sessions = HybridSessions::new(MemoryStore::new(), ring, SessionPolicy::WORKING_DAY)?
        .with_clock(clock.clone())
        .with_observer(audit);

    let started = block_on(sessions.start("bob"))?;
    writeln!(out, "09:00:00  bob signs in; token {}", started.session.generation())?;
    let mut tokens = vec![started.token];
    for (now, who, generation) in [
        ("09:15:00", "request with", 1),
        ("09:15:01", "request with", 1), // the answer was lost
        ("09:15:05", "request with", 2),
        ("09:16:34", "request with", 1), // was under way
        ("09:16:35", "a thief replays", 1),
        ("09:16:36", "request with", 2),
    ] {
        clock.set(today(now)?);
        let answer = match block_on(sessions.authenticate(tokens[generation - 1].expose())) {
            Ok(Authenticated { session, token: Some(token), .. }) => {
                tokens.truncate(1);
                tokens.push(token);
                format!("served, token {}", session.generation())
            }
            Ok(_) => "served, nothing to send".into(),
            Err(error) => format!("refused, {error}"),
        };
        writeln!(out, "{now}  {who} token {generation}: {answer}")?;
    }
    let log = log.lock().map_err(|_| "poisoned")?.join(", ");
    writeln!(out, "the audit log of these: {log}")?;
    Ok(())
}

fn today(time: &str) -> Result<Timestamp, chrono::ParseError> {
    let instant: DateTime<Utc> = format!("2026-03-02T{time}Z").parse()?;
    Ok(instant.into())
}

fn time(at: Timestamp) -> String {
    let midnight = at.as_unix_secs().rem_euclid(86_400);
    let left = TimeDelta::seconds(midnight);
    format!("{:02}:{:02}:{:02}", left.num_hours(), left.num_minutes() % 60, left.num_seconds() % 60)
}
