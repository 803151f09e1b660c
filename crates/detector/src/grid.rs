//! A rectangle of values, row by row, and the few filters that the detector needs on it.
//! The idea: every filter is separable or a single pass, so a picture costs milliseconds.

/// Values on a raster of `width` × `height`; both are at least 1.
#[derive(Clone, Debug)]
pub(crate) struct Grid<T> {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) data: Vec<T>,
}

impl<T: Copy> Grid<T> {
    /// A raster with the same value everywhere.
    pub(crate) fn new(width: usize, height: usize, fill: T) -> Grid<T> {
        let (width, height) = (width.max(1), height.max(1));
        Grid {
            width,
            height,
            data: vec![fill; width * height],
        }
    }

    /// The value at column `x`, row `y`.
    pub(crate) fn at(&self, x: usize, y: usize) -> T {
        self.data[y * self.width + x]
    }

    /// A raster of the same size, made value by value.
    pub(crate) fn map<U>(&self, f: impl Fn(T) -> U) -> Grid<U> {
        Grid {
            width: self.width,
            height: self.height,
            data: self.data.iter().map(|&v| f(v)).collect(),
        }
    }

    /// Indices of the up to eight neighbours of the value at `i`.
    pub(crate) fn around(&self, i: usize) -> impl Iterator<Item = usize> + use<T> {
        let (w, h) = (self.width, self.height);
        let (x, y) = (i % w, i / w);
        let (x0, x1) = (x.saturating_sub(1), (x + 1).min(w - 1));
        let (y0, y1) = (y.saturating_sub(1), (y + 1).min(h - 1));
        (y0..=y1).flat_map(move |ny| {
            (x0..=x1)
                .map(move |nx| ny * w + nx)
                .filter(move |&n| n != i)
        })
    }
}

impl Grid<f32> {
    /// The mean over a square of side `2 * radius + 1`, cut off at the edges.
    pub(crate) fn blur(&self, radius: usize) -> Grid<f32> {
        let mut rows = self.clone();
        for (from, to) in self
            .data
            .chunks(self.width)
            .zip(rows.data.chunks_mut(self.width))
        {
            running_mean(from, to, radius);
        }
        let mut out = rows.clone();
        let (mut column, mut mean) = (vec![0.0; self.height], vec![0.0; self.height]);
        for x in 0..self.width {
            for (y, v) in column.iter_mut().enumerate() {
                *v = rows.at(x, y);
            }
            running_mean(&column, &mut mean, radius);
            for (y, v) in mean.iter().enumerate() {
                out.data[y * self.width + x] = *v;
            }
        }
        out
    }

    /// Stretches the raster to `width` × `height`, with straight lines between cell centres.
    pub(crate) fn stretch(&self, width: usize, height: usize, cell: usize) -> Grid<f32> {
        let step = cell as f32;
        let place = |i: usize, n: usize| {
            let p = ((i as f32 + 0.5) / step - 0.5).clamp(0.0, (n - 1) as f32);
            let low = p as usize;
            (low, (low + 1).min(n - 1), p - low as f32)
        };
        let columns: Vec<_> = (0..width).map(|x| place(x, self.width)).collect();
        let mut out = Grid::new(width, height, 0.0);
        for y in 0..height {
            let (y0, y1, fy) = place(y, self.height);
            for (x, &(x0, x1, fx)) in columns.iter().enumerate() {
                let top = self.at(x0, y0) * (1.0 - fx) + self.at(x1, y0) * fx;
                let low = self.at(x0, y1) * (1.0 - fx) + self.at(x1, y1) * fx;
                out.data[y * width + x] = top * (1.0 - fy) + low * fy;
            }
        }
        out
    }

