//! Everything at the lamp that is no moth: midges, crane-flies, beetles, lacewings,
//! caddisflies and mayflies, with long legs and glassy wings.

use super::body::Blob;
use super::chance::Chance;
use super::curve::{Colour, at, lit, towards};
use super::figure::Figure;
use super::wing::{Pattern, Wing};

/// A glassy or narrow wing.
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
        inner: 0.55,
        shoulder: 0.0,
        bulge: 0.16,
        round: 0.2,
        scallop: 0.0,
        pattern,
        seed: chance.bits() as u32,
    }
}

/// A wing that the sheet shines through.
fn glassy(tint: Colour, cover: f32, veins: f32) -> Pattern {
    let mut p = Pattern::plain(tint);
    p.dark = lit(tint, 0.45);
    (p.cover, p.veins, p.fringe, p.speckle) = (cover, veins, 0.0, 0.05);
    p
}

/// Six legs with a knee; `ways` are the bearings of the three on the right side.
fn legs(
    f: &mut Figure,
    from: (f32, f32),
    ways: [f32; 3],
    long: f32,
    thick: f32,
    colour: Colour,
    chance: &mut Chance,
) {
    let spread = from.1 - from.0;
    for (i, way) in (0u8..).zip(ways) {
        for side in [-1.0, 1.0] {
            let y = from.0 + spread * f32::from(i) / 2.0;
            let way = way + chance.within(-0.16, 0.16);
            let long = long * chance.within(0.85, 1.15);
            let (a, b) = (towards(way), towards(way + (way - 1.57) * 0.5));
            let knee = at(a.x * long * 0.45, y + a.y * long * 0.45);
            let shin = at(knee.x + b.x * long * 0.38, knee.y + b.y * long * 0.38);
            let foot = at(shin.x + a.x * long * 0.2, shin.y + a.y * long * 0.2);
            let points = [at(0.0, y), knee, shin, foot].map(|p| at(p.x * side, p.y));
            f.line(points.to_vec(), (thick, thick * 0.5), colour);
        }
    }
}

/// Two straight feelers.
fn feelers(
    f: &mut Figure,
    head: f32,
    long: f32,
    way: f32,
    thick: f32,
    colour: Colour,
    chance: &mut Chance,
) {
    for side in [-1.0, 1.0] {
        let first = towards(way + chance.within(-0.1, 0.1));
        let last = towards(way * 1.5 + chance.within(-0.2, 0.2));
        let middle = at(side * first.x * long * 0.5, head + first.y * long * 0.5);
        let tip = at(
            middle.x + side * last.x * long * 0.5,
            middle.y + last.y * long * 0.5,
        );
        f.line(
            vec![at(side * 0.6, head), middle, tip],
            (thick, thick * 0.55),
            colour,
        );
    }
}

/// A non-biting midge: a thin hunched body, plumes on the head, narrow clear wings.
pub(super) fn midge(long: f32, chance: &mut Chance) -> Figure {
    let dark = chance.pick(
        &[[64.0, 58.0, 50.0], [88.0, 78.0, 56.0], [46.0, 44.0, 44.0]],
        [64.0, 58.0, 50.0],
    );
    let mut f = Figure::default();
    legs(
        &mut f,
        (-0.28 * long, -0.1 * long),
        [0.6, 1.6, 2.35],
        long * 0.82,
        1.2,
        dark,
        chance,
    );
    feelers(&mut f, -0.42 * long, long * 0.34, 0.35, 1.7, dark, chance);
    let seed = chance.bits() as u32;
    f.round(
        Blob::new(at(0.0, 0.12 * long), 0.075 * long, 0.38 * long, dark, seed).ringed(7.0, 0.5),
    );
    f.pair(
        wing(
            (0.02 * long, -0.22 * long),
            (2.75, 3.2),
            0.6 * long,
            glassy([168.0, 162.0, 150.0], 0.3, 0.4),
            chance,
        ),
        0.05,
    );
    f.round(
        Blob::new(
            at(0.0, -0.25 * long),
            0.12 * long,
            0.14 * long,
            lit(dark, 0.85),
            seed,
        )
        .glossy(0.2),
    );
    f.round(Blob::new(
        at(0.0, -0.42 * long),
        0.06 * long,
        0.05 * long,
        lit(dark, 0.7),
        seed,
    ));
    f
}

