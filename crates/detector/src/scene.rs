//! Drawn photographs of a lit sheet at night, for trying the system without a camera trap.
//! Two nights of insects that arrive, stay and leave are planned from fixed seeds, so each
//! scene is the same picture on every run and its true boxes are known.

mod body;
mod canvas;
mod chance;
mod curve;
mod figure;
mod litter;
mod moths;
mod night;
mod others;
mod sheet;
mod spread;
#[cfg(test)]
mod tests;
mod wing;

use canvas::{FULL_WIDTH, Pose};
use chance::Chance;
use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use curve::{at, lit};
use figure::Figure;
use image::{ExtendedColorType, RgbImage, codecs::jpeg::JpegEncoder};
use night::{Plan, Sitter};
use std::sync::Arc;

/// Width of a full-size scene in pixels.
pub const WIDTH: u32 = 2048;
/// Height of a full-size scene in pixels.
pub const HEIGHT: u32 = 1080;
/// Photographs per night of [`demo_nights`], one every ten minutes from 21:30.
pub const PER_NIGHT: usize = 30;
/// Quality of [`Scene::jpeg`], 1 to 100.
const QUALITY: u8 = 88;

/// What sits on a drawn sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Owlet moth: a folded brown arrowhead.
    Owlet,
    /// Geometer moth: wings spread flat.
    Geometer,
    /// Pug: a small geometer.
    Pug,
    /// Emerald or wave: a green or white geometer.
    Emerald,
    /// Grass moth: a narrow striped roof.
    GrassMoth,
    /// Leaf-roller: small and bell-shaped.
    LeafRoller,
    /// Footman: narrow and silky grey.
    Footman,
    /// Tiger or ermine: bold marks and thick fur.
    Tiger,
    /// Hawkmoth: large, swept wings.
    Hawkmoth,
    /// Non-biting midge.
    Midge,
    /// Small fly.
    Fly,
    /// Crane-fly.
    CraneFly,
    /// Beetle.
    Beetle,
    /// Green lacewing.
    Lacewing,
    /// Caddisfly.
    Caddisfly,
    /// Mayfly.
    Mayfly,
}

/// How large a kind is, how long it stays and how much it moves.
struct Habit {
    /// Smallest and largest size in full-size pixels.
    size: (f32, f32),
    /// Fewest and most photographs in a row.
    stay: (usize, usize),
    /// 0 sits still, head up; 1 is always on the move, in any direction.
    restless: f32,
}

impl Kind {
    /// True for moths.
    pub fn is_moth(self) -> bool {
        use Kind::{
            Emerald, Footman, Geometer, GrassMoth, Hawkmoth, LeafRoller, Owlet, Pug, Tiger,
        };
        matches!(
            self,
            Owlet | Geometer | Pug | Emerald | GrassMoth | LeafRoller | Footman | Tiger | Hawkmoth
        )
    }

    fn habit(self) -> Habit {
        let (size, stay, restless) = match self {
            Self::Owlet => ((58.0, 98.0), (4, 15), 0.12),
            Self::Geometer => ((92.0, 160.0), (3, 14), 0.08),
            Self::Pug => ((46.0, 66.0), (3, 12), 0.10),
            Self::Emerald => ((76.0, 120.0), (3, 12), 0.06),
            Self::GrassMoth => ((44.0, 62.0), (2, 8), 0.2),
            Self::LeafRoller => ((26.0, 40.0), (2, 8), 0.25),
            Self::Footman => ((46.0, 60.0), (3, 10), 0.12),
            Self::Tiger => ((72.0, 104.0), (3, 10), 0.15),
            Self::Hawkmoth => ((140.0, 178.0), (4, 8), 0.15),
            Self::Midge => ((18.0, 30.0), (1, 3), 0.45),
            Self::Fly => ((11.0, 19.0), (1, 3), 0.7),
            Self::CraneFly => ((40.0, 58.0), (1, 6), 0.3),
            Self::Beetle => ((22.0, 44.0), (1, 5), 0.6),
            Self::Lacewing => ((50.0, 66.0), (1, 6), 0.3),
            Self::Caddisfly => ((36.0, 58.0), (2, 8), 0.25),
            Self::Mayfly => ((26.0, 40.0), (2, 7), 0.15),
        };
        Habit {
            size,
            stay,
            restless,
        }
    }

