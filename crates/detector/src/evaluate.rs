//! How well the detector finds what people have marked: recall and precision per photograph.
//! The idea: boxes labelled Insect are matched to marks one to one, best overlap first, from an
//! overlap (IoU) of 0.3; marks with `"ignore": true` count neither way.

use std::fmt;
use std::path::Path;
use std::time::Instant;

use serde::Deserialize;

use crate::decode::decode;
use crate::detect::detect;

/// Least overlap of a match.
pub const IOU: f64 = 0.3;
/// Boxes shorter than this that match nothing are not counted as false: marks are complete only
/// from about 60 pixels.
pub const SMALL: f64 = 40.0;

/// The file with the marks.
#[derive(Clone, Debug, Deserialize)]
pub struct Annotations {
    /// The photographs.
    pub photos: Vec<Photo>,
}

/// A photograph with its marks.
#[derive(Clone, Debug, Deserialize)]
pub struct Photo {
    /// Path below the folder of photographs.
    pub file: String,
    /// What people saw.
    pub insects: Vec<Mark>,
}

/// A mark.
#[derive(Clone, Debug, Deserialize)]
pub struct Mark {
    /// `[x1, y1, x2, y2]` in full-size pixels.
    #[serde(rename = "box")]
    pub area: [f64; 4],
    /// Too small, too uncertain or cut off: neither missed nor false.
    #[serde(default)]
    pub ignore: bool,
}

/// The result for one photograph.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its path.
    pub file: String,
    /// Marks that count.
    pub insects: usize,
    /// Of these, found.
    pub found: usize,
    /// Boxes that match nothing.
    pub wrong: usize,
    /// Seconds for decoding and detecting, on one core.
    pub seconds: f64,
}

/// Results of all photographs.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// In the order of the file.
    pub rows: Vec<Row>,
}

/// Why an evaluation is not possible.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// A file cannot be read.
    #[error("cannot read {0}: {1}")]
    Unreadable(String, String),
}

/// Reads the marks.
///
/// # Errors
/// [`EvaluateError`] names the file.
pub fn read(file: &Path) -> Result<Annotations, EvaluateError> {
    let unreadable = |e: String| EvaluateError::Unreadable(file.display().to_string(), e);
    let text = std::fs::read_to_string(file).map_err(|e| unreadable(e.to_string()))?;
    serde_json::from_str(&text).map_err(|e| unreadable(e.to_string()))
}

/// Runs the detector on every photograph below `folder` and compares.
///
/// # Errors
/// [`EvaluateError`] names the photograph that cannot be read.
pub fn evaluate(folder: &Path, annotations: &Annotations) -> Result<Report, EvaluateError> {
    let rows = annotations.photos.iter().map(|p| one(folder, p));
    Ok(Report {
        rows: rows.collect::<Result<_, _>>()?,
    })
}

fn one(folder: &Path, photo: &Photo) -> Result<Row, EvaluateError> {
    let path = folder.join(&photo.file);
    let unreadable = |e: String| EvaluateError::Unreadable(path.display().to_string(), e);
    let bytes = std::fs::read(&path).map_err(|e| unreadable(e.to_string()))?;
    let start = Instant::now();
    let picture = decode(&bytes).map_err(|e| unreadable(e.to_string()))?;
    let boxes: Vec<[f64; 4]> = detect(&picture.pixels)
        .into_iter()
        .filter(|d| d.verdict.is_insect())
        .map(|d| d.area.map(f64::from))
        .collect();
    let seconds = start.elapsed().as_secs_f64();
    let (found, wrong) = compare(&boxes, &photo.insects);
    Ok(Row {
        file: photo.file.clone(),
        insects: photo.insects.iter().filter(|m| !m.ignore).count(),
        found,
        wrong,
        seconds,
    })
}

