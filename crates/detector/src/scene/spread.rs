//! Moths that show more of themselves: geometers with all wings flat on the sheet, tigers
//! and ermines half open, hawkmoths swept back like a delta.

use super::chance::Chance;
use super::curve::{Colour, blend, lit};
use super::figure::Figure;
use super::moths::{feelers, forelegs};
use super::wing::Pattern;

/// Pale grounds of geometers.
const PALES: [Colour; 6] = [
    [172.0, 162.0, 144.0],
    [150.0, 138.0, 122.0],
    [190.0, 172.0, 132.0],
    [138.0, 124.0, 110.0],
    [182.0, 152.0, 110.0],
    [128.0, 110.0, 92.0],
];

/// A geometer: all four wings flat on the sheet. `span` is from tip to tip.
pub(super) fn geometer(span: f32, chance: &mut Chance) -> Figure {
    let ground = lit(chance.pick(&PALES, PALES[0]), chance.within(0.85, 1.06));
    let mut p = Pattern::plain(ground);
    p.dark = blend(lit(ground, 0.5), [64.0, 52.0, 44.0], 0.45);
    p.lines = chance.within(0.4, 0.9);
    p.band = chance.within(0.0, 0.5);
    p.border = chance.within(0.0, 0.35);
    p.dot = chance.within(0.2, 0.9);
    p.speckle = chance.within(0.45, 0.95);
    (p.veins, p.edge) = (0.2, 0.4);
    flat(span, p, chance)
}

/// An emerald or a pale wave: nearly plain, with two fine lines.
pub(super) fn emerald(span: f32, chance: &mut Chance) -> Figure {
    let green = chance.hit(0.6);
    let ground = if green {
        [150.0, 164.0, 128.0]
    } else {
        [212.0, 207.0, 194.0]
    };
    let mut p = Pattern::plain(ground);
    p.dark = if green {
        [112.0, 128.0, 94.0]
    } else {
        [150.0, 138.0, 120.0]
    };
    p.light = if green {
        [196.0, 204.0, 178.0]
    } else {
        [230.0, 228.0, 220.0]
    };
    p.costa = [182.0, 156.0, 114.0];
    (p.lines, p.edge, p.dot, p.veins) = (0.8, 0.7, 0.3, 0.35);
    flat(span, p, chance)
}

/// Four wings flat around a thin body, the forewings over the hindwings.
fn flat(span: f32, p: Pattern, chance: &mut Chance) -> Figure {
    let ground = p.ground;
    let tilt = chance.within(-0.04, 0.30);
    let mut f = Figure::sized(span, chance);
    feelers(&mut f, -0.10, 0.16, lit(ground, 0.6), chance);
    let mut hind = f.wing((0.015, -0.03), (1.50 + tilt, 2.98), 0.345, p.clone());
    (hind.inner, hind.bulge, hind.round) = (0.84, 0.10, 0.14);
    hind.scallop = chance.within(0.0, 0.022);
    f.pair(hind, chance.within(-0.06, 0.06));
    let body = blend(ground, lit(ground, 0.75), 0.7);
    f.round(f.body(0.09, 0.024, 0.125, body).ringed(7.0, 0.35));
    let mut fore = f.wing((0.015, -0.07), (1.16 + tilt, 2.12 + tilt), 0.505, p);
    (fore.inner, fore.shoulder) = (0.60, 0.22);
    fore.bulge = chance.within(0.02, 0.10);
    f.pair(fore, chance.within(-0.09, 0.09));
    f.round(f.body(-0.055, 0.034, 0.058, body).furry(1.5));
    f.round(f.body(-0.118, 0.019, 0.016, lit(body, 0.75)));
    f
}

