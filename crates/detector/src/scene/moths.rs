//! Moths that rest with folded wings (an arrowhead, a narrow roof, a bell), in the colours
//! that come to a lamp in a northern summer. Every number is a proportion of the body, so a
//! species keeps its shape at any size.

use super::chance::Chance;
use super::curve::{Colour, at, blend, lit};
use super::figure::Figure;
use super::wing::Pattern;

/// Browns and greys of owlet moths, ground colours.
const BROWNS: [Colour; 8] = [
    [138.0, 112.0, 86.0],
    [112.0, 96.0, 82.0],
    [158.0, 132.0, 98.0],
    [132.0, 125.0, 115.0],
    [124.0, 88.0, 64.0],
    [100.0, 94.0, 90.0],
    [172.0, 144.0, 104.0],
    [150.0, 138.0, 122.0],
];

/// Two feelers from the head at `head`. They point forward, sideways, or are laid back
/// under the wings, which moths do as soon as they feel safe.
pub(super) fn feelers(f: &mut Figure, head: f32, long: f32, colour: Colour, chance: &mut Chance) {
    if chance.hit(0.25) {
        return;
    }
    let lean = chance.within(0.45, 1.25);
    for side in [-1.0, 1.0] {
        let (bend, droop) = (lean + chance.bell() * 0.09, chance.within(0.2, 0.5));
        let points = [
            at(side * 0.02, head),
            at(side * long * 0.40 * bend, head - long * 0.36),
            at(
                side * long * 0.76 * bend,
                head - long * (0.62 - droop * 0.3),
            ),
            at(side * long * 1.02 * bend, head - long * (0.80 - droop)),
        ];
        f.line(f.scaled(&points), (1.35, 0.6), colour);
    }
}

/// Forelegs that show beside the head.
pub(super) fn forelegs(f: &mut Figure, y: f32, long: f32, colour: Colour, chance: &mut Chance) {
    for side in [-1.0, 1.0] {
        if chance.hit(0.5) {
            let reach = long * chance.within(0.6, 1.0);
            let points = [
                at(side * long * 0.15, y),
                at(side * long * 0.5, y - reach * 0.25),
                at(side * long * 0.64, y - reach * 0.8),
            ];
            f.line(f.scaled(&points), (1.9, 0.9), colour);
        }
    }
}

/// An owlet moth: an arrowhead of two folded wings behind a furry thorax.
pub(super) fn owlet(long: f32, chance: &mut Chance) -> Figure {
    let ground = lit(chance.pick(&BROWNS, BROWNS[0]), chance.within(0.82, 1.12));
    let mut p = Pattern::plain(ground);
    p.dark = lit(ground, 0.40);
    p.band = chance.within(0.0, 0.9);
    p.border = chance.within(0.0, 0.6);
    p.lines = chance.within(0.35, 0.9);
    p.stigma = chance.within(0.0, 0.6);
    p.speckle = chance.within(0.35, 0.8);
    p.veins = 0.25;
    let open = chance.within(2.64, 2.9);
    let mut f = Figure::sized(long, chance);
    let legs = lit(ground, 0.5);
    forelegs(&mut f, -0.34, 0.20, legs, chance);
    feelers(&mut f, -0.44, chance.within(0.3, 0.46), legs, chance);
    f.round(f.body(0.12, 0.10, 0.27, lit(ground, 0.85)).ringed(6.0, 0.4));
    let mut fore = f.wing((0.05, -0.27), (open, 3.26), 0.80, p);
    fore.shoulder = chance.within(0.75, 1.0);
    fore.inner = chance.within(0.90, 0.96);
    f.pair(fore, chance.within(-0.05, 0.05));
    f.round(f.body(-0.43, 0.058, 0.05, lit(ground, 0.8)).furry(1.5));
    f.round(f.body(-0.26, 0.115, 0.16, lit(ground, 0.95)).furry(2.2));
    f
}

