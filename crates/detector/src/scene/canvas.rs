//! The picture while it is made: floating-point pixels onto which figures are stamped with
//! their shadow and the lens's softness, then the sensor's noise, then eight bits.

use super::chance::Chance;
use super::curve::{Colour, Point, at, cos, sin};
use super::figure::{Bounds, Figure};
use image::RgbImage;

/// Width that all sizes in this folder refer to.
pub(super) const FULL_WIDTH: f32 = 2048.0;

/// How a figure lies on the sheet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pose {
    /// Centre, in pixels of a full-size scene.
    pub(super) centre: Point,
    /// Turn in radians, 0 is head up.
    pub(super) angle: f32,
    /// Colour of the light there, 1 is the middle of the sheet.
    pub(super) light: Colour,
    /// Offset of the soft shadow, in full-size pixels.
    pub(super) shadow: Point,
    /// How dark the shadow is, 0 to 1.
    pub(super) depth: f32,
    /// Passes of softening (0 is as sharp as the lens gets).
    pub(super) soft: u8,
}

/// Pixels from 0 to 255 with fractions.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    px: Vec<Colour>,
}

/// Premultiplied colour and cover, and the cover that casts the shadow.
struct Stamp {
    x: i32,
    y: i32,
    width: usize,
    height: usize,
    px: Vec<[f32; 4]>,
    shade: Vec<f32>,
}

impl Canvas {
    pub(super) fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width as usize, height as usize);
        Self {
            width,
            height,
            px: vec![[0.0; 3]; width * height],
        }
    }

    pub(super) fn height(&self) -> usize {
        self.height
    }

    /// Pixels per full-size pixel.
    pub(super) fn scale(&self) -> f32 {
        self.width as f32 / FULL_WIDTH
    }

    pub(super) fn row(&mut self, y: usize) -> &mut [Colour] {
        &mut self.px[y * self.width..(y + 1) * self.width]
    }

    /// Puts a figure on the sheet.
    pub(super) fn stamp(&mut self, figure: &Figure, pose: &Pose) {
        let scale = self.scale();
        let mut stamp = Stamp::new(figure, pose, scale);
        stamp.draw(figure, pose, scale);
        for _ in 0..pose.soft {
            stamp.soften();
        }
        if pose.depth > 0.0 {
            let near = blurred(&stamp.shade, stamp.width, (2.0 * scale) as usize);
            let wide = blurred(&stamp.shade, stamp.width, (7.0 * scale) as usize);
            self.darken(
                &stamp,
                &near,
                at(pose.shadow.x * 0.35 * scale, pose.shadow.y * 0.35 * scale),
                0.42 * pose.depth,
            );
            self.darken(
                &stamp,
                &wide,
                at(pose.shadow.x * scale, pose.shadow.y * scale),
                0.58 * pose.depth,
            );
        }
        self.cover(&stamp);
    }

    /// Multiplies the sheet by a blurred shadow.
    fn darken(&mut self, stamp: &Stamp, shade: &[f32], offset: Point, depth: f32) {
        let (dx, dy) = (offset.x.round() as i32, offset.y.round() as i32);
        // A shadow keeps some of the blue of the scattered light.
        let loss = [depth, depth * 0.97, depth * 0.9];
        self.each(stamp, dx, dy, |px, i| {
            let s = shade[i];
            for k in 0..3 {
                px[k] *= 1.0 - s * loss[k];
            }
        });
    }

    fn cover(&mut self, stamp: &Stamp) {
        self.each(stamp, 0, 0, |px, i| {
            let [r, g, b, a] = stamp.px[i];
            *px = [
                px[0] * (1.0 - a) + r,
                px[1] * (1.0 - a) + g,
                px[2] * (1.0 - a) + b,
            ];
        });
    }

    /// Calls `change` for each pixel of the stamp that lies inside the picture.
    fn each(&mut self, stamp: &Stamp, dx: i32, dy: i32, change: impl Fn(&mut Colour, usize)) {
        for row in 0..stamp.height {
            let Ok(y) = usize::try_from(stamp.y + dy + row as i32) else {
                continue;
            };
            if y >= self.height {
                break;
            }
            for column in 0..stamp.width {
                let Ok(x) = usize::try_from(stamp.x + dx + column as i32) else {
                    continue;
                };
                if x >= self.width {
                    break;
                }
                change(&mut self.px[y * self.width + x], row * stamp.width + column);
            }
        }
    }

    /// Adds the sensor's noise and rounds to eight bits.
    pub(super) fn develop(&self, seed: u64) -> RgbImage {
        const TABLE: usize = 1 << 14;
        let mut chance = Chance::new(seed, 7);
        let grey: Vec<f32> = (0..TABLE).map(|_| chance.bell()).collect();
        let tint: Vec<f32> = (0..TABLE).map(|_| chance.bell()).collect();
        let at_of = |table: &[f32], i: usize| table[i & (TABLE - 1)];
        let mut out = Vec::with_capacity(self.px.len() * 3);
        let mut above = chance.below(TABLE);
        for row in self.px.chunks_exact(self.width.max(1)) {
            let (here, red, blue) = (
                chance.below(TABLE),
                chance.below(TABLE),
                chance.below(TABLE),
            );
            for (x, px) in row.iter().enumerate() {
                // Neighbours share some noise, as after a camera's own smoothing.
                let g = at_of(&grey, here + x) * 1.6
                    + at_of(&grey, here + x + 1) * 0.9
                    + at_of(&grey, above + x) * 0.9;
                let r = g + at_of(&tint, red + x / 2) * 0.9;
                let b = g + at_of(&tint, blue + x / 2) * 1.2;
                for (value, grain) in px.iter().zip([r, g, b]) {
                    out.push((value + grain + 0.5).clamp(0.0, 255.0) as u8);
                }
            }
            above = here;
        }
        RgbImage::from_raw(self.width as u32, self.height as u32, out).unwrap_or_default()
    }
}

