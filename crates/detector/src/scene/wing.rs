//! One wing: a fan around its hinge, bounded by the leading edge, the outer margin and the
//! inner margin. Everything that decorates a moth's wing (cross lines, spots, veins, fringe)
//! follows the same two numbers: how far out a point is and how far from the leading edge.

use super::chance::{cloud, noise};
use super::curve::{Colour, Point, at, bearing, blend, bump, lit, mix, sin, step, towards};
use std::f32::consts::TAU;

/// The outline; lengths in pixels of a full-size scene, angles as bearings from the head.
#[derive(Debug, Clone)]
pub(super) struct Wing {
    /// Where the wing is hinged, on the right side of the body.
    pub(super) hinge: Point,
    /// 1 for the right wing, -1 for the left one.
    pub(super) side: f32,
    /// Bearing of the leading edge.
    pub(super) from: f32,
    /// Bearing of the inner margin.
    pub(super) to: f32,
    /// From the hinge to the tip.
    pub(super) reach: f32,
    /// Length of the inner margin as a share of `reach`.
    pub(super) inner: f32,
    /// How much wider the wing starts at its hinge, in radians.
    pub(super) shoulder: f32,
    /// How far the outer margin swells (positive) or hollows (negative).
    pub(super) bulge: f32,
    /// How rounded tip and inner corner are.
    pub(super) round: f32,
    /// Depth of the waves of the outer margin.
    pub(super) scallop: f32,
    /// What is painted on it.
    pub(super) pattern: Pattern,
    /// The chance of this wing; both wings of a pair share it, so their marks mirror.
    pub(super) seed: u32,
}

/// The marks of a wing. Strengths are 0 (absent) to 1 (full).
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pub(super) ground: Colour,
    pub(super) dark: Colour,
    pub(super) light: Colour,
    pub(super) costa: Colour,
    /// Stripe along the leading edge.
    pub(super) edge: f32,
    /// Darker field in the middle.
    pub(super) band: f32,
    /// Field along the outer margin in the `dark` colour.
    pub(super) border: f32,
    /// Fine wavy cross lines.
    pub(super) lines: f32,
    /// The ring and the kidney of an owlet moth.
    pub(super) stigma: f32,
    /// The single dot of a geometer.
    pub(super) dot: f32,
    pub(super) veins: f32,
    pub(super) speckle: f32,
    pub(super) fringe: f32,
    /// Bold patches in the `dark` colour.
    pub(super) patches: f32,
    /// Small scattered dots in the `dark` colour.
    pub(super) dots: f32,
    /// 1 is scaled and opaque, 0.2 is glassy.
    pub(super) cover: f32,
}

impl Pattern {
    /// A plain wing of one colour.
    pub(super) fn plain(ground: Colour) -> Self {
        Self {
            ground,
            dark: lit(ground, 0.5),
            light: blend(ground, [250.0, 246.0, 238.0], 0.55),
            costa: lit(ground, 0.8),
            edge: 0.3,
            band: 0.0,
            border: 0.0,
            lines: 0.0,
            stigma: 0.0,
            dot: 0.0,
            veins: 0.2,
            speckle: 0.1,
            fringe: 0.4,
            patches: 0.0,
            dots: 0.0,
            cover: 1.0,
        }
    }
}

/// Where a point lies on a wing.
struct Spot {
    /// 0 at the hinge, 1 at the outer margin.
    out: f32,
    /// 0 at the leading edge, 1 at the inner margin.
    back: f32,
    /// Distance from the hinge in pixels.
    r: f32,
    /// Pixels across the wing at this distance.
    span: f32,
    /// Pixels inside the outline (negative outside).
    inside: f32,
}

impl Wing {
    /// A right wing with the outline that most species share.
    pub(super) fn new(
        hinge: Point,
        angles: (f32, f32),
        reach: f32,
        pattern: Pattern,
        seed: u32,
    ) -> Self {
        Self {
            hinge,
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
            seed,
        }
    }

