//! The web processes of one installation, where no proxy stands before them: each worker has one
//! that it asks, and goes on to the next one when that does not answer.

use std::sync::atomic::{AtomicUsize, Ordering};

pub struct Servers {
    all: Vec<String>,
    at: AtomicUsize,
}

impl Servers {
    /// The worker with this number begins with the server of this number.
    pub fn new(all: &[String], number: u32) -> Servers {
        let at = usize::try_from(number).unwrap_or(0);
        Servers {
            all: all.to_vec(),
            at: AtomicUsize::new(at),
        }
    }

    fn present(&self) -> &str {
        let at = self.at.load(Ordering::Relaxed);
        &self.all[at % self.all.len()]
    }

    /// An address of the API at the present server.
    pub fn address(&self, path: &str) -> String {
        format!("{}/api/v2/{path}", self.present())
    }

    /// The same address at the present server, where it is one of these servers'.
    pub fn moved(&self, url: &str) -> String {
        let of = |server: &&String| url.starts_with(&format!("{server}/"));
        match self.all.iter().find(of) {
            Some(server) => format!("{}{}", self.present(), &url[server.len()..]),
            None => url.to_owned(),
        }
    }

    /// The server of this address did not answer: the next one is asked, unless another request
    /// has gone on already.
    pub fn leave(&self, url: &str) {
        if url.starts_with(&format!("{}/", self.present())) {
            self.at.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_answer_is_left_once() {
        let all = ["http://a:1".to_owned(), "http://b:1".to_owned()];
        let servers = Servers::new(&all, 3);
        assert_eq!(servers.address("jobs"), "http://b:1/api/v2/jobs");
        let (of_a, of_b) = ("http://a:1/media/x", "http://b:1/media/x");
        assert_eq!(servers.moved(of_a), of_b);
        assert_eq!(servers.moved("http://a:12/x"), "http://a:12/x");
        servers.leave(of_b);
        servers.leave(of_b);
        assert_eq!(servers.moved(of_b), of_a);
    }
}
