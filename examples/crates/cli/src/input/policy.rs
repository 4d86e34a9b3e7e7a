use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use session_policy::{Policies, SessionPolicy};

use super::InputError;

/// The policies of a TOML or JSON file: one policy, or a set.
pub(crate) fn policies(file: &Path) -> Result<Policies, InputError> {
    let text = fs::read_to_string(file).map_err(|error| InputError::file(file, &error))?;
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => {
            let table: toml::Table = toml(file, &text)?;
            if is_set(|key| table.contains_key(key)) {
                toml(file, &text)
            } else {
                toml::<SessionPolicy>(file, &text).map(Into::into)
            }
        }
        Some("json") => {
            let value: serde_json::Value = json(file, &text)?;
            if is_set(|key| value.get(key).is_some()) {
                json(file, &text)
            } else {
                json::<SessionPolicy>(file, &text).map(Into::into)
            }
        }
        _ => Err(InputError::new(
            file.display().to_string(),
            "not a policy file: its name ends neither in .toml nor in .json",
        )),
    }
}

fn is_set(has: impl Fn(&str) -> bool) -> bool {
    has("default") || has("profiles")
}

fn toml<T: DeserializeOwned>(file: &Path, text: &str) -> Result<T, InputError> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&char| char != '\n').count() + 1;
        let place = format!("{}:{line}:{column}", file.display());
        InputError::new(place, one_line(error.message()))
    })
}

fn json<T: DeserializeOwned>(file: &Path, text: &str) -> Result<T, InputError> {
    serde_json::from_str(text).map_err(|error| {
        let place = format!("{}:{}:{}", file.display(), error.line(), error.column());
        let message = error.to_string();
        // The place is said already.
        let message = message.split(" at line ").next().unwrap_or_default();
        InputError::new(place, one_line(message))
    })
}

fn one_line(message: &str) -> String {
    message.trim().replace('\n', ", ")
}
