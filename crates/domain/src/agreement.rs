//! How far people and models agree about occurrences. The idea: two taxa agree exactly, or at the
//! narrowest rank that stands above both; the shares come with Wilson's interval, because few
//! occurrences are verified.

use std::collections::BTreeMap;

/// The ranks, from the widest to the narrowest; an unknown rank is none.
pub const RANKS: [&str; 11] = [
    "KINGDOM",
    "PHYLUM",
    "CLASS",
    "ORDER",
    "SUPERFAMILY",
    "FAMILY",
    "SUBFAMILY",
    "TRIBE",
    "SUBTRIBE",
    "GENUS",
    "SPECIES",
];

/// A taxon with all above it, itself last: number and rank.
pub type Lineage = Vec<(i64, String)>;

/// What a person and the best model say of one occurrence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// The taxon that a person named.
    pub person: Option<Lineage>,
    /// The taxon that the best prediction named; `None` without a prediction.
    pub model: Option<Lineage>,
}

/// A share with its interval.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Share {
    /// How many.
    pub count: u64,
    /// Of all, 0 to 1.
    pub share: f64,
    /// Wilson's 95 % interval; `None` of nothing.
    pub interval: Option<(f64, f64)>,
}

/// What is counted over verified occurrences.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Agreement {
    /// With a prediction.
    pub with_prediction: u64,
    /// Without one.
    pub no_prediction: u64,
    /// With a prediction, but the person named no taxon.
    pub without_taxon: u64,
    /// With both.
    pub comparable: u64,
    /// The same taxon.
    pub exact: Share,
    /// The same taxon, or one of a rank stands above both.
    pub any_rank: Share,
    /// The same, where that one is of the given rank or narrower.
    pub coarser: Option<Share>,
    /// Cohen's kappa; `None` of nothing, or where chance alone agrees always.
    pub kappa: Option<f64>,
}

/// Of how many, 0 to 1; nothing of nothing.
pub fn share(count: u64, of: u64) -> f64 {
    if of == 0 {
        0.0
    } else {
        count as f64 / of as f64
    }
}

/// Wilson's 95 % interval.
pub fn wilson(count: u64, of: u64) -> Option<(f64, f64)> {
    if of == 0 {
        return None;
    }
    let (n, p, z) = (of as f64, share(count, of), 1.959_963_984_540_054_f64);
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let (middle, scale) = (p + z * z / (2.0 * n), 1.0 + z * z / n);
    Some((
        ((middle - spread) / scale).max(0.0),
        ((middle + spread) / scale).min(1.0),
    ))
}

/// The place of a rank in [`RANKS`].
pub fn rank_place(rank: &str) -> Option<usize> {
    RANKS.iter().position(|known| *known == rank)
}

/// The narrowest rank that stands above both, or is both.
fn common_rank(one: &Lineage, other: &Lineage) -> Option<usize> {
    let shared = one
        .iter()
        .filter(|(id, _)| other.iter().any(|(o, _)| o == id));
    shared.filter_map(|(_, rank)| rank_place(rank)).max()
}

/// Counts over verified occurrences; `coarsest` asks also for agreement at this rank or narrower.
pub fn agreement(verdicts: &[Verdict], coarsest: Option<usize>) -> Agreement {
    let mut found = Agreement::default();
    let (mut exact, mut any, mut coarse) = (0, 0, 0);
    let mut pairs: Vec<(i64, i64)> = Vec::new();
    for verdict in verdicts {
        let Some(model) = &verdict.model else {
            found.no_prediction += 1;
            continue;
        };
        found.with_prediction += 1;
        let Some(person) = &verdict.person else {
            found.without_taxon += 1;
            continue;
        };
        found.comparable += 1;
        let (Some(p), Some(m)) = (person.last(), model.last()) else {
            continue;
        };
        pairs.push((p.0, m.0));
        let same = p.0 == m.0;
        let common = common_rank(person, model);
        exact += u64::from(same);
        any += u64::from(same || common.is_some());
        let narrow = coarsest.is_some_and(|least| common.is_some_and(|rank| rank >= least));
        coarse += u64::from(same || narrow);
    }
    let of = found.comparable;
    let share = |count| Share {
        count,
        share: share(count, of),
        interval: wilson(count, of),
    };
    found.exact = share(exact);
    found.any_rank = share(any);
    found.coarser = coarsest.map(|_| share(coarse));
    found.kappa = kappa(&pairs);
    found
}

/// Agreement beyond what chance would give.
fn kappa(pairs: &[(i64, i64)]) -> Option<f64> {
    if pairs.is_empty() {
        return None;
    }
    let n = pairs.len() as f64;
    let mut counts: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
    for (person, model) in pairs {
        counts.entry(*person).or_default().0 += 1.0;
        counts.entry(*model).or_default().1 += 1.0;
    }
    let observed = pairs.iter().filter(|(a, b)| a == b).count() as f64 / n;
    let chance: f64 = counts.values().map(|(a, b)| a / n * (b / n)).sum();
    ((1.0 - chance).abs() > f64::EPSILON).then(|| (observed - chance) / (1.0 - chance))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn species(genus: i64, id: i64) -> Lineage {
        vec![
            (1, "ORDER".to_owned()),
            (genus, "GENUS".to_owned()),
            (id, "SPECIES".to_owned()),
        ]
    }

    fn verdict(person: Option<Lineage>, model: Option<Lineage>) -> Verdict {
        Verdict { person, model }
    }

    #[test]
    fn ranks_above_both_count_from_the_narrowest() {
        let verdicts = [
            verdict(Some(species(10, 100)), Some(species(10, 100))),
            verdict(Some(species(10, 100)), Some(species(10, 101))),
            verdict(Some(species(10, 100)), Some(species(11, 110))),
            verdict(
                Some(species(10, 100)),
                Some(vec![(9, "UNKNOWN".to_owned())]),
            ),
            verdict(None, Some(species(10, 100))),
            verdict(Some(species(10, 100)), None),
        ];
        let found = agreement(&verdicts, rank_place("GENUS"));
        assert_eq!((found.with_prediction, found.no_prediction), (5, 1));
        assert_eq!((found.without_taxon, found.comparable), (1, 4));
        assert_eq!((found.exact.count, found.any_rank.count), (1, 3));
        assert_eq!(found.coarser.unwrap().count, 2);
        assert_eq!(found.exact.share, 0.25);
    }

    #[test]
    fn of_nothing_there_is_no_interval() {
        let found = agreement(&[], None);
        assert_eq!(
            found,
            Agreement {
                exact: Share::default(),
                ..Default::default()
            }
        );
        assert_eq!(found.kappa, None);
    }

    #[test]
    fn perfect_agreement_on_several_taxa_has_kappa_one() {
        let verdicts = [
            verdict(Some(species(10, 100)), Some(species(10, 100))),
            verdict(Some(species(10, 101)), Some(species(10, 101))),
        ];
        assert_eq!(agreement(&verdicts, None).kappa, Some(1.0));
    }

    proptest! {
        #[test]
        fn the_interval_holds_the_share(of in 1u64..500, part in 0.0f64..=1.0) {
            let count = (of as f64 * part) as u64;
            let (low, high) = wilson(count, of).unwrap();
            let p = share(count, of);
            prop_assert!(low >= 0.0 && high <= 1.0 && low <= p + 1e-9 && p <= high + 1e-9);
        }
    }
}
