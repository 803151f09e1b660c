//! The lit cloth: a lamp that fades towards the edges, a tint of its own for each night,
//! soft folds, a hem and a weave. Light and folds change slowly, so they are computed on a
//! coarse grid and interpolated; only the weave is looked up for every pixel.

use super::canvas::Canvas;
use super::chance::{Chance, cloud, noise};
use super::curve::{Colour, Point, at, blend, bump, lit, step, towards};

/// Cells of the coarse grid of light.
const GRID: (usize, usize) = (128, 68);
/// Side of the repeating piece of weave, a power of two.
const TILE: usize = 512;

/// One night's cloth and lamp.
#[derive(Debug, Clone)]
pub(super) struct Sheet {
    seed: u32,
    /// Where the lamp shines, in pixels of a full-size scene.
    pub(super) lamp: Point,
    middle: Colour,
    top: Colour,
    rim: Colour,
    fall: (f32, f32),
    folds: Vec<Fold>,
    hem: f32,
    weave: f32,
}

#[derive(Debug, Clone)]
struct Fold {
    through: Point,
    way: Point,
    width: f32,
    depth: f32,
    seed: u32,
}

impl Sheet {
    /// The cloth of a night; even nights are warm with a bluish lamp above, odd ones are
    /// cooler with a trace of ultraviolet at the rim.
    pub(super) fn new(seed: u64, night: usize) -> Self {
        let mut chance = Chance::new(seed, 1);
        let warm = night.is_multiple_of(2);
        let (middle, top, rim): (Colour, Colour, Colour) = if warm {
            (
                [236.0, 237.0, 226.0],
                [218.0, 226.0, 238.0],
                [146.0, 138.0, 128.0],
            )
        } else {
            (
                [229.0, 230.0, 232.0],
                [224.0, 224.0, 238.0],
                [140.0, 128.0, 146.0],
            )
        };
        let folds = (0..5).map(|i| Fold::new(i, &mut chance)).collect();
        Self {
            seed: chance.bits() as u32,
            lamp: at(chance.within(960.0, 1100.0), chance.within(380.0, 520.0)),
            middle,
            top,
            rim,
            fall: (chance.within(0.95, 1.15), chance.within(0.30, 0.42)),
            folds,
            hem: chance.within(0.90, 0.94),
            weave: if warm { 2.1 } else { 1.7 },
        }
    }

    /// The light at a place (both from 0 to 1), before weave and noise. `sway` moves the
    /// folds a little, as a night wind does.
    pub(super) fn light(&self, u: f32, v: f32, sway: f32) -> Colour {
        let (du, dv) = (u - self.lamp.x / 2048.0, v - self.lamp.y / 1080.0);
        let far = self.fall.0 * du * du * 4.0 + self.fall.1 * dv * dv * 1.6;
        let dim = far / (1.0 + 0.62 * far);
        let mut c = blend(self.middle, self.rim, dim.min(1.0) * 1.08);
        c = blend(
            c,
            lit(self.top, 1.0 - 0.45 * dim),
            0.75 * (1.0 - step(0.0, 0.42, v)) * (1.0 - step(0.2, 0.62, du.abs())),
        );
        let corner = (u - 0.5) * (u - 0.5) + (v - 0.5) * (v - 0.5);
        let uneven = 1.0 + 0.016 * cloud(u * 5.0, v * 3.0, self.seed) - 0.16 * corner;
        let relief: f32 = self.folds.iter().map(|fold| fold.shade(u, v, sway)).sum();
        lit(c, uneven * (1.0 + relief))
    }

    /// The empty sheet.
    pub(super) fn lay(&self, width: u32, height: u32, sway: f32) -> Canvas {
        let mut canvas = Canvas::new(width, height);
        let grid = self.grid(sway);
        let tile = self.tile();
        let (w, h) = (width as usize, height as usize);
        let across = GRID.0 as f32 / w as f32;
        for y in 0..h {
            let line = grid_line(&grid, y as f32 * GRID.1 as f32 / h as f32);
            let threads = &tile[(y % TILE) * TILE..][..TILE];
            // A second, shifted reading keeps the repeating tile from showing.
            let again = &tile[((y * 3 + 191) % TILE) * TILE..][..TILE];
            let row = canvas.row(y);
            for (x, px) in row.iter_mut().enumerate() {
                let g = x as f32 * across;
                let i = g as usize;
                let (a, b) = (line[i], line[i + 1]);
                let t = g - i as f32;
                let weave = 1.0 + threads[x % TILE] + again[(x * 2 + 77) % TILE] * 0.35;
                for k in 0..3 {
                    px[k] = (a[k] + (b[k] - a[k]) * t) * weave;
                }
            }
        }
        self.sew_hem(&mut canvas);
        canvas
    }

