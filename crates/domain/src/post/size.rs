//! Boxes that are too small for anybody to tell what is in them (`domain-rules.md` §8).

/// The share of a capture's area below which a box is too small, unless a job says another.
pub const DEFAULT_THRESHOLD: f64 = 0.0008;

/// The share of a capture that a box covers, 0 to 1; `None` where the capture has no area.
/// The box is in pixels, its corners in any order.
pub fn relative_area(edges: [f64; 4], width: i32, height: i32) -> Option<f64> {
    let [x1, y1, x2, y2] = edges;
    let whole = f64::from(width) * f64::from(height);
    let share = (x2 - x1).abs() * (y2 - y1).abs() / whole;
    (width > 0 && height > 0 && share.is_finite()).then_some(share)
}
