//! Leaving only some classes to a classifier (`domain-rules.md` §8, class masking). The idea: what
//! a model said is kept as logits, so the classes that cannot be here are taken out of the
//! softmax and the rest decides anew.

/// Differences up to this are none.
const ABSOLUTE: f64 = 1e-9;
/// The same, as a share of the new score.
const RELATIVE: f64 = 1e-5;

/// A classification after masking.
#[derive(Clone, Debug, PartialEq)]
pub struct Masked {
    /// A score for each class; 0 for those that are excluded.
    pub scores: Vec<f64>,
    /// The class that won.
    pub top: usize,
    /// Its score.
    pub score: f64,
}

/// Probabilities of logits: positive, adding up to 1. Large logits do not overflow.
pub fn softmax(logits: &[f64]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|l| (l - largest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// Takes the classes that are not `included` out of `scores`. With `reweight` the others add up
/// to 1 again. `None` where this changes nothing, no class is included, or the lengths differ.
pub fn mask(scores: &[f64], included: &[bool], reweight: bool) -> Option<Masked> {
    if scores.len() != included.len() {
        return None;
    }
    let kept = scores.iter().zip(included);
    let kept: Vec<f64> = kept.map(|(s, on)| if *on { *s } else { 0.0 }).collect();
    let sum: f64 = kept.iter().sum();
    // Where nothing is left that can be told from 0, there is nothing to be divided by.
    let divide = reweight && sum > 0.0;
    let new: Vec<f64> = match divide {
        true => kept.iter().map(|score| score / sum).collect(),
        false => kept,
    };
    let top = best(&new, included)?;
    let changed = scores.iter().zip(&new).any(|(old, new)| differ(*old, *new));
    changed.then(|| Masked {
        top,
        score: new[top],
        scores: new,
    })
}

/// The included class with the highest score, the first of equals.
fn best(scores: &[f64], included: &[bool]) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (i, score) in scores.iter().enumerate().filter(|(i, _)| included[*i]) {
        if best.is_none_or(|b| *score > scores[b]) {
            best = Some(i);
        }
    }
    best
}

fn differ(old: f64, new: f64) -> bool {
    (old - new).abs() > ABSOLUTE + RELATIVE * new.abs()
}
