//! Small drawn sheets: what must be found, what must not, and that nothing panics.
#![allow(clippy::unwrap_used)]

use image::Rgb;
use proptest::prelude::*;

use super::*;

/// A sheet whose light falls off from a lamp right of its middle, with a little weave.
fn sheet(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (u, v) = (
            f64::from(x) / f64::from(width) - 0.6,
            f64::from(y) / f64::from(height) - 0.5,
        );
        let light = 225.0 - 130.0 * (u * u + v * v) + f64::from((x * 7 + y * 13) % 5);
        let level = light.clamp(0.0, 255.0) as u8;
        Rgb([level, level, level.saturating_sub(8)])
    })
}

/// Draws an ellipse in a colour.
fn ellipse(picture: &mut RgbImage, [x1, y1, x2, y2]: [u32; 4], colour: [u8; 3]) {
    let half = |a: u32, b: u32| (f64::from(b - a) / 2.0, f64::from(a + b) / 2.0);
    let ((rx, mx), (ry, my)) = (half(x1, x2), half(y1, y2));
    for (x, y) in (x1..x2).flat_map(|x| (y1..y2).map(move |y| (x, y))) {
        let (u, v) = (
            (f64::from(x) + 0.5 - mx) / rx,
            (f64::from(y) + 0.5 - my) / ry,
        );
        if u * u + v * v <= 1.0 {
            picture.put_pixel(x, y, Rgb(colour));
        }
    }
}

fn overlap(a: [u32; 4], b: [u32; 4]) -> f64 {
    let size = |[x1, y1, x2, y2]: [u32; 4]| {
        f64::from(x2.saturating_sub(x1)) * f64::from(y2.saturating_sub(y1))
    };
    let both = size([
        a[0].max(b[0]),
        a[1].max(b[1]),
        a[2].min(b[2]),
        a[3].min(b[3]),
    ]);
    both / (size(a) + size(b) - both)
}

fn insects(picture: &RgbImage) -> Vec<[u32; 4]> {
    let found = detect(picture).into_iter();
    found
        .filter(|d| d.verdict.is_insect())
        .map(|d| d.area)
        .collect()
}

#[test]
fn an_empty_sheet_shows_nothing() {
    assert_eq!(detect(&sheet(1600, 900)), []);
    assert_eq!(detect(&RgbImage::from_pixel(500, 300, Rgb([0, 0, 0]))), []);
    assert_eq!(detect(&RgbImage::new(0, 0)), []);
}

#[test]
fn dark_and_pale_insects_are_found_where_they_are() {
    let mut picture = sheet(2048, 1080);
    let drawn = [
        ([150, 120, 300, 200], [92, 66, 42]),
        ([900, 480, 1000, 640], [40, 34, 30]),
        // Brighter than the sheet in the dim corner, and greenish.
        ([80, 800, 330, 960], [190, 226, 150]),
        ([1800, 900, 2048, 1080], [150, 92, 50]),
    ];
    for (area, colour) in drawn {
        ellipse(&mut picture, area, colour);
    }
    let found = insects(&picture);
    assert_eq!(found.len(), drawn.len(), "{found:?}");
    for (area, _) in drawn {
        assert!(
            found.iter().any(|f| overlap(*f, area) > 0.8),
            "{area:?} in {found:?}"
        );
    }
}

#[test]
fn two_that_touch_are_two() {
    let mut picture = sheet(2048, 1080);
    let (one, two) = ([500, 400, 640, 520], [630, 410, 790, 540]);
    ellipse(&mut picture, one, [92, 66, 42]);
    ellipse(&mut picture, two, [70, 60, 52]);
    let found = insects(&picture);
    assert_eq!(found.len(), 2, "{found:?}");
    for area in [one, two] {
        assert!(
            found.iter().any(|f| overlap(*f, area) > 0.7),
            "{area:?} in {found:?}"
        );
    }
}

