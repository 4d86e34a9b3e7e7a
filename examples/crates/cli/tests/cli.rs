//! The command line as its users see it: output, errors and exit status.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fed;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fed::fed;
use serde_json::Value;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data");

fn command(directory: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_session-policy"));
    command.current_dir(directory).args(args);
    command
}

fn run(args: &[&str]) -> Output {
    command(Path::new(DATA), args).output().unwrap()
}

fn run_with(args: &[&str], input: &str) -> Output {
    fed(command(Path::new(DATA), args), input.as_bytes())
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// A directory of this test's own, with files in it.
fn directory(test: &str, files: &[(&str, &str)]) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    fs::create_dir_all(&directory).unwrap();
    for (name, content) in files {
        fs::write(directory.join(name), content).unwrap();
    }
    directory
}

#[test]
fn the_readmes_show_what_the_program_prints_and_draws() {
    let readme = include_str!("../README.md");
    let policy = readme.split_once("```toml\n").unwrap().1.split_once("```").unwrap().0;
    let directory = directory("readme", &[("policy.toml", policy)]);
    for entry in fs::read_dir(DATA).unwrap() {
        let entry = entry.unwrap();
        if entry.path().extension().is_some_and(|extension| extension != "svg") {
            fs::copy(entry.path(), directory.join(entry.file_name())).unwrap();
        }
    }
    let mut shown = 0;
    for block in readme.split("```console\n$ session-policy ").skip(1) {
        let (args, rest) = block.split_once('\n').unwrap();
        let expected = rest.split("```").next().unwrap();
        let args: Vec<_> = args.split_whitespace().collect();
        let output = command(&directory, &args).output().unwrap();
        assert_eq!(stdout(&output), expected, "{args:?}\n{}", stderr(&output));
        if let Some(option) = args.iter().position(|arg| *arg == "--svg") {
            let name = args[option + 1];
            let [drawn, kept] = [directory.as_path(), Path::new(DATA)]
                .map(|directory| fs::read_to_string(directory.join(name)).unwrap());
            assert_eq!(drawn, kept, "{name}");
        }
        shown += 1;
    }
    assert!(shown >= 6, "{shown}");
}

#[test]
fn check_fails_on_a_broken_clause_and_on_shoulds_only_if_asked_to() {
    let check = |standard, more: &[&str]| {
        let args = [&["check", "after.toml", "--standard", standard], more].concat();
        status(&run(&args))
    };
    assert_eq!(check("nist-aal1", &["--profile", "admin"]), 0);
    assert_eq!(check("nist-aal1", &[]), 1);
    assert_eq!(check("nist-aal1", &["--shall-only"]), 0);
    assert_eq!(check("pci-dss-4", &["--shall-only"]), 1);
    assert_eq!(check("iso-27001", &[]), 2);
    assert_eq!(check("nist-aal1", &["--profile", "root"]), 2);
}

#[test]
fn check_lists_only_what_is_broken_if_asked_to() {
    let args = ["check", "after.toml", "-s", "pci-dss-4", "-s", "nist-aal1"];
    let (all, broken) = (run(&args), run(&[&args[..], &["--broken"]].concat()));
    assert_eq!(status(&broken), status(&all));
    let kinds = ["kept ", "departed ", "unverified "];
    let is_other = |line: &&str| kinds.iter().any(|kind| line.starts_with(kind));
    let all = stdout(&all);
    assert!(all.lines().any(|line| is_other(&line)), "{all}");
    let expected: Vec<_> = all.lines().filter(|line| !is_other(line)).collect();
    assert_eq!(stdout(&broken).lines().collect::<Vec<_>>(), expected);
    assert!(expected.iter().any(|line| line.starts_with("broken ")), "{expected:?}");
    let both = run(&[&args[..], &["--broken", "--json"]].concat());
    assert_eq!(status(&both), 2);
}

#[test]
fn check_prints_json_for_machines() {
    let output = run(&["check", "after.toml", "--standard", "nist-aal1", "--json"]);
    let reports = json(&output);
    assert_eq!(reports[0]["profile"], "default");
    assert_eq!(reports[0]["report"]["standard"], "nist-aal1");
    assert_eq!(reports[0]["report"]["findings"][1]["verdict"], "broken");
    assert_eq!(reports[0]["report"]["findings"][1]["limit"]["at_most"], 30 * 86_400);
    assert_eq!(reports[1]["profile"], "admin");
}

#[test]
fn diff_is_silent_about_what_stays_and_ends_as_diff_does() {
    let same = run(&["diff", "after.toml", "after.toml", "--profile", "admin"]);
    assert_eq!((status(&same), stdout(&same).as_str()), (0, "admin\n\nNothing changes.\n"));
    let changed = run(&["diff", "before.toml", "after.toml", "--json"]);
    assert_eq!(status(&changed), 1);
    let settings = &json(&changed)[0]["change"]["settings"];
    assert_eq!(settings.as_array().unwrap().len(), 1);
    assert_eq!(settings[0]["after"], 45 * 86_400);
}

