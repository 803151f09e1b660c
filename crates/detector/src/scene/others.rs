//! Everything at the lamp that is no moth: midges, crane-flies, beetles, lacewings,
//! caddisflies and mayflies, with long legs and glassy wings.

use super::chance::Chance;
use super::curve::{Colour, at, lit, towards};
use super::figure::Figure;
use super::wing::{Pattern, Wing};

/// A wing that the sheet shines through.
fn glassy(tint: Colour, cover: f32, veins: f32) -> Pattern {
    let mut p = Pattern::plain(tint);
    p.dark = lit(tint, 0.45);
    (p.cover, p.veins, p.fringe, p.speckle) = (cover, veins, 0.0, 0.05);
    p
}

/// The rounded blade of a fly's wing.
fn blade(mut wing: Wing, inner: f32) -> Wing {
    (wing.inner, wing.bulge, wing.round) = (inner, 0.16, 0.2);
    wing
}

/// Six legs: where they start, the bearings of the three on the right, and their build.
struct Legs {
    from: (f32, f32),
    ways: [f32; 3],
    long: f32,
    thick: f32,
    colour: Colour,
}

/// Draws the legs, each with a knee and a foot, no two bent alike.
fn legs(f: &mut Figure, build: &Legs, chance: &mut Chance) {
    let spread = build.from.1 - build.from.0;
    for (i, way) in (0u8..).zip(build.ways) {
        for side in [-1.0, 1.0] {
            let y = build.from.0 + spread * f32::from(i) / 2.0;
            let way = way + chance.within(-0.2, 0.2);
            let long = build.long * chance.within(0.8, 1.15);
            let (a, b) = (towards(way), towards(way + (way - 1.57) * 0.5));
            let knee = at(a.x * long * 0.45, y + a.y * long * 0.45);
            let shin = at(knee.x + b.x * long * 0.38, knee.y + b.y * long * 0.38);
            let foot = at(shin.x + a.x * long * 0.2, shin.y + a.y * long * 0.2);
            let points = [at(0.0, y), knee, shin, foot].map(|p| at(p.x * side, p.y));
            f.line(
                f.scaled(&points),
                (build.thick, build.thick * 0.5),
                build.colour,
            );
        }
    }
}

/// Two feelers of length `long` that leave the head at the bearing `way`.
fn feelers(
    f: &mut Figure,
    head: f32,
    (long, way): (f32, f32),
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
        let points = [at(side * 0.01, head), middle, tip];
        f.line(f.scaled(&points), (1.3, 0.7), colour);
    }
}

/// A non-biting midge: a thin hunched body, plumes on the head, narrow clear wings.
pub(super) fn midge(long: f32, chance: &mut Chance) -> Figure {
    let tones: [Colour; 3] = [[64.0, 58.0, 50.0], [88.0, 78.0, 56.0], [46.0, 44.0, 44.0]];
    let dark = chance.pick(&tones, tones[0]);
    let mut f = Figure::sized(long, chance);
    let (from, ways) = ((-0.28, -0.1), [0.6, 1.6, 2.35]);
    legs(
        &mut f,
        &Legs {
            from,
            ways,
            long: 0.82,
            thick: 1.1,
            colour: lit(dark, 1.15),
        },
        chance,
    );
    feelers(&mut f, -0.42, (0.34, 0.35), dark, chance);
    f.round(f.body(0.12, 0.075, 0.38, dark).ringed(7.0, 0.5));
    let p = glassy([168.0, 162.0, 150.0], 0.3, 0.4);
    f.pair(
        blade(f.wing((0.02, -0.22), (2.75, 3.2), 0.6, p), 0.55),
        0.05,
    );
    f.round(f.body(-0.25, 0.11, 0.14, lit(dark, 0.85)).glossy(0.2));
    f.round(f.body(-0.42, 0.06, 0.05, lit(dark, 0.7)));
    f
}

