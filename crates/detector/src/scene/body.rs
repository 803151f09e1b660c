//! Bodies, legs and feelers: rounded blobs with fur, rings or gloss, and thin tapering
//! strokes. A blob shades itself as if lit from the front; a stroke is as thin as a hair
//! and keeps its softness from the distance to its line.

use super::chance::noise;
use super::curve::{Colour, Point, at, bearing, blend, bump, lit, mix, step};

/// An ellipse with a surface: head, thorax, abdomen or wing case.
#[derive(Debug, Clone)]
pub(super) struct Blob {
    pub(super) centre: Point,
    pub(super) wide: f32,
    pub(super) tall: f32,
    pub(super) colour: Colour,
    /// Colour of rings and of the shaded rim.
    pub(super) shade: Colour,
    /// Length of the fur in pixels; 0 is smooth.
    pub(super) fur: f32,
    /// Number of rings across, and how strong they are.
    pub(super) rings: f32,
    pub(super) ring: f32,
    /// Strength of the reflection of the lamp.
    pub(super) gloss: f32,
    pub(super) cover: f32,
    pub(super) seed: u32,
}

impl Blob {
    /// A smooth body part of one colour.
    pub(super) fn new(centre: Point, wide: f32, tall: f32, colour: Colour, seed: u32) -> Self {
        Self {
            centre,
            wide,
            tall,
            colour,
            shade: lit(colour, 0.5),
            fur: 0.0,
            rings: 0.0,
            ring: 0.0,
            gloss: 0.0,
            cover: 1.0,
            seed,
        }
    }

    /// The same with fur of this length.
    pub(super) fn furry(mut self, fur: f32) -> Self {
        self.fur = fur;
        self
    }

    /// The same with rings.
    pub(super) fn ringed(mut self, rings: f32, ring: f32) -> Self {
        (self.rings, self.ring) = (rings, ring);
        self
    }

    /// The same with a reflection.
    pub(super) fn glossy(mut self, gloss: f32) -> Self {
        self.gloss = gloss;
        self
    }

    /// Half the width and half the height that the blob can reach.
    pub(super) fn extent(&self) -> (f32, f32) {
        (self.wide + self.fur, self.tall + self.fur)
    }

    /// Colour and cover at a point of the insect's own plane.
    pub(super) fn paint(&self, p: Point) -> Option<(Colour, f32)> {
        let d = at(p.x - self.centre.x, p.y - self.centre.y);
        let q = at(d.x / self.wide, d.y / self.tall);
        let far = q.length();
        let small = self.wide.min(self.tall);
        let mut inside = (1.0 - far) * small;
        if inside < -self.fur - 1.2 {
            return None;
        }
        let mut soft = 0.8;
        if self.fur > 0.0 {
            let strand = noise(bearing(d) * small * 0.9, far * 1.5, self.seed);
            inside += (strand * 0.7 + 0.2) * self.fur;
            soft += self.fur * 0.45;
        }
        let cover = step(-soft, soft, inside) * self.cover;
        Some((self.surface(d, q, far), cover))
    }

    fn surface(&self, d: Point, q: Point, far: f32) -> Colour {
        let streak =
            noise(d.x * 0.8, d.y * 0.28, self.seed ^ 3) * if self.fur > 0.0 { 0.16 } else { 0.06 };
        let mut c = blend(self.colour, self.shade, (far * far * 0.75).min(1.0));
        if self.rings > 0.0 {
            let phase = (q.y * 0.5 + 0.5) * self.rings + q.x * q.x * 0.15;
            let off = phase - phase.floor() - 0.5;
            c = blend(c, self.shade, self.ring * bump(off, 0.17));
        }
        c = lit(c, 1.05 + streak);
        if self.gloss > 0.0 {
            let spark = at((q.x + 0.3) / 0.28, (q.y + 0.25) / 0.34).length();
            c = blend(c, [235.0, 238.0, 240.0], self.gloss * bump(spark, 0.8));
        }
        c
    }
}

/// A leg, a feeler, a tail or the line between two wing cases.
#[derive(Debug, Clone)]
pub(super) struct Stroke {
    pub(super) points: Vec<Point>,
    /// Thickness at the start and at the end, in pixels.
    pub(super) thick: (f32, f32),
    pub(super) colour: Colour,
    pub(super) cover: f32,
}

impl Stroke {
    /// Colour and cover at a point of the insect's own plane.
    pub(super) fn paint(&self, p: Point) -> Option<(Colour, f32)> {
        let count = self.points.len().saturating_sub(1).max(1) as f32;
        let mut best = 0.0f32;
        for (i, pair) in self.points.windows(2).enumerate() {
            let [a, b] = pair else { continue };
            let (d, along) = from_line(p, *a, *b);
            let half = mix(self.thick.0, self.thick.1, (i as f32 + along) / count) * 0.5;
            // A line thinner than a pixel is fainter, not thinner.
            let strength = (half / 0.55).min(1.0);
            let half = half.max(0.55);
            best = best.max((1.0 - step(half - 0.6, half + 0.7, d)) * strength);
        }
        (best > 0.0).then_some((self.colour, best * self.cover))
    }
}

/// Distance of a point from a line between two others, and where along it (0 to 1).
fn from_line(p: Point, a: Point, b: Point) -> (f32, f32) {
    let (ab, ap) = (at(b.x - a.x, b.y - a.y), at(p.x - a.x, p.y - a.y));
    let square = (ab.x * ab.x + ab.y * ab.y).max(1e-6);
    let along = ((ap.x * ab.x + ap.y * ab.y) / square).clamp(0.0, 1.0);
    (at(ap.x - ab.x * along, ap.y - ab.y * along).length(), along)
}
