//! What a fault makes of a session's fields, of a subject, and of an update.

use std::hash::{DefaultHasher, Hash, Hasher};

use session_policy::store::{SecretHash, SessionParts, Update};
use session_policy::{Lifetime, Session, SessionId, Timestamp};

use crate::faults::Fault;
use crate::planted::today;

/// What the columns keep of a session.
pub(super) fn stored(fault: Fault, session: &Session) -> Session {
    let mut parts = session.clone().into_parts();
    let signed = |count: u64| count.min(i64::MAX.cast_unsigned());
    match fault {
        Fault::AboutCutAt255 => parts.about = parts.about.map(|about| cut(&about, 255)),
        Fault::AboutIgnored => parts.about = None,
        Fault::AboutTrimmed => parts.about = parts.about.map(|about| about.trim().into()),
        Fault::ConfirmationAt0IsNone => {
            parts.confirmed_at = parts.confirmed_at.filter(|at| at.as_unix_secs() != 0);
        }
        Fault::CountsOf4BytesAreSigned => {
            parts.version = of_4_bytes_signed(parts.version);
            parts.generation = of_4_bytes_signed(parts.generation);
        }
        Fault::CountsIn32Bits => {
            parts.version &= u64::from(u32::MAX);
            parts.generation &= u64::from(u32::MAX);
        }
        Fault::EpochAt0IsNone => parts.epoch = parts.epoch.filter(|epoch| *epoch != 0),
        Fault::EpochIgnored => parts.epoch = None,
        Fault::EpochInADouble => parts.epoch = parts.epoch.map(in_a_double),
        Fault::EpochNoneIs0 => parts.epoch = Some(parts.epoch.unwrap_or(0)),
        Fault::EpochSigned => parts.epoch = parts.epoch.map(signed),
        Fault::GenerationIsVersion => parts.generation = parts.version,
        Fault::InstantsBefore1970AreZero => each_instant(&mut parts, |seconds| seconds.max(0)),
        Fault::InstantsIn32Bits => {
            each_instant(&mut parts, |seconds| seconds.clamp(0, i64::from(u32::MAX)));
        }
        Fault::InstantsUpTo9999 => {
            each_instant(&mut parts, |seconds| seconds.min(253_402_300_799));
        }
        Fault::OrdinalOf4BytesIsSigned => parts.ordinal = of_4_bytes_signed(parts.ordinal),
        Fault::OrdinalIgnored => parts.ordinal = 0,
        Fault::OrdinalIn32Bits => parts.ordinal &= u64::from(u32::MAX),
        Fault::OrdinalSigned => parts.ordinal = signed(parts.ordinal),
        Fault::ProfileCutAt48 => parts.profile = cut(&parts.profile, 48),
        Fault::ProfileIgnored => parts.profile = "default".into(),
        Fault::ProfileTrimmed if !parts.profile.trim_end().is_empty() => {
            parts.profile = parts.profile.trim_end().into();
        }
        Fault::SecondBefore1970IsNone => {
            // An error of C's mktime.
            parts.confirmed_at = parts.confirmed_at.filter(|at| at.as_unix_secs() != -1);
        }
        Fault::SecretCutAt31 => {
            let mut secret = *parts.secret.as_bytes();
            secret[31] = 0;
            parts.secret = SecretHash::from_bytes(secret);
        }
        Fault::SecretInAscii => {
            parts.secret = SecretHash::from_bytes(parts.secret.as_bytes().map(|byte| byte & 0x7f));
        }
        Fault::SecretTrimmed => {
            let secret = *parts.secret.as_bytes();
            let end = secret.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
            let mut kept = [0; SecretHash::BYTES];
            kept[..end].copy_from_slice(&secret[..end]);
            parts.secret = SecretHash::from_bytes(kept);
        }
        Fault::SubjectCutAt255 => parts.subject = cut(&parts.subject, 255),
        Fault::SubjectTrimmed if !parts.subject.trim_end().is_empty() => {
            parts.subject = parts.subject.trim_end().into();
        }
        Fault::VersionInADouble => {
            parts.version = in_a_double(parts.version);
        }
        _ => {}
    }
    Session::restore(parts).unwrap()
}

/// As an encoding reads it that has 4 or 8 bytes for a number, and a sign in the 4.
fn of_4_bytes_signed(count: u64) -> u64 {
    match u32::try_from(count) {
        Ok(short) => i64::from(short.cast_signed()).cast_unsigned(),
        Err(_) => count,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the fault"
)]
fn in_a_double(count: u64) -> u64 {
    count as f64 as u64
}