/// A small fly, compact and dark.
pub(super) fn fly(long: f32, chance: &mut Chance) -> Figure {
    let dark = lit([58.0, 54.0, 50.0], chance.within(0.7, 1.3));
    let mut f = Figure::sized(long, chance);
    let (from, ways) = ((-0.22, 0.02), [0.7, 1.6, 2.3]);
    legs(
        &mut f,
        &Legs {
            from,
            ways,
            long: 0.5,
            thick: 1.1,
            colour: dark,
        },
        chance,
    );
    f.round(f.body(0.16, 0.17, 0.26, dark).ringed(4.0, 0.4));
    let p = glassy([150.0, 144.0, 134.0], 0.38, 0.5);
    f.pair(
        blade(f.wing((0.08, -0.16), (2.5, 3.0), 0.68, p), 0.55),
        0.08,
    );
    f.round(f.body(-0.17, 0.19, 0.2, lit(dark, 0.9)).glossy(0.25));
    f.round(f.body(-0.38, 0.15, 0.09, [84.0, 48.0, 40.0]).glossy(0.3));
    f
}

/// A crane-fly: all legs.
pub(super) fn crane(long: f32, chance: &mut Chance) -> Figure {
    let tan = lit([136.0, 114.0, 82.0], chance.within(0.75, 1.1));
    let mut f = Figure::sized(long, chance);
    let (from, ways) = ((-0.26, -0.12), [0.6, 1.75, 2.5]);
    legs(
        &mut f,
        &Legs {
            from,
            ways,
            long: 1.2,
            thick: 1.3,
            colour: lit(tan, 0.65),
        },
        chance,
    );
    let mut p = glassy([172.0, 158.0, 132.0], 0.34, 0.6);
    p.dot = 0.4;
    let open = chance.within(1.95, 2.4);
    let wing = blade(f.wing((0.04, -0.2), (open, open + 0.36), 0.76, p), 0.55);
    f.pair(wing, chance.within(-0.1, 0.1));
    f.round(f.body(0.17, 0.045, 0.38, tan).ringed(8.0, 0.4));
    f.round(f.body(-0.23, 0.075, 0.12, lit(tan, 0.85)));
    f.round(f.body(-0.38, 0.035, 0.05, lit(tan, 0.7)));
    feelers(&mut f, -0.41, (0.16, 0.6), lit(tan, 0.6), chance);
    f
}

/// A ground or dung beetle: two shining wing cases.
pub(super) fn beetle(long: f32, chance: &mut Chance) -> Figure {
    let tones: [Colour; 4] = [
        [40.0, 30.0, 26.0],
        [96.0, 56.0, 30.0],
        [34.0, 36.0, 40.0],
        [120.0, 82.0, 44.0],
    ];
    let dark = chance.pick(&tones, tones[0]);
    let mut f = Figure::sized(long, chance);
    let (from, ways) = ((-0.22, 0.12), [0.75, 1.7, 2.4]);
    legs(
        &mut f,
        &Legs {
            from,
            ways,
            long: 0.52,
            thick: 2.2,
            colour: lit(dark, 0.75),
        },
        chance,
    );
    feelers(&mut f, -0.46, (0.24, 0.7), lit(dark, 0.9), chance);
    f.round(f.body(-0.42, 0.13, 0.09, lit(dark, 0.75)));
    f.round(f.body(0.12, 0.27, 0.37, dark).glossy(0.55));
    f.round(f.body(-0.27, 0.22, 0.13, lit(dark, 0.85)).glossy(0.4));
    let seam = f.scaled(&[at(0.0, -0.16), at(0.0, 0.47)]);
    f.faint(seam, (1.2, 0.8), lit(dark, 0.4), 0.8);
    for x in [-0.13, 0.13] {
        let groove = f.scaled(&[at(x, -0.12), at(x * 1.1, 0.15), at(x * 0.6, 0.42)]);
        f.faint(groove, (1.0, 0.6), lit(dark, 0.5), 0.4);
    }
    f
}

