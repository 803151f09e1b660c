//! The protocol of pull jobs as a model, explored exhaustively: states, leases, results, crash,
//! cancel, retry and caretaker, on the program's own table of moves. The idea: each transaction
//! of the store is one step here, so every order of steps is tried; what is promised must hold in
//! every state that can be reached, and from each an end can be reached without anybody's help.
//! With `HAWKMOTH_MODEL_IMAGES=3` (and `--release`) three images and all faults together.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use domain::state::{Event, JobState};
use stateright::{Checker, Model, Property};

const WORKERS: usize = 2;
const MAX: usize = 3;
const DELIVERIES: u8 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Outcome {
    Open,
    Done,
    Failed,
}

/// A row of `task_result` of the present run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Row {
    outcome: Outcome,
    generation: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Ticket {
    leased: bool,
    deliveries: u8,
}

/// A result on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Post {
    image: u8,
    generation: u8,
    done: bool,
}

/// What the feed takes: everything, what is not saved, what failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Feed {
    All,
    Missing,
    FailedOnly,
}

/// What may still go wrong, and what people may still do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Budget {
    crashes: u8,
    duplicates: u8,
    cancels: u8,
    retries: u8,
    errors: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    job: &'static str,
    generation: u8,
    feed: Feed,
    cursor: u8,
    fed: u8,
    kept: u8,
    total: Option<u8>,
    owner: Option<u8>,
    claim: u8,
    rows: [Option<Row>; MAX],
    tickets: [Option<Ticket>; MAX],
    done: u8,
    failed: u8,
    /// How often detections of an image were written in this run.
    written: [u8; MAX],
    /// The claim by which each runner believes that it holds the job.
    runners: [Option<u8>; 2],
    /// What each worker holds: image and generation.
    workers: [Option<(u8, u8)>; WORKERS],
    posts: Vec<Post>,
    left: Budget,
    /// A final state changed though no person asked.
    undone: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    Enqueue,
    Cancel,
    Again(Feed),
    Claim(usize),
    FeedPage,
    FeedEnd(usize),
    SeeCancel(usize),
    LoseFence(usize),
    Crash(usize),
    Rescue,
    Lease(usize, usize),
    Answer(usize, bool),
    Forget(usize),
    Expire(usize),
    Bury(usize),
    Deliver(usize),
    Repeat(usize),
    Finalise,
}

impl Step {
    /// Steps that happen by themselves, without a person or a fault.
    fn is_the_programs(self) -> bool {
        use Step::{Again, Answer, Cancel, Crash, Forget, Repeat};
        !matches!(
            self,
            Cancel | Again(_) | Crash(_) | Forget(_) | Repeat(_) | Answer(_, false)
        )
    }
}

impl State {
    fn state(&self) -> JobState {
        JobState::from_code(self.job).unwrap()
    }

    /// Moves the job as the table allows.
    fn go(&mut self, event: Event) -> bool {
        let to = self.state().after(event);
        self.job = to.map_or(self.job, JobState::code);
        to.is_some()
    }

    fn revoke(&mut self) -> bool {
        self.owner = None;
        self.tickets = [None; MAX];
        self.go(Event::Stopped)
    }

    fn holds(&self, runner: usize) -> bool {
        self.owner == Some(runner as u8) && self.runners[runner] == Some(self.claim)
    }

    /// A new generation: again from the beginning, or what is missing.
    fn renew(&mut self, feed: Feed) {
        if feed == Feed::All {
            self.rows = [None; MAX];
            self.written = [0; MAX];
            self.done = 0;
        }
        self.generation += 1;
        self.feed = feed;
        self.kept = self.done;
        self.failed = 0;
        (self.cursor, self.fed, self.total, self.owner) = (0, 0, None, None);
        self.tickets = [None; MAX];
    }