/// A small fly, compact and dark.
pub(super) fn fly(long: f32, chance: &mut Chance) -> Figure {
    let dark = lit([58.0, 54.0, 50.0], chance.within(0.7, 1.3));
    let mut f = Figure::default();
    legs(
        &mut f,
        (-0.22 * long, 0.02 * long),
        [0.7, 1.6, 2.3],
        long * 0.5,
        1.1,
        dark,
        chance,
    );
    let seed = chance.bits() as u32;
    f.round(Blob::new(at(0.0, 0.16 * long), 0.17 * long, 0.26 * long, dark, seed).ringed(4.0, 0.4));
    f.pair(
        wing(
            (0.08 * long, -0.16 * long),
            (2.5, 3.0),
            0.68 * long,
            glassy([150.0, 144.0, 134.0], 0.38, 0.5),
            chance,
        ),
        0.08,
    );
    f.round(
        Blob::new(
            at(0.0, -0.17 * long),
            0.19 * long,
            0.2 * long,
            lit(dark, 0.9),
            seed,
        )
        .glossy(0.25),
    );
    f.round(
        Blob::new(
            at(0.0, -0.38 * long),
            0.15 * long,
            0.09 * long,
            [84.0, 48.0, 40.0],
            seed,
        )
        .glossy(0.3),
    );
    f
}

/// A crane-fly: all legs.
pub(super) fn crane(long: f32, chance: &mut Chance) -> Figure {
    let tan = lit([136.0, 114.0, 82.0], chance.within(0.75, 1.1));
    let mut f = Figure::default();
    legs(
        &mut f,
        (-0.26 * long, -0.12 * long),
        [0.6, 1.75, 2.5],
        long * 1.15,
        1.6,
        lit(tan, 0.6),
        chance,
    );
    let mut p = glassy([172.0, 158.0, 132.0], 0.34, 0.6);
    p.dot = 0.4;
    let open = chance.within(1.95, 2.4);
    f.pair(
        wing(
            (0.04 * long, -0.2 * long),
            (open, open + 0.36),
            0.74 * long,
            p,
            chance,
        ),
        chance.within(-0.1, 0.1),
    );
    let seed = chance.bits() as u32;
    f.round(Blob::new(at(0.0, 0.17 * long), 0.045 * long, 0.38 * long, tan, seed).ringed(8.0, 0.4));
    f.round(Blob::new(
        at(0.0, -0.23 * long),
        0.075 * long,
        0.12 * long,
        lit(tan, 0.85),
        seed,
    ));
    f.round(Blob::new(
        at(0.0, -0.38 * long),
        0.035 * long,
        0.05 * long,
        lit(tan, 0.7),
        seed,
    ));
    feelers(
        &mut f,
        -0.41 * long,
        long * 0.16,
        0.6,
        1.2,
        lit(tan, 0.6),
        chance,
    );
    f
}

/// A ground or dung beetle: two shining wing cases.
pub(super) fn beetle(long: f32, chance: &mut Chance) -> Figure {
    let dark = chance.pick(
        &[
            [40.0, 30.0, 26.0],
            [96.0, 56.0, 30.0],
            [34.0, 36.0, 40.0],
            [120.0, 82.0, 44.0],
        ],
        [40.0, 30.0, 26.0],
    );
    let mut f = Figure::default();
    legs(
        &mut f,
        (-0.22 * long, 0.12 * long),
        [0.75, 1.7, 2.4],
        long * 0.52,
        2.4,
        lit(dark, 0.75),
        chance,
    );
    feelers(
        &mut f,
        -0.46 * long,
        long * 0.24,
        0.7,
        1.5,
        lit(dark, 0.9),
        chance,
    );
    let seed = chance.bits() as u32;
    f.round(Blob::new(
        at(0.0, -0.42 * long),
        0.13 * long,
        0.09 * long,
        lit(dark, 0.75),
        seed,
    ));
    f.round(Blob::new(at(0.0, 0.12 * long), 0.27 * long, 0.37 * long, dark, seed).glossy(0.55));
    f.round(
        Blob::new(
            at(0.0, -0.27 * long),
            0.22 * long,
            0.13 * long,
            lit(dark, 0.85),
            seed,
        )
        .glossy(0.4),
    );
    f.faint(
        vec![at(0.0, -0.16 * long), at(0.0, 0.47 * long)],
        (1.2, 0.8),
        lit(dark, 0.4),
        0.8,
    );
    for x in [-0.13, 0.13] {
        let groove = vec![
            at(x * long, -0.12 * long),
            at(x * 1.1 * long, 0.15 * long),
            at(x * 0.6 * long, 0.42 * long),
        ];
        f.faint(groove, (1.0, 0.6), lit(dark, 0.5), 0.4);
    }
    f
}