#[test]
fn diff_is_a_gate_against_what_is_looser_than_agreed() {
    let agreed = "[default]\nmax_age = '8h'\nupdate_age = '15m'\nabsolute_cap = '10h'\n\
                  max_sessions = 2\nwhen_full = 'refuse'\n";
    let directory = directory("gate", &[("agreed.toml", agreed)]);
    for (from, to, expected) in [
        ("8h", "8h", 0),
        ("8h", "7h", 0),
        ("8h", "9h", 1),
        ("15m", "1h", 0),
        ("15m", "0s", 0),
        ("10h", "9h", 0),
        ("10h", "11h", 1),
        ("= 2", "= 1", 0),
        ("= 2", "= 3", 1),
        ("max_sessions = 2\nwhen_full = 'refuse'\n", "", 1),
        ("max_sessions", "clock_skew = '30s'\nmax_sessions", 0),
        ("max_sessions", "clock_skew = '2m'\nmax_sessions", 1),
        (
            "'refuse'\n",
            "'refuse'\n[profiles.admin]\nmax_age = '11h'\nupdate_age = '15m'\n\
             absolute_cap = '11h'\nmax_sessions = 2\nwhen_full = 'refuse'\n",
            1,
        ),
    ] {
        fs::write(directory.join("proposed.toml"), agreed.replace(from, to)).unwrap();
        let args = ["diff", "agreed.toml", "proposed.toml", "--looser-only"];
        let output = command(&directory, &args).output().unwrap();
        assert_eq!(status(&output), expected, "{from} to {to}: {}", stdout(&output));
    }
}

#[test]
fn diff_names_the_profiles_that_one_file_lacks() {
    let changed = run(&["diff", "after.toml", "working-day.toml"]);
    let expected = "warning: working-day.toml: no profile `admin`: its sessions are judged by \
                    `default`\n";
    assert_eq!(stderr(&changed), expected);
    let added = run(&["diff", "working-day.toml", "after.toml"]);
    assert_eq!(stderr(&added), expected);
}

#[test]
fn milliseconds_are_refused_and_an_empty_export_is_told_of() {
    let header = "created_at,renewed_at,expires_at,absolute_expires_at\n";
    for verb in [&["explain", "after.toml"][..], &["impact", "after.toml", "after.toml"]] {
        let args = [verb, &["-"]].concat();
        let millis = run_with(&args, &format!("{header}1795500000000,1,2,3\n"));
        let expected = "error: -:2: created_at: `1795500000000` is after the year 9999: unix \
                        seconds are meant, not milliseconds\n";
        assert_eq!((status(&millis), stderr(&millis).as_str()), (2, expected));
        let last = run_with(
            &args,
            &format!(
                "{header}253402300799,253402300799,253402300799,\
            253402300799\n"
            ),
        );
        assert_ne!(status(&last), 2, "{}", stderr(&last));
        let empty = run_with(&args, header);
        let expected = "warning: -: there is no session in it\n";
        assert_eq!((status(&empty), stderr(&empty).as_str()), (0, expected));
    }
}

#[test]
fn a_name_is_shown_as_it_is_but_for_what_cannot_be_seen() {
    let row = |subject| {
        format!("subject,created_at,renewed_at,expires_at,absolute_expires_at\n{subject},0,0,9,9\n")
    };
    for (subject, shown) in [("o'hara", "o'hara"), ("a\\b", "a\\b"), ("a\u{7}b", "a\\u{7}b")] {
        let args = ["explain", "after.toml", "-", "--now", "1"];
        let text = stdout(&run_with(&args, &row(subject)));
        assert!(text.starts_with(&format!("line 2, {shown} (default): ")), "{text}");
    }
}

#[test]
fn diff_knows_the_limits_on_sessions() {
    let times = "[default]\nmax_age = '8h'\nupdate_age = '15m'\nabsolute_cap = '8h'\n";
    let five = format!("{times}max_sessions = 5\nwhen_full = 'end_oldest'\n");
    let one = format!("{times}max_sessions = 1\nwhen_full = 'refuse'\n");
    let two = format!("{times}max_sessions = 2\nwhen_full = 'end_oldest'\n");
    let recent = format!("{times}max_sessions = 2\nwhen_full = 'end_least_recent'\n");
    let longer = one.replace("'8h'\nmax_sessions", "'9h'\nmax_sessions");
    let directory = directory(
        "limits",
        &[
            ("none.toml", times),
            ("five.toml", &five),
            ("one.toml", &one),
            ("two.toml", &two),
            ("recent.toml", &recent),
            ("longer.toml", &longer),
        ],
    );
    let diff = |old, new, more: &[&str]| {
        command(&directory, &[&["diff", old, new], more].concat()).output().unwrap()
    };
    let lowered = diff("five.toml", "one.toml", &[]);
    let expected = "\
default

| setting      | before     | after  | live sessions                                     |
| ------------ | ---------- | ------ | ------------------------------------------------- |
| max_sessions | 5          | 1      | live on; sign-ins are refused until there is room |
| when_full    | end_oldest | refuse | live on                                           |
";
    assert_eq!((status(&lowered), stdout(&lowered).as_str()), (1, expected));
    for (old, new, row) in [
        (
            "none.toml",
            "two.toml",
            "| max_sessions | none   | 2          | the oldest beyond it end at the next sign-in |",
        ),
        (
            "five.toml",
            "recent.toml",
            "| max_sessions | 5          | 2                | \
            the least recently used beyond it end at the next sign-in |",
        ),
        ("two.toml", "five.toml", "| max_sessions | 2      | 5     | live on       |"),
        ("five.toml", "none.toml", "| max_sessions | 5          | none  | live on       |"),
    ] {
        let output = diff(old, new, &[]);
        assert_eq!(status(&output), 1, "{old} {new}");
        assert!(stdout(&output).contains(row), "{}", stdout(&output));
    }
    let same = diff("one.toml", "one.toml", &[]);
    assert_eq!((status(&same), stdout(&same).as_str()), (0, "default\n\nNothing changes.\n"));
    let both = stdout(&diff("five.toml", "longer.toml", &[]));
    assert!(both.contains("absolute_cap | 8h") && both.contains("max_sessions | 5"), "{both}");

    let limits = |old, new| json(&diff(old, new, &["--json"]))[0]["limit"].clone();
    assert_eq!(
        limits("none.toml", "two.toml"),
        serde_json::json!([
            {"setting": "max_sessions", "before": null, "after": 2},
            {"setting": "when_full", "before": null, "after": "end_oldest"},
        ]),
    );
    assert_eq!(limits("one.toml", "one.toml"), serde_json::json!([]));
}