#[test]
fn a_leg_does_not_stretch_the_box() {
    let mut picture = sheet(2048, 1080);
    let body = [700, 300, 820, 460];
    ellipse(&mut picture, body, [60, 50, 40]);
    for x in 815..1000 {
        for y in 376..382 {
            picture.put_pixel(x, y, Rgb([60, 50, 40]));
        }
    }
    let found = insects(&picture);
    assert!(found.iter().any(|f| overlap(*f, body) > 0.8), "{found:?}");
}

#[test]
fn a_soft_shadow_is_not_an_insect() {
    let mut picture = sheet(2048, 1080);
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let (u, v) = (
            (f64::from(x) - 1000.0) / 160.0,
            (f64::from(y) - 500.0) / 120.0,
        );
        let shade = 1.0 - 0.1 * (-u * u - v * v).exp();
        pixel.0 = pixel.0.map(|p| (f64::from(p) * shade) as u8);
    }
    assert_eq!(insects(&picture), Vec::<[u32; 4]>::new());
}

#[test]
fn what_lies_outside_the_sheet_is_left_out() {
    let mut picture = sheet(1600, 900);
    for (x, _, pixel) in picture.enumerate_pixels_mut() {
        if x < 520 {
            *pixel = Rgb([12, 12, 14]);
        }
    }
    let moth = [1000, 300, 1120, 380];
    ellipse(&mut picture, moth, [92, 66, 42]);
    let found = insects(&picture);
    assert!(found.iter().any(|f| overlap(*f, moth) > 0.8), "{found:?}");
    assert!(found.iter().all(|f| f[2] - f[0] < 400), "{found:?}");
}

#[test]
fn given_boxes_get_a_verdict_each() {
    let mut picture = sheet(2048, 1080);
    ellipse(&mut picture, [150, 120, 300, 200], [92, 66, 42]);
    let nan = f64::NAN;
    let areas = [
        [148.0, 118.0, 303.0, 204.0],
        [900.0, 500.0, 980.0, 580.0],
        [300.0, 200.0, 150.0, 120.0],
        [nan, nan, nan, nan],
        [-1e300, -1e300, 1e300, 1e300],
    ];
    let verdicts = classify_areas(&picture, &areas);
    let labels: Vec<_> = verdicts.iter().map(|v| v.label()).collect();
    assert_eq!(labels[..4], ["Insect", "Debris", "Debris", "Debris"]);
    assert_eq!(labels.len(), 5);
}

fn noise(width: u32, height: u32, seed: u32, coarse: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let mut h =
            (x / coarse).wrapping_mul(0x9E37_79B1) ^ (y / coarse).wrapping_mul(0x85EB_CA77) ^ seed;
        h = (h ^ (h >> 15)).wrapping_mul(0x2C1B_3C6D);
        h ^= h >> 13;
        let [r, g, b, _] = h.to_le_bytes();
        Rgb([r, g, b])
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn boxes_lie_within_any_picture(
        width in 1u32..160, height in 1u32..160, seed: u32, coarse in 1u32..40,
    ) {
        for d in detect(&noise(width, height, seed, coarse)) {
            let [x1, y1, x2, y2] = d.area;
            prop_assert!(x1 < x2 && x2 <= width && y1 < y2 && y2 <= height, "{:?}", d.area);
            prop_assert!((0.0..=1.0).contains(&d.score));
            prop_assert!(d.features.iter().all(|f| f.is_finite()));
            prop_assert!(d.verdict.scores.iter().all(|s| (0.0..=1.0).contains(s)));
        }
    }
}

#[test]
fn large_odd_shapes_are_no_trouble() {
    for (width, height) in [(4099, 3), (3, 4099), (1537, 1), (2111, 1033)] {
        for d in detect(&noise(width, height, 7, 9)) {
            assert!(d.area[2] <= width && d.area[3] <= height);
        }
    }
}
