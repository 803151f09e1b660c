//! The differences from the recordings that stand in `docs/compatibility.md`, and those of an
//! imported installation in `docs/migrating-from-antenna.md`. The idea: the tables that people
//! read are those that the test reads, so they cannot fall behind.

use super::compare::Difference;

const PAGE: &str = include_str!("../../../docs/compatibility.md");
const OF_IMPORTS: &str = include_str!("../../../docs/migrating-from-antenna.md");

/// One line: recordings by name, where `*` stands for anything, and the places in the answer.
pub struct Line {
    recordings: Vec<String>,
    places: Vec<String>,
    /// Whether `do-not-copy.md` calls what was recorded a fault.
    pub fault: bool,
}

/// The lines of the table of differences.
pub fn lines() -> Vec<Line> {
    read(PAGE)
}

/// The same, and those that only an imported installation shows.
pub fn lines_after_import() -> Vec<Line> {
    let mut lines = read(OF_IMPORTS);
    lines.extend(read(PAGE));
    lines
}

/// The lines of the tables of a page's part about the recordings.
fn read(page: &str) -> Vec<Line> {
    let part = page.split("\n## Differences from the recordings").nth(1);
    let rows = part.unwrap_or_default().lines();
    let rows = rows.filter(|line| line.starts_with("| `"));
    rows.filter_map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let ticked = |cell: &str| {
            let parts = cell.split('`').skip(1).step_by(2);
            parts.map(str::to_owned).collect::<Vec<_>>()
        };
        let recordings = ticked(cells.first()?);
        let places = ticked(cells.get(1)?);
        let fault = cells.last().is_some_and(|why| why.contains("fault "));
        (!places.is_empty()).then_some(Line {
            recordings,
            places,
            fault,
        })
    })
    .collect()
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}: {}",
            self.recordings.join(", "),
            self.places.join(", ")
        )
    }
}

impl Line {
    /// Whether it names recordings of this folder.
    pub fn is_about(&self, folder: &str) -> bool {
        let within = |name: &String| name.split('/').next() == Some(folder);
        self.recordings.iter().any(within)
    }

    pub fn explains(&self, recording: &str, difference: &Difference) -> bool {
        let recorded = |pattern: &String| fits(pattern, recording);
        let placed = |pattern: &String| fits(pattern, &difference.at);
        self.recordings.iter().any(recorded) && self.places.iter().any(placed)
    }
}

/// Whether the text fits the pattern, in which `*` stands for anything.
pub fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            let ends = (0..=text.len()).filter(|at| text.is_char_boundary(*at));
            ends.into_iter().any(|at| fits(rest, &text[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, expected) in [
            ("jobs-list/001-x", "jobs-list/001-x", true),
            ("jobs-list/001*", "jobs-list/001-x", true),
            ("jobs-*-basic", "jobs-roles/7-basic", true),
            ("results.*.status", "results.12.status", true),
            ("results.*.status", "results.12.state", false),
            ("status", "results.status", false),
            ("*", "", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
