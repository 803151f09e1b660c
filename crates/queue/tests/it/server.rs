//! A NATS server of a test's own, which may be killed, frozen and started again on its data.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub struct Server {
    port: u16,
    data: tempfile::TempDir,
    settings: Vec<String>,
    child: Child,
}

/// A port that nobody has, below those that the system gives to whoever connects somewhere.
fn free_port() -> u16 {
    let mut ports = std::iter::repeat_with(|| 16_000 + rand::random::<u16>() % 16_000);
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.find(free).unwrap()
}

impl Server {
    /// Starts one, where tests of NATS are wanted at all and the program is there.
    pub async fn start() -> Option<Server> {
        Server::with(&[]).await
    }

    /// The same with these settings.
    pub async fn with(settings: &[&str]) -> Option<Server> {
        store::testing::nats()?;
        let port = free_port();
        let data = tempfile::tempdir().unwrap();
        let settings: Vec<String> = settings.iter().map(|&text| text.to_owned()).collect();
        let child = run(port, data.path(), &settings);
        let server = Server {
            port,
            data,
            settings,
            child,
        };
        server.answers().await;
        Some(server)
    }

    /// Its host and port.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Ends it as a power cut of the process would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again on the same data.
    pub async fn start_again(&mut self) {
        self.child = run(self.port, self.data.path(), &self.settings);
        self.answers().await;
    }

    /// Starts it again with other settings.
    pub async fn start_with(&mut self, settings: &[&str]) {
        self.settings = settings.iter().map(|&text| text.to_owned()).collect();
        self.start_again().await;
    }

    /// It keeps its connections and answers nothing.
    pub fn freeze(&self) {
        self.signal("-STOP");
        // Its threads run on until the signal has reached each of them.
        let stat = format!("/proc/{}/stat", self.child.id());
        while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") T ")) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, which: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([which, &pid]).status().unwrap();
        assert!(sent.success());
    }

    async fn answers(&self) {
        for _ in 0..300 {
            if std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("nats-server does not start");
    }
}

fn run(port: u16, data: &std::path::Path, settings: &[String]) -> Child {
    let started = Command::new("nats-server")
        .args(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd"])
        .arg(data)
        .args(settings)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    started.expect("nats-server can be started (Debian: apt-get install nats-server)")
}

impl Drop for Server {
    fn drop(&mut self) {
        self.thaw();
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
