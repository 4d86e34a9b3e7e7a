use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::TcpListener;

/// A free port for an engine of a test's own, below those that the system gives to outgoing
/// connections, as is the one 10,000 above it, where the node of a Redis cluster listens: one of
/// those connections would take it while the engine is down.
#[must_use]
pub fn free_port() -> u16 {
    loop {
        let [low, high, ..] = RandomState::new().build_hasher().finish().to_le_bytes();
        let port = 20_000 + u16::from_le_bytes([low, high]) % 2_700;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
