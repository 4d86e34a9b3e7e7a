//! Instants and durations in words.

use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use session_policy::Timestamp;

/// An instant in UTC; the script turns it into the reader's own time.
pub(super) fn instant(at: Timestamp) -> Markup {
    let utc = DateTime::<Utc>::from(at);
    html! { time datetime=(at) { (utc.format("%-d %b %Y, %H:%M UTC")) } }
}

/// The largest whole unit: "8 hours", "45 days", "90 minutes".
pub(super) fn duration(duration: TimeDelta) -> String {
    let secs = duration.num_seconds();
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let fits = |(size, _): &(i64, &str)| secs % size == 0 && secs != 0;
    let (size, unit) = units.into_iter().find(fits).unwrap_or((1, "second"));
    let count = secs / size;
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// What a profile is called on a page.
pub(super) fn profile(name: &str) -> &str {
    match name {
        crate::app::ADMIN => "Administrator",
        crate::app::REMEMBER_ME => "Remembered device",
        _ => "Everyday",
    }
}
