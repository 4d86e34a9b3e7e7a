use core::fmt::Display;

use serde_json::Value;
use serde_json::value::RawValue;
use session_policy::{Policies, SessionPolicy};

use crate::input::Input;
use crate::policy::check;

const KEYS: [&str; 6] =
    ["max_age", "update_age", "absolute_cap", "clock_skew", "max_sessions", "when_full"];

/// What is accepted is valid and reads back as it is written; what is refused
/// although it is well-formed is refused with a key, in one line.
pub fn config(data: &[u8]) {
    let mut input = Input::new(data);
    let kind = input.byte() % 7;
    let key = KEYS[usize::from(input.byte()) % KEYS.len()];
    let Some(text) = input.text() else { return };
    match kind {
        0 => json::<Policies>(text, check_all),
        1 => toml::<Policies>(text, check_all),
        2 => json::<SessionPolicy>(text, check),
        3 => toml::<SessionPolicy>(text, check),
        4 => variables(text),
        5 => one_value_in_json(key, text),
        _ => one_value_in_toml(key, text),
    }
}

/// What can be read and written.
trait Config:
    for<'de> serde::Deserialize<'de> + serde::Serialize + PartialEq + core::fmt::Debug
{
}

impl Config for Policies {}
impl Config for SessionPolicy {}

fn json<T: Config>(text: &str, check: impl Fn(&T)) {
    match serde_json::from_str::<T>(text) {
        Ok(read) => {
            check(&read);
            reads_back(&read);
        }
        Err(error) if serde_json::from_str::<Value>(text).is_ok() => {
            refused(&error, &["max_age", "default", "profile"]);
        }
        Err(_) => {}
    }
}

fn toml<T: Config>(text: &str, check: impl Fn(&T)) {
    match ::toml::from_str::<T>(text) {
        Ok(read) => {
            check(&read);
            reads_back(&read);
        }
        Err(error) if text.parse::<::toml::Table>().is_ok() => {
            refused(&error.message(), &["max_age", "default", "profile"]);
        }
        Err(_) => {}
    }
}

fn reads_back<T: Config>(read: &T) {
    let json = serde_json::to_string(read).expect("JSON");
    assert_eq!(serde_json::from_str::<T>(&json).as_ref().ok(), Some(read), "{json}");
    let toml = ::toml::to_string(read).expect("TOML");
    assert_eq!(::toml::from_str::<T>(&toml).as_ref(), Ok(read), "{toml}");
    let binary = postcard::to_allocvec(read).expect("postcard");
    assert_eq!(postcard::from_bytes::<T>(&binary).as_ref(), Ok(read));
}

fn check_all(policies: &Policies) {
    check(policies.default_policy());
    for (name, policy) in policies.profiles() {
        assert!(name != Policies::DEFAULT && (1..=64).contains(&name.len()), "{name:?}");
        assert!(!name.contains(char::is_control), "{name:?}");
        assert_eq!(policies.policy_for(name), policy);
        check(policy);
    }
}

/// A message names one of the keys, or any of them where none was asked for, and
/// cannot forge a line of a log.
fn refused(error: &impl Display, keys: &[&str]) {
    let message = error.to_string();
    let named = |keys: &[&str]| keys.iter().any(|key| message.contains(key));
    assert!(named(keys) || keys.len() > 1 && named(&KEYS), "no key in {message:?}");
    assert!(!message.contains(char::is_control), "control characters in {message:?}");
}

fn variables(text: &str) {
    let mut lines = text.split('\n');
    let values: [Option<&str>; 4] = std::array::from_fn(|_| lines.next());
    let names = [
        "SESSION_MAX_AGE",
        "SESSION_UPDATE_AGE",
        "SESSION_ABSOLUTE_LIFETIME_DAYS",
        "SESSION_ABSOLUTE_CAP",
    ];
    let lookup = |asked: &str| {
        let at = names.iter().position(|name| *name == asked).expect("a documented name");
        values[at].filter(|value| *value != "-")
    };
    match SessionPolicy::from_vars(lookup) {
        Ok(policy) => {
            check(&policy);
            let read = |at: usize| lookup(names[at]).map(seconds);
            assert_eq!(read(0), Some(policy.max_age().num_seconds().into()));
            assert_eq!(read(1), Some(policy.update_age().num_seconds().into()));
            let days = lookup(names[2]).map(|days| days.parse::<i128>().expect("whole days"));
            assert!(days.is_none() || read(3).is_none(), "two caps");
            let cap = read(3).unwrap_or(days.unwrap_or(45) * 86_400);
            assert_eq!(cap, policy.absolute_cap().num_seconds().into());
        }
        Err(error) => refused(&error, &["SESSION_"]),
    }
}