    /// One result, in one transaction.
    fn save(&mut self, image: usize, generation: u8, done: bool) {
        let takes = matches!(self.state(), JobState::Pending | JobState::Started);
        let present = takes && generation == self.generation;
        let row = self.rows[image].filter(|row| present && row.generation == generation);
        let Some(row) = row else {
            return;
        };
        let outcome = match (row.outcome, done) {
            (Outcome::Open | Outcome::Failed, true) => {
                self.failed -= u8::from(row.outcome == Outcome::Failed);
                self.done += 1;
                self.written[image] += 1;
                Outcome::Done
            }
            (Outcome::Open, false) => {
                self.failed += 1;
                Outcome::Failed
            }
            (same, _) => same,
        };
        self.rows[image] = Some(Row { outcome, ..row });
        self.tickets[image] = None;
    }

    /// Feeds one image: its row is opened where there is none or an older generation's fits.
    fn feed_one(&mut self, image: usize) {
        let opens = match (self.rows[image], self.feed) {
            (None, feed) => feed != Feed::FailedOnly,
            (Some(row), _) if row.generation >= self.generation => false,
            (Some(row), Feed::FailedOnly) => row.outcome == Outcome::Failed,
            (Some(row), _) => row.outcome != Outcome::Done,
        };
        if opens {
            let generation = self.generation;
            let outcome = Outcome::Open;
            self.rows[image] = Some(Row {
                outcome,
                generation,
            });
            self.tickets[image] = Some(Ticket {
                leased: false,
                deliveries: 0,
            });
            self.fed += 1;
        }
    }

    fn count(&self, outcome: Outcome) -> u8 {
        let rows = self.rows.iter().flatten();
        let mine = |row: &&Row| outcome == Outcome::Done || row.generation == self.generation;
        rows.filter(|row| row.outcome == outcome)
            .filter(mine)
            .count() as u8
    }
}

struct Protocol {
    images: u8,
    budget: Budget,
}

impl Protocol {
    fn of_people(&self, s: &State, steps: &mut Vec<Step>) {
        let state = s.state();
        if state == JobState::Created {
            steps.push(Step::Enqueue);
        }
        if s.left.cancels > 0 && !state.is_final() && state != JobState::Canceling {
            steps.push(Step::Cancel);
        }
        if s.left.retries > 0 && state.is_final() {
            steps.extend([Feed::All, Feed::Missing, Feed::FailedOnly].map(Step::Again));
        }
    }

    fn of_runners(&self, s: &State, steps: &mut Vec<Step>) {
        let state = s.state();
        if state == JobState::Pending {
            let free = (0..2).find(|r| s.runners[*r].is_none());
            steps.extend(free.map(Step::Claim));
        }
        for r in (0..2).filter(|r| s.runners[*r].is_some()) {
            if s.left.crashes > 0 {
                steps.push(Step::Crash(r));
            }
            steps.push(match (s.holds(r), state) {
                (true, JobState::Started) if s.cursor < self.images => Step::FeedPage,
                (true, JobState::Started) => Step::FeedEnd(r),
                (true, JobState::Canceling) => Step::SeeCancel(r),
                _ => Step::LoseFence(r),
            });
        }
        let is_dead = s.owner.is_some_and(|r| !s.holds(usize::from(r)));
        if is_dead && matches!(state, JobState::Started | JobState::Canceling) {
            steps.push(Step::Rescue);
        }
        if state == JobState::Started && s.owner.is_none() && s.total.is_some() {
            steps.push(Step::Finalise);
        }
    }