fn cut<T: for<'a> From<&'a str>>(text: &str, bytes: usize) -> T {
    let end = (0..=bytes.min(text.len())).rfind(|end| text.is_char_boundary(*end));
    T::from(&text[..end.unwrap_or(0)])
}

/// What the index by subject compares.
pub(super) fn subject_key(fault: Fault, subject: &str) -> String {
    let without =
        |is_ignored: fn(char) -> bool| subject.chars().filter(|c| !is_ignored(*c)).collect();
    let each = |change: fn(char) -> char| subject.chars().map(change).collect();
    let short = |bits: u32| {
        let mut hasher = DefaultHasher::new();
        subject.hash(&mut hasher);
        (hasher.finish() & ((1 << bits) - 1)).to_string()
    };
    match fault {
        Fault::SubjectsBySum => subject.bytes().map(u64::from).sum::<u64>().to_string(),
        Fault::SubjectsByHashOf16Bits => short(16),
        Fault::SubjectsByHashOf32Bits => short(32),
        Fault::SubjectsCutAt64 => cut(subject, 64),
        Fault::SubjectsCutAt767 => cut(subject, 767),
        Fault::SubjectsIgnoreAccents => each(|c| match c {
            '\u{e9}' | '\u{e8}' => 'e',
            '\u{e5}' => 'a',
            other => other,
        }),
        Fault::SubjectsIgnoreCase => subject.to_lowercase(),
        Fault::SubjectsIgnoreControls => without(char::is_control),
        Fault::SubjectsIgnoreHyphens => without(|c| matches!(c, '-' | '\u{ad}')),
        Fault::SubjectsIgnoreKana => each(|c| match c {
            '\u{30a1}'..='\u{30f6}' => char::from_u32(u32::from(c) - 0x60).unwrap_or(c),
            other => other,
        }),
        Fault::SubjectsIgnoreMarks => without(|c| matches!(c, '\u{300}'..='\u{36f}')),
        Fault::SubjectsIgnoreTrailingSpace => subject.trim_end_matches(' ').to_owned(),
        Fault::SubjectsIgnoreWidth => each(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            other => other,
        }),
        Fault::SubjectsIgnoreZeroWidth => {
            without(|c| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'))
        }
        Fault::SubjectsInThePlane => each(|c| if u32::from(c) > 0xffff { '?' } else { c }),
        Fault::SubjectsNumeric => {
            subject.parse::<f64>().map_or_else(|_| subject.to_owned(), |number| number.to_string())
        }
        _ => subject.to_owned(),
    }
}

/// What an id is looked up by.
pub(super) fn id_key(fault: Fault, id: SessionId) -> SessionId {
    let mut bytes = *id.as_bytes();
    match fault {
        Fault::IdsCutAt15Bytes => bytes[15] = 0,
        Fault::IdsIgnoreCase => bytes.make_ascii_lowercase(),
        Fault::IdsByHashOf32Bits => {
            let mut hasher = DefaultHasher::new();
            id.hash(&mut hasher);
            bytes = [0; 16];
            bytes[12..].copy_from_slice(&hasher.finish().to_le_bytes()[..4]);
        }
        Fault::IdsFolded => {
            for byte in 0..8 {
                bytes[byte] ^= bytes[byte + 8];
                bytes[byte + 8] = 0;
            }
        }
        _ => {}
    }
    SessionId::from_bytes(bytes)
}

