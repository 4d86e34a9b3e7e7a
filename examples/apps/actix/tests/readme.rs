//! The commands of the README are run.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

const README: &str = include_str!("../README.md");

/// Ended when the test ends, however it does.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The application as the README starts it, on a port that is free, and its address.
fn server() -> (Server, String) {
    let mut server = Command::new(env!("CARGO_BIN_EXE_session-policy-actix-app"))
        .args(["--plain-http", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(server.stdout.take().unwrap()).lines();
    let server = Server(server);
    let serving = log.find(|line| line.as_ref().unwrap().contains("serving")).unwrap().unwrap();
    let address = serving.split_once(r#""listen":""#).unwrap().1.split('"').next().unwrap();
    // Its log goes on, and nobody reads it.
    std::thread::spawn(move || log.count());
    (server, address.to_owned())
}

/// Whether `text` is `pattern`, whose `…` stand for whatever is there.
fn is_like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap()) else { return false };
    let parts: Vec<_> = parts.collect();
    let Some((last, inner)) = parts.split_last() else { return rest.is_empty() };
    for part in inner {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// The commands of the README, each with what it prints.
fn commands() -> Vec<(&'static str, Vec<&'static str>)> {
    let blocks = README.split("```console\n").skip(1).map(|it| it.split_once("```").unwrap().0);
    let mut commands: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in blocks.flat_map(str::lines) {
        match line.strip_prefix("$ ") {
            Some(command) => commands.push((command, Vec::new())),
            None => commands.last_mut().unwrap().1.push(line),
        }
    }
    commands
}

#[test]
fn the_commands_of_the_readme_print_what_it_says() {
    let (_server, address) = server();
    let home = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme");
    std::fs::create_dir_all(&home).unwrap();
    let commands = commands();
    assert_eq!(commands.len(), 11);
    // In one shell, as variables are set; a line apart from the next one's output.
    let script: Vec<_> = commands.iter().map(|(command, _)| *command).collect();
    let script = script.join("\necho; echo ---\n") + "\necho; echo ---\n";
    let output = Command::new("bash")
        .args(["-euc", &script.replace("127.0.0.1:8080", &address)])
        .current_dir(&home)
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<_> = printed.split("---\n").collect();
    assert_eq!(answers.len(), commands.len() + 1, "{printed}");
    for ((command, expected), printed) in commands.iter().zip(answers) {
        let printed: Vec<_> = printed.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(printed.len(), expected.len(), "{command}: {printed:?}");
        for (expected, printed) in expected.iter().zip(printed) {
            assert!(is_like(expected, printed.trim_end()), "{command}\n{printed}");
        }
    }
}

#[test]
fn its_routes_and_users_are_those_that_there_are() {
    let api = include_str!("../src/api.rs");
    let marked = ["get", "post", "delete"].map(|method| {
        let start = format!("#[{method}(\"");
        api.lines().filter(|line| line.starts_with(&start)).count()
    });
    let routes = README.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let mut count = 0;
    for (method, path) in routes.filter_map(|(route, _)| route.split_once(' ')) {
        let mark = format!("#[{}(\"{path}\")]", method.to_lowercase());
        assert!(api.contains(&mark), "there is no {mark}");
        count += 1;
    }
    assert_eq!(count, marked.iter().sum::<usize>());
    let users = session_policy_actix_app::users::Users::seeded();
    for (user, password) in [("ada", "correct horse"), ("bob", "battery staple")] {
        assert!(README.contains(&format!("| `{user}` | `{password}` |")));
        assert_eq!(users.verify(user, password), Some(user));
    }
}