    fn figure(self, size: f32, seed: u64) -> Figure {
        let chance = &mut Chance::new(seed, 3);
        match self {
            Self::Owlet => moths::owlet(size, chance),
            Self::Geometer | Self::Pug => spread::geometer(size, chance),
            Self::Emerald => spread::emerald(size, chance),
            Self::GrassMoth => moths::grass(size, chance),
            Self::LeafRoller => moths::bell(size, chance),
            Self::Footman => moths::footman(size, chance),
            Self::Tiger => spread::tiger(size, chance),
            Self::Hawkmoth => spread::hawkmoth(size, chance),
            Self::Midge => others::midge(size, chance),
            Self::Fly => others::fly(size, chance),
            Self::CraneFly => others::crane(size, chance),
            Self::Beetle => others::beetle(size, chance),
            Self::Lacewing => others::lacewing(size, chance),
            Self::Caddisfly => others::caddis(size, chance),
            Self::Mayfly => others::mayfly(size, chance),
        }
    }
}

/// A drawn insect and the box around its body and wings (legs and feelers may stick out).
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// What it is.
    pub kind: Kind,
    /// The same number in two scenes of a night is the same animal.
    pub individual: u32,
    /// Left edge, in pixels of a scene [`WIDTH`] wide.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width of the box.
    pub width: u32,
    /// Height of the box.
    pub height: u32,
}

/// One photograph to be drawn.
#[derive(Debug, Clone)]
pub struct Scene {
    /// File name; its first 14 digits are the local time.
    pub name: String,
    /// Local time of the photograph.
    pub taken_at: NaiveDateTime,
    /// Which night, from 0.
    pub night: usize,
    /// What is to be seen.
    pub insects: Vec<Truth>,
    plan: Arc<Plan>,
    frame: usize,
    seed: u64,
}

/// The two nights of the demonstration, 30 photographs each, in order of time.
pub fn demo_nights() -> Vec<Scene> {
    let first = NaiveDate::from_ymd_opt(2026, 7, 14).unwrap_or_default();
    let second = first.succ_opt().unwrap_or(first);
    let mut scenes = night_of(first, 0, 0x4d61_6e64_7563_6101, PER_NIGHT, 1.0);
    scenes.extend(night_of(second, 1, 0x5370_6869_6e78_0202, PER_NIGHT, 0.72));
    scenes
}

/// Two short nights of a second station, eight photographs each, the first of them on the last
/// night of [`demo_nights`].
pub fn demo_wood_nights() -> Vec<Scene> {
    let first = NaiveDate::from_ymd_opt(2026, 7, 15).unwrap_or_default();
    let second = first.succ_opt().unwrap_or(first);
    let mut scenes = night_of(first, 0, 0x4c61_7265_6e74_0303, 8, 0.6);
    scenes.extend(night_of(second, 1, 0x4163_6865_726f_0404, 8, 0.8));
    scenes
}

/// The photographs of one night that starts on the evening of `date`. `busy` scales the
/// number of insects: 1 is about twenty at the height of the night.
pub fn night_of(date: NaiveDate, night: usize, seed: u64, count: usize, busy: f32) -> Vec<Scene> {
    let plan = Arc::new(night::plan(seed, night, count, busy.clamp(0.0, 4.0)));
    let dusk = date.and_hms_opt(21, 30, 0).unwrap_or_default();
    let mut clock = Chance::new(seed, 4);
    let mut scenes = Vec::with_capacity(count);
    for frame in 0..count {
        // Real traps are some seconds late, never exactly on the minute.
        let late = clock.below(24) as i64;
        let minutes = i64::try_from(frame).unwrap_or(0).saturating_mul(10);
        let taken_at = dusk + TimeDelta::minutes(minutes) + TimeDelta::seconds(late);
        scenes.push(Scene {
            name: format!(
                "{}-00-{:02}.jpg",
                taken_at.format("%Y%m%d%H%M%S"),
                frame + 1
            ),
            taken_at,
            night,
            insects: plan
                .frames
                .get(frame)
                .map(|all| all.iter().map(truth).collect())
                .unwrap_or_default(),
            plan: Arc::clone(&plan),
            frame,
            seed: seed ^ (frame as u64 + 1).wrapping_mul(0x9E37_79B9),
        });
    }
    scenes
}

