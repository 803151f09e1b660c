//! Which taxon an occurrence is determined as (`domain-rules.md` §9).
//! The idea: people before models. The newest identification that stands decides; without one,
//! the best classification; and a score is only rewritten when the taxon changes.

use std::cmp::Ordering;

use chrono::NaiveDateTime;

/// What a person said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdentificationFacts {
    /// Primary key.
    pub id: i64,
    /// The taxon named.
    pub taxon: i64,
    /// When.
    pub created_at: NaiveDateTime,
    /// True when it was taken back, by hand or by a later one of the same person.
    pub withdrawn: bool,
}

/// What a model said about one of the occurrence's detections.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassificationFacts {
    /// Primary key.
    pub id: i64,
    /// The taxon named, if any.
    pub taxon: Option<i64>,
    /// The model.
    pub algorithm: Option<i64>,
    /// 0 to 1.
    pub score: Option<f64>,
    /// False for intermediate models, such as a filter of moths.
    pub terminal: bool,
}

/// A taxon, and how sure we are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Determination {
    /// The taxon, if any.
    pub taxon: Option<i64>,
    /// 0 to 1; 1 when a person said so.
    pub score: Option<f64>,
}

/// The newest identification that stands; among equally new ones the one with the highest id.
pub fn best_identification(all: &[IdentificationFacts]) -> Option<&IdentificationFacts> {
    let standing = all.iter().filter(|i| !i.withdrawn);
    standing.max_by_key(|i| (i.created_at, i.id))
}

/// The best classification: of each algorithm only those with its highest score count; among
/// them terminal ones come first, then higher scores, then higher ids. Ones without a score or
/// with NaN never win.
pub fn best_prediction(all: &[ClassificationFacts]) -> Option<&ClassificationFacts> {
    let scored = |c: &&ClassificationFacts| c.score.is_some_and(|s| !s.is_nan());
    let is_top = |c: &&ClassificationFacts| {
        !all.iter()
            .any(|o| o.algorithm == c.algorithm && by_score(o, c) == Ordering::Greater)
    };
    all.iter().filter(scored).filter(is_top).max_by(|a, b| {
        let terminal = a.terminal.cmp(&b.terminal);
        terminal
            .then_with(|| by_score(a, b))
            .then_with(|| a.id.cmp(&b.id))
    })
}

/// Missing scores and NaN are below and beside all others.
fn by_score(a: &ClassificationFacts, b: &ClassificationFacts) -> Ordering {
    a.score.partial_cmp(&b.score).unwrap_or(Ordering::Equal)
}

