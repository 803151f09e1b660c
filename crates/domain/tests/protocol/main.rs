//! The protocol of pull jobs as a model, explored exhaustively: states, leases, results, crash,
//! cancel, retry and caretaker, on the program's own table of moves. The idea: each transaction
//! of the store is one step here, so every order of steps is tried; what is promised must hold in
//! every state that can be reached, and from each an end can be reached without anybody's help.
#![allow(clippy::unwrap_used)]

mod ending;
mod flaw;
mod promise;
mod state;
mod step;
mod transaction;

use std::time::Instant;

use stateright::{Checker, Model, Property};

use flaw::{Flaw, NOTHING};
use state::{Budget, State};
use step::Step;

/// So many images, whether their tasks lie in a stream, what may go wrong, and the guard that is
/// left out, if any is.
#[derive(Clone, Copy, Debug)]
struct Protocol {
    images: usize,
    stream: bool,
    budget: Budget,
    flaw: Option<Flaw>,
}

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(self.images, self.budget, self.stream)]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        step::of_people(state, steps);
        step::of_runners(state, self.flaw, steps);
        step::of_workers(state, steps);
    }

    fn next_state(&self, before: &State, step: Step) -> Option<State> {
        transaction::take(before, step, self.flaw)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        promise::all()
    }
}

/// What is tried together: two workers always. With `HAWKMOTH_MODEL=all` every fault at once on
/// three images, which takes minutes.
fn protocols() -> Vec<Protocol> {
    let asked = Budget {
        crashes: 1,
        duplicates: 1,
        cancels: 1,
        retries: 1,
        errors: 0,
        deletions: 0,
        losses: 0,
    };
    let all = Budget {
        errors: 1,
        deletions: 1,
        ..asked
    };
    let protocol = |images, budget| Protocol {
        images,
        stream: false,
        budget,
        flaw: None,
    };
    let streamed = |images, budget| Protocol {
        stream: true,
        ..protocol(images, budget)
    };
    let losses = 1;
    if std::env::var("HAWKMOTH_MODEL").is_ok_and(|which| which == "all") {
        return vec![protocol(3, all), streamed(2, Budget { losses, ..all })];
    }
    let (errors, deletions) = (1, 1);
    let (crashes, duplicates) = (0, 0);
    vec![
        protocol(3, asked),
        protocol(2, Budget { errors, ..asked }),
        protocol(
            2,
            Budget {
                crashes,
                duplicates,
                deletions,
                ..all
            },
        ),
        streamed(
            2,
            Budget {
                crashes: 1,
                cancels: 1,
                losses,
                ..NOTHING
            },
        ),
        streamed(
            2,
            Budget {
                retries: 1,
                losses,
                ..NOTHING
            },
        ),
        streamed(
            1,
            Budget {
                duplicates: 1,
                retries: 1,
                errors,
                deletions,
                losses,
                ..NOTHING
            },
        ),
    ]
}

#[test]
fn the_promises_hold_in_every_order_of_steps() {
    for protocol in protocols() {
        let (images, budget, began) = (protocol.images, protocol.budget, Instant::now());
        let checker = protocol.checker().threads(2).spawn_bfs().join();
        println!(
            "{images} images, stream {}, {} states in {:.1} s with {budget:?}",
            protocol.stream,
            checker.unique_state_count(),
            began.elapsed().as_secs_f64()
        );
        checker.assert_properties();
    }
}

/// From every state, steps of the program and its workers alone lead to an end: no job can hang.
#[test]
fn an_end_can_be_reached_from_every_state() {
    for protocol in protocols() {
        let began = Instant::now();
        let (states, stuck) = ending::explore(&protocol);
        println!(
            "{} images, {states} states in {:.1} s: an end from each",
            protocol.images,
            began.elapsed().as_secs_f64()
        );
        assert!(stuck.is_none(), "cannot end: {stuck:?}");
    }
}

/// Each guard is there because without it a promise breaks: the model finds that out.
#[test]
fn without_any_one_guard_a_promise_breaks() {
    let everywhere = [false, true].map(|stream| flaw::ALL.iter().map(move |one| (stream, one)));
    let of_streams = flaw::OF_STREAMS.iter().map(|one| (true, one));
    for (stream, (flaw, budget)) in everywhere.into_iter().flatten().chain(of_streams) {
        let protocol = Protocol {
            images: 2,
            stream,
            budget: *budget,
            flaw: Some(*flaw),
        };
        let checker = protocol.checker().spawn_bfs().join();
        let broken = checker.discoveries();
        let broken = broken.keys().copied().find(|name| promise::is_always(name));
        let stuck = || {
            ending::explore(&protocol)
                .1
                .map(|_| "an end can be reached")
        };
        let found = broken.or_else(stuck);
        println!(
            "{flaw:?}, stream {stream}: {}",
            found.unwrap_or("nothing breaks")
        );
        assert!(found.is_some(), "{flaw:?} breaks nothing");
    }
}
