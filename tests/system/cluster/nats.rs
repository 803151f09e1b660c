//! A NATS server of the test's own with JetStream, which may be killed and started again on its
//! store, and tells what lies in it.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::chaos::process::{free_port, listens};

pub struct Nats {
    address: String,
    monitor: String,
    store: tempfile::TempDir,
    child: Option<Child>,
    pub kills: u64,
}

impl Nats {
    /// Starts one, where the program is on this machine.
    pub async fn start() -> Option<Nats> {
        let mut there = Command::new("nats-server");
        let there = there.arg("-v").stdout(Stdio::null()).stderr(Stdio::null());
        there.status().ok()?;
        let mut server = Nats {
            address: free_port(),
            monitor: free_port(),
            store: tempfile::tempdir().unwrap(),
            child: None,
            kills: 0,
        };
        server.start_again().await;
        Some(server)
    }

    pub fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
            self.kills += 1;
        }
    }

    /// Starts it on what it left.
    pub async fn start_again(&mut self) {
        let port = |address: &str| address.rsplit(':').next().unwrap().to_owned();
        let mut command = Command::new("nats-server");
        command.args(["-a", "127.0.0.1", "-p", &port(&self.address)]);
        command.args(["-m", &port(&self.monitor), "-js", "-sd"]);
        command.arg(self.store.path());
        let command = command.stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        listens(&self.address).await;
    }

    /// Waits until nothing lies in it and nobody's place in a stream is kept: caretakers clear away
    /// what ended jobs have left.
    pub async fn is_emptied(&self) {
        let url = format!("http://{}/jsz", self.monitor);
        let mut last = Value::Null;
        for _ in 0..1200 {
            if let Ok(answer) = reqwest::get(&url).await {
                last = answer.json().await.unwrap();
                if last["messages"] == 0 && last["consumers"] == 0 {
                    assert_eq!(last["streams"], 1, "the tasks lie here: {last}");
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("tasks of ended jobs stay in the stream: {last}");
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
    }
}
