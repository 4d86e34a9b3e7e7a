use std::fs;
use std::path::Path;

use session_policy::Policies;

use super::InputError;

/// The policies of a TOML or JSON file, as an application reads them: a set, also if it
/// is of one policy.
pub(crate) fn policies(file: &Path) -> Result<Policies, InputError> {
    let text = fs::read_to_string(file).map_err(|error| InputError::file(file, &error))?;
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => toml(file, &text),
        Some("json") => json(file, &text),
        _ => Err(InputError::new(
            file.display().to_string(),
            "not a policy file: its name ends neither in .toml nor in .json",
        )),
    }
}

fn toml(file: &Path, text: &str) -> Result<Policies, InputError> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&char| char != '\n').count() + 1;
        let place = format!("{}:{line}:{column}", file.display());
        InputError::new(place, one_line(error.message()))
    })
}

fn json(file: &Path, text: &str) -> Result<Policies, InputError> {
    serde_json::from_str(text).map_err(|error| {
        let place = format!("{}:{}:{}", file.display(), error.line(), error.column());
        let message = error.to_string();
        // The place is said already.
        let message = message.split(" at line ").next().unwrap_or_default();
        InputError::new(place, one_line(message))
    })
}

fn one_line(message: &str) -> String {
    let message = message.trim().replace('\n', ", ");
    if message.ends_with("expected `default` or `profiles`") {
        return format!("{message}: a single policy stands under `default`, too");
    }
    message
}
