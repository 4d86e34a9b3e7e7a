//! What the service must do, from a list of rows and the second rule.

use session_policy::store::SecretHash;
use session_policy::{RejectReason, Session, SessionId, WhenFull};

use crate::second_rule::{Record, Settings, Verdict, judge};

pub(super) struct Model {
    pub(super) now: i64,
    pub(super) rows: Vec<Row>,
    /// The default one first.
    pub(super) profiles: Vec<Profile>,
    pub(super) retention: i64,
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
    pub(super) ordinal: u64,
    pub(super) secret: SecretHash,
    pub(super) version: u64,
    pub(super) record: Record,
    /// As the login made it.
    pub(super) first: Record,
}

#[derive(Debug)]
pub(super) enum Served {
    Rejected(RejectReason, i64),
    Unknown,
    WrongSecret,
    Yes { renewed: bool },
}

#[derive(Debug)]
pub(super) enum Refusal {
    Ceiling,
    Full,
    Profile,
    /// And which sessions are in the way.
    TooMany(Vec<SessionId>),
}

impl Row {
    pub(super) fn is_kept_as(&self, session: &Session) {
        let lifetime = session.lifetime();
        assert_eq!((session.subject(), session.profile()), (self.subject, self.profile));
        assert_eq!((session.version(), session.ordinal()), (self.version, self.ordinal));
        assert_eq!(*session.secret(), self.secret);
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

    /// Whether a sign-in is let in, and with which ordinal. A store that is full lets
    /// what has ended go.
    pub(super) fn starts(
        &mut self,
        subject: &str,
        profile: &str,
        ceiling: Option<i64>,
        replaced: Option<SessionId>,
        capacity: usize,
    ) -> Result<u64, Refusal> {
        if !self.profiles.iter().any(|known| known.name == profile) {
            return Err(Refusal::Profile);
        }
        let mut ordinal = 0;
        if let Some((most, when_full)) = self.profile(profile).limit {
            let listed = self.rows.iter().filter(|row| row.subject == subject);
            ordinal = 1 + listed.map(|row| row.ordinal).max().unwrap_or(0);
            let mut live = self.counted(subject, profile, replaced);
            live.retain(|row| self.now < self.deadlines(row).0);
            if when_full == WhenFull::Refuse && live.len() >= most {
                live.sort_by_key(|row| (row.record.created, row.id));
                return Err(Refusal::TooMany(live.iter().map(|row| row.id).collect()));
            }
        }
        if ceiling.is_some_and(|ceiling| ceiling <= self.now) {
            return Err(Refusal::Ceiling);
        }
        if self.rows.len() >= capacity {
            self.rows.retain(|row| self.now < row.record.expires);
        }
        if self.rows.len() < capacity { Ok(ordinal) } else { Err(Refusal::Full) }
    }

    /// What goes for a new session: those in excess that have ended, then by the order
    /// of the limit, and then the one that is replaced.
    pub(super) fn settle(&mut self, own: SessionId, replaced: Option<SessionId>) {
        let own = self.row(own).expect("a row");
        if let Some((most, when_full)) = self.profile(own.profile).limit {
            let mut rows = self.counted(own.subject, own.profile, replaced);
            let excess = rows.len().saturating_sub(most);
            rows.retain(|row| row.id != own.id);
            rows.sort_by_key(|row| {
                let lives = self.now < self.deadlines(row).0;
                let recent = lives && when_full == WhenFull::EndLeastRecent;
                let renewed = if recent { row.record.renewed } else { 0 };
                let order = if recent { (0, 0) } else { (row.ordinal, row.record.created) };
                (lives, renewed, order, row.id)
            });
            let gone: Vec<_> = rows[..excess].iter().map(|row| row.id).collect();
            self.remove(&gone);
        }
        self.remove(replaced.as_slice());
    }

    /// The rows that count against the limit of a profile.
    fn counted(&self, subject: &str, profile: &str, replaced: Option<SessionId>) -> Vec<&Row> {
        let profile = self.profile(profile).name;
        let counts = |row: &&Row| {
            row.subject == subject
                && self.profile(row.profile).name == profile
                && Some(row.id) != replaced
        };
        self.rows.iter().filter(counts).collect()
    }

    pub(super) fn new_row(
        &self,
        session: &Session,
        subject: &'static str,
        profile: &'static str,
        ceiling: Option<i64>,
        ordinal: u64,
    ) -> Row {
        let (id, secret) = (session.id(), *session.secret());
        let Settings { idle, overall, .. } = self.profile(profile).settings;
        let (created, renewed) = (self.now, self.now);
        let cap = (created + overall).min(ceiling.unwrap_or(i64::MAX)).max(created);
        let first = Record { created, renewed, expires: (created + idle).min(cap), cap };
        Row { id, subject, profile, ordinal, secret, version: 0, record: first, first }
    }

    /// Serves, and renews where that is due.
    pub(super) fn authenticate(&mut self, id: SessionId, secret: &SecretHash) -> Served {
        let Some(row) = self.row(id) else { return Served::Unknown };
        if row.secret != *secret {
            return Served::WrongSecret;
        }
        match self.judge(row, &row.record) {
            Verdict::Refuse { reason, over } => Served::Rejected(reason, over),
            Verdict::Keep { .. } => Served::Yes { renewed: false },
            Verdict::Renew { left } => {
                let now = self.now;
                let row = self.rows.iter_mut().find(|row| row.id == id).expect("the row");
                row.record = Record { renewed: now, expires: now + left, ..row.record };
                row.version += 1;
                Served::Yes { renewed: true }
            }
        }
    }

    pub(super) fn peek(&self, id: SessionId, secret: &SecretHash) -> Served {
        match self.row(id).map(|row| (row.secret == *secret, self.judge(row, &row.record))) {
            None => Served::Unknown,
            Some((false, _)) => Served::WrongSecret,
            Some((true, Verdict::Refuse { reason, over })) => Served::Rejected(reason, over),
            Some((true, _)) => Served::Yes { renewed: false },
        }
    }

    /// The record after a rotation: judged by the row, which must still have the caller's
    /// secret.
    pub(super) fn rotates(&self, session: &Session) -> Result<Record, Served> {
        let row = self.row(session.id()).filter(|row| row.secret == *session.secret());
        let row = row.ok_or(Served::Unknown)?;
        match self.judge(row, &row.record) {
            Verdict::Refuse { reason, over } => Err(Served::Rejected(reason, over)),
            Verdict::Keep { .. } => Ok(row.record),
            Verdict::Renew { left } => {
                Ok(Record { renewed: self.now, expires: self.now + left, ..row.record })
            }
        }
    }

    /// The end without activity, and whatever the activity.
    pub(super) fn deadlines(&self, row: &Row) -> (i64, i64) {
        let Settings { idle, overall, .. } = self.profile(row.profile).settings;
        let cap = row.record.cap.min(row.record.created + overall);
        (row.record.expires.min(row.record.renewed + idle).min(cap), cap)
    }

    /// Whether activity in the last second before the end would move it.
    pub(super) fn is_extendable(&self, row: &Row) -> bool {
        let (end, _) = self.deadlines(row);
        let last = judge(&self.profile(row.profile).settings, &row.record, end - 1);
        matches!(last, Verdict::Renew { left } if left > 1)
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