fn truth(one: &Sitter) -> Truth {
    let b = one.figure().solid_bounds(one.angle);
    let edge = |v: f32, most: u32| v.clamp(0.0, most as f32) as u32;
    let x = edge((one.centre.x + b.low.x).floor(), WIDTH - 1);
    let y = edge((one.centre.y + b.low.y).floor(), HEIGHT - 1);
    let right = edge((one.centre.x + b.high.x).ceil(), WIDTH).max(x + 1);
    let bottom = edge((one.centre.y + b.high.y).ceil(), HEIGHT).max(y + 1);
    Truth {
        kind: one.kind,
        individual: one.individual,
        x,
        y,
        width: right - x,
        height: bottom - y,
    }
}

impl Scene {
    /// The picture at full size, [`WIDTH`] by [`HEIGHT`].
    pub fn draw(&self) -> RgbImage {
        self.draw_at(WIDTH)
    }

    /// The picture at another width (at least 16) with the same proportions.
    pub fn draw_at(&self, width: u32) -> RgbImage {
        let width = width.clamp(16, 8192);
        let height = (width * HEIGHT / WIDTH).max(1);
        let mut chance = Chance::new(self.seed, 5);
        let sway = self.frame as f32 * 0.05 + chance.bell() * 0.06;
        let sheet = &self.plan.sheet;
        let mut canvas = sheet.lay(width, height, sway);
        for one in self
            .plan
            .litter
            .iter()
            .filter(|one| one.since <= self.frame)
        {
            let pose = self.pose(one.centre, one.angle, one.depth, one.soft, sway);
            canvas.stamp(&one.figure, &pose);
        }
        for one in self.sitters() {
            // The lens is softer towards the corners, and not every insect lies in focus.
            let far = at(one.centre.x - FULL_WIDTH / 2.0, one.centre.y - 540.0).length();
            let soft = 1 + u8::from(far > 620.0) + u8::from(one.seed % 5 == 0);
            let pose = self.pose(one.centre, one.angle, 0.5, soft, sway);
            canvas.stamp(&one.figure(), &pose);
        }
        canvas.develop(self.seed)
    }

    /// The picture as a JPEG file, as a camera trap would have written it.
    pub fn jpeg(&self) -> Vec<u8> {
        let picture = self.draw();
        let mut bytes = Vec::with_capacity(900_000);
        let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
        let written = picture.width() > 0 && encoder_ok(encoder, &picture);
        debug_assert!(written, "writing a JPEG to memory");
        bytes
    }

    fn sitters(&self) -> &[Sitter] {
        self.plan.frames.get(self.frame).map_or(&[], Vec::as_slice)
    }

    fn pose(&self, centre: curve::Point, angle: f32, depth: f32, soft: u8, sway: f32) -> Pose {
        let sheet = &self.plan.sheet;
        let here = sheet.light(centre.x / FULL_WIDTH, centre.y / HEIGHT as f32, sway);
        let away = at(centre.x - sheet.lamp.x, centre.y - sheet.lamp.y);
        // Steeper light near the rim makes longer shadows.
        let long = (away.length() / 1000.0 * 7.0 + 1.5) / away.length().max(1.0);
        let light = lit([here[0] / 238.0, here[1] / 238.0, here[2] / 232.0], 1.02);
        Pose {
            centre,
            angle,
            light,
            shadow: at(away.x * long, away.y * long + 1.0),
            depth,
            soft,
        }
    }
}

/// Writing to memory fails only for a picture without pixels.
fn encoder_ok(encoder: JpegEncoder<&mut Vec<u8>>, picture: &RgbImage) -> bool {
    let (width, height) = picture.dimensions();
    let mut encoder = encoder;
    encoder
        .encode(picture.as_raw(), width, height, ExtendedColorType::Rgb8)
        .is_ok()
}