const SESSIONS: &str = "\
id,created_at,renewed_at,expires_at,absolute_expires_at,profile
a,0,8640000,11232000,3155760000,default
b,2026-01-01T00:00:00Z,2026-01-01T00:00:00Z,2026-01-31T00:00:00Z,2026-01-31T00:00:00Z,admin
c,8640000,8640000,11232000,3155760000,retired
";

#[test]
fn impact_counts_each_profile_under_its_own_change() {
    let args =
        ["impact", "before.toml", "after.toml", "-", "--json", "--now", "1970-04-11T00:00:00Z"];
    let output = run_with(&args, SESSIONS);
    assert_eq!(status(&output), 1, "{}", stderr(&output));
    let impacts = json(&output);
    let [admin, default] = [0, 1].map(|index| &impacts[index]);
    assert_eq!((&admin["profile"], &default["profile"]), (&"admin".into(), &"default".into()));
    // 100 days old; and just signed in, under a profile that is gone.
    assert_eq!(default["impact"]["ended_at_once"]["count"], 1);
    assert_eq!(default["impact"]["sooner"], 1);
    assert_eq!(default["impact"]["replaced_by"], 8_640_000 + 45 * 86_400);
    assert_eq!(admin["impact"]["sooner"], 1);
}

#[test]
fn impact_reads_json_lines_flat_and_nested_alike() {
    let lines = "\
{\"created_at\":0,\"renewed_at\":0,\"expires_at\":2592000,\"absolute_expires_at\":3155760000}

{\"id\":\"x\",\"lifetime\":{\"created_at\":0,\"renewed_at\":0,\"expires_at\":2592000,\"absolute_expires_at\":\"2070-01-01T00:00:00Z\"},\"profile\":\"admin\"}
";
    let args = ["impact", "before.toml", "after.toml", "-", "--json", "--now", "86400"];
    let output = run_with(&args, lines);
    let impacts = json(&output);
    assert_eq!(impacts[0]["impact"]["ended_at_once"]["count"], 1);
    assert_eq!(impacts[1]["impact"]["sooner"], 1);
}

#[test]
fn what_else_a_table_has_is_left_alone() {
    let columns = "id,epoch,ordinal,about,created_at,renewed_at,expires_at,absolute_expires_at\n";
    let tables = [
        format!("{columns}a,,0,,0,0,9,9\n"),
        format!("{columns}a,18446744073709551615,7,\"Firefox, on \"\"Linux\"\"\",0,0,9,9\n"),
        "{\"epoch\":7,\"ordinal\":1,\"about\":\"Firefox\",\"lifetime\":{\"created_at\":0,\
        \"renewed_at\":0,\"expires_at\":9,\"absolute_expires_at\":9}}\n"
            .to_owned(),
    ];
    let plain = "created_at,renewed_at,expires_at,absolute_expires_at\n0,0,9,9\n";
    let args = ["explain", "after.toml", "-", "--now", "1"];
    // But for the number of the line.
    let explained = |text: &str| text.split_once(" (default)").map(|(_, text)| text.to_owned());
    let expected = stdout(&run_with(&args, plain));
    assert!(expected.contains("1970-01-01T00:00:09Z"), "{expected}");
    for table in tables {
        let output = run_with(&args, &table);
        assert_eq!(explained(&stdout(&output)), explained(&expected), "{table}{}", stderr(&output));
    }
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let json_line =
        "{\"created_at\":0,\"renewed_at\":0,\"expires_at\":9,\"absolute_expires_at\":9}\n";
    let csv = "created_at,renewed_at,expires_at,absolute_expires_at\n0,0,9,9\n";
    for sessions in [json_line, csv] {
        let args = ["explain", "after.toml", "-", "--now", "1"];
        let plain = run_with(&args, sessions);
        let marked = run_with(&args, &format!("\u{feff}{sessions}"));
        assert_eq!(stdout(&marked), stdout(&plain), "{}", stderr(&marked));
        assert!(stdout(&plain).contains("1970-01-01T00:00:09Z"), "{}", stdout(&plain));
    }
}

#[test]
fn lines_are_counted_alike_with_and_without_carriage_returns() {
    let csv = "created_at,renewed_at,expires_at,absolute_expires_at\n0,0,9,9\n0,0,\"8\",9\n";
    for sessions in [csv.to_owned(), csv.replace('\n', "\r\n")] {
        let args = ["explain", "after.toml", "-", "--now", "1"];
        let text = stdout(&run_with(&args, &sessions));
        let named = |line: &str| text.matches(line).count();
        assert_eq!((named("line 2 "), named("line 3 "), named("line ")), (1, 1, 2), "{text}");
        let bad = run_with(&args, &sessions.replace("\"8\"", "soon"));
        assert!(stderr(&bad).starts_with("error: -:3: expires_at: `soon`"), "{}", stderr(&bad));
        let end = if sessions.contains('\r') { "\r\n" } else { "\n" };
        let blank = format!("{sessions}{end}{end}0,0,7,9{end}{end}");
        let text = stdout(&run_with(&args, &blank));
        assert_eq!(text.matches("line ").count(), 3, "{text}");
    }
}

#[test]
fn impact_adopts_records_from_before_the_cap_only_if_asked_to() {
    let old = "created_at,expires_at\n0,2592000\n";
    let args = ["impact", "before.toml", "after.toml", "-", "--now", "0"];
    let refused = run_with(&args, old);
    assert_eq!(status(&refused), 2);
    assert_eq!(
        stderr(&refused),
        "error: -:1: there is no column renewed_at (`impact --adopt` takes records from before the \
         cap)\n",
    );
    let adopted = run_with(&[&args[..], &["--adopt", "--json"]].concat(), old);
    assert_eq!(status(&adopted), 1);
    assert_eq!(json(&adopted)[0]["impact"]["sooner"], 1);
}

#[test]
fn explain_names_the_limit_and_where_it_comes_from() {
    let output = run_with(&["explain", "after.toml", "-", "--now", "11232000"], SESSIONS);
    assert_eq!(status(&output), 1);
    let text = stdout(&output);
    assert!(
        text.starts_with(
            "line 2 (default): Over by this policy since 1970-02-15T00:00:00Z, 85d before \
             1970-05-11T00:00:00Z: the absolute cap is reached. It comes from the policy: the \
             sign-in at 1970-01-01T00:00:00Z plus absolute_cap `45d`; the record alone has \
             2070-01-01T00:00:00Z.\n",
        ),
        "{text}",
    );
    let live = run_with(
        &["explain", "after.toml", "-", "--now", "8640001", "--json"],
        "created_at,renewed_at,expires_at,absolute_expires_at\n8640000,8640000,11232000,3155760000\n",
    );
    assert_eq!(status(&live), 0);
    assert_eq!(json(&live)[0]["explanation"]["end"]["limit"], "idle");
}

#[test]
fn timeline_plays_a_log_and_leaves_polls_out() {
    let output = run(&["timeline", "working-day.toml", "working-day.log", "--json"]);
    assert_eq!(status(&output), 0);
    let timeline = json(&output);
    let events = timeline["events"].as_array().unwrap();
    let (first, last) = (&events[0], events.last().unwrap());
    assert_eq!((&first["happening"], &first["cookie"]), (&"signed_in".into(), &28_800.into()));
    assert_eq!((&last["happening"], &last["cookie"]), (&"refused".into(), &Value::Null));
    let text = stdout(&run(&["timeline", "working-day.toml", "working-day.log"]));
    assert!(text.ends_with("\n38 requests (polls left out: 1), 23 writes\n"), "{text}");
}

/// F2: a browser keeps no cookie for longer than 400 days.
#[test]
fn timeline_and_its_picture_show_where_a_browser_drops_the_cookie() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cookie");
    fs::create_dir_all(&folder).unwrap();
    let policy = "[default]\nmax_age = '3653d'\nupdate_age = '1d'\nabsolute_cap = '3653d'\n";
    fs::write(folder.join("policy.toml"), policy).unwrap();
    let log = "1970-01-01T00:00:00Z sign-in\n1970-01-01T01:00:00Z request\n\
               1971-06-01T00:00:00Z request\n";
    fs::write(folder.join("requests.log"), log).unwrap();
    let arguments = ["timeline", "policy.toml", "requests.log", "--svg", "picture.svg"];
    let output = command(&folder, &arguments).output().unwrap();
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let text = stdout(&output);
    assert!(
        text.contains(
            "1971-02-05T00:00:00Z  the browser drops the cookie; the session lives until \
             1980-01-02T00:00:00Z\n1971-06-01T00:00:00Z  came without a cookie\n"
        ),
        "{text}"
    );
    let svg = fs::read_to_string(folder.join("picture.svg")).unwrap();
    assert!(svg.contains("The browser drops the cookie at 1971-02-05T00:00:00Z."), "{svg}");
    assert!(svg.contains("cookie dropped"));
}