    /// Distance of the outer margin in the direction `back`.
    fn margin(&self, back: f32) -> f32 {
        let wide = (self.to - self.from).clamp(0.05, 2.8);
        let (long, short) = (self.reach, self.reach * self.inner);
        let s = back.clamp(0.0, 1.0);
        let chord = long * short * sin(wide)
            / (long * sin(s * wide) + short * sin((1.0 - s) * wide)).max(0.01);
        let tip = (1.0 - s / 0.2).max(0.0);
        let corner = ((s - 0.78) / 0.22).max(0.0);
        chord
            * (1.0 + self.bulge * 4.0 * s * (1.0 - s) + self.scallop * sin(s * 6.0 * TAU))
            * (1.0 - self.round * (tip * tip + corner * corner))
    }

    fn locate(&self, p: Point) -> Option<Spot> {
        let d = at(p.x * self.side - self.hinge.x, p.y - self.hinge.y);
        let r = d.length();
        if r > self.reach * 1.3 || r < 0.01 {
            return None;
        }
        let mut angle = bearing(d);
        if angle < self.from - 1.9 {
            angle += TAU;
        }
        let near = (1.0 - r / self.reach).max(0.0);
        let from = self.from - self.shoulder * near * near;
        let to = self.to + self.shoulder * 0.3 * near * near;
        let span = (to - from) * r;
        let back = (angle - from) / (to - from);
        let margin = self.margin(back);
        let inside = (margin - r).min(back * span).min((1.0 - back) * span);
        Some(Spot {
            out: r / margin,
            back,
            r,
            span,
            inside,
        })
    }

    /// Points of the outline, for the box around the insect.
    pub(super) fn outline(&self) -> Vec<Point> {
        let mut points = vec![at(self.hinge.x * self.side, self.hinge.y)];
        for i in 0..=12u8 {
            let s = f32::from(i) / 12.0;
            let way = towards(mix(self.from, self.to, s));
            let r = self.margin(s);
            points.push(at(
                (self.hinge.x + way.x * r) * self.side,
                self.hinge.y + way.y * r,
            ));
        }
        let way = towards(self.from - self.shoulder * 0.3);
        let r = self.reach * 0.45;
        points.push(at(
            (self.hinge.x + way.x * r) * self.side,
            self.hinge.y + way.y * r,
        ));
        points
    }

    /// Colour and cover at a point of the insect's own plane.
    pub(super) fn paint(&self, p: Point) -> Option<(Colour, f32)> {
        let spot = self.locate(p)?;
        if spot.inside < -1.2 {
            return None;
        }
        let mine = at(p.x * self.side, p.y);
        // Loose scales make the outer margin a little ragged.
        let ragged = noise(mine.x * 0.9, mine.y * 0.9, self.seed) * 0.5;
        let cover = step(-0.9, 0.9, spot.inside + ragged);
        let glass = self.pattern.cover;
        let vein = self.vein(&spot);
        let rim = bump(spot.inside, 1.3);
        let opaque =
            (glass + (1.0 - glass) * (vein * self.pattern.veins + rim * 0.3).min(0.8)).min(1.0);
        Some((self.colour(&spot, mine, vein), cover * opaque))
    }

    /// 1 on a vein, 0 between two.
    fn vein(&self, spot: &Spot) -> f32 {
        if self.pattern.veins <= 0.0 {
            return 0.0;
        }
        let count = 7.0;
        let phase = spot.back * count;
        let off = (phase - phase.floor() - 0.5).abs();
        bump(off * spot.span / count, 0.8) * step(0.25, 0.5, spot.out)
    }

    fn colour(&self, spot: &Spot, mine: Point, vein: f32) -> Colour {
        let k = &self.pattern;
        let size = self.reach;
        let drift = cloud(mine.x * 7.0 / size, mine.y * 7.0 / size, self.seed);
        let mut c = blend(k.ground, k.light, (drift * 0.3 + 0.05).max(0.0));
        c = blend(c, k.dark, (-drift * 0.25).max(0.0));
        c = self.fields(c, spot, drift);
        c = self.cross_lines(c, spot);
        c = self.marks(c, spot, mine);
        c = blend(c, k.dark, vein * k.veins * 0.6);
        let along = spot.back * spot.span;
        c = blend(c, k.costa, k.edge * bump(along, 0.035 * size + 1.0));
        self.surface(c, spot, mine)
    }

