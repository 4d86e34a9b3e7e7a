//! A byte string as the life of a service: its users, its clock, its policies.

mod deployed;
mod model;

use chrono::TimeDelta;
use pollster::block_on;
use session_policy::store::{SecretHash, SessionStore, StoreError, Update};
use session_policy::{
    AuthenticateError, Authenticated, Decision, ManualClock, MemoryStore, Policies, RenewalOutcome,
    RotateError, Session, SessionId, SessionToken, Sessions, SignIn, StartError, Started,
    Timestamp,
};
use sha2::{Digest, Sha256};

use self::deployed::deployed;
use self::model::{Model, Row, Served};
use crate::input::Input;

const SUBJECTS: [&str; 3] = ["ada", "Ada", "grace"];
const PROFILES: [&str; 3] = ["default", "admin", "retired"];
const CAPACITY: usize = 12;
const LONGEST_LIFE: usize = 256;
/// What browsers keep.
const LONGEST_COOKIE: i64 = 400 * 86_400;

/// Whatever happens, the sessions that are served, renewed, refused, ended and
/// swept are those of a model that keeps a list and judges by the second rule.
pub fn sessions(data: &[u8]) {
    let mut input = Input::new(data);
    let mut service = Service::new(&mut input);
    for _ in 0..LONGEST_LIFE {
        if input.is_empty() {
            break;
        }
        service.step(&mut input);
        service.check();
    }
}

struct Service {
    store: MemoryStore,
    clock: ManualClock,
    policies: Policies,
    retention: TimeDelta,
    model: Model,
    /// Every token that was ever given out, and of which session.
    tokens: Vec<(SessionId, SessionToken)>,
    /// A request that has loaded its session and decided, and has not gone on.
    stale: Option<(Session, Update)>,
}

impl Service {
    fn new(input: &mut Input<'_>) -> Self {
        let now = 1_800_000_000;
        let (policies, profiles, retention) = deployed(input);
        let capacity = core::num::NonZeroUsize::new(CAPACITY).expect("not 0");
        Self {
            store: MemoryStore::with_capacity(capacity),
            clock: ManualClock::new(Timestamp::from_unix_secs(now)),
            policies,
            retention: TimeDelta::seconds(retention),
            model: Model { now, rows: Vec::new(), profiles, retention },
            tokens: Vec::new(),
            stale: None,
        }
    }

    fn sessions(&self) -> Sessions<&MemoryStore> {
        Sessions::new(&self.store, self.policies.clone())
            .with_clock(self.clock.clone())
            .with_retention(self.retention)
    }

    fn step(&mut self, input: &mut Input<'_>) {
        match input.byte() % 16 {
            0 | 1 => self.start(input),
            2 | 3 => self.authenticate(input),
            4 => self.peek(input),
            5 => self.rotate(input),
            6 => self.end(input),
            7 => self.end_many(input),
            8 => self.sweep(input),
            9 => self.set_clock(self.model.now + i64::from(input.byte())),
            10 => self.set_clock(self.model.now - i64::from(input.byte())),
            11 => self.set_clock_near_a_limit(input),
            12 => {
                let retention;
                (self.policies, self.model.profiles, retention) = deployed(input);
                self.model.retention = retention;
                self.retention = TimeDelta::seconds(retention);
            }
            13 => self.load_and_decide(input),
            14 => self.write_late(),
            _ => self.forge(input),
        }
    }

    fn set_clock(&mut self, now: i64) {
        // Within 20,000 years of 1970, far from the bounds at which time stops.
        self.model.now = now.clamp(-600_000_000_000, 600_000_000_000);
        self.clock.set(Timestamp::from_unix_secs(self.model.now));
    }

    fn set_clock_near_a_limit(&mut self, input: &mut Input<'_>) {
        let Some(limits) = self.some_token(input).and_then(|(id, _)| self.model.limits(id)) else {
            return;
        };
        self.set_clock(input.one_of(&limits) + input.near());
    }