#[test]
fn a_picture_has_a_text_alternative_units_and_a_dark_scheme() {
    let svg = fs::read_to_string(Path::new(DATA).join("remembered-device-after.svg")).unwrap();
    for part in [
        "role=\"img\" aria-labelledby=\"title desc\"",
        "<title id=\"title\">",
        "It ends at 2026-04-16T08:00:00Z: the absolute cap is reached.</desc>",
        "@media (prefers-color-scheme: dark)",
        "days since the sign-in",
        "it expires at (days since the sign-in)",
        "refused request",
        "absolute cap",
        "warning",
    ] {
        assert!(svg.contains(part), "{part}");
    }
}

#[test]
fn capacity_compares_the_throttle_with_a_write_a_request() {
    let args = ["capacity", "after.toml", "--users", "100000", "--every", "30s", "--json"];
    let load = json(&run(&args));
    let near = |key: &str, expected: f64| {
        let found = load[key].as_f64().unwrap();
        assert!((found - expected).abs() < 1e-9 * expected, "{key}: {found}, not {expected}");
    };
    // One each 5 minutes; at the end of the 45 days it signs in again.
    near("writes_per_second", 100_000.0 / 300.0);
    near("writes_per_second_unthrottled", 100_000.0 / 30.0);
    near("sign_ins_per_second", 100_000.0 / 3_888_000.0);
    near("live_sessions", 100_000.0);
    near("rows", 100_000.0 + 100_000.0 / 45.0);
    for engine in load["engines"].as_array().unwrap() {
        let [row, all] = ["bytes_per_row", "bytes"].map(|key| engine[key].as_f64().unwrap());
        near("rows", all / row);
        assert!((100.0..2_000.0).contains(&row), "{engine}");
    }
}