    fn of_workers(&self, s: &State, steps: &mut Vec<Step>) {
        let runs = s.state() == JobState::Started;
        let idle = (0..WORKERS).find(|w| s.workers[*w].is_none());
        for (image, ticket) in s.tickets.iter().enumerate() {
            match (ticket, idle) {
                (Some(t), _) if t.leased => steps.push(Step::Expire(image)),
                (Some(t), _) if t.deliveries >= DELIVERIES && runs => {
                    steps.push(Step::Bury(image));
                }
                (Some(t), Some(w)) if t.deliveries < DELIVERIES && runs => {
                    steps.push(Step::Lease(w, image));
                }
                _ => {}
            }
        }
        for w in (0..WORKERS).filter(|w| s.workers[*w].is_some() && s.posts.len() < 2) {
            steps.push(Step::Answer(w, true));
            if s.left.errors > 0 {
                steps.extend([Step::Answer(w, false), Step::Forget(w)]);
            }
        }
        for i in 0..s.posts.len() {
            steps.push(Step::Deliver(i));
            if s.left.duplicates > 0 {
                steps.push(Step::Repeat(i));
            }
        }
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            job: JobState::Created.code(),
            generation: 1,
            feed: Feed::All,
            cursor: 0,
            fed: 0,
            kept: 0,
            total: None,
            owner: None,
            claim: 0,
            rows: [None; MAX],
            tickets: [None; MAX],
            done: 0,
            failed: 0,
            written: [0; MAX],
            runners: [None; 2],
            workers: [None; WORKERS],
            posts: Vec::new(),
            left: self.budget,
            undone: false,
        }]
    }

    fn actions(&self, s: &State, steps: &mut Vec<Step>) {
        self.of_people(s, steps);
        self.of_runners(s, steps);
        self.of_workers(s, steps);
    }

    fn next_state(&self, before: &State, step: Step) -> Option<State> {
        let mut s = before.clone();
        let legal = match step {
            Step::Enqueue => s.go(Event::Enqueue),
            Step::Cancel => {
                s.left.cancels -= 1;
                match s.owner {
                    Some(_) => s.go(Event::Cancel),
                    None => s.revoke(),
                }
            }
            Step::Again(feed) => {
                s.left.retries -= 1;
                s.renew(feed);
                s.go(match feed {
                    Feed::All => Event::Enqueue,
                    _ => Event::Retry,
                })
            }
            Step::Claim(r) => {
                s.claim += 1;
                s.owner = Some(r as u8);
                s.runners[r] = Some(s.claim);
                s.go(Event::Start)
            }
            Step::FeedPage => {
                s.feed_one(usize::from(s.cursor));
                s.cursor += 1;
                true
            }
            Step::FeedEnd(r) => {
                s.total = Some(s.kept + s.fed);
                s.owner = None;
                s.runners[r] = None;
                true
            }
            Step::SeeCancel(r) => {
                s.runners[r] = None;
                s.revoke()
            }
            Step::LoseFence(r) => {
                s.runners[r] = None;
                true
            }
            Step::Crash(r) => {
                s.left.crashes -= 1;
                s.runners[r] = None;
                true
            }
            Step::Rescue => {
                s.owner = None;
                let moved = s.go(Event::Rescue);
                if s.state().is_final() {
                    s.tickets = [None; MAX];
                }
                moved
            }
            Step::Lease(w, image) => {
                let ticket = s.tickets[image].as_mut()?;
                ticket.leased = true;
                ticket.deliveries += 1;
                s.workers[w] = Some((image as u8, s.generation));
                true
            }
            Step::Answer(w, done) => {
                let (image, generation) = s.workers[w].take()?;
                s.left.errors -= u8::from(!done);
                s.posts.push(Post {
                    image,
                    generation,
                    done,
                });
                true
            }
            Step::Forget(w) => {
                s.left.errors -= 1;
                s.workers[w] = None;
                true
            }
            Step::Expire(image) => {
                s.tickets[image].as_mut()?.leased = false;
                true
            }
            Step::Bury(image) => {
                s.save(image, s.generation, false);
                true
            }
            Step::Deliver(i) => {
                let post = s.posts.remove(i);
                s.save(usize::from(post.image), post.generation, post.done);
                true
            }
            Step::Repeat(i) => {
                s.left.duplicates -= 1;
                s.posts.push(s.posts[i]);
                true
            }
            Step::Finalise => {
                let total = s.total?;
                if s.done + s.failed < total {
                    return None;
                }
                s.tickets = [None; MAX];
                s.go(
                    match domain::job::too_many_failed(total.into(), s.failed.into()) {
                        true => Event::Fail,
                        false => Event::Finish,
                    },
                )
            }
        };
        if !legal {
            return None;
        }
        let asked = matches!(step, Step::Again(_));
        s.undone |= before.state().is_final() && before.job != s.job && !asked;
        // Which of two idle workers is which does not matter, nor the order of posts.
        s.posts.sort_unstable();
        s.workers.sort_unstable();
        Some(s)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("a final state changes only by a person", |_, s: &State| {
                !s.undone
            }),
            Property::always("an image is written once in a run", |_, s: &State| {
                s.written.iter().all(|n| *n <= 1)
            }),
            Property::always("progress is what the rows say", |_, s: &State| {
                (s.done, s.failed) == (s.count(Outcome::Done), s.count(Outcome::Failed))
            }),
            Property::always("no more is counted than there is", |_, s: &State| {
                s.total.is_none_or(|total| s.done + s.failed <= total)
            }),
            Property::always("a job being cancelled has a runner", |_, s: &State| {
                s.state() != JobState::Canceling || s.owner.is_some()
            }),
            Property::always("an ended job has no ticket and no owner", |_, s: &State| {
                let is_empty = s.tickets.iter().all(Option::is_none);
                !s.state().is_final() || (is_empty && s.owner.is_none())
            }),
            Property::always("success leaves nothing open", |_, s: &State| {
                s.state() != JobState::Success || s.count(Outcome::Open) == 0
            }),
            Property::sometimes("success", |_, s: &State| s.state() == JobState::Success),
            Property::sometimes("failure", |_, s: &State| s.state() == JobState::Failure),
            Property::sometimes("revoked, if cancelled", |m: &Protocol, s: &State| {
                m.budget.cancels == 0 || s.state() == JobState::Revoked
            }),
            Property::sometimes(
                "success in the last generation",
                |m: &Protocol, s: &State| {
                    s.generation == 1 + m.budget.retries && s.state() == JobState::Success
                },
            ),
        ]
    }
}

