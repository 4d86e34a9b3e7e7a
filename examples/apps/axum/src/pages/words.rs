//! Instants and durations in words. Instants are in UTC; the script turns them into the
//! reader's own time.

use std::fmt;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use maud::{Markup, html};
use session_policy::Timestamp;

use crate::guesses::Wait;

const UNITS: [(i64, &str); 4] = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];

/// An instant as short as it can be told from others: "16:00 UTC", "15 Jan, 16:00 UTC".
pub(super) fn clock(at: Timestamp, now: Timestamp) -> Markup {
    let [at_utc, now] = [at, now].map(DateTime::<Utc>::from);
    let format = if at_utc.date_naive() == now.date_naive() {
        "%H:%M UTC"
    } else if at_utc.year() == now.year() {
        "%-d %b, %H:%M UTC"
    } else {
        "%-d %b %Y, %H:%M UTC"
    };
    html! { time datetime=(at) { (at_utc.format(format)) } }
}

/// How long ago an instant was, with the instant itself where it is pointed at.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> Markup {
    let full = DateTime::<Utc>::from(at).format("%-d %b %Y, %H:%M UTC");
    html! { time .ago datetime=(at) title=(full) { (ago_text(at, now)) } }
}

pub(super) fn ago_text(at: Timestamp, now: Timestamp) -> String {
    let secs = now.since(at).num_seconds();
    match UNITS.into_iter().take(3).find(|(size, _)| secs >= *size) {
        Some((size, unit)) => format!("{} ago", count(secs / size, unit)),
        None => "just now".to_owned(),
    }
}

/// The largest whole unit: "8 hours", "45 days", "90 minutes".
pub(super) fn duration(duration: TimeDelta) -> String {
    let secs = duration.num_seconds();
    let fits = |(size, _): &(i64, &str)| secs % size == 0 && secs != 0;
    let (size, unit) = UNITS.into_iter().find(fits).unwrap_or((1, "second"));
    count(secs / size, unit)
}

pub(super) fn count(count: i64, unit: &str) -> String {
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// Rounded up: "1 minute", "45 seconds".
impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(secs) = *self;
        let minutes = (secs + 59) / 60;
        f.write_str(&if secs > 90 { count(minutes, "minute") } else { count(secs, "second") })
    }
}

/// What a profile is called on a page.
pub(super) fn profile(name: &str) -> &str {
    match name {
        crate::app::ADMIN => "Administrator",
        crate::app::REMEMBER_ME => "Remembered device",
        _ => "Everyday",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_so_long_ago() {
        let now = Timestamp::from_unix_secs(1_800_000_000);
        for (secs, words) in [
            (-5, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (3_600, "1 hour ago"),
            (86_400, "1 day ago"),
            (172_800, "2 days ago"),
        ] {
            let at = now.saturating_add(TimeDelta::seconds(-secs));
            assert_eq!(ago_text(at, now), words, "{secs} s");
        }
    }
}