#[test]
fn capacity_refuses_numbers_that_give_none() {
    let visits = ["--visits-per-day", "3"];
    for (more, expected) in [
        (&["--every", "0s"][..], "--every: shorter than 1s"),
        (&["--users", "0"], "--users: fewer than 1"),
        (&["--visits-per-day", "0"], AWAY),
        (&["--visits-per-day", "NaN"], AWAY),
        (&["--visits-per-day", "72"], AWAY),
        (&[&visits[..], &["--visit", "29s"]].concat(), "--visit: shorter than --every"),
        (&[&visits[..], &["--sign-out", "1.1"]].concat(), "--sign-out: not from 0 to 1"),
        (&[&visits[..], &["--sign-out", "NaN"]].concat(), "--sign-out: not from 0 to 1"),
    ] {
        let usual = [("--every", "30s"), ("--users", "1")];
        let usual = usual.iter().filter(|(option, _)| !more.contains(option));
        let usual: Vec<_> = usual.flat_map(|(option, value)| [*option, *value]).collect();
        let output = run(&[&["capacity", "after.toml"], &usual[..], more].concat());
        assert_eq!(stderr(&output), format!("error: {expected}\n"), "{more:?}");
        assert_eq!((status(&output), stdout(&output).as_str()), (2, ""));
    }
    let unending = run(&["capacity", "before.toml", "--users", "1", "--every", "1s"]);
    let expected = "error: --every: too short for so long a session\n";
    assert_eq!((status(&unending), stderr(&unending).as_str()), (2, expected));
    let alone = run(&["capacity", "after.toml", "--users", "1", "--every", "30s", "--visit", "1h"]);
    assert!(stderr(&alone).contains("--visits-per-day"), "{}", stderr(&alone));
}

const AWAY: &str = "--visits-per-day: a user must be away for at least --every between two visits";

#[test]
fn the_same_seed_gives_the_same_sample_and_impact_reads_it() {
    let args = ["sample", "before.toml", "--sessions", "1000", "--now", "1800000000"];
    let [one, two] = [run(&args), run(&args)].map(|output| stdout(&output));
    assert_eq!(one, two);
    let args = ["impact", "before.toml", "after.toml", "-", "--now", "1800000000", "--json"];
    let impact = &json(&run_with(&args, &one))[0]["impact"];
    let count = |key: &str| impact[key].as_u64().unwrap();
    let ended = impact["ended_at_once"]["count"].as_u64().unwrap();
    let counted = count("ended_already") + count("sooner") + count("later") + count("unaffected");
    assert_eq!(ended + counted, 1_000);
    assert!(ended > 300 && count("sooner") > 300, "{impact:#}");
}

