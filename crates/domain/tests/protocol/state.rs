//! A state of the model: the job's row, what its runners believe, and each image with its row,
//! its ticket and its results on their way. The idea: images, workers and runners are alike, so a
//! state is kept in one order and stands for all that differ from it by names only.

use domain::job::FeedMode;
use domain::state::{Event, JobState};

pub const WORKERS: u8 = 2;
pub const RUNNERS: usize = 2;
pub const DELIVERIES: u8 = 2;
/// Most images of a model.
pub const MOST: usize = 3;
/// The first generation and one retry.
pub const GENERATIONS: usize = 2;

/// A row of `task_result` of the present run; without one the image was not fed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Row {
    pub outcome: Outcome,
    pub generation: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    Open,
    Done,
    Failed,
}

/// A ticket, or, where tasks lie in a stream, the message there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket {
    pub leased: bool,
    pub deliveries: u8,
}

/// One image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Image {
    /// Behind the cursor of the present feed.
    pub fed: bool,
    pub row: Option<Row>,
    pub ticket: Option<Ticket>,
    /// Of a stream: sent there after its row was opened.
    pub sent: bool,
    /// Of a stream: somebody has fetched it and has not read the job's row again yet.
    pub fetched: bool,
    /// Of a stream: the ticket of its last hand-out, and whether that is over.
    pub last: Option<bool>,
    /// How often its detections were written in this run.
    pub written: u8,
    /// The capture itself is gone.
    pub deleted: bool,
    /// Workers that hold it, by the generation under which they got it.
    pub held: [u8; GENERATIONS],
    /// Results on their way, by generation: failures and good ones.
    pub posts: [[u8; 2]; GENERATIONS],
}

/// What a runner believes. Claim numbers only say whether a claim is the present one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Runner {
    Idle,
    /// It holds the job: owner and claim number are its own.
    Holds,
    /// It believes so, but the job was taken from it.
    Stale,
}

/// What may still go wrong, and what people may still do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    pub crashes: u8,
    pub duplicates: u8,
    pub cancels: u8,
    pub retries: u8,
    pub errors: u8,
    pub deletions: u8,
    /// Messages that the stream loses, or delivers although they were done with.
    pub losses: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// Tasks lie in a stream outside of the database.
    pub stream: bool,
    /// How often what the stream had lost was sent again in this generation.
    pub sweeps: u8,
    pub job: JobState,
    pub generation: usize,
    pub feed: FeedMode,
    pub fed: u8,
    pub kept: u8,
    pub total: Option<u8>,
    /// The row names an owner, alive or not.
    pub owned: bool,
    pub done: u8,
    pub failed: u8,
    pub runners: [Runner; RUNNERS],
    /// The first of these are the model's.
    pub images: [Image; MOST],
    pub count: usize,
    pub left: Budget,
    /// A final state changed though no person asked.
    pub undone: bool,
    /// A good result was accepted and is not saved.
    pub lost: bool,
    /// An image was handed out though the job did not run at the last look at its row.
    pub late: bool,
}

impl State {
    pub fn new(images: usize, left: Budget, stream: bool) -> State {
        State {
            stream,
            sweeps: 0,
            job: JobState::Created,
            generation: 0,
            feed: FeedMode::All,
            fed: 0,
            kept: 0,
            total: None,
            owned: false,
            done: 0,
            failed: 0,
            runners: [Runner::Idle; RUNNERS],
            images: [Image::default(); MOST],
            count: images.min(MOST),
            left,
            undone: false,
            lost: false,
            late: false,
        }
    }

    pub fn images(&self) -> &[Image] {
        &self.images[..self.count]
    }

    pub fn images_mut(&mut self) -> &mut [Image] {
        &mut self.images[..self.count]
    }

    /// Brings it to the order in which it is kept.
    pub fn in_order(mut self) -> State {
        self.runners.sort_unstable();
        self.images_mut().sort_unstable();
        self
    }

    /// Moves the job as the table allows.
    pub fn go(&mut self, event: Event) -> bool {
        let to = self.job.after(event);
        self.job = to.unwrap_or(self.job);
        to.is_some()
    }

    pub fn has(&self, runner: Runner) -> bool {
        self.runners.contains(&runner)
    }

    /// Turns one runner that is `from`.
    pub fn turn(&mut self, from: Runner, to: Runner) -> bool {
        let one = self.runners.iter_mut().find(|runner| **runner == from);
        one.map(|runner| *runner = to).is_some()
    }

    pub fn idle_workers(&self) -> u8 {
        let images = self.images().iter();
        let busy = images.map(|i| i.held.iter().sum::<u8>() + u8::from(i.fetched));
        WORKERS.saturating_sub(busy.sum())
    }

    pub fn posts(&self) -> u8 {
        let posts = self.images().iter().flat_map(|i| i.posts.as_flattened());
        posts.sum()
    }

    /// Whether an image waits for its outcome in the present generation.
    pub fn is_open(&self, image: &Image) -> bool {
        let row = image.row.filter(|row| row.generation == self.generation);
        row.is_some_and(|row| row.outcome == Outcome::Open)
    }

    /// Rows of this outcome; failed and open ones of the present generation only.
    pub fn count(&self, outcome: Outcome) -> u8 {
        let rows = self.images().iter().filter_map(|image| image.row);
        let mine = |row: &Row| outcome == Outcome::Done || row.generation == self.generation;
        rows.filter(|row| row.outcome == outcome)
            .filter(mine)
            .map(|_| 1)
            .sum()
    }
}
