//! The rule written a second way: two ages and two allowances, no deadlines.
//!
//! A session has been alive for one time and unused for another; each has an
//! allowance. Plain seconds, nothing of the crate's own code, and no bound that
//! saturates.

#![allow(dead_code, reason = "each test file uses its own part")]

use session_policy::{Decision, RejectReason};

/// `max_age`, `update_age`, `absolute_cap` and `clock_skew`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) idle: i64,
    pub(crate) throttle: i64,
    pub(crate) overall: i64,
    pub(crate) skew: i64,
}

/// `created_at`, `renewed_at`, `expires_at` and `absolute_expires_at`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) created: i64,
    pub(crate) renewed: i64,
    pub(crate) expires: i64,
    pub(crate) cap: i64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// Serve; good for so many seconds.
    Keep { left: i64 },
    /// Refuse; for so many seconds already.
    Refuse { reason: RejectReason, over: i64 },
    /// Serve and write; good for so many seconds then.
    Renew { left: i64 },
}

pub(crate) fn judge(settings: &Settings, record: &Record, now: i64) -> Verdict {
    let alive = now - record.created;
    let unused = now - record.renewed;
    if alive < -settings.skew {
        return Verdict::Refuse { reason: RejectReason::NotYetValid, over: alive + settings.skew };
    }
    let may_live = shorter(record.cap - record.created, settings.overall);
    let may_rest = shorter(record.expires - record.renewed, settings.idle);
    // By how much each allowance is overdrawn; what is overdrawn by more ran out
    // first, and a draw goes to the cap.
    let too_old = alive - may_live;
    let too_idle = unused - may_rest;
    if too_idle >= 0 && too_idle > too_old {
        Verdict::Refuse { reason: RejectReason::Idle, over: too_idle }
    } else if too_old >= 0 {
        Verdict::Refuse { reason: RejectReason::AbsoluteCap, over: too_old }
    } else if unused < settings.throttle {
        Verdict::Keep { left: shorter(-too_old, -too_idle) }
    } else {
        Verdict::Renew { left: shorter(-too_old, settings.idle) }
    }
}

/// The crate's decision in the words of this one; everything else of a renewal
/// must be as it was.
pub(crate) fn verdict(decision: Decision, record: &Record, now: i64) -> Verdict {
    match decision {
        Decision::Keep { until } => Verdict::Keep { left: until.as_unix_secs() - now },
        Decision::Reject { reason, since } => {
            Verdict::Refuse { reason, over: now - since.as_unix_secs() }
        }
        Decision::Renew { lifetime } => {
            assert_eq!(lifetime.created_at().as_unix_secs(), record.created);
            assert_eq!(lifetime.renewed_at().as_unix_secs(), now);
            assert_eq!(lifetime.absolute_expires_at().as_unix_secs(), record.cap);
            Verdict::Renew { left: lifetime.expires_at().as_unix_secs() - now }
        }
    }
}

fn shorter(one: i64, other: i64) -> i64 {
    if one < other { one } else { other }
}
