//! What `why` reads of an event log, and what it says of it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fed;

use std::fmt::Write as _;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use fed::fed;
use pollster::block_on;
use serde_json::Value;
use session_policy::{
    Event, ManualClock, MemoryStore, Policies, Sessions, SignIn, Started, Timestamp,
};

const NINE: i64 = 1_795_510_800; // 2026-11-24T09:00:00Z, a Tuesday.
const ID: &str = "AAECAwQFBgcICQoLDA0ODw";

fn why(args: &[&str], log: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_session-policy"));
    command.arg("why").args(args);
    fed(command, log)
}

/// Its exit status, and what it prints on standard output and on standard error.
fn said(args: &[&str], log: &str) -> (i32, String, String) {
    let output = why(args, log.as_bytes());
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code().unwrap(), out, err)
}

fn ends(args: &[&str], log: &str) -> Vec<Value> {
    let output = why(&[args, &["--json"]].concat(), log.as_bytes());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A line of a log, with the id in place of `ID`.
fn event(at: i64, rest: &str) -> String {
    format!("{{\"at\":{at},\"session\":\"{ID}\",{rest}}}\n")
}

/// The sessions themselves write the log, in each way that they end.
#[test]
fn a_log_of_the_sessions_themselves_names_every_cause() {
    let policies: Policies = toml::from_str(
        "[default]\nmax_age = '30m'\nupdate_age = '5m'\nabsolute_cap = '1h'\n\
         [profiles.one]\nmax_age = '30m'\nupdate_age = '5m'\nabsolute_cap = '1h'\n\
         max_sessions = 1\nwhen_full = 'end_oldest'\n",
    )
    .unwrap();
    let log = Arc::new(Mutex::new(String::new()));
    let clock = ManualClock::new(Timestamp::from_unix_secs(NINE));
    let observer = {
        let log = Arc::clone(&log);
        move |event: &Event<'_>| {
            writeln!(log.lock().unwrap(), "{}", serde_json::to_string(event).unwrap()).unwrap();
        }
    };
    let sessions = Sessions::new(MemoryStore::new(), policies)
        .with_clock(clock.clone())
        .with_retention(TimeDelta::zero())
        .with_observer(observer);
    let pass = |secs| clock.set(clock_now(&clock).saturating_add(TimeDelta::seconds(secs)));
    let start = |sign_in: SignIn| -> Started { block_on(sessions.start(sign_in)).unwrap() };
    let ada = || SignIn::of("ada");
    let mut expected = Vec::new();
    let mut expect = |started: &Started, offset: i64, cause: &str, refused: Option<i64>| {
        let refused = refused.map(|offset| NINE + offset);
        let (id, profile) = (started.session.id().to_string(), started.session.profile());
        expected.push((NINE + offset, id, profile.to_owned(), cause.to_owned(), refused));
    };

    let _other = start(SignIn::of("grace"));
    let signed_out = start(ada());
    pass(60); // 09:01
    block_on(sessions.end(&signed_out.session.id())).unwrap();
    expect(&signed_out, 60, "end", None);

    let replaced = start(ada());
    pass(60); // 09:02
    let mine = start(ada().replacing(&replaced.session));
    expect(&replaced, 120, "replaced", None);
    let theirs = start(ada());
    pass(60); // 09:03
    block_on(sessions.end_others(&mine.session)).unwrap();
    expect(&theirs, 180, "end_others", None);
    pass(60); // 09:04
    block_on(sessions.end_all("ada")).unwrap();
    expect(&mine, 240, "end_all", None);

    let oldest = start(ada().profile("one"));
    pass(60); // 09:05
    let newest = start(ada().profile("one"));
    expect(&oldest, 300, "limit", None);
    pass(600); // 09:15
    block_on(sessions.authenticate(newest.token.expose())).unwrap();
    pass(2_400); // 09:55, and it was idle from 09:45 on.
    block_on(sessions.authenticate(newest.token.expose())).unwrap_err();
    expect(&newest, 2_700, "idle", Some(3_300));

    let capped = start(ada()); // At 09:55, so until 10:55.
    for _ in 0..2 {
        pass(1_500);
        block_on(sessions.authenticate(capped.token.expose())).unwrap();
    }
    pass(3_600); // 11:45
    block_on(sessions.sweep(100)).unwrap();
    expect(&capped, 6_900, "absolute_cap", None);

    let log = log.lock().unwrap().clone();
    let (status, text, warnings) = said(&["ada", "-"], &log);
    assert_eq!((status, warnings.as_str()), (1, ""), "{log}");
    assert!(text.ends_with("\nada: 7 sessions, 7 ended by 2026-11-24T10:55:00Z\n"), "{text}");
    let field = |end: &Value, name: &str| end[name].as_str().unwrap().to_owned();
    let mut told: Vec<_> = ends(&["ada", "-"], &log)
        .iter()
        .map(|end| {
            let at = end["at"].as_i64().unwrap();
            let [id, profile, cause] = ["session", "profile", "cause"].map(|name| field(end, name));
            (at, id, profile, cause, end["refused_at"].as_i64())
        })
        .collect();
    told.sort();
    expected.sort();
    assert_eq!(told, expected, "{log}");
    let other = ends(&["grace", "-"], &log);
    assert_eq!((other.len(), &other[0]["at"]), (1, &(NINE + 1_800).into()));
}

