//! Requests all the while, and how long each user had to wait.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use session_policy::store::SessionStore;
use session_policy::{SessionPolicy, Sessions};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Users who each make one request after another on a session of their own.
pub struct Probes {
    stop: Arc<AtomicBool>,
    users: Vec<JoinHandle<Seen>>,
    /// When each user last was served a request, by when it was begun, and why not.
    served: Arc<Mutex<Vec<(Instant, String)>>>,
}

#[derive(Clone, Copy, Default)]
pub struct Seen {
    pub served: u64,
    pub refused: u64,
    /// The longest request.
    pub longest: Duration,
    /// The longest time in which a user was not served.
    pub away: Duration,
}

impl Probes {
    pub async fn start<S: SessionStore + Clone + 'static>(store: S, users: usize) -> Self {
        let sessions = Sessions::new(store, SessionPolicy::WORKING_DAY);
        let stop = Arc::new(AtomicBool::new(false));
        let served = Arc::new(Mutex::new(vec![(Instant::now(), String::new()); users]));
        let mut probes = Vec::new();
        for user in 0..users {
            let started = sessions.start(format!("probe-{user}").as_str()).await.unwrap();
            let (sessions, stop) = (sessions.clone(), Arc::clone(&stop));
            let of_users = Arc::clone(&served);
            probes.push(tokio::spawn(async move {
                let token = started.token.expose().to_owned();
                let mut seen = Seen::default();
                let mut served = Instant::now();
                while !stop.load(Ordering::Relaxed) {
                    let asked = Instant::now();
                    let answer = sessions.authenticate(&token).await;
                    seen.longest = seen.longest.max(asked.elapsed());
                    seen.away = seen.away.max(served.elapsed());
                    match answer {
                        Ok(_) => {
                            seen.served += 1;
                            served = Instant::now();
                            of_users.lock().unwrap()[user].0 = asked;
                        }
                        Err(error) => {
                            seen.refused += 1;
                            of_users.lock().unwrap()[user].1 = format!("{error:?}");
                        }
                    }
                    sleep(Duration::from_millis(5)).await;
                }
                seen.away = seen.away.max(served.elapsed());
                seen
            }));
        }
        Self { stop, users: probes, served }
    }

    /// How long it takes from now until everybody is served again.
    pub async fn served_again(&self) -> Duration {
        let now = Instant::now();
        loop {
            let left: Vec<_> =
                self.served.lock().unwrap().iter().filter(|user| user.0 < now).cloned().collect();
            let Some((_, why)) = left.first() else { return now.elapsed() };
            let count = left.len();
            assert!(now.elapsed() < Duration::from_secs(10), "{count} are not served: {why}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Of all users together, the longest of each.
    pub async fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Seen::default();
        for user in self.users {
            let seen = user.await.unwrap();
            all.served += seen.served;
            all.refused += seen.refused;
            all.longest = all.longest.max(seen.longest);
            all.away = all.away.max(seen.away);
        }
        all
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { served, refused, longest, away } = self;
        write!(f, "{served} served, {refused} refused, longest request {longest:.1?}, ")?;
        write!(f, "longest without service {away:.1?}")
    }
}
