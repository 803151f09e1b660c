//! The plan of one night: who comes to the lamp, when, where it sits and when it leaves.
//! Few at dusk, most around the first third, thinning out after midnight; a moth stays for
//! an hour or more and seldom moves, a midge is gone after a photograph or two.

use super::Kind;
use super::chance::Chance;
use super::curve::{Point, at, step};
use super::figure::Figure;
use super::litter::{self, Litter};
use super::sheet::Sheet;

/// An insect in one photograph.
#[derive(Debug, Clone)]
pub(super) struct Sitter {
    /// The same number means the same animal.
    pub(super) individual: u32,
    pub(super) kind: Kind,
    pub(super) seed: u64,
    pub(super) size: f32,
    pub(super) centre: Point,
    pub(super) angle: f32,
    /// Half of its longest side, for keeping distance.
    room: f32,
    /// Photographs left before it flies off.
    stay: usize,
}

impl Sitter {
    /// The drawing of the animal.
    pub(super) fn figure(&self) -> Figure {
        self.kind.figure(self.size, self.seed)
    }
}

/// Everything about a night but its dates.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) sheet: Sheet,
    pub(super) litter: Vec<Litter>,
    /// Who sits where, photograph by photograph.
    pub(super) frames: Vec<Vec<Sitter>>,
}

/// Kinds with their weight before and after the first hour of darkness.
const VISITORS: [(Kind, f32, f32); 16] = [
    (Kind::Midge, 15.0, 9.0),
    (Kind::Fly, 6.0, 4.0),
    (Kind::Owlet, 2.5, 7.0),
    (Kind::Geometer, 3.0, 4.0),
    (Kind::Pug, 3.0, 3.0),
    (Kind::GrassMoth, 4.0, 3.5),
    (Kind::LeafRoller, 2.5, 2.0),
    (Kind::Footman, 0.8, 2.5),
    (Kind::Emerald, 1.0, 1.4),
    (Kind::Tiger, 0.1, 0.6),
    (Kind::Hawkmoth, 0.0, 0.07),
    (Kind::CraneFly, 1.0, 1.2),
    (Kind::Beetle, 1.0, 1.4),
    (Kind::Lacewing, 0.8, 1.2),
    (Kind::Caddisfly, 2.0, 1.8),
    (Kind::Mayfly, 1.6, 0.6),
];

/// Plans a night of `count` photographs; `busy` scales how many insects come.
pub(super) fn plan(seed: u64, night: usize, count: usize, busy: f32) -> Plan {
    let mut chance = Chance::new(seed, 2);
    let sheet = Sheet::new(seed, night);
    let litter = litter::of_night(&mut chance, count);
    let guest = count * 2 / 5 + chance.below(4);
    let mut present: Vec<Sitter> = Vec::new();
    let mut frames = Vec::with_capacity(count);
    let mut next = 1;
    for frame in 0..count {
        present.retain_mut(|one| {
            one.stay = one.stay.saturating_sub(1);
            one.stay > 0
        });
        shuffle_about(&mut present, &mut chance);
        let t = frame as f32 / count.saturating_sub(1).max(1) as f32;
        let wanted = (activity(t) * busy + chance.bell() * 1.1).max(1.0) as usize;
        let mut kinds: Vec<Kind> = (present.len()..wanted)
            .map(|_| visitor(t, &mut chance))
            .collect();
        if frame == guest {
            kinds.insert(0, Kind::Hawkmoth); // once a night, the one everybody came for
        }
        for kind in kinds {
            if let Some(one) = arrive(kind, next, &present, &sheet, &mut chance) {
                present.push(one);
                next += 1;
            }
        }
        frames.push(present.clone());
    }
    Plan {
        sheet,
        litter,
        frames,
    }
}

/// How many insects sit on the sheet, from dusk (0) to the end of the series (1).
fn activity(t: f32) -> f32 {
    2.0 + 23.0 * step(-0.03, 0.46, t) * (1.0 - 0.68 * step(0.52, 1.02, t))
}

fn visitor(t: f32, chance: &mut Chance) -> Kind {
    let late = step(0.08, 0.3, t);
    let weight = |(_, early, after): &(Kind, f32, f32)| early + (after - early) * late;
    let mut left = chance.unit() * VISITORS.iter().map(weight).sum::<f32>();
    for entry in &VISITORS {
        left -= weight(entry);
        if left <= 0.0 {
            return entry.0;
        }
    }
    Kind::Owlet
}

fn arrive(
    kind: Kind,
    individual: u32,
    present: &[Sitter],
    sheet: &Sheet,
    chance: &mut Chance,
) -> Option<Sitter> {
    let habit = kind.habit();
    let mut one = Sitter {
        individual,
        kind,
        seed: chance.bits(),
        size: chance.within(habit.size.0, habit.size.1),
        centre: at(0.0, 0.0),
        angle: 0.0,
        room: 0.0,
        stay: habit.stay.0 + chance.below(habit.stay.1 - habit.stay.0 + 1),
    };
    let any_way = chance.hit(habit.restless);
    one.angle = if any_way {
        chance.within(-3.1, 3.1)
    } else {
        chance.bell() * 0.33
    };
    let b = one.figure().solid_bounds(one.angle);
    one.room = b.corners().iter().map(|p| p.length()).fold(0.0, f32::max);
    for _ in 0..40 {
        one.centre = at(chance.within(0.0, 2048.0), chance.within(0.0, 1080.0));
        let far = at(one.centre.x - sheet.lamp.x, one.centre.y - sheet.lamp.y).length();
        // More of them sit where it is bright.
        let bright = chance.hit(1.0 - 0.55 * step(250.0, 1000.0, far));
        if bright && free(&one, present) {
            return Some(one);
        }
    }
    None
}

/// True when it neither leaves the picture nor touches another insect.
fn free(one: &Sitter, others: &[Sitter]) -> bool {
    let (c, margin) = (one.centre, one.room + 6.0);
    let inside = c.x > margin && c.x < 2048.0 - margin && c.y > margin && c.y < 1080.0 - margin;
    let apart = |other: &Sitter| {
        at(other.centre.x - c.x, other.centre.y - c.y).length() > other.room + one.room + 8.0
    };
    inside
        && others
            .iter()
            .filter(|other| other.individual != one.individual)
            .all(apart)
}

/// Lets the restless walk a little.
fn shuffle_about(present: &mut [Sitter], chance: &mut Chance) {
    for i in 0..present.len() {
        let restless = present[i].kind.habit().restless;
        if !chance.hit(0.03 + restless * 0.5) {
            continue;
        }
        let mut moved = present[i].clone();
        let step = chance.within(6.0, 60.0) + 120.0 * restless * chance.unit();
        let turn = chance.bell() * 0.5;
        let way = super::curve::towards(moved.angle + turn);
        moved.centre = at(moved.centre.x + way.x * step, moved.centre.y + way.y * step);
        moved.angle += turn * 0.6;
        if free(&moved, present) {
            present[i] = moved;
        }
    }
}
