//! A process of the program that can be killed and started again; what it writes is kept.

use std::fs::File;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use crate::program::hawkmoth;

/// A process, and how it is started.
pub struct Process {
    pub name: &'static str,
    arguments: Vec<String>,
    log: PathBuf,
    child: Option<Child>,
    pub kills: u64,
}

impl Process {
    /// Starts it.
    pub fn new(name: &'static str, folder: &Path, arguments: &[&str]) -> Process {
        let mut process = Process {
            name,
            arguments: arguments.iter().map(|&text| text.to_owned()).collect(),
            log: folder.join(format!("{name}.log")),
            child: None,
            kills: 0,
        };
        process.start();
        process
    }

    /// Starts it again.
    pub fn start(&mut self) {
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.unwrap();
        let mut command = hawkmoth();
        command.args(&self.arguments);
        command.stderr(log.try_clone().unwrap()).stdout(log);
        self.child = Some(command.spawn().unwrap());
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
            self.kills += 1;
        }
    }

    /// Its number in the kernel, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        let child = self.child.as_ref().expect("it runs");
        let id = child.id().to_string();
        let sent = Command::new("sh")
            .args(["-c", "kill -TERM $0", &id])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let child = self.child.as_mut().expect("it was started");
        for _ in 0..1200 {
            if let Some(status) = child.try_wait().unwrap() {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} does not end: {}", self.name, self.said());
    }

    /// What it wrote.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until it listens there; one that refuses to start says why.
    pub async fn up(&mut self, address: &str) {
        for _ in 0..2400 {
            self.must_live();
            if TcpStream::connect(address).is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!(
            "{} does not listen on {address}: {}",
            self.name,
            self.said()
        );
    }

    /// None of them may end by itself.
    pub fn must_live(&mut self) {
        let ended = self
            .child
            .as_mut()
            .and_then(|child| child.try_wait().unwrap());
        if let Some(status) = ended {
            panic!(
                "{} ended by itself with {status}: {}",
                self.name,
                self.said()
            );
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Ports below those that the kernel gives to whoever connects: while a process is away, nobody
/// else may happen to get its port.
const PORTS: std::ops::Range<u16> = 16_000..32_000;

/// A port on which nothing listens.
pub fn free_port() -> String {
    loop {
        let port = rand::random_range(PORTS);
        let address = format!("127.0.0.1:{port}");
        if std::net::TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}

/// Waits until something listens there.
pub async fn listens(address: &str) {
    for _ in 0..600 {
        if TcpStream::connect(address).is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing listens on {address}");
}
