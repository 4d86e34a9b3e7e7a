//! What the service must do, from a list of rows and the second rule.

use session_policy::{RejectReason, Session, SessionId, WhenFull};

use crate::second_rule::{Record, Settings, Verdict, judge};

pub(super) struct Model {
    pub(super) now: i64,
    pub(super) rows: Vec<Row>,
    /// The default one first.
    pub(super) profiles: Vec<Profile>,
}

pub(super) struct Profile {
    pub(super) name: &'static str,
    pub(super) settings: Settings,
    pub(super) limit: Option<(usize, WhenFull)>,
}

#[derive(Clone)]
pub(super) struct Row {
    pub(super) id: SessionId,
    pub(super) subject: &'static str,
    pub(super) profile: &'static str,
    pub(super) version: u64,
    pub(super) record: Record,
    /// As the login made it.
    pub(super) first: Record,
}

#[derive(Debug)]
pub(super) enum Served {
    Rejected(RejectReason, i64),
    Unknown,
    /// Whether it was renewed, and whether a renewal that is due would gain time.
    Yes {
        renewed: bool,
        gains: bool,
    },
}

#[derive(Debug)]
pub(super) enum Refusal {
    /// And those that had been displaced by then.
    Full(Vec<SessionId>),
    Limit,
    Profile,
}

impl Row {
    pub(super) fn is_kept_as(&self, session: &Session) {
        let lifetime = session.lifetime();
        assert_eq!((session.subject(), session.profile()), (self.subject, self.profile));
        assert_eq!(session.version(), self.version);
        assert_eq!(lifetime.created_at().as_unix_secs(), self.first.created);
        assert_eq!(lifetime.renewed_at().as_unix_secs(), self.record.renewed);
        assert_eq!(lifetime.expires_at().as_unix_secs(), self.record.expires);
        assert_eq!(lifetime.absolute_expires_at().as_unix_secs(), self.first.cap);
    }
}

impl Model {
    pub(super) fn row(&self, id: SessionId) -> Option<&Row> {
        self.rows.iter().find(|row| row.id == id)
    }

    pub(super) fn take(&mut self, id: SessionId) -> Option<Row> {
        let at = self.rows.iter().position(|row| row.id == id)?;
        Some(self.rows.remove(at))
    }

    pub(super) fn remove(&mut self, ids: &[SessionId]) {
        self.rows.retain(|row| !ids.contains(&row.id));
    }

    /// The live sessions of which `is_meant` holds.
    pub(super) fn live(&self, is_meant: impl Fn(&Row) -> bool) -> Vec<&Row> {
        let lives = |row: &&Row| {
            is_meant(row) && !matches!(self.judge(row, &row.record), Verdict::Refuse { .. })
        };
        self.rows.iter().filter(lives).collect()
    }

    /// Whether a sign-in is let in, and whom it displaces: before it is created
    /// those that are ahead of the clock, then the oldest. One that is over at once
    /// does not count.
    pub(super) fn starts(
        &self,
        subject: &str,
        profile: &str,
        lives: bool,
        capacity: usize,
    ) -> Result<Vec<SessionId>, Refusal> {
        let profile =
            self.profiles.iter().find(|known| known.name == profile).ok_or(Refusal::Profile)?;
        let (most, when_full) = profile.limit.unwrap_or((usize::MAX, WhenFull::EndOldest));
        let counts =
            |row: &Row| row.subject == subject && self.profile(row.profile).name == profile.name;
        let mut live = self.live(counts);
        if when_full == WhenFull::Refuse && live.len() >= most {
            return Err(Refusal::Limit);
        }
        live.sort_by_key(|row| (row.record.created, row.id));
        let ahead = live.partition_point(|row| row.record.created <= self.now);
        let excess = (live.len() - ahead + 1).saturating_sub(most);
        let mut displaced: Vec<_> = live.drain(ahead..ahead + excess).map(|row| row.id).collect();
        if self.rows.len() - displaced.len() >= capacity {
            return Err(Refusal::Full(displaced));
        }
        let excess = (live.len() + usize::from(lives)).saturating_sub(most);
        displaced.extend(live.into_iter().take(excess).map(|row| row.id));
        Ok(displaced)
    }