/// Crashes, duplicates, cancels, retries and errors that are tried together; all at once where
/// more images are asked for.
fn protocols() -> Vec<Protocol> {
    let images = std::env::var("HAWKMOTH_MODEL_IMAGES").ok();
    let images: Option<u8> = images.and_then(|n| n.parse().ok());
    let together: &[[u8; 5]] = match images {
        Some(_) => &[[1; 5]],
        None => &[[1, 0, 1, 1, 0], [0, 1, 0, 1, 1], [1, 1, 1, 0, 0]],
    };
    let protocol = |[crashes, duplicates, cancels, retries, errors]: [u8; 5]| Protocol {
        images: Ord::min(images.unwrap_or(2), MAX as u8),
        budget: Budget {
            crashes,
            duplicates,
            cancels,
            retries,
            errors,
        },
    };
    together.iter().copied().map(protocol).collect()
}

#[test]
fn the_promises_hold_in_every_order_of_steps() {
    for protocol in protocols() {
        let budget = protocol.budget;
        let checker = protocol.checker().spawn_bfs().join();
        println!("{} states with {budget:?}", checker.unique_state_count());
        checker.assert_properties();
    }
}

/// From every state, steps of the program and its workers alone lead to an end: no job can hang.
#[test]
fn an_end_can_be_reached_from_every_state() {
    for model in protocols() {
        let stuck = stuck(&model);
        assert!(stuck.is_none(), "cannot end: {stuck:?}");
    }
}

/// A state from which no end can be reached.
fn stuck(model: &Protocol) -> Option<State> {
    let mut states = model.init_states();
    let mut number: HashMap<State, usize> = HashMap::from([(states[0].clone(), 0)]);
    let mut before: Vec<Vec<usize>> = vec![Vec::new()];
    let mut at = 0;
    while at < states.len() {
        let mut steps = Vec::new();
        model.actions(&states[at], &mut steps);
        for step in steps {
            let Some(next) = model.next_state(&states[at], step) else {
                continue;
            };
            let to = *number.entry(next.clone()).or_insert_with(|| {
                states.push(next);
                before.push(Vec::new());
                states.len() - 1
            });
            if step.is_the_programs() {
                before[to].push(at);
            }
        }
        at += 1;
    }
    let is_end = |i: &usize| states[*i].state().is_final();
    let mut ends: Vec<usize> = (0..states.len()).filter(is_end).collect();
    let mut reaches = vec![false; states.len()];
    while let Some(i) = ends.pop() {
        if !std::mem::replace(&mut reaches[i], true) {
            ends.extend(&before[i]);
        }
    }
    let stuck = reaches.iter().position(|reaches| !reaches)?;
    Some(states[stuck].clone())
}
