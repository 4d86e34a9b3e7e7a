mod cause;
mod history;

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};
use session_policy::Timestamp;

use self::history::{End, Evidence, History};
use crate::Failure;
use crate::commands::help;
use crate::input::{Day, Events, Line};
use crate::report::{Report, Tally, count, json, shown};

/// Say from the event log why a user was signed out; 1 if any session ended
#[derive(Debug, clap::Args)]
#[command(after_help = help::WHY)]
pub(crate) struct Args {
    /// Whose sessions: the subject, exactly
    subject: String,
    /// The logs, in any order (JSON lines; `-` for standard input)
    #[arg(required = true)]
    events: Vec<PathBuf>,
    /// Only sessions that ended, or were refused first, on this day: in UTC, or at an offset
    #[arg(long, value_name = "YYYY-MM-DD[+HH:MM]")]
    on: Option<Day>,
}

/// More bad lines than these are only counted.
const NAMED: u64 = 20;

/// The answer, and whether every line was understood.
pub(crate) fn run(args: &Args) -> Result<(Report, bool), Failure> {
    let mut history = History::of(&args.subject);
    let (mut events, mut bad, mut unknown) = (0, 0, Tally::default());
    for file in &args.events {
        let mut lines = Events::open(file)?;
        while let Some(line) = lines.next()? {
            match line {
                Ok(Line::Event(event)) => {
                    events += 1;
                    history.add(event);
                }
                Ok(Line::Other) => {}
                Ok(Line::Unknown(kind)) => unknown.add(&kind),
                Ok(Line::Unproven) => events += 1,
                Err(error) => {
                    bad += 1;
                    if bad <= NAMED {
                        eprintln!("warning: {error}");
                    }
                }
            }
        }
    }
    history.read();
    if bad > NAMED {
        eprintln!("warning: {} more bad lines", bad - NAMED);
    }
    unknown.warn(|kind, times| {
        format!("{} of the unknown kind {kind}: left out", count(times, "event"))
    });
    if history.unnamed() > 0 {
        eprintln!(
            "warning: {} ended of which no line says whose: give the older logs, too",
            count(history.unnamed(), "session"),
        );
    }
    if events == 0 && bad == 0 {
        eprintln!("warning: there is no event of a session in it");
    }
    Ok((report(args, history), bad == 0))
}

fn report(args: &Args, history: History<'_>) -> Report {
    let (sessions, last) = (history.sessions() as u64, history.last());
    let mut ends = history.ends();
    let ended = ends.len() as u64;
    ends.retain(|end| args.on.is_none_or(|day| end.is_on(day)));
    let mut text = String::new();
    for end in &ends {
        let _ = writeln!(text, "{}", end.text());
    }
    let _ = write!(text, "{}: ", shown(&args.subject));
    let _ = match (last, args.on) {
        _ if sessions == 0 => write!(text, "no event names this subject"),
        (Some(last), None) => {
            write!(text, "{}, {ended} ended by {last}", count(sessions, "session"))
        }
        (_, Some(day)) => {
            write!(text, "{} ended on {day}, {ended} in all", count(ends.len() as u64, "session"))
        }
        (None, None) => Ok(()),
    };
    let rows: Vec<_> = ends.iter().map(|end| end.json(&args.subject)).collect();
    Report { text, found: !ends.is_empty(), json: rows.into() }
}

impl End {
    fn refused_at(&self) -> Option<Timestamp> {
        match self.evidence {
            Evidence::Deadline => None,
            Evidence::Event { refused_at } => refused_at,
            Evidence::Refused { at } => Some(at),
        }
    }

    /// Whether the session ended on this day, or the user first saw so.
    fn is_on(&self, day: Day) -> bool {
        day.has(self.at) || self.refused_at().is_some_and(|at| day.has(at))
    }

    fn text(&self) -> String {
        let profile = shown(self.profile.as_deref().unwrap_or("profile unknown"));
        let mut text = format!("{}  {} ({profile})  {}", self.at, self.session, self.cause);
        if let Some(at) = self.refused_at() {
            let _ = write!(text, "; a request was refused at {at}");
        }
        if matches!(self.evidence, Evidence::Deadline) {
            text.push_str("; no event says so, but this was its last deadline");
        }
        text
    }

    fn json(&self, subject: &str) -> Value {
        json!({
            "at": json(self.at),
            "session": json(self.session),
            "subject": subject,
            "profile": self.profile,
            "cause": self.cause.as_str(),
            "text": self.cause.to_string(),
            "evidence": match self.evidence {
                Evidence::Deadline => "deadline",
                Evidence::Event { .. } => "event",
                Evidence::Refused { .. } => "refused",
            },
            "refused_at": json(self.refused_at()),
        })
    }
}