    pub(super) fn new_row(
        &self,
        id: SessionId,
        subject: &'static str,
        profile: &'static str,
        ceiling: Option<i64>,
    ) -> Row {
        let Settings { idle, overall, .. } = self.profile(profile).settings;
        let (created, renewed) = (self.now, self.now);
        let cap = (created + overall).min(ceiling.unwrap_or(i64::MAX)).max(created);
        let first = Record { created, renewed, expires: (created + idle).min(cap), cap };
        Row { id, subject, profile, version: 0, record: first, first }
    }

    /// Serves, and renews where that gains time.
    pub(super) fn authenticate(&mut self, id: SessionId) -> Served {
        let Some(row) = self.row(id) else { return Served::Unknown };
        match self.judge(row, &row.record) {
            Verdict::Refuse { reason, over } => Served::Rejected(reason, over),
            Verdict::Keep { .. } => Served::Yes { renewed: false, gains: true },
            Verdict::Renew { left } => {
                let now = self.now;
                let (end, _) = self.deadlines(row);
                if now + left <= end {
                    return Served::Yes { renewed: false, gains: false };
                }
                let row = self.rows.iter_mut().find(|row| row.id == id).expect("the row");
                row.record = Record { renewed: now, expires: now + left, ..row.record };
                row.version += 1;
                Served::Yes { renewed: true, gains: true }
            }
        }
    }

    pub(super) fn peek(&self, id: SessionId) -> Served {
        match self.row(id).map(|row| self.judge(row, &row.record)) {
            None => Served::Unknown,
            Some(Verdict::Refuse { reason, over }) => Served::Rejected(reason, over),
            Some(_) => Served::Yes { renewed: false, gains: true },
        }
    }

    /// The record of the successor; judged by the record that the caller holds.
    pub(super) fn rotates(&self, session: &Session) -> Result<Record, Served> {
        let lifetime = session.lifetime();
        let record = Record {
            created: lifetime.created_at().as_unix_secs(),
            renewed: lifetime.renewed_at().as_unix_secs(),
            expires: lifetime.expires_at().as_unix_secs(),
            cap: lifetime.absolute_expires_at().as_unix_secs(),
        };
        let settings = &self.profile(session.profile()).settings;
        let record = match judge(settings, &record, self.now) {
            Verdict::Refuse { reason, over } => return Err(Served::Rejected(reason, over)),
            Verdict::Keep { .. } => record,
            Verdict::Renew { left } => {
                Record { renewed: self.now, expires: self.now + left, ..record }
            }
        };
        self.row(session.id()).map(|_| record).ok_or(Served::Unknown)
    }

    /// The end without activity, and whatever the activity.
    pub(super) fn deadlines(&self, row: &Row) -> (i64, i64) {
        let Settings { idle, overall, .. } = self.profile(row.profile).settings;
        let cap = row.record.cap.min(row.record.created + overall);
        (row.record.expires.min(row.record.renewed + idle).min(cap), cap)
    }

    /// Every instant that the rule compares with.
    pub(super) fn limits(&self, id: SessionId) -> Option<[i64; 6]> {
        let row = self.row(id)?;
        let Settings { throttle, skew, .. } = self.profile(row.profile).settings;
        let (end, cap) = self.deadlines(row);
        let Record { created, renewed, expires, .. } = row.record;
        Some([created - skew, renewed, renewed + throttle, end, expires, cap])
    }

    fn judge(&self, row: &Row, record: &Record) -> Verdict {
        judge(&self.profile(row.profile).settings, record, self.now)
    }

    /// An unknown profile is judged by the default policy.
    fn profile(&self, name: &str) -> &Profile {
        self.profiles.iter().find(|known| known.name == name).unwrap_or(&self.profiles[0])
    }
}