/// A green lacewing: a leaf-green thread of a body under a roof of glass.
pub(super) fn lacewing(long: f32, chance: &mut Chance) -> Figure {
    let green = lit([128.0, 152.0, 84.0], chance.within(0.85, 1.1));
    let mut f = Figure::default();
    legs(
        &mut f,
        (-0.3 * long, -0.16 * long),
        [0.5, 1.5, 2.2],
        long * 0.34,
        1.2,
        lit(green, 0.8),
        chance,
    );
    feelers(
        &mut f,
        -0.4 * long,
        long * 0.62,
        0.42,
        1.2,
        [120.0, 112.0, 84.0],
        chance,
    );
    let seed = chance.bits() as u32;
    f.round(Blob::new(at(0.0, 0.0), 0.042 * long, 0.32 * long, green, seed).ringed(7.0, 0.3));
    let mut hind = wing(
        (0.03 * long, -0.18 * long),
        (2.78, 3.18),
        0.64 * long,
        glassy([168.0, 180.0, 140.0], 0.26, 0.8),
        chance,
    );
    hind.inner = 0.6;
    f.pair(hind, 0.03);
    let mut fore = wing(
        (0.03 * long, -0.25 * long),
        (2.66, 3.12),
        0.78 * long,
        glassy([160.0, 176.0, 130.0], 0.28, 0.9),
        chance,
    );
    fore.inner = 0.6;
    f.pair(fore, chance.within(-0.04, 0.04));
    f.round(Blob::new(
        at(0.0, -0.27 * long),
        0.06 * long,
        0.1 * long,
        green,
        seed,
    ));
    f.round(Blob::new(
        at(0.0, -0.385 * long),
        0.052 * long,
        0.036 * long,
        [150.0, 140.0, 70.0],
        seed,
    ));
    f
}

/// A caddisfly: a dull hairy roof with very long feelers held forward.
pub(super) fn caddis(long: f32, chance: &mut Chance) -> Figure {
    let brown = chance.pick(
        &[
            [126.0, 100.0, 70.0],
            [98.0, 84.0, 68.0],
            [150.0, 122.0, 84.0],
        ],
        [126.0, 100.0, 70.0],
    );
    let mut p = Pattern::plain(brown);
    (p.veins, p.speckle, p.fringe, p.cover) = (0.7, 0.6, 0.3, 0.93);
    let mut f = Figure::default();
    legs(
        &mut f,
        (-0.3 * long, -0.12 * long),
        [0.55, 1.4, 2.3],
        long * 0.36,
        1.5,
        lit(brown, 0.75),
        chance,
    );
    feelers(
        &mut f,
        -0.4 * long,
        long * 0.85,
        0.3,
        1.4,
        lit(brown, 0.55),
        chance,
    );
    let mut fore = wing(
        (0.03 * long, -0.32 * long),
        (2.92, 3.2),
        0.84 * long,
        p,
        chance,
    );
    (fore.shoulder, fore.inner, fore.bulge, fore.round) = (0.7, 0.82, 0.02, 0.08);
    f.pair(fore, chance.within(-0.04, 0.04));
    let seed = chance.bits() as u32;
    f.round(
        Blob::new(
            at(0.0, -0.32 * long),
            0.085 * long,
            0.08 * long,
            lit(brown, 0.7),
            seed,
        )
        .furry(1.2),
    );
    f.round(Blob::new(
        at(0.0, -0.4 * long),
        0.055 * long,
        0.04 * long,
        lit(brown, 0.55),
        seed,
    ));
    f
}

/// A mayfly: clear wings held up (seen from the side), three long tails.
pub(super) fn mayfly(long: f32, chance: &mut Chance) -> Figure {
    let tan = lit([142.0, 118.0, 78.0], chance.within(0.7, 1.1));
    let mut f = Figure::default();
    for lean in [-0.22, 0.03, 0.26] {
        let end = at(lean * long * 1.3, long * chance.within(1.15, 1.3));
        f.line(
            vec![at(0.0, 0.4 * long), at(lean * long * 0.4, 0.75 * long), end],
            (1.1, 0.6),
            lit(tan, 0.65),
        );
    }
    legs(
        &mut f,
        (-0.34 * long, -0.2 * long),
        [0.25, 1.5, 2.1],
        long * 0.42,
        1.2,
        lit(tan, 0.75),
        chance,
    );
    let mut p = glassy([176.0, 166.0, 140.0], 0.36, 0.7);
    p.edge = 0.6;
    let mut fore = wing(
        (0.02 * long, -0.28 * long),
        (1.75, 2.6),
        0.72 * long,
        p,
        chance,
    );
    (fore.inner, fore.bulge) = (0.62, 0.12);
    f.pair(fore, chance.within(-0.25, 0.25));
    let seed = chance.bits() as u32;
    f.round(Blob::new(at(0.0, 0.1 * long), 0.058 * long, 0.36 * long, tan, seed).ringed(9.0, 0.6));
    f.round(Blob::new(
        at(0.0, -0.28 * long),
        0.08 * long,
        0.12 * long,
        lit(tan, 0.7),
        seed,
    ));
    f.round(Blob::new(
        at(0.0, -0.42 * long),
        0.06 * long,
        0.05 * long,
        lit(tan, 0.5),
        seed,
    ));
    f
}
