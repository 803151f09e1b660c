//! The moths: resting postures (a folded arrowhead, wings spread flat, a narrow roof, a
//! bell) with the colours that come to a lamp in a northern summer. Every number is a
//! proportion of the body, so a species keeps its shape at any size.

use super::body::Blob;
use super::chance::Chance;
use super::curve::{Colour, at, blend, lit};
use super::figure::Figure;
use super::wing::{Pattern, Wing};

/// Browns and greys of owlet moths, ground colours.
const BROWNS: [Colour; 7] = [
    [122.0, 98.0, 76.0],
    [96.0, 82.0, 70.0],
    [142.0, 118.0, 88.0],
    [112.0, 106.0, 98.0],
    [104.0, 74.0, 54.0],
    [84.0, 78.0, 76.0],
    [158.0, 132.0, 96.0],
];

/// Pale grounds of geometers.
const PALES: [Colour; 5] = [
    [178.0, 168.0, 150.0],
    [160.0, 148.0, 132.0],
    [196.0, 178.0, 138.0],
    [150.0, 136.0, 122.0],
    [188.0, 160.0, 118.0],
];

/// A wing with the settings that most species share.
fn wing(
    hinge: (f32, f32),
    angles: (f32, f32),
    reach: f32,
    pattern: Pattern,
    chance: &mut Chance,
) -> Wing {
    Wing {
        hinge: at(hinge.0, hinge.1),
        side: 1.0,
        from: angles.0,
        to: angles.1,
        reach,
        inner: 0.85,
        shoulder: 0.0,
        bulge: 0.05,
        round: 0.1,
        scallop: 0.0,
        pattern,
        seed: chance.bits() as u32,
    }
}

/// Two feelers from the head, swept out and back.
fn feelers(
    figure: &mut Figure,
    head: f32,
    long: f32,
    lean: f32,
    colour: Colour,
    chance: &mut Chance,
) {
    for side in [-1.0, 1.0] {
        let bend = lean + chance.within(-0.12, 0.12);
        let points = vec![
            at(side * 1.2, head),
            at(side * (1.0 + long * 0.40 * bend), head - long * 0.34),
            at(side * (1.0 + long * 0.78 * bend), head - long * 0.46),
            at(side * (1.0 + long * 1.05 * bend), head - long * 0.40),
        ];
        figure.line(points, (1.5, 0.7), colour);
    }
}

/// Forelegs that show beside the head.
fn forelegs(figure: &mut Figure, at_y: f32, long: f32, colour: Colour, chance: &mut Chance) {
    for side in [-1.0, 1.0] {
        if chance.hit(0.75) {
            let reach = long * chance.within(0.7, 1.1);
            let points = vec![
                at(side * long * 0.15, at_y),
                at(side * (long * 0.5), at_y - reach * 0.25),
                at(side * (long * 0.62), at_y - reach * 0.8),
            ];
            figure.line(points, (2.2, 1.0), colour);
        }
    }
}

/// An owlet moth: an arrowhead of two folded wings behind a furry thorax.
pub(super) fn owlet(long: f32, chance: &mut Chance) -> Figure {
    let ground = lit(chance.pick(&BROWNS, BROWNS[0]), chance.within(0.8, 1.12));
    let mut p = Pattern::plain(ground);
    p.dark = lit(ground, 0.42);
    p.band = chance.within(0.1, 0.9);
    p.border = chance.within(0.0, 0.6);
    p.lines = chance.within(0.4, 0.9);
    p.stigma = chance.within(0.3, 1.0);
    p.speckle = chance.within(0.3, 0.7);
    p.veins = 0.25;
    let open = chance.within(2.68, 2.9);
    let mut f = Figure::default();
    let legs = lit(ground, 0.55);
    forelegs(&mut f, -0.34 * long, long * 0.22, legs, chance);
    feelers(
        &mut f,
        -0.44 * long,
        long * chance.within(0.32, 0.46),
        1.0,
        legs,
        chance,
    );
    let seed = chance.bits() as u32;
    f.round(
        Blob::new(
            at(0.0, 0.12 * long),
            0.10 * long,
            0.27 * long,
            lit(ground, 0.85),
            seed,
        )
        .ringed(6.0, 0.4),
    );
    let mut fore = wing(
        (0.05 * long, -0.27 * long),
        (open, 3.2),
        0.80 * long,
        p,
        chance,
    );
    fore.shoulder = chance.within(0.75, 1.0);
    fore.inner = 0.90;
    f.pair(fore, chance.within(-0.05, 0.05));
    f.round(
        Blob::new(
            at(0.0, -0.43 * long),
            0.058 * long,
            0.05 * long,
            lit(ground, 0.8),
            seed,
        )
        .furry(1.5),
    );
    f.round(
        Blob::new(
            at(0.0, -0.26 * long),
            0.115 * long,
            0.16 * long,
            lit(ground, 0.95),
            seed,
        )
        .furry(2.6),
    );
    f
}