fn clock_now(clock: &ManualClock) -> Timestamp {
    session_policy::Clock::now(clock)
}

/// As the axum application prints with `--json`, and the actix application always.
#[test]
fn the_logs_of_both_applications_are_read() {
    let axum = format!(
        r#"{{"timestamp":"2026-11-24T08:00:00.5Z","level":"INFO","fields":{{"message":"listening on http://127.0.0.1:3000"}},"target":"session_policy_axum_app"}}
{{"timestamp":"2026-11-24T09:00:00.669713Z","level":"INFO","fields":{{"message":"started","session":"{ID}","subject":"ada","profile":"admin","unproven":false,"expires_at":"2026-11-24T09:30:00Z","absolute_expires_at":"2026-11-24T17:00:00Z"}},"target":"session"}}
{{"timestamp":"2026-11-24T09:10:00.1Z","level":"WARN","fields":{{"message":"renewal deferred","session":"{ID}","subject":"ada","profile":"admin","unproven":false}},"target":"session"}}
{{"timestamp":"2026-11-24T09:20:00.843313Z","level":"INFO","fields":{{"message":"ended","session":"{ID}","unproven":false,"cause":"end"}},"target":"session"}}
{{"timestamp":"2026-11-24T09:20:01.870820Z","level":"WARN","fields":{{"message":"rejected","session":"{ID}","unproven":true,"reason":"unknown"}},"target":"session"}}
"#
    );
    let actix = r#"{"timestamp":"2026-11-24T09:00:00.1Z","level":"INFO","fields":{"event":"{\"at\":1795510800,\"session\":\"AAECAwQFBgcICQoLDA0ODw\",\"subject\":\"ada\",\"profile\":\"admin\",\"event\":\"started\",\"absolute_expires_at\":1795539600,\"expires_at\":1795512600}"},"target":"session"}
{"timestamp":"2026-11-24T09:20:00.1Z","level":"INFO","fields":{"event":"{\"at\":1795512000,\"session\":\"AAECAwQFBgcICQoLDA0ODw\",\"subject\":null,\"profile\":null,\"event\":\"ended\",\"cause\":\"end\"}"},"target":"session"}
"#;
    let expected = format!(
        "2026-11-24T09:20:00Z  {ID} (admin)  signed out: this session alone was ended, as by a \
         sign-out or from a list of devices\nada: 1 session, 1 ended by "
    );
    for log in [axum.as_str(), actix] {
        let (status, text, warnings) = said(&["ada", "-"], log);
        assert_eq!((status, warnings.as_str()), (1, ""));
        assert!(text.starts_with(&expected), "{text}");
    }
    let reuse = format!(
        r#"{{"timestamp":"2026-11-24T09:20:00Z","fields":{{"message":"reuse detected","session":"{ID}","subject":"ada","unproven":false,"presented":1,"current":3}},"target":"session"}}"#
    );
    assert_eq!(ends(&["ada", "-"], &reuse)[0]["cause"], "reuse");
}

#[test]
fn a_day_is_that_of_the_end_or_of_the_first_refusal() {
    let ada = "\"subject\":\"ada\",\"profile\":\"default\"";
    let log = [
        event(NINE, &format!("{ada},\"event\":\"started\",\"expires_at\":{}", NINE + 1_800)),
        event(NINE + 86_400, &format!("{ada},\"event\":\"rejected\",\"reason\":\"idle\"")),
    ]
    .concat();
    for (day, found) in [("23", 0), ("24", 1), ("25", 1), ("26", 0)] {
        let (status, text, _) = said(&["ada", "-", "--on", &format!("2026-11-{day}")], &log);
        assert_eq!(status, found, "{day}: {text}");
        let sessions = if found == 1 { "1 session" } else { "0 sessions" };
        let summary = format!("ada: {sessions} ended on 2026-11-{day}, 1 in all\n");
        assert!(text.ends_with(&summary), "{text}");
    }
    for day in ["Tuesday", "2026-11-24+25:00", "2026-11-24+0200", "2026-11-31", "2026-11-24 "] {
        let (status, _, refused) = said(&["ada", "-", "--on", day], &log);
        assert_eq!(status, 2, "{refused}");
        let error =
            format!("error: invalid value '{day}' for '--on <YYYY-MM-DD[+HH:MM]>': not a day");
        assert!(refused.starts_with(&error), "{refused}");
    }
}

