//! How does a policy play out over a working day?
//!
//! Reads a policy file and a log of request times, plays them through `Sessions`
//! over the embedded store with a clock that follows the log, and prints for each
//! request what was decided, what was written and what the browser was sent.
//!
//! ```sh
//! cargo run --example quickstart
//! cargo run --example quickstart -- examples/data/working-day.toml examples/data/working-day.log
//! ```
//!
//! It prints:
//!
//! ```text
//! 2026-03-02T09:00:00Z  sign-in  start until 2026-03-02T09:30:00Z wrote create   sent cookie, Max-Age=28800
//! 2026-03-02T09:00:01Z  request  keep until 2026-03-02T09:30:00Z  wrote nothing  sent nothing
//! 2026-03-02T09:00:40Z  request  keep until 2026-03-02T09:30:00Z  wrote nothing  sent nothing
//! 2026-03-02T09:02:10Z  request  keep until 2026-03-02T09:30:00Z  wrote nothing  sent nothing
//! 2026-03-02T09:04:59Z  request  keep until 2026-03-02T09:30:00Z  wrote nothing  sent nothing
//! 2026-03-02T09:05:00Z  request  renew until 2026-03-02T09:35:00Z wrote update   sent nothing
//! 2026-03-02T09:06:30Z  request  keep until 2026-03-02T09:35:00Z  wrote nothing  sent nothing
//! 2026-03-02T09:08:00Z  request  keep until 2026-03-02T09:35:00Z  wrote nothing  sent nothing
//! 2026-03-02T09:09:59Z  request  keep until 2026-03-02T09:35:00Z  wrote nothing  sent nothing
//! 2026-03-02T09:30:00Z  poll     keep until 2026-03-02T09:35:00Z  wrote nothing  sent nothing
//! 2026-03-02T09:34:59Z  request  renew until 2026-03-02T10:04:59Z wrote update   sent nothing
//! 2026-03-02T09:36:00Z  request  keep until 2026-03-02T10:04:59Z  wrote nothing  sent nothing
//! 2026-03-02T09:37:00Z  request  keep until 2026-03-02T10:04:59Z  wrote nothing  sent nothing
//! 2026-03-02T09:38:00Z  request  keep until 2026-03-02T10:04:59Z  wrote nothing  sent nothing
//! 2026-03-02T09:59:00Z  request  renew until 2026-03-02T10:29:00Z wrote update   sent nothing
//! 2026-03-02T10:20:00Z  request  renew until 2026-03-02T10:50:00Z wrote update   sent nothing
//! 2026-03-02T10:44:00Z  request  renew until 2026-03-02T11:14:00Z wrote update   sent nothing
//! 2026-03-02T11:05:00Z  request  renew until 2026-03-02T11:35:00Z wrote update   sent nothing
//! 2026-03-02T11:06:00Z  request  keep until 2026-03-02T11:35:00Z  wrote nothing  sent nothing
//! 2026-03-02T11:30:00Z  request  renew until 2026-03-02T12:00:00Z wrote update   sent nothing
//! 2026-03-02T11:54:00Z  request  renew until 2026-03-02T12:24:00Z wrote update   sent nothing
//! 2026-03-02T12:18:00Z  request  renew until 2026-03-02T12:48:00Z wrote update   sent nothing
//! 2026-03-02T12:42:00Z  request  renew until 2026-03-02T13:12:00Z wrote update   sent nothing
//! 2026-03-02T12:43:00Z  request  keep until 2026-03-02T13:12:00Z  wrote nothing  sent nothing
//! 2026-03-02T12:44:00Z  request  keep until 2026-03-02T13:12:00Z  wrote nothing  sent nothing
//! 2026-03-02T13:05:00Z  request  renew until 2026-03-02T13:35:00Z wrote update   sent nothing
//! 2026-03-02T13:29:00Z  request  renew until 2026-03-02T13:59:00Z wrote update   sent nothing
//! 2026-03-02T13:53:00Z  request  renew until 2026-03-02T14:23:00Z wrote update   sent nothing
//! 2026-03-02T14:17:00Z  request  renew until 2026-03-02T14:47:00Z wrote update   sent nothing
//! 2026-03-02T14:41:00Z  request  renew until 2026-03-02T15:11:00Z wrote update   sent nothing
//! 2026-03-02T15:05:00Z  request  renew until 2026-03-02T15:35:00Z wrote update   sent nothing
//! 2026-03-02T15:06:00Z  request  keep until 2026-03-02T15:35:00Z  wrote nothing  sent nothing
//! 2026-03-02T15:30:00Z  request  renew until 2026-03-02T16:00:00Z wrote update   sent nothing
//! 2026-03-02T15:54:00Z  request  renew until 2026-03-02T16:24:00Z wrote update   sent nothing
//! 2026-03-02T16:17:00Z  request  renew until 2026-03-02T16:47:00Z wrote update   sent nothing
//! 2026-03-02T16:41:00Z  request  renew until 2026-03-02T17:00:00Z wrote update   sent nothing
//! 2026-03-02T16:42:30Z  request  keep until 2026-03-02T17:00:00Z  wrote nothing  sent nothing
//! 2026-03-02T16:50:00Z  request  renew until 2026-03-02T17:00:00Z wrote update   sent nothing
//! 2026-03-02T16:59:59Z  request  renew until 2026-03-02T17:00:00Z wrote update   sent nothing
//! 2026-03-02T17:00:00Z  request  reject                           wrote nothing  sent nothing
//!
//! The session ended. 2026-03-02T17:00:00Z: the session is refused since 2026-03-02T17:00:00Z: the absolute cap is reached.
//! 37 requests were served with 22 writes; the throttle saved 15.
//! ```

