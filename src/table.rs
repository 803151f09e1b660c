//! What commands that move rows print: a line that says how far it is, on a terminal only, and
//! tables of counts.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often the line changes.
const PACE: Duration = Duration::from_millis(200);

/// A line on standard error that tells how far it is.
#[derive(Debug, Default)]
pub struct Progress {
    said: Option<Instant>,
}

impl Progress {
    /// Says that so many rows of a table are done.
    pub fn say(&mut self, table: &str, rows: u64) {
        let early = self.said.is_some_and(|said| said.elapsed() < PACE);
        if early || !std::io::stderr().is_terminal() {
            return;
        }
        self.said = Some(Instant::now());
        eprint!("\r\x1b[K{table}: {rows}");
        std::io::stderr().flush().ok();
    }

    /// Takes the line away.
    pub fn end(self) {
        if self.said.is_some() {
            eprint!("\r\x1b[K");
        }
    }
}

/// Prints a table; columns of numbers stand to the right.
pub fn print(head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let rows: Vec<Vec<String>> = rows.collect();
    let head: Vec<String> = head.iter().map(|name| (*name).to_owned()).collect();
    let width = |at: usize| {
        let cells = rows.iter().chain([&head]).filter_map(|row| row.get(at));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let number = |at: usize| {
        let mut cells = rows.iter().filter_map(|row| row.get(at));
        cells.all(|cell| cell.parse::<i64>().is_ok())
    };
    for row in [&head].into_iter().chain(&rows) {
        let cells = row.iter().enumerate().map(|(at, cell)| match number(at) {
            true => format!("{cell:>width$}", width = width(at)),
            false => format!("{cell:<width$}", width = width(at)),
        });
        println!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}
