use chrono::TimeDelta;
use session_policy::store::SessionParts;
use session_policy::{Decision, Lifetime, Session, SessionPolicy, Timestamp};

use crate::input::Input;
use crate::policy::{policy_of, settings};
use crate::second_rule::{Record, Settings, judge, verdict};

/// Whatever is read as a lifetime keeps the order of its instants, is written as
/// it was read, and is judged as laws 1, 2, 3, 9 and 10 have it.
pub fn lifetime(data: &[u8]) {
    let mut input = Input::new(data);
    let kind = input.byte() % 4;
    let settings = settings(&mut input);
    let choices: [u8; 4] = input.bytes();
    let read = match kind {
        0 => serde_json::from_slice(input.rest()).ok(),
        1 => postcard::from_bytes(input.rest()).ok(),
        2 => serde_json::from_slice::<Session>(input.rest()).ok().map(|session| whole(&session)),
        _ => restored(input),
    };
    if let Some(lifetime) = read {
        written_as_read(&lifetime);
        judged(&settings, &lifetime, choices);
    }
}

/// From four raw numbers, which are refused if and only if they are out of range
/// or out of order.
fn restored(mut input: Input<'_>) -> Option<Lifetime> {
    let base = input.one_of(&[0, 1_800_000_000, i64::MIN, i64::MAX, Timestamp::MAX.as_unix_secs()]);
    let mut instant = || match input.byte() % 3 {
        0 => input.int(),
        1 => base.saturating_add(input.int() % 100_000),
        _ => base.saturating_add(i64::from(input.byte())),
    };
    let raw = [instant(), instant(), instant(), instant()];
    let instants: Option<Vec<_>> = raw.iter().map(|secs| Timestamp::try_from(*secs).ok()).collect();
    let in_range = (Timestamp::MIN.as_unix_secs()..=Timestamp::MAX.as_unix_secs())
        .contains(raw.iter().min()?)
        && *raw.iter().max()? <= Timestamp::MAX.as_unix_secs();
    assert_eq!(instants.is_some(), in_range);
    let instants = instants?;
    let lifetime = Lifetime::restore(instants[0], instants[1], instants[2], instants[3]);
    assert_eq!(lifetime.is_ok(), raw.is_sorted());
    lifetime.ok()
}

/// A whole record goes the same ways.
fn whole(session: &Session) -> Lifetime {
    let json = serde_json::to_string(session).expect("a session serialises");
    assert_eq!(serde_json::from_str::<Session>(&json).as_ref().ok(), Some(session));
    let binary = postcard::to_allocvec(session).expect("a session serialises");
    assert_eq!(postcard::from_bytes::<Session>(&binary).as_ref(), Ok(session));
    let parts = SessionParts::from(session.clone());
    assert_eq!(Session::restore(parts).as_ref(), Ok(session));
    *session.lifetime()
}

fn written_as_read(lifetime: &Lifetime) {
    let instants = [
        lifetime.created_at(),
        lifetime.renewed_at(),
        lifetime.expires_at(),
        lifetime.absolute_expires_at(),
    ];
    assert!(instants.is_sorted(), "{lifetime:?}");
    assert!(instants.iter().all(|at| (Timestamp::MIN..=Timestamp::MAX).contains(at)));
    let json = serde_json::to_string(lifetime).expect("a lifetime serialises");
    assert_eq!(serde_json::from_str::<Lifetime>(&json).ok(), Some(*lifetime));
    let binary = postcard::to_allocvec(lifetime).expect("a lifetime serialises");
    assert_eq!(postcard::from_bytes::<Lifetime>(&binary), Ok(*lifetime));
}

fn judged(settings: &Settings, lifetime: &Lifetime, choices: [u8; 4]) {
    let policy = policy_of(settings);
    let secs = TimeDelta::seconds;
    let limits = [
        lifetime.created_at().saturating_sub(policy.clock_skew()),
        lifetime.renewed_at().saturating_add(policy.update_age()),
        lifetime.renewed_at().saturating_add(policy.max_age()),
        lifetime.expires_at(),
        lifetime.created_at().saturating_add(policy.absolute_cap()),
        lifetime.absolute_expires_at(),
        Timestamp::MIN,
        Timestamp::MAX,
    ];
    let mut record = *lifetime;
    for choice in choices {
        let limit = limits[usize::from(choice) % limits.len()];
        let now = limit.saturating_add(secs(i64::from(choice / 8 % 5) - 2));
        let decision = policy.evaluate(&record, now);
        law_2(&policy, lifetime, now, decision.is_served());
        assert_eq!(policy.peek(&record, now).is_served(), decision.is_served());
        agrees_with_the_second_rule(settings, &record, now, decision);
        if let Decision::Renew { lifetime: renewed } = decision {
            // Law 1, and law 6: nothing else changes.
            assert!(renewed.expires_at() <= renewed.absolute_expires_at());
            assert!(renewed.renewed_at() >= record.renewed_at());
            assert_eq!(renewed.created_at(), lifetime.created_at());
            assert_eq!(renewed.absolute_expires_at(), lifetime.absolute_expires_at());
            written_as_read(&renewed);
            record = renewed;
        }
        let status = policy.status(&record, now);
        assert!(status.idle_expires_at <= status.absolute_expires_at);
        assert!(status.absolute_expires_at <= lifetime.absolute_expires_at());
    }
}

fn law_2(policy: &SessionPolicy, lifetime: &Lifetime, now: Timestamp, served: bool) {
    let cap = lifetime.created_at().as_unix_secs() + policy.absolute_cap().num_seconds();
    let over = now >= lifetime.absolute_expires_at() || now.as_unix_secs() >= cap;
    assert!(!(served && over), "{lifetime:?} is served at {now:?}");
}

/// The second rule has no bound that saturates, so only where none is near.
fn agrees_with_the_second_rule(
    settings: &Settings,
    lifetime: &Lifetime,
    now: Timestamp,
    decision: Decision,
) {
    const MARGIN: i64 = 2 * 36_525 * 86_400;
    let inner = (Timestamp::MIN.as_unix_secs() + MARGIN)..(Timestamp::MAX.as_unix_secs() - MARGIN);
    let record = Record {
        created: lifetime.created_at().as_unix_secs(),
        renewed: lifetime.renewed_at().as_unix_secs(),
        expires: lifetime.expires_at().as_unix_secs(),
        cap: lifetime.absolute_expires_at().as_unix_secs(),
    };
    let now = now.as_unix_secs();
    if inner.contains(&record.created) && inner.contains(&record.cap) && inner.contains(&now) {
        assert_eq!(verdict(decision, &record, now), judge(settings, &record, now));
    }
}
