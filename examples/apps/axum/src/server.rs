//! Serving until told to stop, with the sweep beside it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use session_policy::Sessions;
use session_policy::store::AnyStore;
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::App;

/// How many expired sessions one write removes.
const SWEEP_BATCH: u32 = 1_000;
/// How long what is under way may take once the service stops.
const DRAIN: Duration = Duration::from_secs(10);

/// A running application: the listener and the sweep.
#[derive(Debug)]
pub struct Service {
    /// What is served.
    pub app: App,
    /// How often expired sessions are swept.
    pub sweep_every: Duration,
    /// Stops both.
    pub stop: CancellationToken,
}

impl Service {
    /// Serves until `stop` is cancelled; then finishes the requests and the sweep
    /// that are under way, for 10 s at most in all.
    ///
    /// # Errors
    ///
    /// The listener's own, or if a session may last longer than any cookie.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        let mut app = self.app;
        app.closing = self.stop.clone();
        let tasks = TaskTracker::new();
        let sweeping = sweep(app.sessions.clone(), self.sweep_every, self.stop.clone());
        let router = app.router().map_err(io::Error::other)?;
        tasks.spawn(sweeping);
        tasks.close();
        let stopped = self.stop.clone().cancelled_owned();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let serving = axum::serve(listener, service).with_graceful_shutdown(stopped);
        let finished = async {
            let result = serving.await;
            self.stop.cancel();
            tasks.wait().await;
            result
        };
        let drained = async {
            self.stop.cancelled().await;
            sleep(DRAIN).await;
        };
        tokio::select! {
            result = finished => result,
            () = drained => {
                tracing::warn!("what was under way was cut off after {DRAIN:?}");
                Ok(())
            }
        }
    }
}

/// Removes expired sessions every so often, until stopped. An error of the store
/// is logged and the next round tries again: a sweep that ends at its first
/// error sweeps no more.
pub async fn sweep(sessions: Sessions<AnyStore>, every: Duration, stop: CancellationToken) {
    let mut rounds = interval(every);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(rounds.tick()).await.is_some() {
        let mut removed = 0;
        loop {
            match sessions.sweep(SWEEP_BATCH).await {
                Ok(count) => {
                    removed += count;
                    if count < SWEEP_BATCH.into() || stop.is_cancelled() {
                        break;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the sweep will try again");
                    break;
                }
            }
        }
        if removed > 0 {
            tracing::info!(removed, "swept expired sessions");
        }
    }
}