    fn some_token(&self, input: &mut Input<'_>) -> Option<(SessionId, SessionToken)> {
        let back = usize::from(input.byte());
        let at = self.tokens.len().checked_sub(1)?;
        Some(self.tokens[at - back % self.tokens.len()].clone())
    }

    fn start(&mut self, input: &mut Input<'_>) {
        let subject = input.one_of(&SUBJECTS);
        let byte = input.byte();
        let profile = PROFILES[usize::from(byte) % PROFILES.len()];
        let ahead = input.byte();
        let ceiling =
            if ahead < 128 { None } else { Some(self.model.now + i64::from(ahead) - 130) };
        let until = ceiling.map_or(Timestamp::MAX, Timestamp::from_unix_secs);
        let mut sign_in = SignIn::of(subject).profile(profile).until(until);
        let place = self.tokens.len().checked_sub(1 + usize::from(byte >> 4 & 7));
        let replaced = place.filter(|_| byte >= 128).map(|place| self.tokens[place].0);
        let replaced = replaced.and_then(|id| block_on(self.store.load(&id)).expect("a memory"));
        if let Some(replaced) = &replaced {
            sign_in = sign_in.replacing(replaced);
        }
        let replaced = replaced.map(|session| session.id());
        let result = block_on(self.sessions().start(sign_in));
        match (result, self.model.starts(subject, profile, ceiling, replaced, CAPACITY)) {
            (Ok(started), Ok(ordinal)) => {
                let session = &started.session;
                let row = self.model.new_row(session, subject, profile, ceiling, ordinal);
                self.model.rows.push(row);
                self.model.settle(session.id(), replaced);
                assert!(self.tokens.iter().all(|(other, _)| *other != session.id()));
                self.handed_out(started);
            }
            (Err(StartError::UnknownProfile { .. }), Err(model::Refusal::Profile))
            | (Err(StartError::CeilingReached { .. }), Err(model::Refusal::Ceiling))
            | (
                Err(StartError::Store(StoreError::Full { capacity: CAPACITY })),
                Err(model::Refusal::Full),
            ) => {}
            (Err(StartError::TooMany { sessions, .. }), Err(model::Refusal::TooMany(ids))) => {
                assert_eq!(sessions.iter().map(Session::id).collect::<Vec<_>>(), ids);
            }
            (result, expected) => panic!("{result:?}, not {expected:?}"),
        }
    }

    fn handed_out(&mut self, started: Started) {
        let row = self.model.row(started.session.id()).expect("a row");
        row.is_kept_as(&started.session);
        let (idle, cap) = self.model.deadlines(row);
        assert_eq!(started.status.idle_expires_at.as_unix_secs(), idle);
        assert_eq!(started.status.absolute_expires_at.as_unix_secs(), cap);
        let age = (cap - self.model.now).clamp(0, LONGEST_COOKIE);
        assert_eq!(started.status.cookie_max_age().num_seconds(), age);
        self.tokens.push((started.session.id(), started.token));
    }

    fn authenticate(&mut self, input: &mut Input<'_>) {
        let Some((id, token)) = self.some_token(input) else { return };
        let result = block_on(self.sessions().authenticate(token.expose()));
        let expected = self.model.authenticate(id, &hash_of(&token));
        self.is_served_as(&token, result, expected);
    }

    fn peek(&mut self, input: &mut Input<'_>) {
        let Some((id, token)) = self.some_token(input) else { return };
        let result = block_on(self.sessions().peek(token.expose()));
        let expected = self.model.peek(id, &hash_of(&token));
        self.is_served_as(&token, result, expected);
    }

