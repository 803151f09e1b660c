//! Whether a job can hang: every state is visited, and from the ends the steps that happen by
//! themselves are followed backwards. A state that is not met on the way back cannot end.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use stateright::Model;

use super::Protocol;
use super::state::State;

/// How many states there are, and one from which no end can be reached.
pub fn explore(model: &Protocol) -> (usize, Option<State>) {
    let mut states = model.init_states();
    // By their hashes: two of a few million states that share 64 bits are not to be expected.
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    let mut number = HashMap::from([(hasher.hash_one(&states[0]), 0)]);
    let mut edges: Vec<(u32, u32)> = Vec::new();
    let mut steps = Vec::new();
    let mut at = 0;
    while at < states.len() {
        model.actions(&states[at], &mut steps);
        for step in steps.drain(..) {
            let Some(next) = model.next_state(&states[at], step) else {
                continue;
            };
            let to = *number.entry(hasher.hash_one(&next)).or_insert_with(|| {
                states.push(next);
                states.len() as u32 - 1
            });
            if step.is_the_programs() {
                edges.push((to, at as u32));
            }
        }
        at += 1;
    }
    edges.sort_unstable();
    let reaches = backwards(&states, &edges);
    let stuck = reaches.iter().position(|reaches| !reaches);
    (states.len(), stuck.map(|i| states[i].clone()))
}

/// For each state, whether an end can be reached. `edges` go from a state to one before it.
fn backwards(states: &[State], edges: &[(u32, u32)]) -> Vec<bool> {
    let is_end = |i: &usize| states[*i].job.is_final();
    let mut ends: Vec<usize> = (0..states.len()).filter(is_end).collect();
    let mut reaches = vec![false; states.len()];
    while let Some(i) = ends.pop() {
        if std::mem::replace(&mut reaches[i], true) {
            continue;
        }
        let first = edges.partition_point(|(to, _)| (*to as usize) < i);
        let mine = edges[first..]
            .iter()
            .take_while(|(to, _)| *to as usize == i);
        ends.extend(mine.map(|(_, from)| *from as usize));
    }
    reaches
}