#[test]
fn a_day_with_an_offset_is_that_of_the_user() {
    // 23:30 in UTC on the 23rd: already the 24th in Berlin, still the 23rd in New York.
    let at = NINE - 9 * 3_600 - 1_800;
    let ada = "\"subject\":\"ada\",\"profile\":\"default\"";
    let log = [
        event(at - 60, &format!("{ada},\"event\":\"started\",\"expires_at\":{NINE}")),
        event(at, &format!("{ada},\"event\":\"ended\",\"cause\":\"end\"")),
    ]
    .concat();
    for (day, found) in [
        ("2026-11-23", 1),
        ("2026-11-23Z", 1),
        ("2026-11-23-05:00", 1),
        ("2026-11-24-05:00", 0),
        ("2026-11-24", 0),
        ("2026-11-24+01:00", 1),
        ("2026-11-23+01:00", 0),
        ("2026-11-23+00:29", 1),
        ("2026-11-24+00:30", 1),
    ] {
        let (status, text, _) = said(&["ada", "-", "--on", day], &log);
        assert_eq!(status, found, "{day}: {text}");
        assert!(
            text.contains(&format!(" ended on {}, 1 in all", day.trim_end_matches('Z'))),
            "{text}"
        );
    }
}

#[test]
fn only_what_ends_a_session_is_an_end() {
    let ada = "\"subject\":\"ada\"";
    let started = event(NINE, &format!("{ada},\"event\":\"started\",\"expires_at\":{}", NINE + 60));
    let rejected = |reason: &str, more: &str| {
        let rest = format!("{ada},\"event\":\"rejected\",\"reason\":\"{reason}\"{more}");
        started.clone() + &event(NINE + 30, &rest)
    };
    for reason in ["store", "unknown", "wrong_secret", "not_yet_valid"] {
        assert!(ends(&["ada", "-"], &rejected(reason, "")).is_empty(), "{reason}");
    }
    assert!(ends(&["ada", "-"], &rejected("idle", ",\"unproven\":true")).is_empty());
    // Under a policy that was shorter for a while.
    let refused = rejected("idle", "");
    assert_eq!(ends(&["ada", "-"], &refused)[0]["at"], NINE + 30);
    let renewed = format!("{ada},\"event\":\"renewed\",\"expires_at\":{}", NINE + 90);
    assert!(ends(&["ada", "-"], &(refused + &event(NINE + 40, &renewed))).is_empty());
    // Nobody came back, and no sweep told of it: the log goes on for another.
    let later = format!("{{\"at\":{},\"subject\":\"grace\",\"event\":\"rotated\"}}\n", NINE + 60);
    let ended = ends(&["ada", "-"], &(started.clone() + &later));
    assert_eq!((&ended[0]["at"], &ended[0]["evidence"]), (&(NINE + 60).into(), &"deadline".into()));
    let tidied = rejected("revoked", "")
        + &event(NINE + 99, &format!("{ada},\"event\":\"ended\",\"cause\":\"end_all\""));
    assert_eq!(ends(&["ada", "-"], &tidied)[0]["cause"], "revoked");
    let foreign = started + &event(NINE + 9, "\"event\":\"ended\",\"cause\":\"a\\nb\"");
    let (_, text, _) = said(&["ada", "-"], &foreign);
    assert!(text.contains("ended as `a\\nb`, a cause this program does not know\n"), "{text}");
}

