//! A mail server for tests, of this crate and of those above it. The idea: it takes every letter, or
//! answers to each recipient as it is told, and keeps all that it was sent as text to look into.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that has no mail server must stop

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A mail server on this machine, for as long as the runtime of the test is there.
#[derive(Debug)]
pub struct MailServer {
    /// Its address, for [`crate::Mailer::new`].
    pub url: String,
    heard: Arc<Mutex<String>>,
}

impl MailServer {
    /// One that takes every letter.
    ///
    /// # Panics
    /// Where no port can be had.
    pub async fn start() -> MailServer {
        MailServer::answering("250 ok").await
    }

    /// One that answers this to whoever a letter is for.
    ///
    /// # Panics
    /// Where no port can be had.
    pub async fn answering(rcpt: &'static str) -> MailServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(String::new()));
        let all = heard.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, rcpt, all.clone()));
            }
        });
        MailServer { url, heard }
    }

    /// What it was sent so far, line by line: commands and letters. Whoever has sent a letter finds
    /// all of it here.
    pub fn heard(&self) -> String {
        self.heard.lock().unwrap().clone()
    }

    /// Forgets what it was sent.
    pub fn forget(&self) {
        self.heard.lock().unwrap().clear();
    }
}

async fn serve(stream: TcpStream, rcpt: &'static str, heard: Arc<Mutex<String>>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut answer = "220 test";
    let mut in_letter = false;
    loop {
        let whole = format!("{answer}\r\n");
        if write.write_all(whole.as_bytes()).await.is_err() {
            return;
        }
        answer = loop {
            let Ok(Some(line)) = lines.next_line().await else {
                return;
            };
            *heard.lock().unwrap() += &format!("{line}\n");
            let word = line.split([' ', ':']).next().unwrap_or_default();
            match (in_letter, word) {
                (true, ".") => {
                    in_letter = false;
                    break "250 taken";
                }
                (true, _) => {}
                (false, "DATA") => {
                    in_letter = true;
                    break "354 go on";
                }
                (false, "RCPT") => break rcpt,
                (false, "QUIT") => return,
                (false, _) => break "250 ok",
            }
        };
    }
}