    /// The mean of every square of `cell` × `cell` values.
    pub(crate) fn shrink(&self, cell: usize) -> Grid<f32> {
        let (w, h) = (self.width.div_ceil(cell), self.height.div_ceil(cell));
        let mut out = Grid::new(w, h, 0.0);
        for cy in 0..h {
            for cx in 0..w {
                let (mut sum, mut n) = (0.0, 0.0);
                for y in cy * cell..((cy + 1) * cell).min(self.height) {
                    for x in cx * cell..((cx + 1) * cell).min(self.width) {
                        sum += self.at(x, y);
                        n += 1.0;
                    }
                }
                out.data[cy * w + cx] = sum / n;
            }
        }
        out
    }
}

fn running_mean(from: &[f32], to: &mut [f32], radius: usize) {
    let n = from.len();
    let mut sum: f64 = from.iter().take(radius).map(|&v| f64::from(v)).sum();
    let mut count = radius.min(n);
    for (i, out) in to.iter_mut().enumerate() {
        if let Some(v) = from.get(i + radius) {
            sum += f64::from(*v);
            count += 1;
        }
        if i > radius {
            sum -= f64::from(from[i - radius - 1]);
            count -= 1;
        }
        *out = (sum / count as f64) as f32;
    }
}

impl Grid<bool> {
    /// For every set value, how far (city block with diagonals, in thirds of a step) the nearest
    /// unset value is; beyond the edge of the picture nothing is known, so it does not count.
    pub(crate) fn depth(&self) -> Grid<u16> {
        let (w, h) = (self.width, self.height);
        let mut d = self.map(|set| if set { u16::MAX / 2 } else { 0 });
        let mut relax = |i: usize, near: &[(bool, usize, u16)]| {
            for &(inside, n, cost) in near {
                if inside {
                    d.data[i] = d.data[i].min(d.data[n].saturating_add(cost));
                }
            }
        };
        for y in 0..h {
            for x in 0..w {
                let i = y * w + x;
                let near = [
                    (x > 0, i.wrapping_sub(1), 3),
                    (y > 0, i.wrapping_sub(w), 3),
                    (x > 0 && y > 0, i.wrapping_sub(w + 1), 4),
                    (x + 1 < w && y > 0, i.wrapping_sub(w).wrapping_add(1), 4),
                ];
                relax(i, &near);
            }
        }
        for y in (0..h).rev() {
            for x in (0..w).rev() {
                let i = y * w + x;
                let near = [
                    (x + 1 < w, i + 1, 3),
                    (y + 1 < h, i + w, 3),
                    (x + 1 < w && y + 1 < h, i + w + 1, 4),
                    (x > 0 && y + 1 < h, i + w - 1, 4),
                ];
                relax(i, &near);
            }
        }
        d
    }

    /// Set wherever a set value lies within `steps`.
    pub(crate) fn grow(&self, steps: u16) -> Grid<bool> {
        self.map(|v| !v).depth().map(|d| d <= steps * 3)
    }

    /// Closes gaps and bays narrower than `2 * steps`.
    pub(crate) fn close(&self, steps: u16) -> Grid<bool> {
        self.grow(steps).depth().map(|d| d > steps * 3)
    }

    /// Sets what is wholly enclosed by set values, up to `largest` values per hole.
    pub(crate) fn fill_holes(&mut self, largest: usize) {
        let mut seen = self.clone();
        let mut hole = Vec::new();
        for start in 0..self.data.len() {
            if seen.data[start] {
                continue;
            }
            hole.clear();
            hole.push(start);
            seen.data[start] = true;
            let (mut next, mut open) = (0, false);
            while let Some(&i) = hole.get(next) {
                next += 1;
                let (x, y) = (i % self.width, i / self.width);
                open |= x == 0 || y == 0 || x + 1 == self.width || y + 1 == self.height;
                let straight = [
                    (x > 0, i.wrapping_sub(1)),
                    (x + 1 < self.width, i + 1),
                    (y > 0, i.wrapping_sub(self.width)),
                    (y + 1 < self.height, i + self.width),
                ];
                for (inside, n) in straight {
                    if inside && !seen.data[n] {
                        seen.data[n] = true;
                        hole.push(n);
                    }
                }
            }
            if !open && hole.len() <= largest {
                for &i in &hole {
                    self.data[i] = true;
                }
            }
        }
    }
}
