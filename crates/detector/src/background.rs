//! The empty sheet: what the picture would look like without insects, and how restless it is.
//! The idea: light falls off smoothly, so a polynomial fitted robustly over the whole picture
//! bridges even a moth that fills a corner; what it misses locally is added from places that
//! look like sheet.

use crate::frame::Frame;
use crate::grid::Grid;

/// Working pixels per cell; the light is smooth enough for that.
const CELL: usize = 8;
/// Terms of a polynomial of degree six in x and y.
const TERMS: usize = 28;
/// The fit looks at every so-manieth cell, both ways.
const STRIDE: usize = 2;
/// Least spread assumed while fitting, in grey levels: where the camera clipped the sheet to one
/// value, half of all cells agree perfectly and the rest would count as strangers.
const LEAST_SPREAD: f32 = 3.0;
/// Rounds of the robust fit.
const ROUNDS: usize = 10;
/// Cells on each side over which the local correction is averaged.
const REACH: usize = 4;
/// Least restlessness assumed, in grey levels: clipped sheets look perfectly flat.
const LEAST_NOISE: f32 = 1.5;

/// How each working pixel differs from the sheet behind it.
pub(crate) struct Contrast {
    /// Distance in colour alone, without brightness.
    pub(crate) colour: Grid<f32>,
    /// Distance in brightness and colour together.
    pub(crate) total: Grid<f32>,
    /// Standard deviation of the bare sheet near this place.
    pub(crate) noise: Grid<f32>,
}

impl Contrast {
    /// Estimates the sheet and subtracts it.
    pub(crate) fn of(frame: &Frame) -> Contrast {
        let cells = [&frame.luma, &frame.warm, &frame.green].map(|g| g.shrink(CELL));
        let (sheet, bare) = fit(&cells);
        let (w, h) = (frame.luma.width, frame.luma.height);
        let minus = |plane: &Grid<f32>, cells: &Grid<f32>| {
            let mut out = cells.stretch(w, h, CELL);
            for (o, v) in out.data.iter_mut().zip(&plane.data) {
                *o = v - *o;
            }
            out
        };
        let light = minus(&frame.luma, &sheet[0]);
        let warm = minus(&frame.warm, &sheet[1]);
        let green = minus(&frame.green, &sheet[2]);
        let mut colour = warm;
        for (c, g) in colour.data.iter_mut().zip(&green.data) {
            *c = (*c * *c + 4.0 * g * g).sqrt();
        }
        let mut total = light;
        for (t, c) in total.data.iter_mut().zip(&colour.data) {
            *t = (*t * *t + 2.0 * c * c).sqrt();
        }
        let noise = restlessness(&total, &bare);
        Contrast {
            colour,
            total,
            noise,
        }
    }
}

/// The sheet in each of the three planes, and which cells look like bare sheet.
fn fit(cells: &[Grid<f32>; 3]) -> ([Grid<f32>; 3], Grid<bool>) {
    let (w, h) = (cells[0].width, cells[0].height);
    let basis: Vec<[f64; TERMS]> = (0..w * h).map(|i| terms(i % w, i / w, w, h)).collect();
    let mut weight = vec![1.0; w * h];
    let mut smooth = cells.clone();
    for round in 0..ROUNDS {
        for (wt, i) in weight.iter_mut().zip(0..) {
            *wt *= f64::from(u8::from(
                (i % w) % STRIDE == round % STRIDE && (i / w) % STRIDE == 0,
            ));
        }
        for (plane, out) in cells.iter().zip(&mut smooth) {
            let coefficients = least_squares(&basis, &plane.data, &weight);
            for (o, b) in out.data.iter_mut().zip(&basis) {
                *o = b.iter().zip(&coefficients).map(|(b, c)| b * c).sum::<f64>() as f32;
            }
        }
        let off = distances(cells, &smooth);
        let spread = median(off.iter().map(|d| d.abs()).collect()).max(LEAST_SPREAD);
        for (wt, d) in weight.iter_mut().zip(&off) {
            *wt = trust(*d, spread, round);
        }
    }
    let mut sheet = smooth.clone();
    let mut bare = Grid::new(w, h, false);
    for _ in 0..2 {
        let off = distances(cells, &sheet);
        let spread = median(off.iter().map(|d| d.abs()).collect()).clamp(1.0, 6.0);
        for (b, d) in bare.data.iter_mut().zip(&off) {
            *b = d.abs() < 3.0 * spread + 6.0;
        }
        for ((plane, smooth), out) in cells.iter().zip(&smooth).zip(&mut sheet) {
            *out = correct(plane, smooth, &bare);
        }
    }
    (sheet, bare)
}

