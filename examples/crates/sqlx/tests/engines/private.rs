//! Engines of the tests' own, on free ports and in temporary folders, to be
//! killed; and small disks, to be filled.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use session_policy_store_harness::free_port;
use sqlx::{Connection, MySqlConnection, PgConnection};
use tempfile::TempDir;

use crate::support::missing;

/// A server of a test's own, which is killed on drop.
pub(crate) struct PrivateEngine {
    program: Command,
    /// Ends it at once, so that what it had acknowledged it must find in its log.
    signal: &'static str,
    url: String,
    server: Child,
    _folder: TempDir,
}

impl PrivateEngine {
    pub(crate) async fn postgres(place: &Path) -> Option<Self> {
        let Some(programs) = postgres_programs() else {
            missing("PostgreSQL server program");
            return None;
        };
        let folder = folder_in(place, "postgres");
        let data = folder.path().join("data");
        let made = as_user("postgres", &programs.join("initdb"))
            .args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--username=postgres", "-D"])
            .arg(&data)
            .stdout(Stdio::null())
            .status()
            .expect("initdb runs");
        assert!(made.success(), "initdb failed");
        let port = free_port();
        let mut program = as_user("postgres", &programs.join("postgres"));
        program
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "unix_socket_directories=", "-c", "max_wal_size=64MB"])
            .args(["-c", "shared_preload_libraries=pg_stat_statements", "-D"])
            .arg(data);
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        // An immediate shutdown; SIGKILL would leave its children behind.
        Some(Self::start(program, "-QUIT", url, folder).await)
    }

    pub(crate) async fn mariadb(place: &Path) -> Option<Self> {
        if Command::new("mariadbd").arg("--version").stdout(Stdio::null()).status().is_err() {
            missing("MariaDB server program");
            return None;
        }
        let folder = folder_in(place, "mysql");
        let data = folder.path().join("data");
        let made = Command::new("mariadb-install-db")
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
            .args(["--innodb-log-file-size=16M", "--user=mysql"])
            .arg(format!("--datadir={}", data.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("mariadb-install-db runs");
        assert!(made.success(), "mariadb-install-db failed");
        let port = free_port();
        let mut program = Command::new("mariadbd");
        program
            .args(["--no-defaults", "--user=mysql", "--bind-address=127.0.0.1"])
            .args(["--innodb-log-file-size=16M", "--innodb-buffer-pool-size=64M"])
            .arg(format!("--port={port}"))
            .arg(format!("--socket={}", data.join("engine.sock").display()))
            .arg(format!("--datadir={}", data.display()));
        let url = format!("mysql://root@127.0.0.1:{port}/mysql");
        Some(Self::start(program, "-KILL", url, folder).await)
    }

    async fn start(
        mut program: Command,
        signal: &'static str,
        url: String,
        folder: TempDir,
    ) -> Self {
        let server = program.stderr(Stdio::null()).spawn().expect("the server runs");
        let engine = Self { program, signal, url, server, _folder: folder };
        engine.answers().await;
        engine
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn kill(&mut self) {
        let id = self.server.id().to_string();
        let killed = Command::new("kill").args([self.signal, &id]).status();
        assert!(killed.expect("kill runs").success());
        self.server.wait().expect("the server ends");
    }

    pub(crate) async fn restart(&mut self) {
        self.server = self.program.spawn().expect("the server runs");
        self.answers().await;
    }

    async fn answers(&self) {
        let start = Instant::now();
        while !is_reached(&self.url).await {
            assert!(start.elapsed() < Duration::from_mins(1), "{} does not answer", self.url);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for PrivateEngine {
    fn drop(&mut self) {
        if let Ok(None) = self.server.try_wait() {
            self.kill();
        }
    }
}

async fn is_reached(url: &str) -> bool {
    if url.starts_with("postgres") {
        PgConnection::connect(url).await.is_ok()
    } else {
        MySqlConnection::connect(url).await.is_ok()
    }
}

/// A file system in memory of a few MiB, which is unmounted on drop.
pub(crate) struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    pub(crate) fn mount(name: &str, mebibytes: u32) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix(name).tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m,mode=755"), "tmpfs"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self { folder });
        }
        // Not an engine: a container may well forbid it.
        eprintln!("skipped: no file system can be mounted here to be filled");
        None
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fills the disk but for the last mebibytes.
    pub(crate) fn leave_free(&self, mebibytes: u64) {
        let free = Command::new("df").args(["-B1", "--output=avail"]).arg(self.path()).output();
        let free = String::from_utf8(free.unwrap().stdout).unwrap();
        let free: u64 = free.lines().nth(1).unwrap().trim().parse().unwrap();
        let fill = free.saturating_sub(mebibytes << 20);
        std::fs::write(self.path().join("ballast"), vec![0; usize::try_from(fill).unwrap()])
            .expect("the disk is filled");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}

/// The newest of Debian's PostgreSQL, else the one on the path.
fn postgres_programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = versions.flatten().map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH")?;
    let mut found: Vec<PathBuf> = std::env::split_paths(&path).chain(debian).collect();
    found.retain(|folder| folder.join("initdb").is_file());
    found.pop()
}

/// A program as an engine's own user where the tests run as root, which
/// PostgreSQL refuses to.
pub(crate) fn as_user(user: &str, program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user, "--regid", user, "--clear-groups"]).arg(program);
    command.current_dir("/");
    command
}

pub(crate) fn folder_in(place: &Path, user: &str) -> TempDir {
    let folder = tempfile::Builder::new().prefix("engine").tempdir_in(place).unwrap();
    if is_root() {
        let owned = Command::new("chown").arg(user).arg(folder.path()).status();
        assert!(owned.expect("chown runs").success());
    }
    folder
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id runs");
    id.stdout.starts_with(b"0\n")
}
