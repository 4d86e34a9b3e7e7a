use std::collections::BTreeMap;

use serde_json::Value;

/// What a command found, for people and for machines.
pub(crate) struct Report {
    pub(crate) text: String,
    pub(crate) json: Value,
    /// Whether it found something, for the exit status.
    pub(crate) found: bool,
}

/// A value of the core as JSON; never fails for the types it is used with, which
/// have string keys and finite numbers only.
pub(crate) fn json(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// How often names occurred that were not expected. Memory does not grow with them.
#[derive(Default)]
pub(crate) struct Tally {
    named: BTreeMap<String, u64>,
    /// Occurrences of the names that came too late to be kept.
    more: u64,
}

impl Tally {
    /// More names than these are only counted.
    const NAMED: usize = 20;

    pub(crate) fn add(&mut self, name: &str) {
        if let Some(times) = self.named.get_mut(name) {
            *times += 1;
        } else if self.named.len() < Self::NAMED {
            self.named.insert(name.to_owned(), 1);
        } else {
            self.more += 1;
        }
    }

    /// A warning per name, in backticks, and one for what is left.
    pub(crate) fn warn(&self, message: impl Fn(&str, u64) -> String) {
        for (name, times) in &self.named {
            let name = format!("`{}`", shown(name));
            eprintln!("warning: {}", message(&name, *times));
        }
        if self.more > 0 {
            eprintln!("warning: {}", message("(further names)", self.more));
        }
    }
}

/// A text of the input on one line: what cannot be seen is escaped, quotes are as they are.
pub(crate) fn shown(text: &str) -> String {
    const QUOTES: [char; 3] = ['\'', '"', '\\'];
    let pieces = text.split_inclusive(QUOTES).map(|piece| match piece.strip_suffix(QUOTES) {
        Some(text) => (text, &piece[text.len()..]),
        None => (piece, ""),
    });
    pieces.flat_map(|(text, quote)| text.escape_debug().chain(quote.chars())).collect()
}

/// A number of things: `1 session`, `2 sessions`.
pub(crate) fn count(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}
