//! Copies the crate's source and plants the faults, each behind its switch. Fails
//! if a fault no longer finds its place, so that none is silently not planted.

use std::path::Path;
use std::{env, fs};

const ROOT: &str = "../../../src";

/// A fault: its name, its file, what stands there and what is put in its place,
/// where `PLANTED` is its switch.
const FAULTS: &[(&str, &str, &str, &str)] = &[
    (
        "AnswersUnwritten",
        "jwt/hybrid/turn.rs",
        "answer.filter(|answer| *answer == row.generation() && *answer != claims.generation)",
        "answer.filter(|answer| PLANTED || *answer == row.generation() && *answer != claims.generation)",
    ),
    (
        "BlindWrite",
        "session.rs",
        "renewal.expected_version() == self.version()",
        "(PLANTED || renewal.expected_version() == self.version())",
    ),
    (
        "CapMovesWithRotation",
        "sessions.rs",
        "let successor = session.succeeded_by(&token, lifetime);",
        "let lifetime = if PLANTED { policy.start(now) } else { lifetime };
        let successor = session.succeeded_by(&token, lifetime);",
    ),
    (
        "ClosedBoundary",
        "evaluate.rs",
        ".min(lifetime.expires_at()).min(cap),",
        ".min(lifetime.expires_at()).min(cap).plus_secs(i64::from(PLANTED)),",
    ),
    (
        "GraceCountsFromRenewal",
        "jwt/step.rs",
        "confirmed_at.is_some_and(|at| now <",
        "confirmed_at.map(|at| if PLANTED { row.lifetime().renewed_at() } else { at }).is_some_and(|at| now <",
    ),
    (
        "GraceMoves",
        "jwt/step.rs",
        "serve(extend, None)",
        "serve(if PLANTED { Some(write(extended.unwrap_or(*row.lifetime()), generation, Some(now))) } else { extend }, None)",
    ),
    (
        "ReuseEndsNothing",
        "jwt/hybrid/turn.rs",
        "self.store.remove(&row.id()).await?;",
        "if !PLANTED { self.store.remove(&row.id()).await?; }",
    ),
    (
        "RotatesUnconfirmed",
        "jwt/step.rs",
        "(Some(lifetime), Some(next), Some(_)) if !in_grace => {",
        "(Some(lifetime), Some(next), seen) if !in_grace && (seen.is_some() || PLANTED) => {",
    ),
    (
        "RotationUndoesLogout",
        "sessions.rs",
        "match self.store.remove(&session.id()).await {",
        "match self.store.remove(&session.id()).await.map(|removed| removed || PLANTED) {",
    ),
    (
        "ServesWithoutReload",
        "sessions.rs",
        "let reloaded = self.load(token).await?;",
        "let reloaded = if PLANTED { session } else { self.load(token).await? };",
    ),
    (
        "ThrottleFromExpiry",
        "evaluate.rs",
        "due: renewed_at.later_by(self.update_age_secs()),",
        "due: if PLANTED { lifetime.expires_at().plus_secs(self.update_age_secs() - self.max_age_secs()) } else { renewed_at.later_by(self.update_age_secs()) },",
    ),
    (
        "TighteningWaits",
        "evaluate.rs",
        "let cap = created_at.later_by(self.absolute_cap_secs()).min(lifetime.absolute_expires_at());",
        "let cap = lifetime.absolute_expires_at();
        let cap = if PLANTED { cap } else { created_at.later_by(self.absolute_cap_secs()).min(cap) };",
    ),
];

fn main() {
    println!("cargo::rerun-if-changed={ROOT}");
    println!("cargo::rerun-if-changed=build.rs");
    let out = env::var("OUT_DIR").expect("cargo sets it");
    let out = Path::new(&out);
    copy(Path::new(ROOT), &out.join("src"));
    for (fault, file, found, _) in FAULTS {
        let original = fs::read_to_string(Path::new(ROOT).join(file)).expect("a source file");
        let places = original.matches(found).count();
        assert_eq!(places, 1, "the place of fault {fault} in src/{file}: `{found}`");
    }
    for (fault, file, found, planted) in FAULTS {
        let switch = format!("crate::fault::is_planted(crate::Fault::{fault})");
        edit(&out.join("src").join(file), |source| {
            // Another fault may have been planted in the same expression.
            assert!(source.contains(found), "{fault} does not go with another fault");
            source.replacen(found, &planted.replace("PLANTED", &switch), 1)
        });
    }
    // Inner attributes and docs cannot be included; the guide is prose.
    edit(&out.join("src/lib.rs"), |source| {
        let inner = |line: &&str| !line.starts_with("//!") && !line.starts_with("#![");
        let source: Vec<_> = source.lines().filter(inner).collect();
        source.join("\n")
    });
    let names: Vec<_> = FAULTS.iter().map(|(fault, ..)| *fault).collect();
    let faults = format!(
        "/// The faults that can be planted.\n#[derive(Clone, Copy, Debug, Eq, PartialEq)]\n\
         pub enum Fault {{\n{}\n}}\n",
        names.iter().map(|name| format!("    /// In build.rs.\n    {name},\n")).collect::<String>(),
    );
    fs::write(out.join("fault.rs"), faults).expect("OUT_DIR can be written");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("OUT_DIR can be written");
    for entry in fs::read_dir(from).expect("the source is there").flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("OUT_DIR can be written");
        }
    }
}

fn edit(file: &Path, edit: impl FnOnce(String) -> String) {
    let source = fs::read_to_string(file).expect("a copied file");
    fs::write(file, edit(source)).expect("OUT_DIR can be written");
}
