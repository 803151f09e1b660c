//! The picture as the detector works on it: reduced to about a thousand pixels on the longer
//! side, as brightness and two colour differences. The idea: an insect of interest is at least
//! fifteen pixels long there, and the sheet's weave and the sensor's noise average out.

use crate::grid::Grid;
use image::RgbImage;

/// The longer side of the working picture is about this many pixels.
const WORKING_SIDE: usize = 1024;

/// The reduced picture. Values are in grey levels of the eight-bit picture.
pub(crate) struct Frame {
    /// Full-size pixels per working pixel, both ways.
    pub(crate) factor: usize,
    /// Width and height of the full-size picture.
    pub(crate) full: (usize, usize),
    /// Brightness, (R + 2G + B) / 4.
    pub(crate) luma: Grid<f32>,
    /// Warm against cold, (R − B) / 2.
    pub(crate) warm: Grid<f32>,
    /// Green against purple, G / 2 − (R + B) / 4.
    pub(crate) green: Grid<f32>,
}

impl Frame {
    /// Averages blocks of full-size pixels. `None` for a picture without pixels.
    pub(crate) fn reduce(image: &RgbImage) -> Option<Frame> {
        let (w, h) = (image.width() as usize, image.height() as usize);
        if w == 0 || h == 0 {
            return None;
        }
        let factor = ((w.max(h) + WORKING_SIDE / 2) / WORKING_SIDE).max(1);
        let (gw, gh) = (w.div_ceil(factor), h.div_ceil(factor));
        let empty = Grid::new(gw, gh, 0.0);
        let mut frame = Frame {
            factor,
            full: (w, h),
            luma: empty.clone(),
            warm: empty.clone(),
            green: empty,
        };
        let rows: Vec<&[u8]> = image.as_raw().chunks_exact(w * 3).collect();
        for (gy, band) in rows.chunks(factor).enumerate() {
            frame.reduce_band(gy, band);
        }
        Some(frame)
    }

    fn reduce_band(&mut self, gy: usize, band: &[&[u8]]) {
        let gw = self.luma.width;
        let mut sums = vec![[0u32; 3]; gw];
        for row in band {
            for (block, sum) in row.chunks(self.factor * 3).zip(&mut sums) {
                for p in block.chunks_exact(3) {
                    for (s, v) in sum.iter_mut().zip(p) {
                        *s += u32::from(*v);
                    }
                }
            }
        }
        for (gx, sum) in sums.iter().enumerate() {
            let columns = self.factor.min(self.full.0 - gx * self.factor);
            let n = (columns * band.len()) as f32;
            let [r, g, b] = sum.map(|s| s as f32 / n);
            let i = gy * gw + gx;
            self.luma.data[i] = (r + 2.0 * g + b) / 4.0;
            self.warm.data[i] = (r - b) / 2.0;
            self.green.data[i] = g / 2.0 - (r + b) / 4.0;
        }
    }
}
