//! The boxes on a photograph as its page draws and lists them: numbered, so that a row and a
//! rectangle find each other, and the surest first.

use store::capture::LabelledBox;

use crate::pages::at::At;
use crate::pages::model::Ago;

/// A box in whole pixels of the stored picture, with what is said of it.
pub struct BoxView {
    /// Its number on the page.
    pub number: usize,
    pub x: i64,
    pub y: i64,
    pub width: i64,
    pub height: i64,
    pub label_y: i64,
    pub label: String,
    pub score: String,
    /// Class of the drawing.
    pub tone: &'static str,
    /// What the individual was determined as, where that is not the label.
    pub determined: Option<String>,
    /// Who said the label, and when.
    pub by: String,
    pub when: Ago,
    /// Who drew the box.
    pub detector: Option<String>,
    /// The individual in the API.
    pub occurrence: Option<(i64, String)>,
}

/// All boxes, the surest first; those without a score come last.
pub fn views(at: &At, boxes: &[LabelledBox]) -> Vec<BoxView> {
    let score = |b: &LabelledBox| {
        let own = b.label.as_ref().and_then(|label| label.score);
        own.unwrap_or(f64::NEG_INFINITY)
    };
    let mut sorted: Vec<&LabelledBox> = boxes.iter().collect();
    sorted.sort_by(|a, b| score(b).total_cmp(&score(a)));
    let view = |(place, b): (usize, &LabelledBox)| view(at, place + 1, b);
    sorted.into_iter().enumerate().map(view).collect()
}

fn view(at: &At, number: usize, of: &LabelledBox) -> BoxView {
    let d = &of.detection;
    let edge = |edge: Option<f64>| edge.unwrap_or(0.0).round() as i64;
    let [x1, y1, x2, y2] = [d.x1, d.y1, d.x2, d.y2].map(edge);
    let label = of.label.as_ref();
    let taxon = label.and_then(|label| label.taxon.clone());
    let name = taxon.or_else(|| of.determination.clone());
    let name = name.unwrap_or_else(|| "no label".to_owned());
    let determined = of.determination.clone().filter(|taxon| *taxon != name);
    let score = label.and_then(|label| label.score).or(d.score);
    let by = label.and_then(|label| label.algorithm.clone());
    let occurrence = d.occurrence_id.map(|id| {
        let project = at.project.id;
        (
            id,
            format!("/api/v2/occurrences/{id}/?project_id={project}"),
        )
    });
    BoxView {
        number,
        x: x1,
        y: y1,
        width: x2 - x1,
        height: y2 - y1,
        label_y: (y1 - 8).max(30),
        tone: if name == "Debris" { "faint" } else { "found" },
        label: name,
        score: score.map(|score| format!("{score:.2}")).unwrap_or_default(),
        determined,
        by: by.unwrap_or_default(),
        when: Ago::of(label.map_or(d.created_at, |label| label.at)),
        detector: of.detector.clone(),
        occurrence,
    }
}
