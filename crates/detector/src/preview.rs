//! A picture with what the detector finds drawn on it, for people to look at.

use image::{Rgb, RgbImage};

use crate::detect::Detection;

/// Insects in the colour of what runs, debris in grey (`look.md`).
const INSECT: Rgb<u8> = Rgb([242, 163, 31]);
const DEBRIS: Rgb<u8> = Rgb([113, 116, 125]);

/// Digits and the point, three pixels wide and five high, a row in three bits.
const DIGITS: [[u8; 5]; 11] = [
    [7, 5, 5, 5, 7],
    [2, 6, 2, 2, 7],
    [7, 1, 7, 4, 7],
    [7, 1, 7, 1, 7],
    [5, 5, 7, 1, 1],
    [7, 4, 7, 1, 7],
    [7, 4, 7, 5, 7],
    [7, 1, 2, 2, 2],
    [7, 5, 7, 5, 7],
    [7, 5, 7, 1, 7],
    [0, 0, 0, 0, 2],
];

/// Draws each box with the probability that it is an insect.
pub fn draw(picture: &mut RgbImage, detections: &[Detection]) {
    let thick = (picture.width().max(picture.height()) / 1000).max(1);
    for d in detections {
        let colour = if d.verdict.is_insect() {
            INSECT
        } else {
            DEBRIS
        };
        let [x1, y1, x2, y2] = d.area;
        for t in 0..thick {
            let (left, top) = (x1.saturating_sub(t), y1.saturating_sub(t));
            for x in left..=x2.saturating_add(t) {
                put(picture, x, top, colour);
                put(picture, x, y2.saturating_add(t), colour);
            }
            for y in top..=y2.saturating_add(t) {
                put(picture, left, y, colour);
                put(picture, x2.saturating_add(t), y, colour);
            }
        }
        let text = format!("{:.2}", d.verdict.scores[0]);
        let high = 5 * thick * 2 + thick * 2;
        write(
            picture,
            x1,
            y1.saturating_sub(high),
            thick * 2,
            &text,
            colour,
        );
    }
}

fn put(picture: &mut RgbImage, x: u32, y: u32, colour: Rgb<u8>) {
    if let Some(pixel) = picture.get_pixel_mut_checked(x, y) {
        *pixel = colour;
    }
}

fn write(picture: &mut RgbImage, x: u32, y: u32, scale: u32, text: &str, colour: Rgb<u8>) {
    for (place, letter) in (0u32..).zip(text.chars()) {
        let glyph = DIGITS[letter.to_digit(10).map_or(10, |d| d as usize)];
        for (row, bits) in (0u32..).zip(glyph) {
            for column in (0..3u32).filter(|c| bits >> (2 - c) & 1 == 1) {
                for dy in 0..scale {
                    for dx in 0..scale {
                        let at = x + (place * 4 + column) * scale + dx;
                        put(picture, at, y + row * scale + dy, colour);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::classify;

    #[test]
    fn boxes_at_the_edge_stay_within_the_picture() {
        let mut picture = RgbImage::from_pixel(40, 30, Rgb([255; 3]));
        let detection = Detection {
            area: [0, 0, 40, 30],
            score: 1.0,
            features: [0.9, 0.65, 0.5, 0.6, 0.8, 0.7],
            verdict: classify(&[0.9, 0.65, 0.5, 0.6, 0.8, 0.7]),
        };
        draw(&mut picture, &[detection]);
        assert_eq!(*picture.get_pixel(0, 15), INSECT);
    }
}