use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::{env, fs};

use chrono::{DateTime, Utc};
use session_policy::{
    AuthenticateError, Authenticated, ManualClock, MemoryStore, Policies, RenewalOutcome,
    SessionToken, Sessions, Status, Timestamp,
};

const POLICY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/working-day.toml");
const LOG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/working-day.log");

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let policy = arguments.next().unwrap_or_else(|| POLICY.into());
    let log = arguments.next().unwrap_or_else(|| LOG.into());
    match pollster::block_on(play(&policy, &log)) {
        Ok(report) => {
            print!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn play(policy_path: &str, log_path: &str) -> Result<String, Box<dyn Error>> {
    let policies: Policies = toml::from_str(&read(policy_path)?)
        .map_err(|error| format!("{policy_path}: {}", one_line(&error)))?;
    let log = read(log_path)?;

    let clock = ManualClock::new(Timestamp::MIN);
    let sessions = Sessions::new(MemoryStore::new(), policies).with_clock(clock.clone());
    let mut token: Option<SessionToken> = None;
    let mut day = Day::default();
    for (number, line) in (1..).zip(log.lines()) {
        let at = |what: &dyn std::fmt::Display| format!("{log_path}:{number}: {what}");
        let Some(entry) = Entry::parse(line).map_err(|error| at(&error))? else { continue };
        clock.set(entry.instant);
        if entry.kind == Kind::SignIn {
            let started = sessions.start(entry.detail).await.map_err(|error| at(&error))?;
            let status = &started.status;
            day.row(&entry, &until("start", status), "create", &cookie(status))?;
            token = Some(started.token);
            continue;
        }
        let token =
            token.as_ref().ok_or_else(|| at(&"a request before the first sign-in"))?.expose();
        let judged = match entry.kind {
            Kind::Poll => sessions.peek(token).await,
            Kind::Request | Kind::SignIn => sessions.authenticate(token).await,
        };
        day.judged(&entry, judged)?;
    }
    Ok(day.finish()?)
}

/// What the day has come to so far.
#[derive(Default)]
struct Day {
    report: String,
    served: u32,
    written: u32,
    end: Option<String>,
}

impl Day {
    fn judged(
        &mut self,
        entry: &Entry<'_>,
        judged: Result<Authenticated, AuthenticateError>,
    ) -> Result<(), Box<dyn Error>> {
        match judged {
            Ok(Authenticated { renewal, status, token, .. }) => {
                if entry.kind == Kind::Request {
                    self.served += 1;
                }
                let (decision, written) = match renewal {
                    RenewalOutcome::Renewed => ("renew", "update"),
                    RenewalOutcome::NotDue | RenewalOutcome::Superseded => ("keep", "nothing"),
                    RenewalOutcome::Deferred(error) => return Err(error),
                };
                self.written += u32::from(written == "update");
                let sent = token.map_or("nothing".into(), |_| cookie(&status));
                self.row(entry, &until(decision, &status), written, &sent)?;
            }
            Err(error @ AuthenticateError::Rejected { .. }) => {
                self.row(entry, "reject", "nothing", "nothing")?;
                self.end.get_or_insert(format!("{}: {error}", entry.instant));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn row(
        &mut self,
        entry: &Entry<'_>,
        decision: &str,
        written: &str,
        sent: &str,
    ) -> std::fmt::Result {
        let Entry { instant, kind, .. } = entry;
        writeln!(
            self.report,
            "{instant}  {:<8} {decision:<32} wrote {written:<8} sent {sent}",
            kind.word()
        )
    }

    fn finish(mut self) -> Result<String, std::fmt::Error> {
        let Self { served, written, .. } = self;
        match self.end {
            Some(end) => writeln!(self.report, "\nThe session ended. {end}.")?,
            None => writeln!(self.report, "\nThe session was alive at the end of the log.")?,
        }
        writeln!(
            self.report,
            "{served} requests were served with {written} writes; the throttle saved {}.",
            served - written,
        )?;
        Ok(self.report)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Poll,
    Request,
    SignIn,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::Request => "request",
            Self::SignIn => "sign-in",
        }
    }
}

/// One line of the log: `INSTANT KIND DETAIL`.
struct Entry<'a> {
    instant: Timestamp,
    kind: Kind,
    detail: &'a str,
}

impl<'a> Entry<'a> {
    /// `None` for a comment or an empty line.
    fn parse(line: &'a str) -> Result<Option<Self>, String> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        let (instant, rest) = line.split_once(' ').unwrap_or((line, ""));
        let instant = instant
            .parse::<DateTime<Utc>>()
            .map_err(|error| {
                format!("`{}` is no RFC 3339 instant: {error}", instant.escape_debug())
            })?
            .into();
        let (word, detail) = rest.trim_start().split_once(' ').unwrap_or((rest.trim_start(), ""));
        let kinds = [Kind::Poll, Kind::Request, Kind::SignIn];
        let kind = kinds.into_iter().find(|kind| kind.word() == word).ok_or_else(|| {
            format!("`{}` is none of `poll`, `request`, `sign-in`", word.escape_debug())
        })?;
        Ok(Some(Self { instant, kind, detail: detail.trim() }))
    }
}

fn until(decision: &str, status: &Status) -> String {
    format!("{decision} until {}", status.idle_expires_at)
}

fn cookie(status: &Status) -> String {
    format!("cookie, Max-Age={}", status.cookie_max_age().num_seconds())
}

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}

/// TOML's errors show the place over several lines.
fn one_line(error: &toml::de::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