#[test]
fn bad_input_ends_with_the_file_the_line_and_the_key() {
    let directory = directory(
        "bad_input",
        &[
            ("ok.toml", "[default]\nmax_age = '8h'\nupdate_age = '15m'\nabsolute_cap = '8h'\n"),
            ("unit.toml", "[default]\nmax_age = '8h'\nupdate_age = '15x'\nabsolute_cap = '8h'\n"),
            ("order.toml", "[default]\nmax_age = '8h'\nupdate_age = '15m'\nabsolute_cap = '1h'\n"),
            ("key.toml", "[default]\nmax_age = '8h'\nupdate_ago = '15m'\nabsolute_cap = '8h'\n"),
            ("syntax.toml", "[default]\nmax_age = '8h'\nupdate_age = \n"),
            (
                "admin.toml",
                "[default]\nmax_age = '8h'\nupdate_age = '15m'\nabsolute_cap = '8h'\n\n[profiles.admin]\nmax_age = '0s'\nupdate_age = '0s'\nabsolute_cap = '1s'\n",
            ),
            (
                "unit.json",
                "{\"default\": {\n  \"max_age\": \"8h\",\n  \"update_age\": true,\n  \"absolute_cap\": \"8h\"\n}}\n",
            ),
            ("policy.yaml", "max_age: 8h\n"),
            ("columns.csv", "created_at,renewed_at,absolute_expires_at\n0,0,0\n"),
            (
                "instant.csv",
                "created_at,renewed_at,expires_at,absolute_expires_at\n0,0,1,1\n0,0,soon,1\n",
            ),
            ("order.csv", "created_at,renewed_at,expires_at,absolute_expires_at\n0,0,2,1\n"),
            ("ragged.csv", "created_at,renewed_at,expires_at,absolute_expires_at\n0,0,2\n"),
            ("empty.csv", "created_at,renewed_at,expires_at,absolute_expires_at\n0,,2,3\n"),
            ("kind.log", "2026-03-02T09:00:00Z\n2026-03-02T09:00:00Z signin\n"),
            ("instant.log", "# nothing\n9 o'clock\nnine\n"),
            ("empty.log", "# nothing\n"),
        ],
    );
    let rows = [
        ("check none.toml -s pci-dss-4", "none.toml: cannot be read: "),
        (
            "check policy.yaml -s pci-dss-4",
            "policy.yaml: not a policy file: its name ends neither in .toml nor in .json",
        ),
        (
            "check unit.toml -s pci-dss-4",
            "unit.toml:3:14: profile `default`: update_age: `15x` is not ",
        ),
        (
            "check order.toml -s pci-dss-4",
            "order.toml:1:1: profile `default`: max_age `8h` is longer than absolute_cap `1h`",
        ),
        (
            "check key.toml -s pci-dss-4",
            "key.toml:3:1: profile `default`: unknown field `update_ago`",
        ),
        ("check syntax.toml -s pci-dss-4", "syntax.toml:3:14: "),
        (
            "check admin.toml -s pci-dss-4",
            "admin.toml:6:1: profile `admin`: max_age `0s` is shorter than `1s`",
        ),
        (
            "check unit.json -s pci-dss-4",
            "unit.json:3:20: profile `default`: update_age: `true` is not ",
        ),
        ("explain ok.toml columns.csv", "columns.csv:1: there is no column expires_at"),
        (
            "explain ok.toml instant.csv",
            "instant.csv:3: expires_at: `soon` is neither unix seconds nor RFC 3339",
        ),
        (
            "explain ok.toml order.csv",
            "order.csv:2: expires_at `1970-01-01T00:00:02Z` is after absolute_expires_at `1970-01-01T00:00:01Z`",
        ),
        ("explain ok.toml ragged.csv", "ragged.csv:2: 3 values in 4 columns"),
        ("explain ok.toml empty.csv", "empty.csv:2: renewed_at is missing"),
        ("timeline ok.toml kind.log", "kind.log:2: `signin` is none of sign-in, request and poll"),
        (
            "timeline ok.toml instant.log",
            "instant.log:2: the first line is a o'clock, not a sign-in",
        ),
        ("timeline ok.toml empty.log", "empty.log: there is no request in it"),
    ];
    assert_refused(&directory, &rows);
}

/// The command line and the application read a file alike, and say the same of it.
#[test]
fn check_refuses_what_the_application_refuses() {
    let rest = "update_age = '15m'\nabsolute_cap = '8h'\n";
    for (place, toml, expected) in [
        (
            "1:1",
            "max_age = '8h'\n".to_owned(),
            "unknown field `max_age`, expected `default` or `profiles`",
        ),
        (
            "2:11",
            format!("[default]\nmax_age = 3600000\n{rest}"),
            "profile `default`: max_age: `3600000` has no unit: write `3600000s` for seconds, or \
             `3600s` if these are milliseconds",
        ),
        (
            "2:11",
            format!("[default]\nmax_age = '3600'\n{rest}"),
            "profile `default`: max_age: `3600` has no unit: write `3600s` for seconds, or \
             `3600m` for minutes",
        ),
    ] {
        let directory = directory("as_the_application", &[("policy.toml", &toml)]);
        let args = ["check", "policy.toml", "--standard", "pci-dss-4"];
        let output = command(&directory, &args).output().unwrap();
        let said = stderr(&output);
        assert_eq!(status(&output), 2, "{toml}");
        assert!(said.starts_with(&format!("error: policy.toml:{place}: {expected}")), "{said}");
        let refused = toml::from_str::<session_policy::Policies>(&toml).unwrap_err();
        assert_eq!(refused.message().trim_end(), expected);
    }
    let flat = directory("flat", &[("policy.json", "{\"max_age\": \"8h\"}")]);
    let output = command(&flat, &["check", "policy.json", "-s", "pci-dss-4"]).output().unwrap();
    let hint = "expected `default` or `profiles`: a single policy stands under `default`, too\n";
    assert!(stderr(&output).ends_with(hint), "{}", stderr(&output));
}

#[test]
fn bad_json_lines_end_with_the_line_and_the_key() {
    let directory = directory(
        "bad_json_lines",
        &[
            ("ok.toml", "[default]\nmax_age = '8h'\nupdate_age = '15m'\nabsolute_cap = '8h'\n"),
            ("key.jsonl", "{\"created_at\":0,\"renewed_at\":0,\"expires_at\":0}\n"),
            ("type.jsonl", "{\"created_at\":1.5}\n"),
            (
                "profile.jsonl",
                "{\"created_at\":0,\"renewed_at\":0,\"expires_at\":1,\"absolute_expires_at\":1}\n{\"profile\":5}\n",
            ),
            ("huge.jsonl", "{\"created_at\": 1e400}\n"),
            ("escape.jsonl", "{\"created_at\": \"\\ud800\"}\n"),
            ("nested.jsonl", "\n{\"lifetime\": {\"created_at\": 0, \"expires_at\": [1]}}\n"),
            ("lifetime.jsonl", "{\"lifetime\": 7}\n"),
            ("twice.jsonl", "{\"created_at\":0,\"created_at\":0}\n"),
            ("array.json", "[1]\n"),
        ],
    );
    let rows = [
        ("explain ok.toml key.jsonl", "key.jsonl:1: absolute_expires_at is missing"),
        (
            "explain ok.toml type.jsonl",
            "type.jsonl:1: created_at: `1.5` is neither unix seconds nor RFC 3339",
        ),
        ("explain ok.toml profile.jsonl", "profile.jsonl:2: profile: `5` is not a text"),
        (
            "explain ok.toml huge.jsonl",
            "huge.jsonl:1: created_at: `1e400` is neither unix seconds nor RFC 3339",
        ),
        ("explain ok.toml escape.jsonl", "escape.jsonl:1: created_at: "),
        (
            "explain ok.toml nested.jsonl",
            "nested.jsonl:2: lifetime: expires_at: `[1]` is neither unix seconds nor RFC 3339",
        ),
        ("explain ok.toml lifetime.jsonl", "lifetime.jsonl:1: lifetime: `7` is not an object"),
        ("explain ok.toml twice.jsonl", "twice.jsonl:1: duplicate field `created_at`"),
        ("explain ok.toml array.json", "array.json:1: not an object, such as `{"),
    ];
    assert_refused(&directory, &rows);
}

