//! What a drawn scene promises: the same picture every time, names in order of time, true
//! boxes within the frame, and insects that can be seen.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

#[test]
fn save_some() {
    for (i, s) in demo_nights().iter().enumerate() {
        if [2, 13, 14, 25, 43, 50].contains(&i) {
            let t = std::time::Instant::now();
            let p = s.draw();
            let d = t.elapsed();
            let j = s.jpeg();
            println!(
                "{i} {} insects {} draw {d:?} total {:?} jpeg {}",
                s.name,
                s.insects.len(),
                t.elapsed() - d,
                j.len()
            );
            p.save(format!("/tmp/scenes/{i:02}.png")).unwrap();
        }
    }
}