/// One value of a policy that is otherwise good.
fn one_value_in_json(key: &str, value: &str) {
    if serde_json::from_str::<&RawValue>(value).is_err() {
        return;
    }
    let (others, wanted) = others(key);
    let others: Vec<_> = others.map(|(key, value)| format!("\"{key}\":{value}")).collect();
    let text = format!("{{\"default\":{{\"{key}\":{value},{}}}}}", others.join(","));
    let text_value = serde_json::from_str::<String>(value).ok();
    one_value(key, wanted, text_value.as_deref(), serde_json::from_str::<Policies>(&text));
}

fn one_value_in_toml(key: &str, value: &str) {
    let Ok(table) = format!("value = {value}").parse::<::toml::Table>() else { return };
    if table.len() != 1 {
        return; // It had a line feed.
    }
    let (others, wanted) = others(key);
    let others: Vec<_> = others.map(|(key, value)| format!("{key} = {value}\n")).collect();
    let text = format!("[default]\n{}{key} = {value}\n", others.concat());
    let read = ::toml::from_str::<Policies>(&text).map_err(|error| error.message().to_owned());
    one_value(key, wanted, table["value"].as_str(), read);
}

type Get = fn(&Policies) -> i64;

/// Good values under the other keys, and how to read the one that is fuzzed.
fn others(key: &str) -> (impl Iterator<Item = (&'static str, &'static str)>, Option<Get>) {
    let good = ["\"45d\"", "\"0s\"", "\"45d\"", "\"60s\"", "3", "\"refuse\""];
    let get: Option<Get> = match key {
        "max_age" => Some(|read| read.default_policy().max_age().num_seconds()),
        "update_age" => Some(|read| read.default_policy().update_age().num_seconds()),
        "absolute_cap" => Some(|read| read.default_policy().absolute_cap().num_seconds()),
        "clock_skew" => Some(|read| read.default_policy().clock_skew().num_seconds()),
        _ => None,
    };
    let key = key.to_owned();
    (KEYS.into_iter().zip(good).filter(move |(other, _)| *other != key), get)
}

fn one_value<E: Display>(
    key: &str,
    get: Option<Get>,
    text: Option<&str>,
    read: Result<Policies, E>,
) {
    match read {
        Ok(read) => {
            check_all(&read);
            reads_back(&read);
            if let (Some(get), Some(text)) = (get, text) {
                assert_eq!(i128::from(get(&read)), seconds(text), "{text:?}");
            }
        }
        Err(error) => {
            refused(&error, &[key]);
            let (error, text) = (error.to_string(), text.filter(|_| get.is_some()));
            let is_written = text.is_some_and(as_people_write_it);
            assert!(!is_written || !error.contains("is not a duration"), "{error}");
            // Whatever number people write, they are told that it has no unit.
            let is_number = text.is_some_and(is_number);
            assert!(!is_number || error.contains("has no unit"), "{error}");
        }
    }
}

/// What an accepted duration comes to, read without a grammar.
fn seconds(text: &str) -> i128 {
    let (mut sum, mut number) = (0, None);
    for character in text.chars() {
        let length = match character {
            '0'..='9' => {
                let digit = i128::from(character.to_digit(10).expect("a digit"));
                number = Some(number.unwrap_or(0) * 10 + digit);
                continue;
            }
            ' ' if number.is_none() => continue,
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            other => panic!("{text:?} was accepted with {other:?}"),
        };
        sum += length * number.take().expect("a number before its unit");
    }
    assert_eq!(number, None, "{text:?} was accepted without a unit");
    sum
}

/// `1d 6h`: at most six digits a part.
fn as_people_write_it(text: &str) -> bool {
    text.split(' ').all(|part| {
        part.char_indices()
            .next_back()
            .is_some_and(|(at, unit)| "smhdw".contains(unit) && is_number(&part[..at]))
    })
}

fn is_number(text: &str) -> bool {
    (1..=6).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