#[test]
fn an_option_without_a_unit_is_refused_with_the_two_ways_to_write_it() {
    for (args, option) in [
        (vec!["capacity", "after.toml", "--users", "1", "--every", "30"], "--every <EVERY>"),
        (vec!["timeline", "after.toml", "working-day.log", "--warn", "30"], "--warn <WARN>"),
    ] {
        let output = run(&args);
        let expected = format!(
            "error: invalid value '30' for '{option}': it has no unit: write `30s` for seconds, \
             or `30m` for minutes\n",
        );
        assert_eq!(status(&output), 2);
        assert!(stderr(&output).starts_with(&expected), "{}", stderr(&output));
    }
}

/// What each engine writes of its own table: with bytes that are no UTF-8, in an
/// array, with tabs; and what the answer says then.
#[test]
fn an_export_of_the_projects_own_table_is_read_and_names_the_user() {
    let columns = "id,subject,profile,epoch,ordinal,about,version,secret,\
        created_at,renewed_at,expires_at,absolute_expires_at,generation,confirmed_at";
    let rows: [(&str, Vec<u8>); 6] = [
        (
            "psql --csv",
            format!("{columns}\n\\x00ff,ada,default,,0,,0,\\xfe,0,0,9,9,0,\n\\x01,\"b,b\",admin,,0,,0,\\xfe,0,0,9,9,0,\n").into(),
        ),
        (
            "sqlite3 -header -csv",
            [
                format!("{columns}\r\n").as_bytes(),
                b"\"\xff\n\"\"\",ada,default,,0,,0,\xfe\x80,0,0,9,9,0,\r\n",
                b"\"\x01\",\"b,b\",admin,,0,,0,\xfe\x80,0,0,9,9,0,\r\n",
            ]
            .concat(),
        ),
        (
            "sqlite3 -json",
            [
                b"[{\"id\":\"\\u0000\xff\\n\\\"{\",\"subject\":\"ada\",\"profile\":\"default\",\"epoch\":null,".as_slice(),
                b"\"created_at\":0,\"renewed_at\":0,\"expires_at\":9,\"absolute_expires_at\":9},\n",
                b"{\"id\":\"]\",\"subject\":\"b,b\",\"profile\":\"admin\",\"created_at\":0,",
                b"\"renewed_at\":0,\"expires_at\":9,\"absolute_expires_at\":9}]\n",
            ]
            .concat(),
        ),
        (
            "json_agg",
            b"[{\"id\":\"\\\\x00ff\",\"subject\":\"ada\",\"profile\":\"default\",\"created_at\":0,\"renewed_at\":0,\
            \"expires_at\":9,\"absolute_expires_at\":9}, \n {\"subject\":\"b,b\",\"profile\":\"admin\",\"created_at\":0,\
            \"renewed_at\":0,\"expires_at\":9,\"absolute_expires_at\":9}]\n".to_vec(),
        ),
        (
            "an array of one line",
            b"[{\"subject\":\"ada\",\"created_at\":0,\"renewed_at\":0,\"expires_at\":9,\"absolute_expires_at\":9},\
            {\"subject\":\"b,b\",\"profile\":\"admin\",\"created_at\":0,\"renewed_at\":0,\"expires_at\":9,\
            \"absolute_expires_at\":9}]".to_vec(),
        ),
        (
            "mariadb --batch",
            [
                format!("{}\n", columns.replace(',', "\t")).as_bytes(),
                b"\\0\xff\r\\n\\t\"\\\\\tada\tdefault\tNULL\t0\tNULL\t0\t\xfe\t0\t0\t9\t9\t0\tNULL\n",
                b"\x01\tb,b\tadmin\tNULL\t0\tNULL\t0\t\xfe\t0\t0\t9\t9\t0\tNULL\n",
            ]
            .concat(),
        ),
    ];
    for (program, export) in rows {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("export");
        fs::write(&file, export).unwrap();
        let args = ["explain", "after.toml", file.to_str().unwrap(), "--now", "1"];
        let text = stdout(&run(&args));
        for named in [", ada (default): ", ", b,b (admin): "] {
            assert!(text.contains(named), "{program}: {text}");
        }
        let explained = json(&run(&[&args[..], &["--json"]].concat()));
        assert_eq!(explained[0]["subject"], "ada", "{program}");
        assert_eq!(explained[1]["subject"], "b,b", "{program}");
        for index in [0, 1] {
            let end = &explained[index]["explanation"]["end"];
            assert_eq!((&end["limit"], &end["at"]), (&"absolute_cap".into(), &9.into()));
        }
        let impact = run(&["impact", "after.toml", "after.toml", args[2], "--now", "1"]);
        assert_eq!(stdout(&impact).matches(": 1 sessions at ").count(), 2, "{program}");
    }
    let forged = "subject,created_at,renewed_at,expires_at,absolute_expires_at\n\"a\nb\",0,0,9,9\n";
    let text = stdout(&run_with(&["explain", "after.toml", "-", "--now", "1"], forged));
    assert!(text.starts_with("line 2, a\\nb (default): "), "{text}");
}