/// A green lacewing: a leaf-green thread of a body under a roof of glass.
pub(super) fn lacewing(long: f32, chance: &mut Chance) -> Figure {
    let green = lit([132.0, 144.0, 94.0], chance.within(0.85, 1.1));
    let mut f = Figure::sized(long, chance);
    let (from, ways) = ((-0.3, -0.16), [0.5, 1.5, 2.2]);
    legs(
        &mut f,
        &Legs {
            from,
            ways,
            long: 0.34,
            thick: 1.2,
            colour: lit(green, 0.8),
        },
        chance,
    );
    feelers(&mut f, -0.4, (0.62, 0.42), [120.0, 112.0, 84.0], chance);
    f.round(f.body(0.0, 0.042, 0.32, green).ringed(7.0, 0.3));
    let p = glassy([178.0, 182.0, 158.0], 0.26, 0.8);
    f.pair(
        blade(f.wing((0.03, -0.18), (2.78, 3.18), 0.64, p), 0.6),
        0.03,
    );
    let p = glassy([174.0, 180.0, 150.0], 0.28, 0.9);
    let fore = blade(f.wing((0.03, -0.25), (2.66, 3.12), 0.78, p), 0.6);
    f.pair(fore, chance.within(-0.04, 0.04));
    f.round(f.body(-0.27, 0.06, 0.1, green));
    f.round(f.body(-0.385, 0.052, 0.036, [150.0, 140.0, 70.0]));
    f
}

/// A caddisfly: a dull hairy roof with very long feelers held forward.
pub(super) fn caddis(long: f32, chance: &mut Chance) -> Figure {
    let tones: [Colour; 3] = [
        [126.0, 100.0, 70.0],
        [98.0, 84.0, 68.0],
        [150.0, 122.0, 84.0],
    ];
    let brown = chance.pick(&tones, tones[0]);
    let mut p = Pattern::plain(brown);
    (p.veins, p.speckle, p.fringe, p.cover) = (0.7, 0.6, 0.3, 0.93);
    let mut f = Figure::sized(long, chance);
    let (from, ways) = ((-0.3, -0.12), [0.55, 1.4, 2.3]);
    legs(
        &mut f,
        &Legs {
            from,
            ways,
            long: 0.36,
            thick: 1.3,
            colour: lit(brown, 0.75),
        },
        chance,
    );
    feelers(&mut f, -0.4, (0.85, 0.3), lit(brown, 0.55), chance);
    let mut fore = f.wing((0.03, -0.32), (2.92, 3.24), 0.84, p);
    (fore.shoulder, fore.inner, fore.bulge, fore.round) = (0.7, 0.90, 0.02, 0.08);
    f.pair(fore, chance.within(-0.04, 0.04));
    f.round(f.body(-0.32, 0.085, 0.08, lit(brown, 0.7)).furry(1.2));
    f.round(f.body(-0.4, 0.055, 0.04, lit(brown, 0.55)));
    f
}

/// A mayfly: clear wings held out, three long tails.
pub(super) fn mayfly(long: f32, chance: &mut Chance) -> Figure {
    let tan = lit([142.0, 118.0, 78.0], chance.within(0.7, 1.1));
    let mut f = Figure::sized(long, chance);
    for lean in [-0.22, 0.03, 0.26] {
        let end = at(lean * 1.3, chance.within(1.15, 1.3));
        let tail = f.scaled(&[at(0.0, 0.4), at(lean * 0.4, 0.75), end]);
        f.line(tail, (1.1, 0.6), lit(tan, 0.65));
    }
    let (from, ways) = ((-0.34, -0.2), [0.25, 1.5, 2.1]);
    legs(
        &mut f,
        &Legs {
            from,
            ways,
            long: 0.42,
            thick: 1.2,
            colour: lit(tan, 0.75),
        },
        chance,
    );
    let mut p = glassy([176.0, 166.0, 140.0], 0.36, 0.7);
    p.edge = 0.6;
    let mut fore = blade(f.wing((0.02, -0.28), (1.75, 2.6), 0.72, p), 0.62);
    fore.bulge = 0.12;
    f.pair(fore, chance.within(-0.25, 0.25));
    f.round(f.body(0.1, 0.058, 0.36, tan).ringed(9.0, 0.6));
    f.round(f.body(-0.28, 0.08, 0.12, lit(tan, 0.7)));
    f.round(f.body(-0.42, 0.06, 0.05, lit(tan, 0.5)));
    f
}