/// The record after an update, where the guard (less its fault) holds.
pub(super) fn updated(fault: Fault, held: &Session, update: &Update) -> Option<Session> {
    let is = |other: Fault| fault == other;
    let was = held.lifetime();
    let (stored_cap, expected) = (was.absolute_expires_at(), update.expected_version());
    let version = match fault {
        Fault::GuardIgnoresVersion => true,
        Fault::GuardIn32Bits => expected & 0xffff_ffff == held.version() & 0xffff_ffff,
        Fault::GuardInADouble => in_a_double(expected) == in_a_double(held.version()),
        Fault::GuardTakesLaterVersions => expected >= held.version(),
        Fault::GuardTakesVersion0 => expected == held.version() || expected == 0,
        _ => expected == held.version(),
    };
    let cap = match fault {
        Fault::GuardClosedAtCap => update.at() <= stored_cap,
        Fault::GuardIgnoresCap => true,
        Fault::GuardJudgesCap => update.at() < stored_cap && stored_cap > today(),
        Fault::GuardJudges => was.expires_at() > today(),
        Fault::GuardJudgesAt => update.at() < was.expires_at(),
        Fault::GuardTakesRenewedAt => update.renewed_at() < stored_cap,
        Fault::GuardWantsAtAfter => update.at() < stored_cap && update.at() >= was.renewed_at(),
        _ => update.at() < stored_cap,
    };
    let order = match fault {
        Fault::GuardGoesBack => true,
        Fault::GuardOnlyForward => update.renewed_at() > was.renewed_at(),
        Fault::GuardOnlyLengthens => {
            update.renewed_at() >= was.renewed_at() && update.expires_at() >= was.expires_at()
        }
        Fault::GuardWantsChange => {
            update.renewed_at() >= was.renewed_at()
                && (update.expires_at(), update.renewed_at())
                    != (was.expires_at(), was.renewed_at())
        }
        _ => update.renewed_at() >= was.renewed_at(),
    };
    let short =
        [Fault::IdsByHashOf32Bits, Fault::IdsCutAt15Bytes, Fault::IdsFolded, Fault::IdsIgnoreCase];
    if update.id() != held.id() && !short.contains(&fault) || !(version && cap && order) {
        return None;
    }
    let (mut created_at, mut new_cap) = (was.created_at(), stored_cap);
    let (mut renewed_at, mut expires_at) = (update.renewed_at(), update.expires_at());
    match fault {
        Fault::GuardPastCap => new_cap = new_cap.max(expires_at),
        Fault::UpdateClampsToCap => expires_at = expires_at.min(new_cap),
        Fault::UpdateIgnoresExpiry => expires_at = was.expires_at().max(renewed_at),
        Fault::UpdateIgnoresRenewedAt => renewed_at = was.renewed_at(),
        Fault::UpdateMovesCap => new_cap = expires_at,
        Fault::UpdateMovesCreation => created_at = renewed_at,
        Fault::UpdateSwapsOrder => renewed_at = renewed_at.min(expires_at),
        Fault::UpdateTruncatesToMinutes => {
            renewed_at = minutes(renewed_at).max(created_at);
            expires_at = minutes(expires_at).max(renewed_at);
        }
        _ => {}
    }
    let changes = (renewed_at, expires_at) != (was.renewed_at(), was.expires_at());
    let mut parts = held.clone().into_parts();
    parts.lifetime = Lifetime::restore(created_at, renewed_at, expires_at, new_cap).ok()?;
    parts.version = match fault {
        Fault::UpdateCountsChangesOnly => held.version() + u64::from(changes),
        Fault::UpdateKeepsVersion => held.version(),
        _ => held.version().checked_add(1)?,
    };
    if !is(Fault::UpdateIgnoresSecret) {
        parts.secret = *update.secret();
    }
    match fault {
        Fault::UpdateIgnoresGeneration => {}
        Fault::UpdateOnlyRaisesGeneration => {
            parts.generation = parts.generation.max(update.generation());
        }
        _ => parts.generation = update.generation(),
    }
    match fault {
        Fault::UpdateIgnoresConfirmation => {}
        Fault::UpdateKeepsConfirmation => {
            parts.confirmed_at = update.confirmed_at().or(parts.confirmed_at);
        }
        _ => parts.confirmed_at = update.confirmed_at(),
    }
    match fault {
        Fault::UpdateForgetsAbout => parts.about = None,
        Fault::UpdateForgetsEpoch => parts.epoch = None,
        Fault::UpdateForgetsOrdinal => parts.ordinal = 0,
        Fault::UpdateForgetsProfile => parts.profile = "default".into(),
        _ => {}
    }
    Some(stored(fault, &Session::restore(parts).unwrap()))
}

fn each_instant(parts: &mut SessionParts, change: impl Fn(i64) -> i64) {
    let change = |at: Timestamp| Timestamp::from_unix_secs(change(at.as_unix_secs()));
    let lifetime = parts.lifetime;
    parts.lifetime = Lifetime::restore(
        change(lifetime.created_at()),
        change(lifetime.renewed_at()),
        change(lifetime.expires_at()),
        change(lifetime.absolute_expires_at()),
    )
    .unwrap();
    parts.confirmed_at = parts.confirmed_at.map(change);
}

fn minutes(at: Timestamp) -> Timestamp {
    Timestamp::from_unix_secs(at.as_unix_secs().div_euclid(60) * 60)
}