/// x and y from −1 to 1, all products up to the sixth degree.
fn terms(x: usize, y: usize, w: usize, h: usize) -> [f64; TERMS] {
    let unit = |i: usize, n: usize| {
        if n < 2 {
            0.0
        } else {
            2.0 * i as f64 / (n - 1) as f64 - 1.0
        }
    };
    let (u, v) = (unit(x, w), unit(y, h));
    let mut out = [0.0; TERMS];
    let mut at = 0;
    for degree in 0..=6 {
        for power in 0..=degree {
            out[at] = u.powi(degree - power) * v.powi(power);
            at += 1;
        }
    }
    out
}

/// Signed distance of each cell from the sheet; the sign is that of the brightness.
fn distances(cells: &[Grid<f32>; 3], sheet: &[Grid<f32>; 3]) -> Vec<f32> {
    (0..cells[0].data.len())
        .map(|i| {
            let [l, a, b] = [0, 1, 2].map(|p| cells[p].data[i] - sheet[p].data[i]);
            (l * l + 2.0 * (a * a + 4.0 * b * b)).sqrt().copysign(l)
        })
        .collect()
}

/// How far a cell counts in the next round. At first dark cells count less than bright ones,
/// because insects are mostly darker than a lit sheet; later whatever is far off counts nothing.
fn trust(distance: f32, spread: f32, round: usize) -> f64 {
    let d = f64::from(distance / (spread * 1.48));
    if round < 4 {
        let lean = if d < 0.0 { 0.5 } else { 1.0 };
        lean / (1.0 + (d / 2.0).powi(2))
    } else {
        let t = (d / 4.0).powi(2);
        if t < 1.0 { (1.0 - t).powi(2) } else { 0.0 }
    }
}

/// Weighted least squares by the normal equations, slightly damped so that it always has an
/// answer.
fn least_squares(basis: &[[f64; TERMS]], values: &[f32], weight: &[f64]) -> [f64; TERMS] {
    let mut a = [[0.0; TERMS]; TERMS];
    let mut right = [0.0; TERMS];
    for ((b, v), w) in basis.iter().zip(values).zip(weight) {
        if *w <= 0.0 {
            continue;
        }
        for i in 0..TERMS {
            let wb = w * b[i];
            right[i] += wb * f64::from(*v);
            for j in 0..=i {
                a[i][j] += wb * b[j];
            }
        }
    }
    let damping = 1e-6 * basis.len() as f64 + 1e-9;
    // Cholesky factor, in place in the lower triangle.
    for i in 0..TERMS {
        a[i][i] += damping;
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| a[i][k] * a[j][k]).sum();
            a[i][j] = if i == j {
                (a[i][i] - sum).max(damping * 1e-6).sqrt()
            } else {
                (a[i][j] - sum) / a[j][j]
            };
        }
    }
    for i in 0..TERMS {
        let sum: f64 = (0..i).map(|k| a[i][k] * right[k]).sum();
        right[i] = (right[i] - sum) / a[i][i];
    }
    for i in (0..TERMS).rev() {
        let sum: f64 = (i + 1..TERMS).map(|k| a[k][i] * right[k]).sum();
        right[i] = (right[i] - sum) / a[i][i];
    }
    right
}

/// The polynomial plus the mean of what it misses at bare cells nearby.
fn correct(plane: &Grid<f32>, smooth: &Grid<f32>, bare: &Grid<bool>) -> Grid<f32> {
    let mut missed = plane.clone();
    for ((m, s), b) in missed.data.iter_mut().zip(&smooth.data).zip(&bare.data) {
        *m = if *b { *m - s } else { 0.0 };
    }
    let missed = missed.blur(REACH).blur(REACH);
    let share = bare.map(|b| f32::from(u8::from(b)));
    let share = share.blur(REACH).blur(REACH);
    let mut out = smooth.clone();
    for ((o, m), s) in out.data.iter_mut().zip(&missed.data).zip(&share.data) {
        *o += m / (s + 0.05);
    }
    out
}

/// Standard deviation of bare sheet, from the mean distance there.
fn restlessness(total: &Grid<f32>, bare: &Grid<bool>) -> Grid<f32> {
    let mut level = total.shrink(CELL);
    let typical = {
        let some = level.data.iter().zip(&bare.data).filter(|(_, b)| **b);
        median(some.map(|(v, _)| *v).collect()).max(1.0)
    };
    let mut share = bare.map(|b| f32::from(u8::from(b)));
    for (v, s) in level.data.iter_mut().zip(&mut share.data) {
        if *v > 4.0 * typical {
            *s = 0.0;
        }
        *v *= *s;
    }
    let level = level.blur(REACH).blur(REACH);
    let share = share.blur(REACH).blur(REACH);
    let mut noise = level;
    for (n, s) in noise.data.iter_mut().zip(&share.data) {
        let mean = (*n + 0.05 * typical) / (s + 0.05);
        *n = (1.25 * mean).max(LEAST_NOISE);
    }
    noise.stretch(total.width, total.height, CELL)
}

/// The middle value; 0 for none. Not a number never occurs here, but would sort last.
pub(crate) fn median(mut values: Vec<f32>) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}
