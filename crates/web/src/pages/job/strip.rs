//! The captures that a job finished last, small and with their boxes. The idea: so many boxes are
//! drawn that one sees where something was found; the capture's own page has them all.

use files::Links;
use store::capture::{Capture, DrawnBox};

use crate::pages::columns::grouped;
use crate::pages::model::taken;

/// A capture with its boxes, as a strip or a page shows it.
pub struct CaptureView {
    pub id: i64,
    pub taken: String,
    pub width: i32,
    pub height: i32,
    pub thumbnail: String,
    pub summary: String,
    pub boxes: Vec<BoxView>,
}

/// A box in whole pixels of the original.
pub struct BoxView {
    pub x: i64,
    pub y: i64,
    pub width: i64,
    pub height: i64,
    pub label: String,
    pub tone: &'static str,
}

/// The frame that is assumed where a capture's size is not known yet.
const FRAME: (i32, i32) = (4096, 2160);
/// Boxes that are drawn on a small picture at most.
pub const DRAWN: usize = 25;

impl CaptureView {
    /// The view of a capture. Of more boxes than are drawn, one more is enough to know.
    pub fn of(capture: &Capture, boxes: &[DrawnBox], links: &Links) -> CaptureView {
        let known = capture.width.zip(capture.height);
        let (width, height) = known.filter(|(w, h)| *w > 0 && *h > 0).unwrap_or(FRAME);
        let mut boxes: Vec<BoxView> = boxes.iter().map(BoxView::of).collect();
        let summary = match boxes.len() > DRAWN {
            true => many(capture.boxes_count),
            false => summary(&boxes),
        };
        boxes.truncate(DRAWN);
        CaptureView {
            id: capture.id,
            taken: taken(capture.taken_at),
            width,
            height,
            thumbnail: crate::media::thumbnail::page_address(links, capture.id),
            summary,
            boxes,
        }
    }
}

/// What is said of a capture with more boxes than are drawn: how many, once they are counted.
fn many(counted: i64) -> String {
    match usize::try_from(counted) {
        Ok(count) if count > DRAWN => format!("{} detections", grouped(count as u64)),
        _ => format!("more than {DRAWN} detections"),
    }
}

/// "12 Insect, 3 Debris", most first.
fn summary(boxes: &[BoxView]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for b in boxes {
        match counts.iter_mut().find(|(label, _)| *label == b.label) {
            Some((_, n)) => *n += 1,
            None => counts.push((&b.label, 1)),
        }
    }
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let words: Vec<String> = counts.iter().map(|(l, n)| format!("{n} {l}")).collect();
    if words.is_empty() {
        "nothing found".to_owned()
    } else {
        words.join(", ")
    }
}

impl BoxView {
    fn of(drawn: &DrawnBox) -> BoxView {
        let [x1, y1, x2, y2] = drawn.edges.map(|edge| edge.round() as i64);
        let label = drawn.label.clone().unwrap_or_else(|| "no label".to_owned());
        BoxView {
            x: x1,
            y: y1,
            width: x2 - x1,
            height: y2 - y1,
            tone: if label == "Debris" { "faint" } else { "found" },
            label,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_boxes_are_counted_and_not_listed() {
        assert_eq!(many(1234), "1,234 detections");
        assert_eq!(many(0), "more than 25 detections", "not counted yet");
    }
}