#[test]
fn bad_lines_are_named_and_the_others_are_read() {
    let ended = event(NINE, "\"subject\":\"ada\",\"event\":\"ended\",\"cause\":\"end_all\"");
    for (line, reason) in [
        ("{\"at\":17", "not JSON: EOF while parsing an object at column 8"),
        ("[1]", "not a JSON object"),
        ("ended", "not JSON: expected value at column 1"),
        ("{\"event\":\"rotated\"}", "it has neither `at` nor `timestamp`"),
        (
            "{\"at\":\"noon\",\"event\":\"rotated\"}",
            "at: `noon` is neither unix seconds nor RFC 3339",
        ),
        ("{\"at\":1,\"event\":\"ended\"}", "cause is missing"),
        ("{\"at\":1,\"event\":\"ended\",\"cause\":5}", "cause is not a text"),
        ("{\"at\":1,\"event\":\"expired\",\"reason\":\"x\"}", "reason: `x` is neither idle nor"),
        ("{\"at\":1,\"event\":\"rotated\",\"session\":\"x\"}", "session: "),
        ("{\"at\":1,\"event\":\"rotated\",\"subject\":[]}", "subject is not a text"),
        ("{\"fields\":{\"event\":\"{1\"},\"target\":\"session\"}", "event: not JSON: "),
        ("{\"fields\":{},\"target\":\"session\"}", "it has neither `event` nor `message`"),
    ] {
        let (status, text, warnings) = said(&["ada", "-"], &format!("\n{line}\n{ended}"));
        assert_eq!(status, 2, "{line}");
        assert!(warnings.starts_with(&format!("warning: -:2: {reason}")), "{line}: {warnings}");
        assert_eq!(warnings.lines().count(), 1, "{warnings}");
        assert!(text.contains("ended with all sessions of the user\nada: 1 session, 1 "), "{text}");
    }
    let output = why(&["ada", "-"], &[b"\xff\n", ended.as_bytes()].concat());
    assert_eq!(output.stderr, b"warning: -:1: not UTF-8\n");
    let (_, _, warnings) = said(&["ada", "-"], &"x\n".repeat(25));
    assert_eq!(warnings.lines().count(), 21);
    assert!(warnings.ends_with("warning: 5 more bad lines\n"), "{warnings}");
}

/// Each node writes a log of its own.
#[test]
fn the_logs_of_two_nodes_tell_the_same_in_any_order() {
    let at = |minutes: i64| NINE + minutes * 60;
    let mine = |minutes, rest: &str| event(at(minutes), &format!("\"subject\":\"ada\",{rest}"));
    let until = |minutes| format!("\"expires_at\":{}", at(minutes));
    let one = mine(0, &format!("\"event\":\"started\",{}", until(30)))
        + &mine(90, "\"event\":\"rejected\",\"reason\":\"idle\"");
    let other = mine(20, &format!("\"event\":\"renewed\",{}", until(50)))
        + &mine(40, &format!("\"event\":\"renewed\",{}", until(70)));
    for log in [format!("{one}{other}"), format!("{other}{one}")] {
        let [end] = &ends(&["ada", "-"], &log)[..] else { panic!("{log}") };
        assert_eq!((&end["at"], &end["cause"]), (&at(70).into(), &"idle".into()));
        assert_eq!((&end["evidence"], &end["refused_at"]), (&"refused".into(), &at(90).into()));
    }
    // A sign-out on the other node names no subject. What ends is the last of its second.
    let started = mine(0, &format!("\"event\":\"started\",{}", until(30)));
    for minutes in [0, 10] {
        let signed_out = event(at(minutes), "\"event\":\"ended\",\"cause\":\"end\"");
        for log in [format!("{started}{signed_out}"), format!("{signed_out}{started}")] {
            let (_, _, warnings) = said(&["ada", "-"], &log);
            assert_eq!(warnings, "");
            let [end] = &ends(&["ada", "-"], &log)[..] else { panic!("{log}") };
            assert_eq!((&end["at"], &end["cause"]), (&at(minutes).into(), &"end".into()));
        }
    }
}

#[test]
fn what_the_log_cannot_tell_is_said() {
    let unknown = event(NINE, "\"subject\":\"ada\",\"event\":\"teleported\"");
    let (status, text, warnings) = said(&["ada", "-"], &unknown.repeat(2));
    assert_eq!((status, text.as_str()), (0, "ada: no event names this subject\n"));
    assert!(
        warnings.starts_with("warning: 2 events of the unknown kind `teleported`: left out\n"),
        "{warnings}",
    );
    let ended = event(NINE, "\"event\":\"ended\",\"cause\":\"end\"");
    let (_, _, warnings) = said(&["ada", "-"], &ended);
    assert_eq!(
        warnings,
        "warning: 1 session ended of which no line says whose: give the older logs, too\n",
    );
    let started = event(NINE - 60, "\"subject\":\"grace\",\"event\":\"started\"");
    assert_eq!(said(&["ada", "-"], &(started + &ended)).2, "");
    let (status, _, warnings) = said(&["ada", "-"], "");
    assert_eq!((status, warnings.as_str()), (0, "warning: there is no event of a session in it\n"));
    let (status, _, refused) = said(&["ada", "none.jsonl"], "");
    assert_eq!(status, 2);
    assert!(refused.starts_with("error: none.jsonl: cannot be read: "), "{refused}");
}