    fn is_served_as(
        &self,
        token: &SessionToken,
        result: Result<Authenticated, AuthenticateError>,
        expected: Served,
    ) {
        match (result, expected) {
            (Ok(served), Served::Yes { renewed }) => {
                let row = self.model.row(served.session.id()).expect("a row");
                row.is_kept_as(&served.session);
                // Laws 1 and 2.
                assert!(self.model.now < row.first.cap, "served after the cap of its login");
                assert!(row.record.expires <= row.first.cap);
                let (idle, cap) = self.model.deadlines(row);
                assert_eq!(served.status.now.as_unix_secs(), self.model.now);
                assert_eq!(served.status.idle_expires_at.as_unix_secs(), idle);
                assert_eq!(served.status.absolute_expires_at.as_unix_secs(), cap);
                assert_eq!(served.status.extendable, self.model.is_extendable(row));
                let outcome = match served.renewal {
                    RenewalOutcome::NotDue => false,
                    RenewalOutcome::Renewed => true,
                    other => panic!("{other:?} without a race"),
                };
                assert_eq!(outcome, renewed);
                let age = (cap - self.model.now).min(LONGEST_COOKIE);
                assert_eq!(served.status.cookie_max_age(), TimeDelta::seconds(age));
                let sent = served.token.as_ref().map(SessionToken::expose);
                let is_sent = renewed && cap - row.first.created > LONGEST_COOKIE;
                assert_eq!(sent, is_sent.then_some(token.expose()));
            }
            (Err(AuthenticateError::Rejected { reason, since }), Served::Rejected(why, over)) => {
                assert_eq!((reason, self.model.now - since.as_unix_secs()), (why, over));
            }
            (Err(AuthenticateError::Unknown), Served::Unknown)
            | (Err(AuthenticateError::WrongSecret), Served::WrongSecret) => {}
            (result, expected) => panic!("{result:?}, not {expected:?}"),
        }
    }

    fn rotate(&mut self, input: &mut Input<'_>) {
        let Some((id, _)) = self.some_token(input) else { return };
        // The record as a request had loaded it, perhaps long ago.
        let loaded = block_on(self.store.load(&id)).expect("a memory");
        let stale = self.stale.as_ref().map(|(session, _)| session.clone());
        let Some(session) = (if input.byte() < 128 { loaded } else { stale }) else { return };
        let result = block_on(self.sessions().rotate(&session));
        match (result, self.model.rotates(&session)) {
            (Ok(started), Ok(record)) => {
                let id = started.session.id();
                assert_eq!(id, session.id());
                let row = self.model.rows.iter_mut().find(|row| row.id == id).expect("the row");
                let secret = hash_of(&started.token);
                assert_ne!(row.secret, secret);
                *row = Row { secret, version: row.version + 1, record, ..row.clone() };
                self.handed_out(started);
            }
            (Err(RotateError::Rejected { reason, since }), Err(Served::Rejected(why, over))) => {
                assert_eq!((reason, self.model.now - since.as_unix_secs()), (why, over));
            }
            (Err(RotateError::Unknown), Err(Served::Unknown)) => {}
            (result, expected) => panic!("{result:?}, not {expected:?}"),
        }
    }

    fn end(&mut self, input: &mut Input<'_>) {
        let Some((id, _)) = self.some_token(input) else { return };
        let ended = block_on(self.sessions().end(&id)).expect("a memory");
        assert_eq!(ended, self.model.take(id).is_some());
    }

    fn end_many(&mut self, input: &mut Input<'_>) {
        let subject = input.one_of(&SUBJECTS);
        let of_subject = |row: &Row| row.subject == subject;
        let mut ids: Vec<_> =
            self.model.rows.iter().filter(|row| of_subject(row)).map(|row| row.id).collect();
        let ended = if input.byte() < 128 {
            block_on(self.sessions().end_all(subject))
        } else {
            let Some(spared) = ids.pop() else { return };
            let spared = block_on(self.store.load(&spared)).expect("a memory").expect("a row");
            block_on(self.sessions().end_others(&spared))
        };
        assert_eq!(ended.expect("a memory"), ids.len() as u64);
        self.model.remove(&ids);
    }

