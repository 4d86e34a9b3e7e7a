//! Checks, compares and explains session policies on the command line.
//!
//! ```text
//! session-policy check policy.toml --standard nist-aal2
//! session-policy diff old.toml new.toml
//! session-policy impact old.toml new.toml sessions.csv
//! session-policy explain policy.toml sessions.csv
//! session-policy why ada --on 2026-11-24 events.jsonl
//! session-policy timeline policy.toml requests.log --svg timeline.svg
//! session-policy capacity policy.toml --users 100000 --every 30s
//! ```
//!
//! Exit status: 0 if nothing was found, 1 if something was, 2 if the input is
//! bad.

#![expect(clippy::doc_markdown, reason = "the doc comments are the help text")]

mod commands;
mod input;
mod picture;
mod report;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{capacity, check, diff, explain, impact, sample, schema, timeline, why};
use crate::report::Report;

/// Checks, compares and explains session policies.
///
/// A policy file is TOML or JSON, and is what an application reads: max_age,
/// update_age and absolute_cap under [default], and under [profiles.NAME] for others.
#[derive(Debug, Parser)]
#[command(version, after_help = "Exit status: 0 nothing found, 1 something found, 2 bad input.")]
struct Cli {
    /// Print JSON for machines (unix seconds and seconds; policies as in a file)
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Capacity(capacity::Args),
    Check(check::Args),
    Diff(diff::Args),
    Explain(explain::Args),
    Impact(impact::Args),
    Sample(sample::Args),
    Schema(schema::Args),
    Timeline(timeline::Args),
    Why(why::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(status) => ExitCode::from(status),
        // The reader of a pipe has seen enough.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// The answer on standard output; the exit status.
fn run(cli: &Cli) -> Result<u8, Failure> {
    let mut is_complete = true;
    let report = match &cli.command {
        Command::Capacity(args) => capacity::run(args)?,
        Command::Check(args) => check::run(args)?,
        Command::Diff(args) => diff::run(args)?,
        Command::Explain(args) => explain::run(args, cli.json)?,
        Command::Impact(args) => impact::run(args)?,
        Command::Sample(args) => {
            sample::run(args)?;
            return Ok(0);
        }
        Command::Schema(args) => schema::run(args)?,
        Command::Timeline(args) => timeline::run(args)?,
        Command::Why(args) => {
            let (report, understood) = why::run(args)?;
            is_complete = understood;
            report
        }
    };
    let Report { text, json, found } = report;
    let mut stdout = io::stdout().lock();
    if cli.json {
        writeln!(stdout, "{json:#}").map_err(Failure::Output)?;
    } else {
        writeln!(stdout, "{}", text.trim_end()).map_err(Failure::Output)?;
    }
    Ok(if is_complete { u8::from(found) } else { 2 })
}

/// Why a command gave no answer: exit status 2.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Input(#[from] input::InputError),
    #[error("the output cannot be written: {0}")]
    Output(#[source] io::Error),
    #[error("{file}: cannot be written: {error}")]
    Picture { file: String, error: String },
}
