//! Naming a wider taxon where the narrow one is not sure. The idea: a model that hesitates between
//! two species of one genus is sure of the genus, for the scores of classes below a taxon add up.

use std::collections::HashMap;

/// More steps up than any tree of life has: parents in a circle must not make this endless.
const DEEPEST: usize = 64;

/// What is known of a taxon: what stands above it, and its rank.
pub type Tree = HashMap<i64, (Option<i64>, String)>;

/// The taxa of one rank, and which of them each class stands below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// Taxa, in the order of the first class below them.
    taxa: Vec<i64>,
    /// For each class a place in `taxa`; `None` where it stands below none of this rank.
    places: Vec<Option<usize>>,
}

/// A taxon with the sum of the scores below it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RolledUp {
    /// The taxon.
    pub taxon: i64,
    /// At most 1.
    pub score: f64,
}

impl Level {
    /// Sorts classes by what stands above them at `rank`; a class that has this rank itself
    /// stands below itself.
    pub fn new(classes: &[Option<i64>], tree: &Tree, rank: &str) -> Level {
        let mut level = Level {
            taxa: Vec::new(),
            places: Vec::with_capacity(classes.len()),
        };
        let mut known: HashMap<i64, usize> = HashMap::new();
        for class in classes {
            let above = class.and_then(|class| above(class, tree, rank));
            let place = above.map(|taxon| {
                *known.entry(taxon).or_insert_with(|| {
                    level.taxa.push(taxon);
                    level.taxa.len() - 1
                })
            });
            level.places.push(place);
        }
        level
    }

    /// True where no class stands below a taxon of this rank.
    pub fn is_empty(&self) -> bool {
        self.taxa.is_empty()
    }

    /// The taxon with the highest sum, the first of equals.
    fn best(&self, scores: &[f64]) -> Option<RolledUp> {
        let mut sums = vec![0.0; self.taxa.len()];
        for (score, place) in scores.iter().zip(&self.places) {
            if let Some(place) = place {
                sums[*place] += score;
            }
        }
        let mut best: Option<RolledUp> = None;
        for (taxon, sum) in self.taxa.iter().zip(sums) {
            if best.is_none_or(|best| sum > best.score) {
                best = Some(RolledUp {
                    taxon: *taxon,
                    score: sum,
                });
            }
        }
        best
    }
}

fn above(class: i64, tree: &Tree, rank: &str) -> Option<i64> {
    let mut taxon = class;
    for _ in 0..DEEPEST {
        let (parent, own) = tree.get(&taxon)?;
        if own == rank {
            return Some(taxon);
        }
        taxon = (*parent)?;
    }
    None
}

/// What a classification is rolled up to: nothing where its best class reaches `threshold`, else
/// the best taxon of the first level at which one does.
pub fn roll_up(scores: &[f64], threshold: f64, levels: &[Level]) -> Option<RolledUp> {
    let sure = scores.iter().any(|score| *score >= threshold);
    if sure {
        return None;
    }
    let found = levels.iter().filter_map(|level| level.best(scores));
    let mut passing = found.filter(|best| best.score >= threshold);
    passing.next().map(|best| RolledUp {
        score: best.score.min(1.0),
        ..best
    })
}