/// How many marks are found, and how many boxes are false.
fn compare(boxes: &[[f64; 4]], marks: &[Mark]) -> (usize, usize) {
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (m, mark) in marks.iter().enumerate().filter(|(_, m)| !m.ignore) {
        for (b, area) in boxes.iter().enumerate() {
            let overlap = iou(&mark.area, area);
            if overlap >= IOU {
                pairs.push((overlap, m, b));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut mark_taken = vec![false; marks.len()];
    let mut box_taken = vec![false; boxes.len()];
    let mut found = 0;
    for (_, m, b) in pairs {
        if !mark_taken[m] && !box_taken[b] {
            (mark_taken[m], box_taken[b]) = (true, true);
            found += 1;
        }
    }
    let excused = |area: &[f64; 4]| {
        let small = (area[2] - area[0]).max(area[3] - area[1]) < SMALL;
        let ignored = marks
            .iter()
            .filter(|m| m.ignore)
            .any(|m| iou(&m.area, area) >= IOU || inside(area, &m.area) > 0.5);
        small || ignored
    };
    let left = boxes.iter().zip(&box_taken).filter(|(_, taken)| !**taken);
    (found, left.filter(|(area, _)| !excused(area)).count())
}

fn size(a: &[f64; 4]) -> f64 {
    (a[2] - a[0]).max(0.0) * (a[3] - a[1]).max(0.0)
}

fn common(a: &[f64; 4], b: &[f64; 4]) -> f64 {
    size(&[
        a[0].max(b[0]),
        a[1].max(b[1]),
        a[2].min(b[2]),
        a[3].min(b[3]),
    ])
}

/// Intersection over union.
fn iou(a: &[f64; 4], b: &[f64; 4]) -> f64 {
    let both = common(a, b);
    let either = size(a) + size(b) - both;
    if either > 0.0 { both / either } else { 0.0 }
}

/// Share of `a` that lies within `b`.
fn inside(a: &[f64; 4], b: &[f64; 4]) -> f64 {
    if size(a) > 0.0 {
        common(a, b) / size(a)
    } else {
        0.0
    }
}

impl Report {
    /// All photographs as one.
    pub fn total(&self) -> Row {
        let mut total = Row {
            file: "total".to_owned(),
            insects: 0,
            found: 0,
            wrong: 0,
            seconds: 0.0,
        };
        for row in &self.rows {
            total.insects += row.insects;
            total.found += row.found;
            total.wrong += row.wrong;
            total.seconds += row.seconds;
        }
        total
    }
}

impl Row {
    /// Share of the marks that was found; nothing to find is all found.
    pub fn recall(&self) -> f64 {
        share(self.found, self.insects)
    }

    /// Share of the boxes that is right; no box is none wrong.
    pub fn precision(&self) -> f64 {
        share(self.found, self.found + self.wrong)
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        1.0
    } else {
        part as f64 / whole as f64
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .rows
            .iter()
            .map(|r| r.file.len())
            .max()
            .unwrap_or(0)
            .max(10);
        writeln!(
            f,
            "{:<width$} {:>8} {:>6} {:>6} {:>7} {:>10} {:>8}",
            "photograph", "insects", "found", "false", "recall", "precision", "seconds"
        )?;
        for row in self.rows.iter().chain([&self.total()]) {
            writeln!(
                f,
                "{:<width$} {:>8} {:>6} {:>6} {:>7.3} {:>10.3} {:>8.3}",
                row.file,
                row.insects,
                row.found,
                row.wrong,
                row.recall(),
                row.precision(),
                row.seconds
            )?;
        }
        write!(
            f,
            "A box matches a mark from an overlap (IoU) of {IOU}. Not counted: marks to be ignored and \
             the boxes on them, and unmatched boxes shorter than {SMALL} pixels, because marks are \
             complete only from about 60 pixels."
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn mark(area: [f64; 4], ignore: bool) -> Mark {
        Mark { area, ignore }
    }

    #[test]
    fn matches_are_one_to_one_and_the_best_first() {
        let marks = [
            mark([0.0, 0.0, 100.0, 100.0], false),
            mark([110.0, 0.0, 210.0, 100.0], false),
            mark([500.0, 500.0, 600.0, 600.0], true),
        ];
        let boxes = [
            [0.0, 0.0, 100.0, 90.0],
            [0.0, 10.0, 100.0, 100.0],
            [510.0, 510.0, 560.0, 560.0],
            [900.0, 900.0, 920.0, 920.0],
            [900.0, 0.0, 990.0, 90.0],
        ];
        // One mark found once; its second box and the far large one are false.
        assert_eq!(compare(&boxes, &marks), (1, 2));
        assert_eq!(compare(&[], &marks), (0, 0));
    }

    #[test]
    fn the_marks_of_the_repository_are_sound() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/annotations.json");
        let annotations = read(&file).unwrap();
        assert!(annotations.photos.len() >= 8);
        for mark in annotations.photos.iter().flat_map(|p| &p.insects) {
            assert!(size(&mark.area) > 0.0, "{mark:?}");
        }
    }

    /// On the photographs themselves, where they are: a margin below what was measured.
    #[test]
    fn recall_and_precision_hold_on_real_photographs() {
        let Some(folder) = std::env::var_os("HAWKMOTH_PHOTOS_DIR") else {
            let must = std::env::var("HAWKMOTH_TEST_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
            assert!(!must, "set HAWKMOTH_PHOTOS_DIR to a folder of photographs");
            eprintln!("SKIPPED on photographs: set HAWKMOTH_PHOTOS_DIR to their folder");
            return;
        };
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/annotations.json");
        let report = evaluate(Path::new(&folder), &read(&file).unwrap()).unwrap();
        println!("{report}");
        let total = report.total();
        assert!(total.recall() >= 0.88, "{report}");
        assert!(total.precision() >= 0.80, "{report}");
    }
}