/// A record may name a profile that the file does not have, which is judged as the
/// application judges it: by the default.
#[test]
fn an_unknown_profile_is_warned_of_with_its_count() {
    let columns = "subject,profile,created_at,renewed_at,expires_at,absolute_expires_at\n";
    let rows =
        "ada,kiosk,0,0,9,9\nb,admin,0,0,9,9\nc,kiosk,0,0,9,9\nd,\u{1b}[2J,0,0,9,9\ne,,0,0,9,9\n";
    let table = format!("{columns}{rows}");
    let warnings = "warning: after.toml: no profile `\\u{1b}[2J`: 1 session judged by `default`\n\
                    warning: after.toml: no profile `kiosk`: 2 sessions judged by `default`\n";
    let explained = run_with(&["explain", "after.toml", "-", "--now", "1"], &table);
    assert_eq!((status(&explained), stderr(&explained).as_str()), (0, warnings));
    assert!(stdout(&explained).contains("line 2, ada (default): "));
    let impact = run_with(&["impact", "before.toml", "after.toml", "-", "--now", "1"], &table);
    assert_eq!(status(&impact), 0, "{}", stdout(&impact));
    let expected = warnings.replace("after.toml", "before.toml") + warnings;
    assert!(stderr(&impact).ends_with(&expected), "{}", stderr(&impact));
    // As many names as a hostile table has are not kept.
    let many: Vec<_> = (0..50).map(|name| format!("ada,p{name},0,0,9,9\n")).collect();
    let many = many.concat();
    let output =
        run_with(&["explain", "after.toml", "-", "--now", "1"], &format!("{columns}{many}"));
    let said = stderr(&output);
    assert_eq!(said.lines().count(), 21, "{said}");
    assert!(
        said.ends_with("no profile (further names): 30 sessions judged by `default`\n"),
        "{said}"
    );
}

/// Every verb reads a set of policies, and refuses a single one in the same words.
#[test]
fn every_verb_refuses_a_flat_policy_alike() {
    let flat = "max_age = '8h'\nupdate_age = '15m'\nabsolute_cap = '8h'\n";
    let set = format!("[default]\n{flat}");
    let directory = directory("flat_alike", &[("flat.toml", flat), ("set.toml", &set)]);
    let expected = "flat.toml:3:1: unknown field `absolute_cap`, expected `default` or `profiles`: a \
                    single policy stands under `default`, too\n";
    let verbs = [
        "capacity flat.toml --users 1 --every 30s",
        "check flat.toml -s pci-dss-4",
        "diff flat.toml set.toml",
        "diff set.toml flat.toml",
        "explain flat.toml -",
        "impact flat.toml set.toml -",
        "impact set.toml flat.toml -",
        "sample flat.toml",
        "timeline flat.toml -",
    ];
    assert_refused(&directory, &verbs.map(|verb| (verb, expected)));
}

/// Columns, examples and exit statuses; each example runs where its files are.
#[test]
fn the_help_of_each_verb_has_examples_that_run_and_exit_statuses() {
    let help = stdout(&run(&["--help"]));
    let verbs = help.split_once("Commands:\n").unwrap().1.split_once("\n\n").unwrap().0;
    let verbs = verbs.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let mut examples = 0;
    for verb in verbs.filter_map(|line| line.split_whitespace().next()) {
        if verb == "help" {
            continue;
        }
        let help = stdout(&run(&[verb, "--help"]));
        assert!(help.contains("\nExit status: 0 "), "{verb}: {help}");
        assert!(help.lines().all(|line| line.len() <= 100), "{help}");
        let columns = match verb {
            "explain" | "impact" => "created_at, renewed_at, expires_at, absolute_expires_at",
            "sample" => "Columns that it prints",
            "timeline" => "Columns of a line",
            "why" => "Columns (keys of a line)",
            "schema" => "Example",
            _ => "max_age, update_age, absolute_cap",
        };
        assert!(help.contains(columns), "{verb}: {help}");
        let commands = help.lines().filter_map(|line| line.strip_prefix("  session-policy "));
        let before = examples;
        for example in commands {
            let output = run(&example.split(' ').collect::<Vec<_>>());
            assert!([0, 1].contains(&status(&output)), "{example}: {}", stderr(&output));
            assert_ne!(stdout(&output), "", "{example}");
            examples += 1;
        }
        assert!(examples > before, "{verb} has no example");
    }
    assert!(examples >= 11, "{examples}");
}

/// Each command line ends with this, on one line, and prints nothing else.
fn assert_refused(directory: &Path, rows: &[(&str, &str)]) {
    for (args, expected) in rows {
        let args: Vec<_> = args.split(' ').collect();
        let output = command(directory, &args).output().unwrap();
        let said = stderr(&output);
        assert_eq!(status(&output), 2, "{args:?}: {said}");
        assert!(said.starts_with(&format!("error: {expected}")), "{args:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert_eq!(stdout(&output), "", "{args:?}");
    }
}
