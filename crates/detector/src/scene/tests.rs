//! What a drawn scene promises: the same picture every time, names in order of time, true
//! boxes within the frame, and insects that can be seen.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

/// Mean brightness within a box and in the ring around it.
fn brightness(picture: &RgbImage, [x1, y1, x2, y2]: [f64; 4]) -> (f64, f64) {
    let (mut inside, mut ring) = ((0.0, 0.0), (0.0, 0.0));
    let pad = 12.0;
    for (x, y, pixel) in picture.enumerate_pixels() {
        let (x, y) = (f64::from(x), f64::from(y));
        if x < x1 - pad || x >= x2 + pad || y < y1 - pad || y >= y2 + pad {
            continue;
        }
        let value = pixel.0.iter().map(|v| f64::from(*v)).sum::<f64>() / 3.0;
        let within = x >= x1 && x < x2 && y >= y1 && y < y2;
        let sum = if within { &mut inside } else { &mut ring };
        sum.0 += value;
        sum.1 += 1.0;
    }
    (inside.0 / inside.1, ring.0 / ring.1)
}

#[test]
fn two_nights_in_order_with_names_that_tell_the_time() {
    let scenes = demo_nights();
    assert_eq!(scenes.len(), 2 * PER_NIGHT);
    for pair in scenes.windows(2) {
        assert!(pair[0].name < pair[1].name && pair[0].taken_at < pair[1].taken_at);
    }
    let gaps = scenes.windows(2).map(|p| p[1].taken_at - p[0].taken_at);
    let long = gaps.filter(|gap| *gap >= TimeDelta::hours(2)).count();
    assert_eq!(long, 1, "one pause between the nights");
    for scene in &scenes {
        let time = scene.taken_at.format("%Y%m%d%H%M%S").to_string();
        assert!(scene.name.starts_with(&time), "{}", scene.name);
    }
}

#[test]
fn a_scene_is_the_same_picture_every_time() {
    let again = demo_nights();
    for (a, b) in demo_nights().iter().zip(&again).step_by(23) {
        assert_eq!(a.jpeg(), b.jpeg());
    }
}

#[test]
fn scenes_differ_from_each_other() {
    let scenes = demo_nights();
    assert_ne!(scenes[10].draw().into_raw(), scenes[11].draw().into_raw());
}

#[test]
fn every_true_box_lies_in_the_frame_and_shows_something() {
    let scenes = demo_nights();
    let insects: usize = scenes.iter().map(|s| s.insects.len()).sum();
    assert!(insects > 200, "a lively sheet: {insects}");
    for scene in scenes.iter().step_by(9) {
        let picture = scene.draw();
        assert_eq!((picture.width(), picture.height()), (WIDTH, HEIGHT));
        for insect in &scene.insects {
            let (right, low) = (insect.x + insect.width, insect.y + insect.height);
            assert!(insect.width > 0 && insect.height > 0, "{insect:?}");
            assert!(right <= WIDTH && low <= HEIGHT, "{insect:?}");
            let area = [insect.x, insect.y, right, low].map(f64::from);
            let (inside, ring) = brightness(&picture, area);
            assert!(
                (inside - ring).abs() > 0.5,
                "{insect:?}: {inside} in {ring}"
            );
        }
    }
}

#[test]
fn insects_stay_arrive_and_leave() {
    let scenes = demo_nights();
    let mut seen: HashMap<(usize, u32), Vec<usize>> = HashMap::new();
    for (i, scene) in scenes.iter().enumerate() {
        for insect in &scene.insects {
            let visits = seen.entry((scene.night, insect.individual)).or_default();
            visits.push(i);
        }
    }
    assert!(
        seen.values().any(|visits| visits.len() >= 6),
        "some stay an hour"
    );
    assert!(
        seen.values().any(|visits| visits.len() == 1),
        "some are seen once"
    );
    for visits in seen.values() {
        let unbroken = visits.windows(2).all(|pair| pair[1] == pair[0] + 1);
        assert!(unbroken, "nobody comes back: {visits:?}");
    }
    let still = scenes.windows(2).any(|pair| {
        let after = &pair[1].insects;
        pair[0].insects.iter().any(|one| after.contains(one))
    });
    assert!(still, "some sit in the same place for two photographs");
}

#[test]
fn each_night_rises_and_falls() {
    for night in demo_nights().chunks(PER_NIGHT) {
        let third = |part: usize| -> usize {
            let ten = night.iter().skip(part * 10).take(10);
            ten.map(|scene| scene.insects.len()).sum()
        };
        assert!(third(1) > third(0) && third(1) > third(2));
    }
}

#[test]
fn a_camera_file_opens_again_at_its_size() {
    let bytes = demo_nights()[13].jpeg();
    let picture = image::load_from_memory(&bytes).unwrap();
    assert_eq!((picture.width(), picture.height()), (WIDTH, HEIGHT));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_night_can_be_drawn_at_any_width(
        seed: u64,
        night in 0usize..4,
        count in 0usize..9,
        busy in -1.0f32..9.0,
        width in 0u32..330,
    ) {
        let date = NaiveDate::from_ymd_opt(2026, 7, 14).unwrap();
        for scene in night_of(date, night, seed, count, busy) {
            let picture = scene.draw_at(width);
            prop_assert_eq!(picture.width(), width.max(16));
            for insect in &scene.insects {
                prop_assert!(insect.x + insect.width <= WIDTH);
                prop_assert!(insect.y + insect.height <= HEIGHT);
            }
        }
    }
}