/// A hawkmoth: long swept wings over a spindle of a body, rose on olive or bark-brown.
pub(super) fn hawkmoth(long: f32, chance: &mut Chance) -> Figure {
    let rosy = chance.hit(0.5);
    let (main, second): (Colour, Colour) = if rosy {
        ([140.0, 124.0, 82.0], [168.0, 112.0, 110.0])
    } else {
        ([132.0, 118.0, 104.0], [90.0, 76.0, 68.0])
    };
    let mut p = Pattern::plain(main);
    p.dark = second;
    p.light = blend(main, [214.0, 194.0, 166.0], 0.55);
    p.costa = second;
    (p.edge, p.border, p.lines) = (0.6, 0.75, 0.7);
    (p.speckle, p.veins, p.band) = (0.35, 0.2, if rosy { 0.1 } else { 0.6 });
    let mut h = Pattern::plain(second);
    (h.border, h.fringe) = (0.2, 0.5);
    let mut f = Figure::sized(long, chance);
    forelegs(&mut f, -0.30, 0.14, lit(main, 0.7), chance);
    feelers(
        &mut f,
        -0.40,
        0.20,
        blend(main, [214.0, 196.0, 172.0], 0.6),
        chance,
    );
    let mut hind = f.wing((0.05, -0.12), (2.30, 2.95), 0.38, h);
    hind.inner = 0.8;
    f.pair(hind, 0.0);
    let mut abdomen = f.body(0.14, 0.085, 0.32, blend(main, second, 0.35));
    abdomen.shade = lit(second, 0.85);
    f.round(abdomen.ringed(7.0, 0.35));
    let sweep = chance.within(2.26, 2.42);
    let mut fore = f.wing((0.05, -0.25), (sweep, 2.98), 0.74, p);
    (fore.inner, fore.bulge, fore.shoulder) = (0.60, -0.03, 0.45);
    f.pair(fore, chance.within(-0.05, 0.05));
    f.round(
        f.body(-0.25, 0.10, 0.155, blend(main, second, 0.2))
            .furry(2.4),
    );
    f.round(
        f.body(-0.40, 0.052, 0.05, blend(main, second, 0.3))
            .furry(1.4),
    );
    f
}

/// An ermine or a tiger: bold marks, thick fur.
pub(super) fn tiger(long: f32, chance: &mut Chance) -> Figure {
    let ermine = chance.hit(0.6);
    let dark: Colour = if ermine {
        [44.0, 38.0, 34.0]
    } else {
        [74.0, 50.0, 38.0]
    };
    let orange = [190.0, 102.0, 64.0];
    let mut p = Pattern::plain(if ermine {
        [218.0, 211.0, 196.0]
    } else {
        [212.0, 192.0, 154.0]
    });
    (p.dark, p.light) = (dark, [234.0, 228.0, 216.0]);
    (p.dots, p.patches) = if ermine { (1.0, 0.0) } else { (0.0, 1.0) };
    (p.speckle, p.fringe, p.edge) = (0.15, 0.2, 0.2);
    let ground = p.ground;
    let mut h = Pattern::plain(if ermine {
        [214.0, 206.0, 192.0]
    } else {
        orange
    });
    (h.dots, h.dark) = (0.9, [40.0, 34.0, 30.0]);
    let mut f = Figure::sized(long, chance);
    forelegs(&mut f, -0.32, 0.24, [58.0, 48.0, 42.0], chance);
    feelers(&mut f, -0.42, 0.28, [60.0, 52.0, 46.0], chance);
    // Most sit closed; a disturbed one shows the abdomen and the hindwings.
    let shown = if chance.hit(0.3) { 0.22 } else { 0.0 };
    let open = chance.within(2.58, 2.75) - shown;
    let mut hind = f.wing((0.05, -0.06), (open - 0.1 * shown, 3.1), 0.48, h);
    hind.inner = 0.9;
    f.pair(hind, 0.0);
    let mut abdomen = f.body(
        0.12,
        0.10,
        0.27,
        if ermine {
            [206.0, 178.0, 112.0]
        } else {
            orange
        },
    );
    abdomen.shade = [50.0, 42.0, 38.0];
    f.round(abdomen.ringed(6.0, 0.8).furry(1.5));
    let mut fore = f.wing((0.06, -0.24), (open, 3.2 - 1.4 * shown), 0.76, p);
    (fore.shoulder, fore.inner) = (0.55, 0.90);
    f.pair(fore, chance.within(-0.08, 0.08));
    let fur = if ermine { ground } else { [70.0, 48.0, 38.0] };
    f.round(f.body(-0.25, 0.115, 0.14, fur).furry(3.4));
    f.round(f.body(-0.40, 0.055, 0.05, lit(fur, 0.92)).furry(2.2));
    f
}