/// Marks of a geometer, the same on fore- and hindwings.
fn geometer_marks(ground: Colour, chance: &mut Chance) -> Pattern {
    let mut p = Pattern::plain(ground);
    p.dark = blend(lit(ground, 0.5), [70.0, 58.0, 48.0], 0.4);
    p.lines = chance.within(0.35, 0.85);
    p.band = chance.within(0.0, 0.45);
    p.border = chance.within(0.0, 0.3);
    p.dot = chance.within(0.2, 0.9);
    p.speckle = chance.within(0.3, 0.8);
    p.veins = 0.2;
    p.edge = 0.4;
    p
}

/// A geometer: all four wings flat on the sheet. `span` is from tip to tip.
pub(super) fn geometer(span: f32, ground: Option<Colour>, chance: &mut Chance) -> Figure {
    let ground =
        ground.unwrap_or_else(|| lit(chance.pick(&PALES, PALES[0]), chance.within(0.85, 1.08)));
    let p = geometer_marks(ground, chance);
    spread(span, p, chance)
}

/// An emerald or a pale wave: nearly plain, with two fine lines.
pub(super) fn emerald(span: f32, chance: &mut Chance) -> Figure {
    let green = chance.hit(0.6);
    let ground = if green {
        [132.0, 168.0, 108.0]
    } else {
        [216.0, 212.0, 200.0]
    };
    let mut p = Pattern::plain(ground);
    p.dark = if green {
        [98.0, 132.0, 82.0]
    } else {
        [150.0, 138.0, 120.0]
    };
    p.light = if green {
        [196.0, 214.0, 176.0]
    } else {
        [232.0, 230.0, 222.0]
    };
    p.lines = 0.8;
    p.costa = [186.0, 160.0, 116.0];
    p.edge = 0.7;
    p.dot = 0.3;
    spread(span, p, chance)
}

/// Four wings spread flat around a thin body.
fn spread(span: f32, p: Pattern, chance: &mut Chance) -> Figure {
    let ground = p.ground;
    let tilt = chance.within(-0.14, 0.16);
    let mut f = Figure::default();
    feelers(
        &mut f,
        -0.10 * span,
        span * 0.17,
        1.25,
        lit(ground, 0.6),
        chance,
    );
    let seed = chance.bits() as u32;
    let mut hind = wing(
        (0.02 * span, 0.0),
        (1.72 + tilt, 2.85),
        0.335 * span,
        p.clone(),
        chance,
    );
    (hind.inner, hind.bulge, hind.round, hind.scallop) =
        (0.86, 0.10, 0.14, chance.within(0.0, 0.022));
    f.pair(hind, chance.within(-0.06, 0.06));
    let body = blend(ground, lit(ground, 0.75), 0.7);
    f.round(
        Blob::new(at(0.0, 0.10 * span), 0.026 * span, 0.125 * span, body, seed).ringed(7.0, 0.35),
    );
    let mut fore = wing(
        (0.02 * span, -0.07 * span),
        (1.12 + tilt, 1.98 + tilt),
        0.505 * span,
        p,
        chance,
    );
    (fore.inner, fore.bulge, fore.shoulder) = (0.66, chance.within(0.02, 0.09), 0.18);
    f.pair(fore, chance.within(-0.08, 0.08));
    f.round(
        Blob::new(
            at(0.0, -0.055 * span),
            0.034 * span,
            0.058 * span,
            body,
            seed,
        )
        .furry(1.5),
    );
    f.round(Blob::new(
        at(0.0, -0.118 * span),
        0.019 * span,
        0.016 * span,
        lit(body, 0.75),
        seed,
    ));
    f
}

