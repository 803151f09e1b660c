//! Chance that follows from a number, so that a run can be repeated.

use domain::chance::mix;

/// A number that looks as if drawn, for the `n`th draw of a seed.
pub fn draw(seed: u64, n: u64) -> u64 {
    let place = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mix(place.wrapping_add(n.wrapping_mul(0xbf58_476d_1ce4_e5b9)))
}

/// True for so many draws of a hundred.
pub fn of_hundred(seed: u64, n: u64, percent: u32) -> bool {
    draw(seed, n) % 100 < u64::from(percent)
}
