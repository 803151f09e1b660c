//! Cutting a piece back to what really stands out.
//! The idea: the shadow of a dark moth may be darker than a whole pale moth, so the limit
//! follows the piece's own strength; but a thick pale rest is a moth of its own.

use super::{Region, flood};
use crate::grid::Grid;

/// What stands out less than this share of a piece's strong part, and less than so many grey
/// levels, is its shadow.
const REFINE: (f32, f32) = (0.4, 30.0);
/// Such a rest is a thing of its own when it is at least this deep (thirds of a working pixel).
const PALE_DEPTH: u16 = 15;

/// A window of the raster around one piece, so that filters cost only the piece's size.
pub(super) struct Patch {
    left: usize,
    top: usize,
    outer: usize,
    mask: Grid<bool>,
    pub(super) depth: Grid<u16>,
}

impl Patch {
    /// The index in the whole raster.
    pub(super) fn place(&self, i: usize) -> usize {
        (self.top + i / self.mask.width) * self.outer + self.left + i % self.mask.width
    }

    fn of(piece: &[usize], outer: usize, height: usize) -> Patch {
        let [x1, y1, x2, y2] = Region::new(piece.to_vec(), outer).edges;
        // One unset value around, except where the picture ends: nothing is known there.
        let (left, top) = (x1.saturating_sub(1), y1.saturating_sub(1));
        let (right, bottom) = ((x2 + 1).min(outer), (y2 + 1).min(height));
        let mut mask = Grid::new(right - left, bottom - top, false);
        for &i in piece {
            let at = (i / outer - top) * mask.width + i % outer - left;
            mask.data[at] = true;
        }
        let depth = mask.depth();
        Patch {
            left,
            top,
            outer,
            mask,
            depth,
        }
    }

    fn pieces(&self) -> Vec<Vec<usize>> {
        let mut seen = self.mask.map(|v| !v);
        let mut out = Vec::new();
        for start in 0..seen.data.len() {
            if !seen.data[start] {
                out.push(flood(&self.mask, &mut seen, start));
            }
        }
        out
    }
}

/// Cuts a piece back to what stands out as strongly as its strong part demands: shadows and
/// halos go, and what ties two insects together. A thick pale rest stays as a piece of its own.
pub(super) fn refine(piece: Vec<usize>, total: &Grid<f32>) -> Vec<(Vec<usize>, Patch)> {
    let (w, h) = (total.width, total.height);
    let mut values: Vec<f32> = piece.iter().map(|&i| total.data[i]).collect();
    let at = values.len() * 3 / 4;
    let strong = *values.select_nth_unstable_by(at, f32::total_cmp).1;
    let limit = (REFINE.0 * strong).min(REFINE.1);
    let mut core = Patch::of(&piece, w, h);
    let whole = core.mask.clone();
    for i in 0..core.mask.data.len() {
        core.mask.data[i] = core.mask.data[i] && total.data[core.place(i)] > limit;
    }
    core.mask.fill_holes(usize::MAX);
    let mut rest = whole.clone();
    for (i, r) in rest.data.iter_mut().enumerate() {
        *r = *r && !core.mask.data[i];
    }
    let deep = rest.depth();
    let mut rest = deep.map(|d| d >= PALE_DEPTH).grow(PALE_DEPTH / 3);
    for (i, r) in rest.data.iter_mut().enumerate() {
        *r = *r && whole.data[i] && !core.mask.data[i];
    }
    let mut out = Vec::new();
    for mask in [core.mask.clone(), rest] {
        core.mask = mask;
        for part in core.pieces() {
            let part: Vec<usize> = part.into_iter().map(|i| core.place(i)).collect();
            let patch = Patch::of(&part, w, h);
            let inner = (0..patch.mask.data.len())
                .filter(|&i| patch.mask.data[i])
                .collect();
            out.push((inner, patch));
        }
    }
    out
}