/// A hawkmoth: long swept wings, a spindle of a body, rose on olive.
pub(super) fn hawkmoth(long: f32, chance: &mut Chance) -> Figure {
    let rosy = chance.hit(0.7);
    let (main, second) = if rosy {
        ([150.0, 128.0, 74.0], [186.0, 104.0, 112.0])
    } else {
        ([128.0, 112.0, 98.0], [88.0, 72.0, 64.0])
    };
    let mut p = Pattern::plain(main);
    p.dark = second;
    p.light = blend(main, [226.0, 204.0, 176.0], 0.6);
    p.costa = second;
    (p.edge, p.border, p.lines, p.speckle, p.veins) = (0.8, 0.9, 0.5, 0.15, 0.1);
    let mut h = Pattern::plain(second);
    (h.border, h.fringe) = (0.2, 0.7);
    let mut f = Figure::default();
    forelegs(
        &mut f,
        -0.30 * long,
        long * 0.14,
        [120.0, 96.0, 80.0],
        chance,
    );
    feelers(
        &mut f,
        -0.39 * long,
        long * 0.24,
        0.95,
        [208.0, 186.0, 160.0],
        chance,
    );
    let seed = chance.bits() as u32;
    let mut hind = wing(
        (0.05 * long, -0.08 * long),
        (2.15, 2.75),
        0.34 * long,
        h,
        chance,
    );
    hind.inner = 0.7;
    f.pair(hind, 0.0);
    f.round(
        Blob {
            shade: second,
            ..Blob::new(at(0.0, 0.16 * long), 0.098 * long, 0.32 * long, main, seed)
        }
        .ringed(7.0, 0.5)
        .furry(1.2),
    );
    let mut fore = wing(
        (0.07 * long, -0.21 * long),
        (2.02, 2.68),
        0.66 * long,
        p,
        chance,
    );
    (fore.inner, fore.bulge, fore.shoulder) = (0.52, 0.03, 0.15);
    f.pair(fore, chance.within(-0.05, 0.05));
    let thorax = Blob::new(
        at(0.0, -0.2 * long),
        0.105 * long,
        0.15 * long,
        blend(main, second, 0.25),
        seed,
    );
    f.round(thorax.furry(3.0));
    f.round(
        Blob::new(
            at(0.0, -0.365 * long),
            0.055 * long,
            0.05 * long,
            blend(main, second, 0.3),
            seed,
        )
        .furry(1.5),
    );
    f
}

/// A grass moth: a narrow roof with long stripes and a snout.
pub(super) fn grass(long: f32, chance: &mut Chance) -> Figure {
    let ground = chance.pick(
        &[
            [190.0, 168.0, 128.0],
            [206.0, 194.0, 164.0],
            [160.0, 138.0, 104.0],
        ],
        [190.0, 168.0, 128.0],
    );
    let mut p = Pattern::plain(ground);
    (p.veins, p.edge, p.speckle, p.fringe) = (0.9, 0.7, 0.3, 0.5);
    p.dark = blend(lit(ground, 0.5), [96.0, 76.0, 54.0], 0.5);
    p.costa = [236.0, 228.0, 204.0];
    let mut f = Figure::default();
    let legs = lit(ground, 0.6);
    forelegs(&mut f, -0.26 * long, long * 0.28, legs, chance);
    f.line(
        vec![at(0.0, -0.38 * long), at(0.01 * long, -0.5 * long)],
        (3.2, 1.6),
        lit(ground, 0.75),
    );
    feelers(&mut f, -0.38 * long, long * 0.4, 0.35, legs, chance);
    let mut fore = wing(
        (0.03 * long, -0.30 * long),
        (chance.within(2.98, 3.03), 3.24),
        0.80 * long,
        p,
        chance,
    );
    (fore.shoulder, fore.inner) = (0.62, 0.93);
    f.pair(fore, chance.within(-0.03, 0.03));
    let seed = chance.bits() as u32;
    f.round(
        Blob::new(
            at(0.0, -0.30 * long),
            0.072 * long,
            0.09 * long,
            ground,
            seed,
        )
        .furry(1.0),
    );
    f.round(Blob::new(
        at(0.0, -0.385 * long),
        0.045 * long,
        0.035 * long,
        lit(ground, 0.85),
        seed,
    ));
    f
}

/// A leaf-roller: small, bell-shaped, with a dark band.
pub(super) fn bell(long: f32, chance: &mut Chance) -> Figure {
    let ground = chance.pick(
        &[
            [168.0, 120.0, 70.0],
            [140.0, 112.0, 86.0],
            [176.0, 150.0, 112.0],
            [112.0, 96.0, 84.0],
        ],
        [168.0, 120.0, 70.0],
    );
    let mut p = Pattern::plain(ground);
    (p.band, p.border, p.speckle, p.lines) = (0.8, 0.4, 0.5, 0.3);
    let mut f = Figure::default();
    feelers(
        &mut f,
        -0.42 * long,
        long * 0.32,
        0.9,
        lit(ground, 0.55),
        chance,
    );
    let mut fore = wing(
        (0.04 * long, -0.33 * long),
        (2.86, 3.2),
        0.82 * long,
        p,
        chance,
    );
    (fore.shoulder, fore.inner, fore.bulge) = (1.25, 0.98, 0.02);
    f.pair(fore, chance.within(-0.04, 0.04));
    let seed = chance.bits() as u32;
    f.round(
        Blob::new(
            at(0.0, -0.33 * long),
            0.12 * long,
            0.11 * long,
            lit(ground, 0.85),
            seed,
        )
        .furry(1.2),
    );
    f.round(Blob::new(
        at(0.0, -0.43 * long),
        0.06 * long,
        0.045 * long,
        lit(ground, 0.75),
        seed,
    ));
    f
}

