//! What lies on a sheet and is no insect: specks, loose threads, bits of leaf and old
//! stains. Most of it is there all night, some is blown on later.

use super::body::Blob;
use super::chance::Chance;
use super::curve::{Colour, Point, at};
use super::figure::Figure;

/// One bit of litter.
#[derive(Debug, Clone)]
pub(super) struct Litter {
    pub(super) figure: Figure,
    pub(super) centre: Point,
    pub(super) angle: f32,
    /// Strength of its shadow.
    pub(super) depth: f32,
    /// Passes of softening.
    pub(super) soft: u8,
    /// The frame that first shows it.
    pub(super) since: usize,
}

/// The litter of one night of `frames` photographs.
pub(super) fn of_night(chance: &mut Chance, frames: usize) -> Vec<Litter> {
    let mut all = Vec::new();
    let specks = 110 + chance.below(60);
    for _ in 0..4 + chance.below(4) {
        all.push(lay(stain(chance), 0.0, 4, 0, chance));
    }
    for i in 0..specks {
        let since = if i % 3 == 0 { chance.below(frames) } else { 0 };
        all.push(lay(speck(chance), 0.1, 1, since, chance));
    }
    for _ in 0..9 + chance.below(8) {
        all.push(lay(thread(chance), 0.25, 1, 0, chance));
    }
    for _ in 0..2 + chance.below(3) {
        let since = chance.below(frames);
        all.push(lay(leaf(chance), 0.5, 1, since, chance));
    }
    all
}

fn lay(figure: Figure, depth: f32, soft: u8, since: usize, chance: &mut Chance) -> Litter {
    let centre = at(chance.within(8.0, 2040.0), chance.within(8.0, 1072.0));
    Litter {
        figure,
        centre,
        angle: chance.within(0.0, std::f32::consts::TAU),
        depth,
        soft,
        since,
    }
}

/// A grain of dirt, one to three pixels.
fn speck(chance: &mut Chance) -> Figure {
    let mut f = Figure::default();
    let r = 0.6 + 1.5 * chance.unit() * chance.unit();
    let grey = chance.within(50.0, 130.0);
    let colour = [grey, grey * 0.92, grey * 0.82];
    let mut blob = Blob::new(
        at(0.0, 0.0),
        r,
        r * chance.within(1.0, 2.2),
        colour,
        chance.bits() as u32,
    );
    blob.cover = chance.within(0.25, 0.9);
    f.round(blob);
    f
}

/// A fibre or a lost hair.
fn thread(chance: &mut Chance) -> Figure {
    let mut f = Figure::default();
    let long = chance.within(6.0, 26.0);
    let bend = chance.within(-0.35, 0.35) * long;
    let points = vec![
        at(0.0, -long * 0.5),
        at(bend * 0.7, -long * 0.15),
        at(bend, long * 0.2),
        at(bend * 0.4, long * 0.5),
    ];
    let grey = chance.within(70.0, 150.0);
    f.faint(
        points,
        (0.9, 0.6),
        [grey, grey * 0.95, grey * 0.88],
        chance.within(0.35, 0.75),
    );
    f
}

/// A dry fragment of a leaf or a bud scale.
fn leaf(chance: &mut Chance) -> Figure {
    let mut f = Figure::default();
    let long = chance.within(4.0, 9.0);
    let colour: Colour = chance.pick(
        &[
            [150.0, 112.0, 62.0],
            [112.0, 118.0, 66.0],
            [128.0, 92.0, 60.0],
        ],
        [150.0, 112.0, 62.0],
    );
    f.line(
        vec![at(0.0, long), at(long * 0.1, long * 1.7)],
        (1.2, 0.8),
        [104.0, 82.0, 54.0],
    );
    for i in 0..2u8 {
        let off = f32::from(i) * long * 0.35;
        let mut blob = Blob::new(
            at(off * 0.4, off),
            long * chance.within(0.3, 0.5),
            long * chance.within(0.7, 1.0),
            colour,
            chance.bits() as u32,
        );
        blob.fur = 0.8;
        f.round(blob);
    }
    f
}

/// An old spot on the cloth, hardly visible.
fn stain(chance: &mut Chance) -> Figure {
    let mut f = Figure::default();
    let r = chance.within(5.0, 16.0);
    for _ in 0..3 {
        let centre = at(chance.within(-0.6, 0.6) * r, chance.within(-0.6, 0.6) * r);
        let mut blob = Blob::new(
            centre,
            r * chance.within(0.4, 1.0),
            r * chance.within(0.4, 1.0),
            [186.0, 164.0, 124.0],
            chance.bits() as u32,
        );
        blob.fur = 6.0;
        blob.cover = chance.within(0.03, 0.09);
        f.round(blob);
    }
    f
}
