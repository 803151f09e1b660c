//! An insect as a stack of parts in its own plane: head up, origin between the wings, one
//! unit per pixel of a full-size scene. The species files build figures; the canvas asks a
//! figure for the colour at a point.

use super::body::{Blob, Stroke};
use super::chance::Chance;
use super::curve::{Colour, Point, at};
use super::wing::{Pattern, Wing};

/// One layer of an insect.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// Legs and feelers; they cast hardly any shadow and do not count for the box.
    Thin(Stroke),
    Round(Blob),
    Flat(Box<Wing>),
}

/// An upright rectangle between two corners.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) low: Point,
    pub(super) high: Point,
}

impl Bounds {
    /// The smallest rectangle around the points, or a dot at the origin.
    pub(super) fn around(points: impl IntoIterator<Item = Point>) -> Self {
        let mut points = points.into_iter();
        let first = points.next().unwrap_or(at(0.0, 0.0));
        points.fold(
            Self {
                low: first,
                high: first,
            },
            |b, p| Self {
                low: at(b.low.x.min(p.x), b.low.y.min(p.y)),
                high: at(b.high.x.max(p.x), b.high.y.max(p.y)),
            },
        )
    }

    /// The same with a margin on every side.
    pub(super) fn grown(self, by: f32) -> Self {
        Self {
            low: at(self.low.x - by, self.low.y - by),
            high: at(self.high.x + by, self.high.y + by),
        }
    }

    /// The four corners.
    pub(super) fn corners(self) -> [Point; 4] {
        let (l, h) = (self.low, self.high);
        [l, at(h.x, l.y), h, at(l.x, h.y)]
    }
}

impl Part {
    /// Colour and cover at a point.
    pub(super) fn paint(&self, p: Point) -> Option<(Colour, f32)> {
        match self {
            Self::Thin(stroke) => stroke.paint(p),
            Self::Round(blob) => blob.paint(p),
            Self::Flat(wing) => wing.paint(p),
        }
    }

    /// Points whose rectangle holds the part.
    pub(super) fn outline(&self) -> Vec<Point> {
        match self {
            Self::Thin(stroke) => stroke.points.clone(),
            Self::Flat(wing) => wing.outline(),
            Self::Round(blob) => {
                let (w, h) = blob.extent();
                let c = blob.centre;
                vec![
                    at(c.x - w, c.y),
                    at(c.x + w, c.y),
                    at(c.x, c.y - h),
                    at(c.x, c.y + h),
                ]
            }
        }
    }

    /// How much of the part the lamp cannot shine through.
    pub(super) fn shadow(&self) -> f32 {
        match self {
            Self::Thin(_) => 0.45,
            Self::Round(_) => 1.0,
            Self::Flat(wing) => wing.pattern.cover,
        }
    }
}

/// All parts of an insect, the lowest first, and the measure they are proportions of.
#[derive(Debug, Clone, Default)]
pub(super) struct Figure {
    pub(super) parts: Vec<Part>,
    long: f32,
    seed: u32,
}

impl Figure {
    /// An empty figure whose proportions refer to `long` pixels.
    pub(super) fn sized(long: f32, chance: &mut Chance) -> Self {
        let seed = chance.bits() as u32;
        Self {
            parts: Vec::new(),
            long,
            seed,
        }
    }

    /// A body part on the middle line; `y`, `wide` and `tall` are proportions.
    pub(super) fn body(&self, y: f32, wide: f32, tall: f32, colour: Colour) -> Blob {
        let long = self.long;
        Blob::new(
            at(0.0, y * long),
            wide * long,
            tall * long,
            colour,
            self.seed,
        )
    }

    /// A wing hinged at `hinge`, from one bearing to another; lengths are proportions.
    pub(super) fn wing(
        &self,
        hinge: (f32, f32),
        angles: (f32, f32),
        reach: f32,
        p: Pattern,
    ) -> Wing {
        let base = at(hinge.0 * self.long, hinge.1 * self.long);
        let seed = self.seed.wrapping_add((reach * 4096.0) as u32);
        Wing::new(base, angles, reach * self.long, p, seed)
    }

    /// Points given as proportions, in pixels.
    pub(super) fn scaled(&self, points: &[Point]) -> Vec<Point> {
        points
            .iter()
            .map(|p| at(p.x * self.long, p.y * self.long))
            .collect()
    }

    pub(super) fn round(&mut self, blob: Blob) {
        self.parts.push(Part::Round(blob));
    }

    /// A wing and its mirror image; `droop` turns the left one a little, as nothing that
    /// sits on cloth is quite symmetric.
    pub(super) fn pair(&mut self, wing: Wing, droop: f32) {
        let mut left = wing.clone();
        left.side = -1.0;
        left.from += droop;
        left.to += droop * 0.5;
        self.parts.push(Part::Flat(Box::new(left)));
        self.parts.push(Part::Flat(Box::new(wing)));
    }

    pub(super) fn line(&mut self, points: Vec<Point>, thick: (f32, f32), colour: Colour) {
        self.faint(points, thick, colour, 0.92);
    }

    pub(super) fn faint(
        &mut self,
        points: Vec<Point>,
        thick: (f32, f32),
        colour: Colour,
        cover: f32,
    ) {
        self.parts.push(Part::Thin(Stroke {
            points,
            thick,
            colour,
            cover,
        }));
    }

    /// The rectangle around wings and bodies after turning by `angle`.
    pub(super) fn solid_bounds(&self, angle: f32) -> Bounds {
        let solid = self
            .parts
            .iter()
            .filter(|part| !matches!(part, Part::Thin(_)));
        Bounds::around(solid.flat_map(Part::outline).map(|p| p.turned(angle)))
    }

    /// The rectangle around everything after turning by `angle`.
    pub(super) fn bounds(&self, angle: f32) -> Bounds {
        Bounds::around(
            self.parts
                .iter()
                .flat_map(Part::outline)
                .map(|p| p.turned(angle)),
        )
    }
}
