//! How a service answered over the last days, as a picture and a sentence. The idea: what it was in
//! each two hours is a cell, and cells that are alike and follow each other are one piece of a line.

use std::collections::HashMap;

use store::service::check::{Answered, CHECK_DAYS, CHECK_SLOT};

use crate::pages::columns::grouped;
use crate::pages::model::Ago;

/// Seconds that a cell stands for: two hours.
pub const CELL: i64 = 2 * 3600;
/// Cells of the picture.
const CELLS: i64 = CHECK_DAYS * 86_400 / CELL;

/// How a service answered over the last days.
pub struct History {
    /// A line for each way in which it was, with a piece for each time.
    pub lines: Vec<(&'static str, String)>,
    pub width: i64,
    /// The same in a sentence.
    pub words: String,
}

impl History {
    /// Of what was found out in each two hours; `None` where nothing was.
    pub fn of(parts: &[Answered], now: i64, pulls: bool) -> Option<History> {
        if parts.is_empty() {
            return None;
        }
        let first = now.div_euclid(CELL) - CELLS + 1;
        let mut sums: HashMap<i64, (i64, i64)> = HashMap::new();
        for part in parts {
            let cell = (part.part - first).clamp(0, CELLS - 1);
            let sum = sums.entry(cell).or_default();
            sum.0 += part.answered;
            sum.1 += part.failed;
        }
        let answered: i64 = parts.iter().map(|part| part.answered).sum();
        let failed: i64 = parts.iter().map(|part| part.failed).sum();
        let last = parts.iter().filter_map(|part| part.silent).max();
        let last = last.map(|slot| slot + CHECK_SLOT);
        let tone = |(answered, failed): (i64, i64)| match (answered, failed) {
            (_, 0) => "success",
            (0, _) => "failed",
            _ => "running",
        };
        let mut cells: Vec<_> = sums.into_iter().map(|(at, sum)| (at, tone(sum))).collect();
        cells.sort_unstable();
        let all = (answered + failed).unsigned_abs();
        let looks = grouped(all);
        let looks = if all == 1 {
            "the one look".to_owned()
        } else {
            format!("{looks} looks")
        };
        let what = if pulls { "Heard of at" } else { "Answered at" };
        let mut words = match failed {
            0 if all == 1 => format!("{what} {looks} of the last 7 days."),
            0 => format!("{what} all {looks} of the last 7 days."),
            _ => format!(
                "{what} {} of {looks} of the last 7 days",
                grouped(answered.unsigned_abs())
            ),
        };
        if let Some(last) = last.and_then(|last| chrono::DateTime::from_timestamp(last, 0)) {
            let last = Ago::of(last.min(store::now()));
            words += &format!("; last silent {}.", last.words);
        }
        let tones = ["success", "running", "failed"];
        let lines = tones.map(|tone| (tone, line(&cells, tone)));
        Some(History {
            lines: lines
                .into_iter()
                .filter(|(_, line)| !line.is_empty())
                .collect(),
            width: CELLS,
            words,
        })
    }
}

/// The cells of one tone as a path: neighbours are one piece, which leaves a little room behind it.
fn line(cells: &[(i64, &'static str)], tone: &str) -> String {
    let mut pieces: Vec<(i64, i64)> = Vec::new();
    for (at, _) in cells.iter().filter(|cell| cell.1 == tone) {
        match pieces.last_mut() {
            Some((start, length)) if *start + *length == *at => *length += 1,
            _ => pieces.push((*at, 1)),
        }
    }
    let piece = |(start, length): &(i64, i64)| format!("M{start} 5h{}.8", length - 1);
    pieces.iter().map(piece).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn neighbours_that_are_alike_are_one_piece() {
        let now = 1_700_000_000;
        let part = |ago: i64, answered: i64, failed: i64| Answered {
            part: now / CELL - ago,
            answered,
            failed,
            silent: (failed > 0).then_some(now - ago * CELL),
        };
        assert!(History::of(&[], now, false).is_none());
        let parts = [
            part(83, 1, 0),
            part(82, 2, 0),
            part(81, 0, 3),
            part(1, 1, 1),
            part(0, 5, 0),
        ];
        let history = History::of(&parts, now, false).unwrap();
        let expected = [
            ("success", "M0 5h1.8M83 5h0.8".to_owned()),
            ("running", "M82 5h0.8".to_owned()),
            ("failed", "M2 5h0.8".to_owned()),
        ];
        assert_eq!(history.lines, expected);
        assert!(
            history.words.starts_with("Answered at 9 of 13 looks"),
            "{}",
            history.words
        );
        let all: Vec<Answered> = (0..CELLS).rev().map(|ago| part(ago, 1, 0)).collect();
        let whole = History::of(&all, now, false).unwrap();
        assert_eq!(whole.lines, [("success", "M0 5h83.8".to_owned())]);
    }
}
