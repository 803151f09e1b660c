//! The table of times: a row for each address, a column for each database, in Markdown.

use std::time::Duration;

use store::testing::plan::Asked;

/// What is slower than this is set in bold.
const SLOW: Duration = Duration::from_millis(50);
/// What one address took.
#[derive(Clone)]
pub struct Times {
    /// The very first request.
    pub first: Duration,
    /// Half of the others took at most this.
    pub middle: Duration,
    /// 99 of 100 others took at most this.
    pub high: Duration,
    /// The slowest statement of the last one.
    pub slowest: Option<Asked>,
}

/// Prints one row for each address, one column for each database.
pub fn print(columns: &[(String, Vec<(String, Times)>)]) {
    let Some((_, first)) = columns.first() else {
        return;
    };
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    println!("| first page of | {} |", names.join(" | "));
    println!("|---|{}", "---:|".repeat(columns.len()));
    for (row, (address, _)) in first.iter().enumerate() {
        let cells: Vec<String> = columns
            .iter()
            .map(|(_, times)| cell(&times[row].1))
            .collect();
        println!("| `{address}` | {} |", cells.join(" | "));
    }
}

/// Half of the requests and 99 of 100 took at most so many milliseconds; the very first.
pub fn cell(times: &Times) -> String {
    let bold = if times.high > SLOW { "**" } else { "" };
    format!(
        "{} / {bold}{}{bold} ({})",
        milliseconds(times.middle),
        milliseconds(times.high),
        milliseconds(times.first),
    )
}

/// In milliseconds, with a digit after the point where that says something.
pub fn milliseconds(took: Duration) -> String {
    let ms = took.as_secs_f64() * 1000.0;
    match ms {
        ms if ms < 10.0 => format!("{ms:.1}"),
        ms => format!("{ms:.0}"),
    }
}

/// A number with commas.
pub fn number(n: i64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