impl Stamp {
    fn new(figure: &Figure, pose: &Pose, scale: f32) -> Self {
        let b = figure.bounds(pose.angle).grown(22.0);
        let low = at(
            ((b.low.x + pose.centre.x) * scale).floor(),
            ((b.low.y + pose.centre.y) * scale).floor(),
        );
        let high = at(
            ((b.high.x + pose.centre.x) * scale).ceil(),
            ((b.high.y + pose.centre.y) * scale).ceil(),
        );
        let width = (high.x - low.x).clamp(1.0, 4096.0) as usize;
        let height = (high.y - low.y).clamp(1.0, 4096.0) as usize;
        Self {
            x: low.x as i32,
            y: low.y as i32,
            width,
            height,
            px: vec![[0.0; 4]; width * height],
            shade: vec![0.0; width * height],
        }
    }

    /// Paints the parts, the lowest first, each within its own box.
    fn draw(&mut self, figure: &Figure, pose: &Pose, scale: f32) {
        let (s, c) = (sin(pose.angle), cos(pose.angle));
        let home = at(
            pose.centre.x * scale - self.x as f32,
            pose.centre.y * scale - self.y as f32,
        );
        for part in &figure.parts {
            let flat = Bounds::around(part.outline()).grown(6.0);
            let b = Bounds::around(flat.corners().map(|p| p.turned(pose.angle)));
            let cut = |v: f32, size: usize| v.clamp(0.0, size as f32) as usize;
            let weight = part.shadow();
            for y in cut(b.low.y * scale + home.y, self.height)
                ..cut(b.high.y * scale + home.y + 1.0, self.height)
            {
                for x in cut(b.low.x * scale + home.x, self.width)
                    ..cut(b.high.x * scale + home.x + 1.0, self.width)
                {
                    let d = at((x as f32 - home.x) / scale, (y as f32 - home.y) / scale);
                    let Some((colour, a)) = part.paint(at(d.x * c + d.y * s, d.y * c - d.x * s))
                    else {
                        continue;
                    };
                    let i = y * self.width + x;
                    let px = &mut self.px[i];
                    for k in 0..3 {
                        px[k] = px[k] * (1.0 - a) + colour[k] * pose.light[k] * a;
                    }
                    px[3] = px[3] * (1.0 - a) + a;
                    self.shade[i] = self.shade[i].max(a.min(1.0) * weight);
                }
            }
        }
    }

    /// One pass of (1 2 1)/4 in both directions.
    fn soften(&mut self) {
        let (w, h) = (self.width, self.height);
        let pass = |px: &[[f32; 4]],
                    step: usize,
                    inside: &dyn Fn(usize) -> bool|
         -> Vec<[f32; 4]> {
            let one = |i: usize| {
                if !inside(i) {
                    return px[i];
                }
                std::array::from_fn(|k| (px[i - step][k] + 2.0 * px[i][k] + px[i + step][k]) * 0.25)
            };
            (0..px.len()).map(one).collect()
        };
        let across = pass(&self.px, 1, &|i| i % w > 0 && i % w < w - 1);
        self.px = pass(&across, w, &|i| i / w > 0 && i / w < h - 1);
    }
}

/// Two box blurs in both directions, close to a bell curve.
fn blurred(values: &[f32], width: usize, radius: usize) -> Vec<f32> {
    let height = values.len() / width.max(1);
    let mut out = values.to_vec();
    if radius == 0 {
        return out;
    }
    let mut line = Vec::with_capacity(width.max(height));
    for _ in 0..2 {
        for y in 0..height {
            box_line(&mut out, y * width, 1, width, radius, &mut line);
        }
        for x in 0..width {
            box_line(&mut out, x, width, height, radius, &mut line);
        }
    }
    out
}

/// A running mean along one line, counting what lies outside as 0.
fn box_line(
    values: &mut [f32],
    start: usize,
    step: usize,
    count: usize,
    radius: usize,
    line: &mut Vec<f32>,
) {
    line.clear();
    line.extend((0..count).map(|i| values[start + i * step]));
    let share = 1.0 / (2 * radius + 1) as f32;
    let mut sum: f32 = line.iter().take(radius).sum();
    for i in 0..count {
        sum += line.get(i + radius).copied().unwrap_or(0.0);
        values[start + i * step] = (sum * share).max(0.0);
        if i >= radius {
            sum -= line[i - radius];
        }
    }
}
