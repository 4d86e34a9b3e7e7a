//! The seeds of every target, replayed without libFuzzer.

use std::fs;
use std::path::Path;

fn replay(target: &str, assert: fn(&[u8])) {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let mut count = 0;
    for seed in fs::read_dir(&seeds).expect("a folder of seeds") {
        let seed = seed.expect("a seed").path();
        assert(&fs::read(&seed).expect("a file"));
        count += 1;
    }
    assert!(count >= 8, "{target} has {count} seeds");
}

#[test]
fn the_seeds_of_config_hold() {
    replay("config", session_policy_fuzz::config);
}

#[test]
fn the_seeds_of_jwt_hold() {
    replay("jwt", session_policy_fuzz::jwt);
}

#[test]
fn the_seeds_of_lifetime_hold() {
    replay("lifetime", session_policy_fuzz::lifetime);
}

#[test]
fn the_seeds_of_sessions_hold() {
    replay("sessions", session_policy_fuzz::sessions);
}

#[test]
fn the_seeds_of_token_hold() {
    replay("token", session_policy_fuzz::token);
}

#[test]
fn the_seeds_of_update_hold() {
    replay("update", session_policy_fuzz::update);
}

#[test]
fn the_seeds_of_web_hold() {
    replay("web", session_policy_fuzz::web);
}
