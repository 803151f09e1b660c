//! A PostgreSQL server of the test's own, on a folder and a port of its own, which may be stopped
//! at once and started again on its data.

use std::fs::{File, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::chaos::process::{free_port, listens};

pub struct Postgres {
    programs: PathBuf,
    folder: tempfile::TempDir,
    address: String,
    account: Option<(u32, u32)>,
    child: Option<Child>,
    pub stops: u64,
}

impl Postgres {
    /// Makes an empty one, where its programs are on this machine.
    pub async fn start() -> Option<Postgres> {
        let programs = programs()?;
        let folder = tempfile::tempdir().unwrap();
        // It does not run as root, who may be who runs the tests.
        let account = is_root(folder.path()).then(account);
        if let Some((user, group)) = account {
            std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
            chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let mut server = Postgres {
            programs,
            folder,
            address: free_port(),
            account,
            child: None,
            stops: 0,
        };
        let data = server.data();
        let mut init = server.command("initdb");
        init.args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C"]);
        init.arg("--no-sync").arg("-D").arg(data);
        let made = init.stdout(Stdio::null()).status().unwrap();
        assert!(made.success(), "initdb: {made}");
        server.start_again().await;
        Some(server)
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.address)
    }

    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Stops it at once, as PostgreSQL calls it: no farewell, and its log is replayed at the next
    /// start.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let id = child.id().to_string();
            let sent = Command::new("sh")
                .args(["-c", "kill -QUIT $0", &id])
                .status();
            assert!(sent.unwrap().success());
            child.wait().unwrap();
            self.stops += 1;
        }
    }

    /// Starts it on what it left.
    pub async fn start_again(&mut self) {
        let log = self.folder.path().join("log");
        let log = File::options().create(true).append(true).open(log);
        let log = log.unwrap();
        let (host, port) = self.address.split_once(':').unwrap();
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data());
        for setting in [
            format!("listen_addresses={host}"),
            format!("port={port}"),
            format!("unix_socket_directories={}", self.folder.path().display()),
            // Two web processes have 32 connections each, two that work 16.
            "max_connections=200".to_owned(),
        ] {
            command.args(["-c", &setting]);
        }
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().unwrap());
        listens(&self.address).await;
        // It listens before it has replayed its log.
        for _ in 0..1200 {
            let mut ready = self.command("pg_isready");
            ready.args(["-q", "-h", host, "-p", port]);
            if ready.status().unwrap().success() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("PostgreSQL does not start: {}", self.said());
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(self.folder.path());
        if let Some((user, group)) = self.account {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where Debian puts them, of the newest version.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let mut found: Vec<PathBuf> = versions.map(|entry| entry.path()).collect();
    found.retain(|path| path.join("bin/initdb").exists());
    found.sort_by_key(|path| number(path));
    Some(found.pop()?.join("bin"))
}

/// Whether what this process makes is root's.
fn is_root(made: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(made).unwrap().uid() == 0
}

/// User and group of the account that Debian's package makes.
fn account() -> (u32, u32) {
    let all = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = all.lines().find(|line| line.starts_with("postgres:"));
    let line = line.expect("PostgreSQL's package has made its account");
    let mut numbers = line.split(':').skip(2).map(|part| part.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}