/// A footman: narrow, flat, silky grey with a straw-coloured rim and head.
pub(super) fn footman(long: f32, chance: &mut Chance) -> Figure {
    let ground = lit([146.0, 140.0, 130.0], chance.within(0.85, 1.12));
    let straw = [214.0, 176.0, 96.0];
    let mut p = Pattern::plain(ground);
    (p.edge, p.veins, p.fringe) = (1.0, 0.15, 0.1);
    p.costa = straw;
    let mut f = Figure::default();
    feelers(
        &mut f,
        -0.42 * long,
        long * 0.36,
        0.8,
        [96.0, 88.0, 78.0],
        chance,
    );
    let mut fore = wing(
        (0.03 * long, -0.34 * long),
        (2.93, 3.24),
        0.86 * long,
        p,
        chance,
    );
    (fore.shoulder, fore.inner, fore.round) = (0.9, 0.96, 0.12);
    f.pair(fore, chance.within(-0.03, 0.03));
    let seed = chance.bits() as u32;
    f.round(
        Blob::new(
            at(0.0, -0.35 * long),
            0.085 * long,
            0.09 * long,
            blend(ground, straw, 0.5),
            seed,
        )
        .furry(1.2),
    );
    f.round(Blob::new(at(0.0, -0.43 * long), 0.05 * long, 0.04 * long, straw, seed).furry(1.0));
    f
}

/// An ermine or a tiger: bold marks, thick fur.
pub(super) fn tiger(long: f32, chance: &mut Chance) -> Figure {
    let ermine = chance.hit(0.6);
    let mut p = Pattern::plain(if ermine {
        [224.0, 218.0, 204.0]
    } else {
        [222.0, 202.0, 164.0]
    });
    p.dark = if ermine {
        [44.0, 38.0, 34.0]
    } else {
        [74.0, 50.0, 38.0]
    };
    (p.dots, p.patches) = if ermine { (1.0, 0.0) } else { (0.0, 1.0) };
    (p.speckle, p.fringe, p.edge) = (0.1, 0.2, 0.2);
    p.light = [236.0, 230.0, 218.0];
    let ground = p.ground;
    let mut h = Pattern::plain(if ermine {
        [222.0, 214.0, 200.0]
    } else {
        [206.0, 104.0, 60.0]
    });
    (h.dots, h.dark) = (0.9, [40.0, 34.0, 30.0]);
    let mut f = Figure::default();
    forelegs(
        &mut f,
        -0.32 * long,
        long * 0.24,
        [58.0, 48.0, 42.0],
        chance,
    );
    feelers(
        &mut f,
        -0.42 * long,
        long * 0.3,
        0.95,
        [60.0, 52.0, 46.0],
        chance,
    );
    let open = chance.within(2.45, 2.75);
    let seed = chance.bits() as u32;
    let mut hind = wing(
        (0.05 * long, -0.06 * long),
        (open - 0.12, 3.0),
        0.48 * long,
        h,
        chance,
    );
    hind.inner = 0.9;
    f.pair(hind, 0.0);
    let belly = if ermine {
        [216.0, 186.0, 110.0]
    } else {
        [204.0, 104.0, 62.0]
    };
    let abdomen = Blob {
        shade: [50.0, 42.0, 38.0],
        ..Blob::new(at(0.0, 0.12 * long), 0.11 * long, 0.27 * long, belly, seed)
    };
    f.round(abdomen.ringed(6.0, 0.8).furry(1.5));
    let mut fore = wing(
        (0.06 * long, -0.24 * long),
        (open, open + 0.46),
        0.76 * long,
        p,
        chance,
    );
    (fore.shoulder, fore.inner) = (0.45, 0.86);
    f.pair(fore, chance.within(-0.08, 0.08));
    let fur = if ermine { ground } else { [70.0, 48.0, 38.0] };
    f.round(Blob::new(at(0.0, -0.25 * long), 0.125 * long, 0.15 * long, fur, seed).furry(4.0));
    f.round(
        Blob::new(
            at(0.0, -0.40 * long),
            0.06 * long,
            0.05 * long,
            lit(fur, 0.92),
            seed,
        )
        .furry(2.5),
    );
    f
}