    /// It removes as many as it may of those that are due, and no other.
    fn sweep(&mut self, input: &mut Input<'_>) {
        let limit = u32::from(input.byte() % 8);
        let swept = block_on(self.sessions().sweep(limit)).expect("a memory");
        let before = self.model.now - self.model.retention;
        let due = self.model.rows.iter().filter(|row| row.record.expires <= before).count();
        assert_eq!(swept, u64::from(limit).min(due as u64));
        let gone: Vec<SessionId> = self
            .model
            .rows
            .iter()
            .map(|row| row.id)
            .filter(|id| block_on(self.store.load(id)).expect("a memory").is_none())
            .collect();
        assert_eq!(gone.len() as u64, swept);
        for id in &gone {
            let row = self.model.row(*id).expect("a row");
            assert!(row.record.expires <= before, "a session that is to be kept was swept");
        }
        self.model.remove(&gone);
    }

    fn load_and_decide(&mut self, input: &mut Input<'_>) {
        let Some((id, _)) = self.some_token(input) else { return };
        let Some(session) = block_on(self.store.load(&id)).expect("a memory") else { return };
        let policy = self.policies.policy_for(session.profile());
        let now = Timestamp::from_unix_secs(self.model.now);
        let lifetime = match policy.evaluate(session.lifetime(), now) {
            Decision::Renew { lifetime } => lifetime,
            Decision::Keep { .. } | Decision::Reject { .. } => *session.lifetime(),
        };
        let update = Update::new(&session, now, &lifetime);
        self.stale = Some((session, update));
    }

    /// It applies to the version it was made from, and never creates.
    fn write_late(&mut self) {
        let Some((session, update)) = &self.stale else { return };
        let written = block_on(self.store.update(update)).expect("a memory");
        let row = self.model.rows.iter_mut().find(|row| row.id == session.id());
        let expected = row.filter(|row| {
            row.version == session.version() && update.at().as_unix_secs() < row.record.cap
        });
        assert_eq!(written, expected.is_some());
        if let Some(row) = expected {
            row.version += 1;
            row.record.renewed = update.renewed_at().as_unix_secs();
            row.record.expires = update.expires_at().as_unix_secs();
        }
    }

    fn forge(&mut self, input: &mut Input<'_>) {
        let Some((id, _)) = self.some_token(input) else { return };
        let forged = SessionToken::from_parts(id, input.bytes());
        let error = block_on(self.sessions().authenticate(forged.expose())).expect_err("forged");
        let known = self.model.row(id).is_some();
        assert!(
            matches!(error, AuthenticateError::WrongSecret) && known
                || matches!(error, AuthenticateError::Unknown) && !known,
            "{error:?}",
        );
    }

    /// The store holds exactly what the model holds, and lists it so.
    fn check(&self) {
        assert_eq!(self.store.len(), self.model.rows.len());
        for subject in SUBJECTS {
            let stored = block_on(self.store.list(subject)).expect("a memory");
            let rows = self.model.rows.iter().filter(|row| row.subject == subject);
            assert_eq!(stored.len(), rows.count());
            for session in &stored {
                let row = self.model.row(session.id()).expect("a session that the model has");
                row.is_kept_as(session);
                assert!(row.record.cap <= row.first.cap && row.record.expires <= row.record.cap);
            }
            let live = block_on(self.sessions().list(subject)).expect("a memory");
            let listed: Vec<_> = live.iter().map(Session::id).collect();
            let mut expected: Vec<_> = self.model.live(|row| row.subject == subject);
            expected.sort_by_key(|row| (row.record.created, row.id));
            assert_eq!(listed, expected.iter().map(|row| row.id).collect::<Vec<_>>());
        }
    }
}

fn hash_of(token: &SessionToken) -> SecretHash {
    let (_, secret) = token.expose().split_once('.').expect("a full stop");
    SecretHash::from_bytes(Sha256::digest(secret).into())
}
