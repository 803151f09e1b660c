//! What commands print: tables, a state as dot and word, and a line that says how far it is. The
//! idea: on a terminal a table fits its width and states have their colour; anywhere else it is
//! plain text with all of every cell, so that programs can read it. Whatever a server sends, it
//! neither tears a line nor drives the terminal.

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

/// A text of others in one line: where it would break the line there is a space, and what would
/// drive the terminal is shown as what it is.
pub fn plain(text: &str) -> String {
    let shown = |character| match character {
        '\t' | '\n' | '\r' => ' ',
        // A picture of it: ␛ for the one that everything else begins with.
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(character)).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}' => '\u{fffd}',
        other => other,
    };
    text.replace("\r\n", "\n").chars().map(shown).collect()
}

/// The same over as many lines as it has, each after the first so far to the right.
pub fn plain_lines(text: &str, right: usize) -> String {
    let lines: Vec<String> = text.lines().map(plain).collect();
    lines.join(&format!("\n{:right$}", ""))
}

/// A text that may be one of [`state`], which stays as it is.
pub fn cell(text: String) -> String {
    let own = || JobState::ALL.iter().any(|is| state(*is) == text);
    match text.contains(char::is_control) && !own() {
        true => plain(&text),
        false => text,
    }
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
        self.rows.push(row.into_iter().map(cell).collect());
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
    fn a_traceback_tears_no_table_and_no_name_drives_the_terminal() {
        let mut table = Table::new(&["capture", "reason"]);
        let reason = "Traceback:\r\n\tline 7\n\x1b[2J\x1b]0;mine\x07 \u{9b}31m";
        table.row(["7", reason].map(str::to_owned).into());
        table.row(["12", "lost"].map(str::to_owned).into());
        let expected = "\
capture  reason
      7  Traceback:  line 7 ␛[2J␛]0;mine␇ \u{fffd}31m
     12  lost
";
        assert_eq!(table.text(None), expected);
        assert_eq!(plain("Ænd 🦋 ünd\0\x7f"), "Ænd 🦋 ünd␀␡");
        let lines = plain_lines("one\r\ntwo\x1b\n\nfour\n", 4);
        assert_eq!(lines, "one\n    two␛\n    \n    four");
    }

    #[test]
    fn a_painted_state_stays_painted() {
        for is in JobState::ALL {
            assert_eq!(cell(state(is)), state(is));
        }
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
