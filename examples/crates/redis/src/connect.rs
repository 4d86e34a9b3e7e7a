use std::future::Future;
use std::time::Duration;

use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis::cluster::{ClusterClient, ClusterConfig};
use redis::cluster_async::ClusterConnection;
use redis::{Client, RedisResult};

/// Makes the connections of a [`RedisStore`], which asks for the first one at its first
/// command and for another when answers stay away.
///
/// [`RedisStore`]: crate::RedisStore
pub trait Connect: Send + Sync + 'static {
    /// A connection: its clones share it.
    type Connection: ConnectionLike + Clone + Send + Sync + 'static;

    /// Connects to the engine.
    ///
    /// `limit` is how long the store waits for an answer. A connection that waits and
    /// tries again by itself should be done sooner, so that its errors say more than
    /// "no answer".
    ///
    /// # Errors
    ///
    /// Those of the driver, which the store hands on as `StoreError::Unavailable`.
    fn connect(
        &self,
        limit: Duration,
    ) -> impl Future<Output = RedisResult<Self::Connection>> + Send;
}

/// To one server. When the connection breaks, the manager connects again.
impl Connect for Client {
    type Connection = ConnectionManager;

    async fn connect(&self, limit: Duration) -> RedisResult<ConnectionManager> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(limit / 2))
            .set_response_timeout(None) // The store's is enough.
            .set_number_of_retries(2)
            .set_min_delay(Duration::from_millis(20))
            .set_max_delay(Duration::from_millis(100));
        ConnectionManager::new_with_config(self.clone(), config).await
    }
}

/// To a cluster, by any of the nodes that the client names.
impl Connect for ClusterClient {
    type Connection = ClusterConnection;

    async fn connect(&self, limit: Duration) -> RedisResult<ClusterConnection> {
        let config =
            ClusterConfig::new().set_connection_timeout(limit / 2).set_response_timeout(limit / 2);
        self.get_async_connection_with_config(config).await
    }
}
