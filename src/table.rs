//! What commands print: tables, a state as dot and word, and a line that says how far it is. The
//! idea: on a terminal a table fits its width and states have their colour; anywhere else it is
//! plain text with all of every cell, so that programs can read it.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use console::{Alignment, Style, Term, measure_text_width, pad_str, truncate_str};
use domain::state::{JobState, Tone};

/// How often the line changes.
const PACE: Duration = Duration::from_millis(200);
/// A column is cut to this width at the narrowest.
const NARROWEST: usize = 8;

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
    let mut table = Table::new(head);
    rows.for_each(|row| table.row(row));
    say(&table.text(None));
}

/// Writes to standard output. Whoever reads it may have seen enough, as `head` has.
pub fn say(text: &str) {
    std::io::stdout().write_all(text.as_bytes()).ok();
}

/// The columns of the terminal, where standard output is one.
pub fn width() -> Option<usize> {
    let term = Term::stdout();
    let size = term.is_term().then(|| term.size_checked()).flatten();
    size.map(|(_, columns)| usize::from(columns))
}

/// A state for people: its word, on a terminal with its dot and, unless `NO_COLOR` says
/// otherwise, its colour.
pub fn state(state: JobState) -> String {
    if !std::io::stdout().is_terminal() {
        return state.word().to_owned();
    }
    let style = match state.tone() {
        Tone::Success => Style::new().green(),
        Tone::Failed => Style::new().red(),
        Tone::Running => Style::new().yellow(),
        Tone::Waiting => Style::new().dim(),
    };
    format!("{} {}", style.apply_to("●"), state.word())
}

/// Rows under a head.
#[derive(Debug, Default)]
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    shrinks: Vec<usize>,
}

impl Table {
    /// A table without rows.
    pub fn new(head: &[&str]) -> Table {
        Table {
            head: head.iter().map(|name| (*name).to_owned()).collect(),
            ..Table::default()
        }
    }

    /// The columns that are cut where the terminal is too narrow, the widest first.
    #[must_use]
    pub fn shrinking(mut self, columns: &[usize]) -> Table {
        self.shrinks = columns.to_vec();
        self
    }

    /// Adds a row.
    pub fn row(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// The lines, no wider than that if it can be.
    pub fn text(&self, most: Option<usize>) -> String {
        let mut widths: Vec<usize> = (0..self.head.len()).map(|at| self.width(at)).collect();
        if let Some(most) = most {
            self.shrink(&mut widths, most);
        }
        let sides: Vec<Alignment> = (0..widths.len()).map(|at| self.side(at)).collect();
        let mut text = String::new();
        for row in [&self.head].into_iter().chain(&self.rows) {
            let cells = row.iter().zip(&widths).zip(&sides);
            let cells = cells.map(|((cell, width), side)| {
                let cell = truncate_str(cell, *width, "…");
                pad_str(&cell, *width, *side, None).into_owned()
            });
            text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
            text.push('\n');
        }
        text
    }

    /// Takes from the widest of the columns that may be cut until all fit.
    fn shrink(&self, widths: &mut [usize], most: usize) {
        let gaps = 2 * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > most {
            let columns = self.shrinks.iter().copied();
            let widest = columns.max_by_key(|at| widths.get(*at).copied());
            match widest.and_then(|at| widths.get_mut(at)) {
                Some(width) if *width > NARROWEST => *width -= 1,
                _ => return,
            }
        }
    }

    fn width(&self, at: usize) -> usize {
        let cells = self.rows.iter().chain([&self.head]);
        let cells = cells.filter_map(|row| row.get(at));
        cells
            .map(|cell| measure_text_width(cell))
            .max()
            .unwrap_or(0)
    }

    /// Numbers stand to the right.
    fn side(&self, at: usize) -> Alignment {
        let mut cells = self.rows.iter().filter_map(|row| row.get(at));
        match cells.all(|cell| cell.parse::<i64>().is_ok()) {
            true => Alignment::Right,
            false => Alignment::Left,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["id", "name", "state"]).shrinking(&[1]);
        table.row(
            ["7", "Find insects on all captures", "Running"]
                .map(str::to_owned)
                .into(),
        );
        table.row(["12", "Sync", "Success"].map(str::to_owned).into());
        table
    }

    #[test]
    fn a_program_reads_all_of_it() {
        let expected = "\
id  name                          state
 7  Find insects on all captures  Running
12  Sync                          Success
";
        assert_eq!(table().text(None), expected);
    }

    #[test]
    fn one_column_is_cut_on_a_narrow_terminal() {
        let expected = "\
id  name                 state
 7  Find insects on al…  Running
12  Sync                 Success
";
        assert_eq!(table().text(Some(32)), expected);
    }
}
