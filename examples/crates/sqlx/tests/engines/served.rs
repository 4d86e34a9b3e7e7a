//! A SQLite store in a process of its own, which can be killed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use session_policy::store::{Removed, SecretHash, SessionParts, SessionStore, StoreError, Update};
use session_policy::{Lifetime, Session, SessionId, Timestamp};
use session_policy_sqlx::SqliteStore;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

/// Names the folder to the process that serves it.
const FOLDER: &str = "SESSION_POLICY_SERVED_FOLDER";

/// A process that serves a SQLite file on a socket; killed on drop.
pub(crate) struct Process {
    child: Child,
    test: &'static str,
    folder: TempDir,
}

impl Process {
    /// Runs this program again for this test alone, which has to call [`serve`].
    pub(crate) async fn start(test: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = Self { child: spawn(test, folder.path()), test, folder };
        process.answers().await;
        process
    }

    pub(crate) fn store(&self) -> Served {
        Served { socket: self.folder.path().join("socket") }
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("the process is killed");
        self.child.wait().expect("the process ends");
    }

    pub(crate) async fn restart(&mut self) {
        self.child = spawn(self.test, self.folder.path());
        self.answers().await;
    }

    async fn answers(&self) {
        let start = Instant::now();
        while self.store().list("nobody").await.is_err() {
            assert!(start.elapsed() < Duration::from_mins(1), "the process does not answer");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(test: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .spawn()
        .expect("this program runs again")
}

/// The folder to serve, in the process that [`Process`] started.
pub(crate) fn folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// Answers one request a connection until it is killed.
pub(crate) async fn serve(folder: &Path) {
    let url = format!("sqlite://{}/sessions.db", folder.display());
    let store = SqliteStore::connect(&url).await.unwrap();
    store.create_table().await.unwrap();
    let socket = folder.join("socket");
    let _ = std::fs::remove_file(&socket);
    let listener = UnixListener::bind(socket).unwrap();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let store = store.clone();
        tokio::spawn(async move {
            let mut request = Vec::new();
            stream.read_to_end(&mut request).await.unwrap();
            let answer = match answered(&store, &serde_json::from_slice(&request).unwrap()).await {
                Ok(answer) => json!({ "answer": answer }),
                Err(StoreError::Conflict) => json!({ "conflict": true }),
                Err(error) => json!({ "error": format!("{error:?}") }),
            };
            let _ = stream.write_all(&serde_json::to_vec(&answer).unwrap()).await;
        });
    }
}

/// The answer to a verb, its subject matter, and its bounds.
async fn answered(store: &SqliteStore, request: &Value) -> Result<Value, StoreError> {
    let of = &request[1];
    let instant = |value: &Value| Timestamp::from_unix_secs(value.as_i64().unwrap());
    let answer = match request[0].as_str().unwrap() {
        "create" => json!(store.create(&held(of)).await?),
        "load" => json!(store.load(&id(of)).await?),
        "update" => {
            let after = held(of);
            let update = Update::new(&after, instant(&request[2]), after.lifetime());
            json!(store.update(&update).await?)
        }
        "remove" => json!(store.remove(&id(of)).await?),
        "remove_expired" => {
            let limit = u32::try_from(request[2].as_u64().unwrap()).unwrap();
            let removed = store.remove_expired(instant(of), limit).await?;
            let row = |removed: &Removed| {
                json!([
                    removed.id(),
                    removed.subject(),
                    removed.profile(),
                    removed.expires_at().as_unix_secs(),
                    removed.absolute_expires_at().as_unix_secs(),
                ])
            };
            removed.iter().map(row).collect()
        }
        "list" => json!(store.list(of.as_str().unwrap()).await?),
        "remove_all" => {
            let except = (!request[2].is_null()).then(|| id(&request[2]));
            json!(store.remove_all(of.as_str().unwrap(), except.as_ref()).await?)
        }
        verb => panic!("no verb: {verb}"),
    };
    Ok(answer)
}

fn id(value: &Value) -> SessionId {
    serde_json::from_value(value.clone()).unwrap()
}

fn held(value: &Value) -> Session {
    serde_json::from_value(value.clone()).unwrap()
}

/// The store of a [`Process`].
#[derive(Clone, Debug)]
pub(crate) struct Served {
    socket: PathBuf,
}

impl Served {
    async fn ask(&self, request: Value) -> Result<Value, StoreError> {
        let asked = async {
            let mut stream = UnixStream::connect(&self.socket).await?;
            stream.write_all(request.to_string().as_bytes()).await?;
            stream.shutdown().await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            Ok::<Value, std::io::Error>(serde_json::from_slice(&answer)?)
        };
        match asked.await {
            Ok(answer) if answer["conflict"] == true => Err(StoreError::Conflict),
            Ok(answer) if answer["error"].is_null() => Ok(answer["answer"].clone()),
            Ok(answer) => Err(StoreError::unavailable(answer["error"].to_string())),
            Err(error) => {
                // Nobody asks a process that is gone as fast as the kernel refuses.
                tokio::time::sleep(Duration::from_millis(50)).await;
                Err(StoreError::unavailable(error))
            }
        }
    }
}

impl SessionStore for Served {
    async fn create(&self, session: &Session) -> Result<(), StoreError> {
        self.ask(json!(["create", session])).await.map(drop)
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        let found = self.ask(json!(["load", id])).await?;
        Ok((!found.is_null()).then(|| held(&found)))
    }

    async fn update(&self, update: &Update) -> Result<bool, StoreError> {
        let (renewed_at, expires_at) = (update.renewed_at(), update.expires_at());
        let after = Session::restore(SessionParts {
            id: update.id(),
            subject: "any".into(),
            profile: "default".into(),
            epoch: None,
            ordinal: 0,
            about: None,
            version: update.expected_version(),
            secret: SecretHash::from_bytes(*update.secret().as_bytes()),
            lifetime: Lifetime::restore(renewed_at, renewed_at, expires_at, expires_at).unwrap(),
            generation: update.generation(),
            confirmed_at: update.confirmed_at(),
        });
        let request = json!(["update", after.unwrap(), update.at().as_unix_secs()]);
        Ok(self.ask(request).await?.as_bool().unwrap())
    }

    async fn remove(&self, id: &SessionId) -> Result<bool, StoreError> {
        Ok(self.ask(json!(["remove", id])).await?.as_bool().unwrap())
    }

    async fn remove_expired(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Removed>, StoreError> {
        let rows = self.ask(json!(["remove_expired", before.as_unix_secs(), limit])).await?;
        let row = |row: &Value| {
            let instant = |at: usize| Timestamp::from_unix_secs(row[at].as_i64().unwrap());
            let text = |at: usize| row[at].as_str().unwrap();
            Removed::from_parts(id(&row[0]), text(1), text(2), instant(3), instant(4))
        };
        Ok(rows.as_array().unwrap().iter().map(row).collect())
    }

    async fn list(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        let rows = self.ask(json!(["list", subject])).await?;
        Ok(rows.as_array().unwrap().iter().map(held).collect())
    }

    async fn remove_all(
        &self,
        subject: &str,
        except: Option<&SessionId>,
    ) -> Result<Vec<SessionId>, StoreError> {
        let rows = self.ask(json!(["remove_all", subject, except])).await?;
        Ok(rows.as_array().unwrap().iter().map(id).collect())
    }
}