/// The determination after looking at all facts. While the taxon stays the same the score stays
/// too, unless there was none; without any facts nothing changes.
pub fn determine(
    current: Determination,
    identifications: &[IdentificationFacts],
    classifications: &[ClassificationFacts],
) -> Determination {
    let wanted = match best_identification(identifications) {
        Some(best) => Determination {
            taxon: Some(best.taxon),
            score: Some(1.0),
        },
        None => match best_prediction(classifications) {
            Some(best) if best.taxon.is_some() => Determination {
                taxon: best.taxon,
                score: best.score,
            },
            _ => return current,
        },
    };
    if wanted.taxon == current.taxon && current.score.is_some() {
        current
    } else {
        wanted
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    fn said(id: i64, taxon: i64, minute: i64, withdrawn: bool) -> IdentificationFacts {
        let created_at = chrono::DateTime::from_timestamp(minute * 60, 0)
            .unwrap()
            .naive_utc();
        IdentificationFacts {
            id,
            taxon,
            created_at,
            withdrawn,
        }
    }

    fn guessed(
        id: i64,
        taxon: i64,
        algorithm: i64,
        score: f64,
        terminal: bool,
    ) -> ClassificationFacts {
        ClassificationFacts {
            id,
            taxon: Some(taxon),
            algorithm: Some(algorithm),
            score: Some(score),
            terminal,
        }
    }

    fn is(taxon: i64, score: f64) -> Determination {
        Determination {
            taxon: Some(taxon),
            score: Some(score),
        }
    }

    #[test]
    fn the_newest_person_wins_over_any_model() {
        let people = [
            said(1, 10, 5, false),
            said(2, 11, 9, true),
            said(3, 12, 7, false),
        ];
        let models = [guessed(1, 20, 1, 0.99, true)];
        assert_eq!(determine(is(20, 0.99), &people, &models), is(12, 1.0));
        let same_minute = [said(1, 10, 5, false), said(2, 11, 5, false)];
        assert_eq!(best_identification(&same_minute).map(|i| i.id), Some(2));
    }

    #[test]
    fn terminal_before_score_and_only_the_best_of_each_model() {
        let models = [
            guessed(1, 20, 1, 0.99, false),
            guessed(2, 21, 2, 0.40, true),
            guessed(3, 22, 2, 0.60, true),
            guessed(4, 23, 3, 0.50, true),
        ];
        assert_eq!(
            determine(Determination::default(), &[], &models),
            is(22, 0.60)
        );
        // The terminal one of model 1 is not its best, so it does not count.
        let hidden = [guessed(1, 20, 1, 0.9, false), guessed(2, 21, 1, 0.8, true)];
        assert_eq!(best_prediction(&hidden).map(|c| c.id), Some(1));
    }

    #[test]
    fn an_unchanged_taxon_keeps_its_score_unless_there_was_none() {
        let models = [guessed(1, 20, 1, 0.7, true)];
        assert_eq!(determine(is(20, 0.3), &[], &models), is(20, 0.3));
        let unscored = Determination {
            taxon: Some(20),
            score: None,
        };
        assert_eq!(determine(unscored, &[], &models), is(20, 0.7));
    }

    #[test]
    fn without_facts_nothing_changes() {
        assert_eq!(determine(is(20, 0.3), &[], &[]), is(20, 0.3));
        assert_eq!(
            determine(is(20, 0.3), &[said(1, 9, 1, true)], &[]),
            is(20, 0.3)
        );
        let nameless = ClassificationFacts {
            taxon: None,
            ..guessed(1, 0, 1, 0.9, true)
        };
        assert_eq!(determine(is(20, 0.3), &[], &[nameless]), is(20, 0.3));
    }

    fn guesses() -> impl Strategy<Value = Vec<ClassificationFacts>> {
        let score = prop_oneof![4 => (0u8..10).prop_map(|s| Some(f64::from(s) / 10.0)), 1 => Just(None), 1 => Just(Some(f64::NAN))];
        let one = (1i64..5, 1i64..4, score, any::<bool>());
        prop::collection::vec(one, 0..8).prop_map(|list| {
            let with_ids = (1i64..).zip(list);
            with_ids
                .map(
                    |(id, (taxon, algorithm, score, terminal))| ClassificationFacts {
                        id,
                        taxon: Some(taxon),
                        algorithm: Some(algorithm),
                        score,
                        terminal,
                    },
                )
                .collect()
        })
    }

    proptest! {
        #[test]
        fn order_does_not_matter_and_the_rule_settles(mut models in guesses(), taxon in 1i64..5) {
            let first = determine(is(taxon, 0.5), &[], &models);
            prop_assert_eq!(determine(first, &[], &models), first);
            models.reverse();
            prop_assert_eq!(determine(is(taxon, 0.5), &[], &models), first);
        }

        #[test]
        fn the_winner_has_its_models_best_score(models in guesses()) {
            if let Some(best) = best_prediction(&models) {
                let rivals = models.iter().filter(|c| c.algorithm == best.algorithm);
                for score in rivals.filter_map(|c| c.score).filter(|s| !s.is_nan()) {
                    prop_assert!(Some(score) <= best.score);
                }
            } else {
                prop_assert!(models.iter().all(|c| c.score.is_none_or(f64::is_nan)));
            }
        }

        #[test]
        fn a_person_always_decides(models in guesses(), taxon in 1i64..5, current in 1i64..5) {
            let after = determine(is(current, 0.5), &[said(1, taxon, 1, false)], &models);
            prop_assert_eq!(after.taxon, Some(taxon));
        }
    }
}
