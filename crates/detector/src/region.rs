//! From a mask to regions: connected pieces, divided where they only touch, freed of legs and
//! antennae, and joined again where one insect fell apart. The idea: an insect is thick compared
//! with the bridge that ties it to its neighbour.

use crate::grid::Grid;

mod divide;
mod refine;

use divide::{divide, without_legs};
use refine::refine;

/// Working pixels that belong together, with the half-open box around them.
#[derive(Clone, Debug)]
pub(crate) struct Region {
    /// Indices into the raster.
    pub(crate) pixels: Vec<usize>,
    /// Left, top, right, bottom in working pixels; right and bottom are outside.
    pub(crate) edges: [usize; 4],
}

impl Region {
    pub(crate) fn new(pixels: Vec<usize>, width: usize) -> Region {
        let mut edges = [usize::MAX, usize::MAX, 0, 0];
        for &i in &pixels {
            let (x, y) = (i % width, i / width);
            edges[0] = edges[0].min(x);
            edges[1] = edges[1].min(y);
            edges[2] = edges[2].max(x + 1);
            edges[3] = edges[3].max(y + 1);
        }
        Region { pixels, edges }
    }

    /// Longer side in working pixels.
    pub(crate) fn longer(&self) -> usize {
        let [x1, y1, x2, y2] = self.edges;
        (x2 - x1).max(y2 - y1)
    }

    /// Horizontal and vertical gap to the other box, the larger of both; 0 when they overlap.
    fn gap(&self, other: &Region) -> usize {
        let (a, b) = (self.edges, other.edges);
        let between = |l1: usize, h1: usize, l2: usize, h2: usize| {
            l2.saturating_sub(h1).max(l1.saturating_sub(h2))
        };
        between(a[0], a[2], b[0], b[2]).max(between(a[1], a[3], b[1], b[3]))
    }

    /// The share of this region's box that lies in the other's box.
    fn covered_by(&self, other: &Region) -> f32 {
        let (a, b) = (self.edges, other.edges);
        let side = |l: usize, h: usize| h.saturating_sub(l);
        let common = side(a[0].max(b[0]), a[2].min(b[2])) * side(a[1].max(b[1]), a[3].min(b[3]));
        common as f32 / (side(a[0], a[2]) * side(a[1], a[3])).max(1) as f32
    }
}

/// All pieces of the mask that contain at least `seeds` set values of `sure`.
pub(crate) fn regions(
    mask: &Grid<bool>,
    sure: &Grid<bool>,
    total: &Grid<f32>,
    seeds: usize,
) -> Vec<Region> {
    let mut seen = mask.map(|v| !v);
    let mut out = Vec::new();
    for start in 0..mask.data.len() {
        if seen.data[start] {
            continue;
        }
        let piece = flood(mask, &mut seen, start);
        if piece.iter().filter(|&&i| sure.data[i]).count() < seeds {
            continue;
        }
        for (part, patch) in refine(piece, total) {
            for part in divide(part, &patch.depth) {
                let pixels: Vec<usize> = without_legs(part, &patch.depth)
                    .iter()
                    .map(|&i| patch.place(i))
                    .collect();
                if pixels.iter().any(|&i| sure.data[i]) {
                    out.push(Region::new(pixels, mask.width));
                }
            }
        }
    }
    join(out, mask.width)
}

fn flood(mask: &Grid<bool>, seen: &mut Grid<bool>, start: usize) -> Vec<usize> {
    let mut piece = vec![start];
    seen.data[start] = true;
    let mut next = 0;
    while let Some(&i) = piece.get(next) {
        next += 1;
        for n in mask.around(i) {
            if !seen.data[n] {
                seen.data[n] = true;
                piece.push(n);
            }
        }
    }
    piece
}

/// Joins what lies within the box of a larger region, and small scraps beside one.
fn join(mut regions: Vec<Region>, width: usize) -> Vec<Region> {
    regions.sort_by_key(|r| std::cmp::Reverse(r.pixels.len()));
    let mut out: Vec<Region> = Vec::with_capacity(regions.len());
    for region in regions {
        let host = out.iter_mut().find(|host| {
            let share = region.pixels.len() as f32 / host.pixels.len() as f32;
            let inside = region.covered_by(host);
            let near = region.gap(host) <= 2 && share < 0.1;
            (inside > 0.75 && share < 0.35) || (near && inside > 0.0)
        });
        match host {
            Some(host) => {
                host.pixels.extend(region.pixels);
                *host = Region::new(std::mem::take(&mut host.pixels), width);
            }
            None => out.push(region),
        }
    }
    out
}
