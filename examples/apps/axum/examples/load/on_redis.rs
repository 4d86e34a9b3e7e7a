//! tower-sessions on Redis, with the commands of `tower-sessions-redis-store` 0.16, on the
//! client that ours has.

use async_trait::async_trait;
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result, SessionStore};

#[derive(Clone, Debug)]
pub(crate) struct TowerRedis {
    connection: MultiplexedConnection,
}

impl TowerRedis {
    pub(crate) async fn connect(url: &str) -> redis::RedisResult<Self> {
        let client = redis::Client::open(url)?;
        Ok(Self { connection: client.get_multiplexed_async_connection().await? })
    }
}

fn key(id: &Id) -> String {
    format!("load-tower-{id}")
}

#[async_trait]
impl SessionStore for TowerRedis {
    async fn create(&self, record: &mut Record) -> Result<()> {
        self.save(record).await
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let data = serde_json::to_vec(record).map_err(|error| Error::Encode(error.to_string()))?;
        let mut set = redis::cmd("SET");
        set.arg(key(&record.id)).arg(data).arg("EXAT").arg(record.expiry_date.unix_timestamp());
        set.exec_async(&mut self.connection.clone()).await.map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let data: Option<Vec<u8>> = self.connection.clone().get(key(id)).await.map_err(backend)?;
        let record = data.map(|data| serde_json::from_slice(&data)).transpose();
        record.map_err(|error| Error::Decode(error.to_string()))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.connection.clone().del(key(id)).await.map_err(backend)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` passes it")]
fn backend(error: redis::RedisError) -> Error {
    Error::Backend(error.to_string())
}
