//! Curves and angles from additions, products and square roots alone. The sine of the
//! platform's mathematics library differs in its last digit between systems; these do not,
//! so the drawn photographs are the same bytes everywhere.

use std::f32::consts::{FRAC_PI_2, PI, TAU};

/// A point or a direction; x to the right, y down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) x: f32,
    pub(super) y: f32,
}

/// Shorthand for a [`Point`].
pub(super) const fn at(x: f32, y: f32) -> Point {
    Point { x, y }
}

impl Point {
    /// The point turned by `angle` (clockwise on the screen) around the origin.
    pub(super) fn turned(self, angle: f32) -> Point {
        let (s, c) = (sin(angle), cos(angle));
        at(self.x * c - self.y * s, self.x * s + self.y * c)
    }

    /// Distance from the origin.
    pub(super) fn length(self) -> f32 {
        (self.x * self.x + self.y * self.y).sqrt()
    }
}

/// Sine, within 0.001.
pub(super) fn sin(angle: f32) -> f32 {
    let turns = angle / TAU;
    let t = turns - (turns + 0.5).floor();
    let y = 8.0 * t * (1.0 - 2.0 * t.abs());
    y + 0.225 * (y * y.abs() - y)
}

/// Cosine, within 0.001.
pub(super) fn cos(angle: f32) -> f32 {
    sin(angle + FRAC_PI_2)
}

/// The angle of a direction, counted clockwise from "up" (towards the head): 0 to π on the
/// right side, 0 to -π on the left; within 0.002.
pub(super) fn bearing(p: Point) -> f32 {
    let (ax, ay) = (p.x.abs(), p.y.abs());
    let (low, high) = (ax.min(ay), ax.max(ay));
    if high <= f32::EPSILON {
        return 0.0;
    }
    let q = low / high;
    let flat = q * (0.99997 + q * q * (-0.3253 + q * q * (0.1563 - q * q * 0.0456)));
    let from_vertical = if ax > ay { FRAC_PI_2 - flat } else { flat };
    let right = if p.y > 0.0 {
        PI - from_vertical
    } else {
        from_vertical
    };
    if p.x < 0.0 { -right } else { right }
}

/// The direction of a bearing, the reverse of [`bearing`].
pub(super) fn towards(angle: f32) -> Point {
    at(sin(angle), -cos(angle))
}

/// 3t² - 2t³ for t in 0..1.
pub(super) fn ease(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}

/// 0 below `low`, 1 above `high`, smooth between.
pub(super) fn step(low: f32, high: f32, x: f32) -> f32 {
    ease(((x - low) / (high - low)).clamp(0.0, 1.0))
}

/// A soft bump: 1 at 0, one half at `width`, falling to 0.
pub(super) fn bump(x: f32, width: f32) -> f32 {
    let q = x / width;
    1.0 / (1.0 + q * q * q * q)
}

/// From `a` to `b`.
pub(super) fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// A colour; 0 to 255 in each channel, as displayed.
pub(super) type Colour = [f32; 3];

/// From one colour to another.
pub(super) fn blend(a: Colour, b: Colour, t: f32) -> Colour {
    [mix(a[0], b[0], t), mix(a[1], b[1], t), mix(a[2], b[2], t)]
}

/// A colour made darker or lighter.
pub(super) fn lit(c: Colour, gain: f32) -> Colour {
    [c[0] * gain, c[1] * gain, c[2] * gain]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn angles_agree_with_the_library(angle in -20.0f32..20.0) {
            prop_assert!((sin(angle) - angle.sin()).abs() < 0.002);
            prop_assert!((cos(angle) - angle.cos()).abs() < 0.002);
        }

        #[test]
        fn a_bearing_points_back_where_it_came_from(angle in -3.1f32..3.1) {
            prop_assert!((bearing(towards(angle)) - angle).abs() < 0.006);
        }
    }
}