    /// Broad fields: the middle band, the border and large patches.
    fn fields(&self, c: Colour, spot: &Spot, drift: f32) -> Colour {
        let k = &self.pattern;
        let t = spot.out + drift * 0.05;
        let band = step(0.34, 0.42, t) * (1.0 - step(0.60, 0.70, t));
        let mut c = blend(c, k.dark, k.band * band * 0.75);
        c = blend(c, k.dark, k.border * step(0.72, 0.84, t) * 0.85);
        if k.patches > 0.0 {
            let p = noise(spot.out * 6.5, spot.back * 3.4 + 0.7, self.seed ^ 77);
            c = blend(c, k.dark, k.patches * step(0.02, 0.14, p));
        }
        c
    }

    fn cross_lines(&self, c: Colour, spot: &Spot) -> Colour {
        let k = &self.pattern;
        if k.lines <= 0.0 {
            return c;
        }
        let mut c = c;
        let wide = (0.9 / self.reach).max(0.011);
        for (place, weight) in [(0.3, 0.9), (0.66, 1.0), (0.86, 0.55)] {
            let wander = noise(spot.back * 3.5, place * 31.0, self.seed) * 0.045
                + sin(spot.back * 7.0 * TAU + place * 9.0) * 0.012;
            let off = spot.out - place - wander;
            c = blend(c, k.dark, k.lines * weight * bump(off, wide));
            c = blend(
                c,
                k.light,
                k.lines * weight * 0.6 * bump(off - 2.4 * wide, wide),
            );
        }
        c
    }

    /// Spots and dots.
    fn marks(&self, c: Colour, spot: &Spot, mine: Point) -> Colour {
        let k = &self.pattern;
        let mut c = c;
        if k.stigma > 0.0 {
            for (out, back, radius) in [(0.42, 0.42, 0.032), (0.58, 0.36, 0.050)] {
                let q = self.away(spot, out, back) / (radius * self.reach);
                c = blend(c, k.light, k.stigma * 0.7 * (1.0 - step(0.6, 1.0, q)));
                c = blend(c, k.dark, k.stigma * 0.8 * bump(q - 1.05, 0.22));
            }
        }
        if k.dot > 0.0 {
            let q = self.away(spot, 0.48, 0.4) / (0.03 * self.reach + 0.8);
            c = blend(c, k.dark, k.dot * bump(q, 1.0));
        }
        if k.dots > 0.0 {
            let n = noise(
                mine.x * 15.0 / self.reach,
                mine.y * 15.0 / self.reach,
                self.seed ^ 5,
            );
            c = blend(c, k.dark, k.dots * step(0.5, 0.62, n));
        }
        c
    }

    /// Pixels from a place on the wing; a little longer across than along.
    fn away(&self, spot: &Spot, out: f32, back: f32) -> f32 {
        let x = (spot.out - out) * self.reach;
        let y = (spot.back - back) * spot.span * 0.75;
        at(x, y).length()
    }

    /// Scales, fringe and the way the wing lies in the light.
    fn surface(&self, c: Colour, spot: &Spot, mine: Point) -> Colour {
        let k = &self.pattern;
        let fine = noise(mine.x * 0.62, mine.y * 0.62, self.seed ^ 11);
        let coarse = noise(mine.x * 0.25, mine.y * 0.25, self.seed ^ 12);
        let mut c = c;
        let grain = fine * 0.65 + coarse * 0.5;
        c = blend(c, k.dark, k.speckle * (grain - 0.1).max(0.0) * 1.1);
        c = lit(c, 1.0 + k.speckle * 0.22 * grain);
        let hem = step(0.93, 0.97, spot.out);
        let check = 0.5 + 0.5 * sin(spot.back * 8.0 * TAU);
        c = blend(c, blend(k.dark, k.light, check), k.fringe * hem * 0.8);
        let roof = 1.07 - 0.20 * spot.back - 0.10 * (1.0 - step(0.0, 0.35, spot.r / self.reach));
        let rim = 1.0 - 0.16 * bump(spot.inside, 1.8);
        lit(c, roof * rim)
    }
}