    fn grid(&self, sway: f32) -> Vec<[Colour; GRID.0 + 2]> {
        let cell = |j: usize, i: usize| {
            self.light(i as f32 / GRID.0 as f32, j as f32 / GRID.1 as f32, sway)
        };
        (0..GRID.1 + 2)
            .map(|j| std::array::from_fn(|i| cell(j, i)))
            .collect()
    }

    /// The weave as shares of the light: threads across, fainter threads down, slubs.
    fn tile(&self) -> Vec<f32> {
        let mut tile = vec![0.0; TILE * TILE];
        let strength = self.weave / 230.0;
        for y in 0..TILE {
            let thread = (y * 10 / 27) as f32;
            let phase = y as f32 / 2.7;
            let ridge = if (phase - phase.floor()) < 0.5 {
                0.55
            } else {
                -0.55
            };
            for x in 0..TILE {
                let (fx, fy) = (x as f32, y as f32);
                let slub = noise(fx * 0.045, thread * 7.3, self.seed ^ 21);
                let warp = noise((x * 10 / 31) as f32 * 3.1, fy * 0.03, self.seed ^ 22);
                let fluff = noise(fx * 0.31, fy * 0.31, self.seed ^ 23);
                tile[y * TILE + x] =
                    (ridge * 0.6 + slub * 0.8 + warp * 0.6 + fluff * 0.7) * strength;
            }
        }
        tile
    }

    /// A stitched hem near the right edge: a shaded step with a row of stitches.
    fn sew_hem(&self, canvas: &mut Canvas) {
        let scale = canvas.scale();
        for y in 0..canvas.height() {
            let full = y as f32 / scale;
            let x0 = self.hem * 2048.0 + noise(full * 0.006, 3.0, self.seed ^ 31) * 9.0;
            let stitch = full / 13.0;
            let on = (stitch - stitch.floor()) < 0.62;
            let first = ((x0 - 14.0) * scale).max(0.0) as usize;
            let last = ((x0 + 14.0) * scale).max(0.0) as usize;
            let row = canvas.row(y);
            for (x, px) in row.iter_mut().enumerate().take(last + 1).skip(first) {
                let d = x as f32 / scale - x0;
                let mut gain = 1.0 - 0.060 * bump(d, 2.6) + 0.022 * bump(d + 6.0, 4.0);
                if on {
                    gain -= 0.055 * bump(d - 8.0, 1.3);
                }
                *px = lit(*px, gain);
            }
        }
    }
}

/// One row of the grid between two of its lines.
fn grid_line(grid: &[[Colour; GRID.0 + 2]], g: f32) -> [Colour; GRID.0 + 2] {
    let j = (g as usize).min(GRID.1);
    let t = g - j as f32;
    std::array::from_fn(|i| blend(grid[j][i], grid[j + 1][i], t))
}

impl Fold {
    fn new(index: u8, chance: &mut Chance) -> Self {
        // Cloth that hangs from its corners folds steeply, now and then across.
        let steep = index != 4;
        let angle = if steep {
            chance.within(-0.5, 0.5)
        } else {
            chance.within(1.3, 1.8)
        };
        Self {
            through: at(chance.within(0.05, 0.95) * 1.9, chance.within(0.1, 0.9)),
            way: towards(angle),
            width: chance.within(0.018, 0.065),
            depth: chance.within(0.010, 0.034),
            seed: chance.bits() as u32,
        }
    }

    /// Lighter on one flank, darker on the other, fading along its length.
    fn shade(&self, u: f32, v: f32, sway: f32) -> f32 {
        let d = at(u * 1.9 - self.through.x, v - self.through.y);
        let along = d.x * self.way.x + d.y * self.way.y;
        let bend = noise(along * 1.7 + 0.4 * sway, sway * 0.3, self.seed) * 0.05;
        let q = (d.x * -self.way.y + d.y * self.way.x + bend) / self.width;
        let fade = (0.55 + 0.6 * noise(along * 1.3, 9.0, self.seed)).max(0.0);
        self.depth * fade * 2.2 * q / ((1.0 + q * q) * (1.0 + 0.4 * q * q))
    }
}
