//! From a picture to boxes. The idea: subtract the empty sheet, keep what stands out of its own
//! neighbourhood's restlessness, and let a small classifier say what is an insect.

use image::RgbImage;

use crate::background::Contrast;
use crate::classify::{self, Features, Verdict};
use crate::frame::Frame;
use crate::grid::Grid;
use crate::region::{self, Region};

#[cfg(test)]
mod tests;

/// Contrast from which a pixel may belong to something, in standard deviations of the bare sheet
/// and in grey levels; both must be exceeded.
const MAYBE: (f32, f32) = (3.5, 11.0);
/// Contrast that something must reach somewhere.
const SURELY: (f32, f32) = (4.5, 17.0);
/// Working pixels that must surely stand out.
const SEEDS: usize = 4;
/// The longer side must be at least this share of the picture's longer side (and three working
/// pixels).
const LEAST_SIDE: f32 = 0.005;
/// A region that covers more than this share of the picture is not an insect but what lies
/// outside the sheet.
const LARGEST: f32 = 0.25;
/// A hole in a region that covers more than this share of the picture is bare sheet.
const LARGEST_HOLE: usize = 100;
/// Standard deviations of contrast at which the score is one half.
const HALF_SCORE: f64 = 6.0;

/// One thing on the sheet.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// `[x1, y1, x2, y2]` in pixels of the full-size picture as it is stored; right and bottom
    /// are outside, x1 < x2, y1 < y2, all within the picture.
    pub area: [u32; 4],
    /// How clearly it stands out, 0 to 1: c / (c + 6), with its mean contrast c in standard
    /// deviations of the bare sheet around it.
    pub score: f64,
    /// What was measured, in the order of [`classify::COEFFICIENTS`].
    pub features: Features,
    /// What the classifier says about it.
    pub verdict: Verdict,
}

/// Finds what lies on a lit sheet, largest regions first. The picture is taken as it is stored:
/// a rotation asked for by its metadata is not applied, and the boxes are in that frame.
///
/// Never fails: a picture that is too small or shows nothing gives an empty list.
pub fn detect(image: &RgbImage) -> Vec<Detection> {
    match Analysis::of(image) {
        Some(analysis) => analysis.detections(),
        None => Vec::new(),
    }
}

/// Classifies given boxes (`[x1, y1, x2, y2]` in full-size pixels) instead of looking for new
/// ones; one verdict each, in order. A box without anything in it is debris.
pub fn classify_areas(image: &RgbImage, areas: &[[f64; 4]]) -> Vec<Verdict> {
    let analysis = Analysis::of(image);
    let verdict = |area: &[f64; 4]| analysis.as_ref()?.verdict(area);
    areas
        .iter()
        .map(|area| verdict(area).unwrap_or_else(Verdict::nothing))
        .collect()
}

/// The picture with the sheet subtracted.
struct Analysis {
    frame: Frame,
    contrast: Contrast,
    /// What may belong to something.
    maybe: Grid<bool>,
    /// What surely does.
    sure: Grid<bool>,
}

impl Analysis {
    fn of(image: &RgbImage) -> Option<Analysis> {
        let frame = Frame::reduce(image)?;
        let contrast = Contrast::of(&frame);
        let total = contrast.total.blur(1);
        let over = |(sigmas, levels): (f32, f32)| {
            let mut mask = Grid::new(total.width, total.height, false);
            for ((m, t), n) in mask
                .data
                .iter_mut()
                .zip(&total.data)
                .zip(&contrast.noise.data)
            {
                *m = *t > (sigmas * n).max(levels);
            }
            mask
        };
        let sure = over(SURELY);
        let mut maybe = over(MAYBE).close(1);
        let largest = maybe.data.len() / LARGEST_HOLE;
        maybe.fill_holes(largest);
        Some(Analysis {
            frame,
            contrast,
            maybe,
            sure,
        })
    }

    fn detections(&self) -> Vec<Detection> {
        let size = self.maybe.width.max(self.maybe.height) as f32;
        let pixels = self.maybe.data.len() as f32;
        region::regions(&self.maybe, &self.sure, &self.contrast.total, SEEDS)
            .iter()
            .filter(|r| r.longer() as f32 >= (size * LEAST_SIDE).max(3.0))
            .filter(|r| (r.pixels.len() as f32) < pixels * LARGEST)
            .map(|r| self.describe(r))
            .collect()
    }

    fn describe(&self, region: &Region) -> Detection {
        let features = classify::measure(region, &self.frame, &self.contrast);
        let [x1, y1, x2, y2] = region.edges.map(|v| v * self.frame.factor);
        let (w, h) = self.frame.full;
        let clear = self.clearness(region);
        Detection {
            area: [x1, y1, x2.min(w), y2.min(h)].map(|v| u32::try_from(v).unwrap_or(u32::MAX)),
            score: clear / (clear + HALF_SCORE),
            features,
            verdict: classify::classify(&features),
        }
    }

    /// Mean contrast in standard deviations of the bare sheet.
    fn clearness(&self, region: &Region) -> f64 {
        let (mut total, mut noise) = (0.0, 0.0);
        for &i in &region.pixels {
            total += f64::from(self.contrast.total.data[i]);
            noise += f64::from(self.contrast.noise.data[i]);
        }
        if noise > 0.0 { total / noise } else { 0.0 }
    }

    /// `None` where nothing stands out within the box.
    fn verdict(&self, area: &[f64; 4]) -> Option<Verdict> {
        let factor = self.frame.factor as f64;
        // Casts from floats saturate, so boxes from outside cannot wrap.
        let low = |v: f64| (v / factor).floor() as usize;
        let high = |v: f64, most: usize| ((v / factor).ceil() as usize).min(most);
        let (x2, y2) = (
            high(area[2], self.maybe.width),
            high(area[3], self.maybe.height),
        );
        let width = self.maybe.width;
        let pixels: Vec<usize> = (low(area[1])..y2)
            .flat_map(|y| (low(area[0])..x2).map(move |x| y * width + x))
            .filter(|&i| self.maybe.data[i])
            .collect();
        if pixels.is_empty() {
            return None;
        }
        let region = Region::new(pixels, width);
        let features = classify::measure(&region, &self.frame, &self.contrast);
        Some(classify::classify(&features))
    }
}