/// A grass moth: a narrow roof with long stripes and a snout.
pub(super) fn grass(long: f32, chance: &mut Chance) -> Figure {
    let grounds = [
        [178.0, 152.0, 110.0],
        [202.0, 188.0, 156.0],
        [150.0, 128.0, 94.0],
    ];
    let ground = chance.pick(&grounds, grounds[0]);
    let mut p = Pattern::plain(ground);
    (p.veins, p.edge, p.speckle, p.fringe) = (0.9, 0.7, 0.4, 0.5);
    p.dark = blend(lit(ground, 0.5), [96.0, 76.0, 54.0], 0.5);
    p.costa = [232.0, 222.0, 196.0];
    let mut f = Figure::sized(long, chance);
    let legs = lit(ground, 0.6);
    forelegs(&mut f, -0.26, 0.24, legs, chance);
    let snout = [at(0.0, -0.38), at(0.012, -0.52)];
    f.line(f.scaled(&snout), (2.8, 1.2), lit(ground, 0.75));
    feelers(&mut f, -0.38, 0.36, legs, chance);
    let narrow = chance.within(2.97, 3.03);
    let mut fore = f.wing((0.03, -0.30), (narrow, 3.24), 0.80, p);
    (fore.shoulder, fore.inner) = (0.62, 0.94);
    f.pair(fore, chance.within(-0.03, 0.03));
    f.round(f.body(-0.30, 0.072, 0.09, ground).furry(1.0));
    f.round(f.body(-0.385, 0.045, 0.035, lit(ground, 0.85)));
    f
}

/// A leaf-roller: small, bell-shaped, with a dark band.
pub(super) fn bell(long: f32, chance: &mut Chance) -> Figure {
    let grounds: [Colour; 4] = [
        [168.0, 120.0, 70.0],
        [140.0, 112.0, 86.0],
        [176.0, 150.0, 112.0],
        [112.0, 96.0, 84.0],
    ];
    let ground = chance.pick(&grounds, grounds[0]);
    let mut p = Pattern::plain(ground);
    (p.band, p.border, p.speckle, p.lines) = (0.8, 0.4, 0.5, 0.3);
    let mut f = Figure::sized(long, chance);
    feelers(&mut f, -0.42, 0.32, lit(ground, 0.55), chance);
    let mut fore = f.wing((0.04, -0.33), (2.86, 3.22), 0.82, p);
    (fore.shoulder, fore.inner, fore.bulge) = (1.25, 0.98, 0.02);
    f.pair(fore, chance.within(-0.04, 0.04));
    f.round(f.body(-0.33, 0.12, 0.11, lit(ground, 0.85)).furry(1.2));
    f.round(f.body(-0.43, 0.06, 0.045, lit(ground, 0.75)));
    f
}

/// A footman: narrow, flat, silky grey with a straw-coloured rim and head.
pub(super) fn footman(long: f32, chance: &mut Chance) -> Figure {
    let ground = lit([142.0, 136.0, 126.0], chance.within(0.82, 1.12));
    let straw = [206.0, 168.0, 96.0];
    let mut p = Pattern::plain(ground);
    (p.edge, p.veins, p.fringe) = (1.0, 0.15, 0.1);
    p.costa = straw;
    let mut f = Figure::sized(long, chance);
    feelers(&mut f, -0.42, 0.34, [96.0, 88.0, 78.0], chance);
    let mut fore = f.wing((0.03, -0.34), (2.93, 3.24), 0.86, p);
    (fore.shoulder, fore.inner, fore.round) = (0.9, 0.96, 0.12);
    f.pair(fore, chance.within(-0.03, 0.03));
    f.round(
        f.body(-0.35, 0.085, 0.09, blend(ground, straw, 0.5))
            .furry(1.2),
    );
    f.round(f.body(-0.43, 0.05, 0.04, straw).furry(1.0));
    f
}
