//! Pulling apart insects that only touch, and leaving out legs and antennae.
//! The idea: a watershed over the depth inside a piece; two basins stay apart when the bridge
//! between them is thin compared with both.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::grid::Grid;

/// A bridge thinner than this share of the thinner neighbour separates two insects.
const BRIDGE: f32 = 0.52;
/// A part that is never deeper than this (in thirds of a working pixel) is no insect by itself.
const LEAST_DEPTH: u16 = 9;
/// Legs and antennae are thinner than this share of the body's depth.
const LEG: f32 = 0.3;

/// A watershed over the depth: values are visited from the deepest outwards; where two basins
/// meet at a bridge that is thin compared with both, they stay apart.
pub(super) fn divide(mut piece: Vec<usize>, depth: &Grid<u16>) -> Vec<Vec<usize>> {
    let deepest = piece.iter().map(|&i| depth.data[i]).max().unwrap_or(0);
    if deepest < 2 * LEAST_DEPTH {
        return vec![piece];
    }
    piece.sort_unstable_by_key(|&i| (Reverse(depth.data[i]), i));
    let mut basins = Basins::default();
    let mut owner: HashMap<usize, usize> = HashMap::with_capacity(piece.len());
    for &i in &piece {
        let level = depth.data[i];
        let mut mine = None;
        for n in depth.around(i) {
            let Some(&basin) = owner.get(&n) else {
                continue;
            };
            let basin = basins.root(basin);
            mine = Some(match mine {
                None => basin,
                Some(first) if first == basin => first,
                Some(first) => basins.meet(first, basin, level),
            });
        }
        let mine = mine.unwrap_or_else(|| basins.open(level));
        owner.insert(i, mine);
    }
    let mut parts: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &i in &piece {
        if let Some(&basin) = owner.get(&i) {
            parts.entry(basins.root(basin)).or_default().push(i);
        }
    }
    parts.into_values().collect()
}

/// Basins of the watershed: union-find, with the greatest depth of each.
#[derive(Default)]
struct Basins {
    parent: Vec<usize>,
    peak: Vec<u16>,
}

impl Basins {
    fn open(&mut self, peak: u16) -> usize {
        self.parent.push(self.parent.len());
        self.peak.push(peak);
        self.parent.len() - 1
    }

    fn root(&self, mut basin: usize) -> usize {
        while self.parent[basin] != basin {
            basin = self.parent[basin];
        }
        basin
    }

    /// Joins two basins that meet at `level`, unless the bridge is thin; answers the basin to
    /// which the meeting place belongs.
    fn meet(&mut self, a: usize, b: usize, level: u16) -> usize {
        let (deep, shallow) = if self.peak[a] >= self.peak[b] {
            (a, b)
        } else {
            (b, a)
        };
        let thin = f32::from(level) < BRIDGE * f32::from(self.peak[shallow]);
        if !thin || self.peak[shallow] < LEAST_DEPTH {
            self.parent[shallow] = deep;
        }
        deep
    }
}

/// Keeps what is near the thick part; all of it when little would remain.
pub(super) fn without_legs(part: Vec<usize>, depth: &Grid<u16>) -> Vec<usize> {
    let deepest = part.iter().map(|&i| depth.data[i]).max().unwrap_or(0);
    let limit = (f32::from(deepest) * LEG).clamp(0.0, 12.0) as u16;
    if limit < 4 {
        return part;
    }
    let steps = usize::from(limit.div_ceil(3));
    let near: HashSet<usize> = part.iter().copied().collect();
    let mut kept: HashSet<usize> = part
        .iter()
        .copied()
        .filter(|&i| depth.data[i] > limit)
        .collect();
    let mut rim: Vec<usize> = kept.iter().copied().collect();
    for _ in 0..steps {
        let mut next = Vec::new();
        for i in rim {
            for n in depth.around(i) {
                if near.contains(&n) && kept.insert(n) {
                    next.push(n);
                }
            }
        }
        rim = next;
    }
    if kept.len() * 2 < part.len() {
        return part;
    }
    part.into_iter().filter(|i| kept.contains(i)).collect()
}
