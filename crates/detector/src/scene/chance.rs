//! Chance that is the same on every machine: a counter-based generator (splitmix64) and
//! noise made of integer hashes. Nothing here keeps global state or reads a clock, so a
//! seed always draws the same picture.

use domain::chance::mix;

use super::curve::ease;

/// The splitmix64 generator (Steele, Lea and Flood, 2014): a counter and a mixing function.
#[derive(Debug, Clone)]
pub(super) struct Chance {
    state: u64,
}

impl Chance {
    /// A stream of its own for each pair of seed and purpose.
    pub(super) fn new(seed: u64, purpose: u64) -> Self {
        let mut start = Self {
            state: seed ^ purpose.wrapping_mul(0xA24B_AED4_963E_E407),
        };
        start.state = start.bits();
        start
    }

    /// Sixty-four mixed bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.state)
    }

    /// Even between 0 (included) and 1 (excluded).
    pub(super) fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u32 << 24) as f32
    }

    /// Even between `low` and `high`.
    pub(super) fn within(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Bell-shaped around 0 with a deviation of about 1, never beyond 3.5.
    pub(super) fn bell(&mut self) -> f32 {
        let sum = self.unit() + self.unit() + self.unit() + self.unit();
        (sum - 2.0) * 1.732
    }

    /// True in `share` of the cases.
    pub(super) fn hit(&mut self, share: f32) -> bool {
        self.unit() < share
    }

    /// A whole number from 0 to `count` - 1 (0 when `count` is 0).
    pub(super) fn below(&mut self, count: usize) -> usize {
        (self.bits() >> 33) as usize % count.max(1)
    }

    /// One of the values, or the fallback of an empty list.
    pub(super) fn pick<T: Copy>(&mut self, from: &[T], fallback: T) -> T {
        from.get(self.below(from.len()))
            .copied()
            .unwrap_or(fallback)
    }
}

/// Mixes a lattice point into even bits.
fn hash(x: i32, y: i32, seed: u32) -> u32 {
    let mut h = (x as u32).wrapping_mul(0x85EB_CA6B)
        ^ (y as u32).wrapping_mul(0xC2B2_AE35)
        ^ seed.wrapping_mul(0x27D4_EB2F);
    h = (h ^ (h >> 15)).wrapping_mul(0x2C1B_3C6D);
    h = (h ^ (h >> 12)).wrapping_mul(0x297A_2D39);
    h ^ (h >> 15)
}

/// The value of a lattice point, -1 to 1.
fn lattice(x: i32, y: i32, seed: u32) -> f32 {
    (hash(x, y, seed) >> 8) as f32 / (1u32 << 23) as f32 - 1.0
}

/// Smooth noise from -1 to 1 with bumps one unit wide.
pub(super) fn noise(x: f32, y: f32, seed: u32) -> f32 {
    let (fx, fy) = (x.floor(), y.floor());
    let (ix, iy) = (fx as i32, fy as i32);
    let (u, v) = (ease(x - fx), ease(y - fy));
    let (right, below) = (ix.wrapping_add(1), iy.wrapping_add(1));
    let top = lattice(ix, iy, seed) * (1.0 - u) + lattice(right, iy, seed) * u;
    let bottom = lattice(ix, below, seed) * (1.0 - u) + lattice(right, below, seed) * u;
    top * (1.0 - v) + bottom * v
}

/// Two octaves of [`noise`], still about -1 to 1: cloudy with some detail.
pub(super) fn cloud(x: f32, y: f32, seed: u32) -> f32 {
    noise(x, y, seed) * 0.65 + noise(x * 2.3 + 5.2, y * 2.3 + 1.7, seed ^ 0x5bd1) * 0.35
}
