//! The course of a job in the terminal: a bar per stage while it runs, with images/s and time left.
//! Without a terminal, a plain line every few seconds. The idea: whoever watches says how a look
//! at the job is taken, in a database or at a server; what is shown is the same.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use domain::job::{COLLECT_STAGE, PROCESS_STAGE, RESULTS_STAGE};
use domain::progress::{Progress, Stage, percent};
use domain::state::JobState;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::table::{plain, say};

/// How often a plain line is written.
const LINE: Duration = Duration::from_secs(3);
/// After so long in the queue it is said what the job waits for.
const LONG: Duration = Duration::from_secs(10);
/// Names of stages are cut to this width, so that a bar fits into 80 columns.
const NAME: usize = 12;

/// A job as it is at one moment.
pub struct Seen {
    /// Its state.
    pub state: JobState,
    /// How far it is.
    pub progress: Progress,
}

/// Where the course is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// As bars on a terminal, else as lines on standard output.
    ForPeople,
    /// As bars on a terminal, else not at all: standard output is for something else.
    Beside,
}

/// Looks at a job this often and shows it until it has ended; the last look.
///
/// # Errors
/// Where a look fails.
pub async fn watch(
    pace: Duration,
    shown: Shown,
    mut look: impl AsyncFnMut() -> anyhow::Result<Seen>,
) -> anyhow::Result<Seen> {
    let mut view: Box<dyn View> = match shown {
        _ if std::io::stderr().is_terminal() => Box::new(Bars::new()),
        Shown::ForPeople => Box::new(Lines::default()),
        Shown::Beside => Box::new(Nothing),
    };
    let mut clock = Clock::new();
    loop {
        let seen = look().await?;
        let figures = clock.now(&seen);
        view.show(&seen, &figures);
        if seen.state.is_final() {
            return Ok(seen);
        }
        tokio::time::sleep(pace).await;
    }
}

/// A figure of a stage, where it has one.
fn figure(stage: &Stage, key: &str) -> Option<i64> {
    let param = stage.params.iter().find(|param| param.key == key);
    param.and_then(|param| param.value.as_i64())
}

/// What is worked out while watching.
struct Figures {
    speed: f64,
    left: Option<Duration>,
    waiting: Option<Duration>,
}

/// Measures images per second since the first one came back, and how long a job waits.
struct Clock {
    first: Option<(Instant, i64)>,
    waits: Option<Instant>,
}

impl Clock {
    fn new() -> Clock {
        Clock {
            first: None,
            waits: None,
        }
    }

    fn now(&mut self, seen: &Seen) -> Figures {
        self.waits = match seen.state {
            JobState::Pending => self.waits.or_else(|| Some(Instant::now())),
            _ => None,
        };
        let mut stages = seen.progress.stages.iter();
        let process = stages.find(|stage| stage.key == PROCESS_STAGE);
        let processed = process.and_then(|stage| figure(stage, "processed"));
        let remaining = process.and_then(|stage| figure(stage, "remaining"));
        let speed = processed.map_or(0.0, |processed| self.speed(processed));
        Figures {
            speed,
            left: remaining.and_then(|images| time_left(images, speed)),
            waiting: self.waits.map(|since| since.elapsed()),
        }
    }

    fn speed(&mut self, processed: i64) -> f64 {
        let (start, before) = *self
            .first
            .get_or_insert_with(|| (Instant::now(), processed));
        let seconds = start.elapsed().as_secs_f64();
        if seconds < 0.5 {
            return 0.0;
        }
        (processed - before) as f64 / seconds
    }
}

fn time_left(images: i64, speed: f64) -> Option<Duration> {
    if speed <= 0.0 || images <= 0 {
        return None;
    }
    Duration::try_from_secs_f64(images as f64 / speed).ok()
}

trait View {
    fn show(&mut self, seen: &Seen, figures: &Figures);
}

/// The state with speed and time left, or for a job that waits long what it waits for.
fn headline(state: JobState, figures: &Figures) -> String {
    let mut text = state.word().to_owned();
    if let Some(waiting) = figures.waiting.filter(|waiting| *waiting > LONG) {
        let waiting = time(waiting);
        text.push_str(&format!(
            " for {waiting}: no process has taken it up; `hawkmoth serve` or `hawkmoth work` runs jobs"
        ));
    }
    if figures.speed > 0.0 {
        text.push_str(&format!(", {:.1} images/s", figures.speed));
    }
    if let Some(left) = figures.left.filter(|_| !state.is_final()) {
        text.push_str(&format!(", about {} left", time(left)));
    }
    text
}

/// Bars on a terminal, one for each stage, below the state.
struct Bars {
    all: MultiProgress,
    head: ProgressBar,
    bars: Vec<ProgressBar>,
}

impl Bars {
    fn new() -> Bars {
        let all = MultiProgress::new();
        let head = all.add(ProgressBar::new_spinner());
        head.set_style(style("  {msg}"));
        Bars {
            all,
            head,
            bars: Vec::new(),
        }
    }

    fn add(&mut self, name: &str) {
        let bar = self.all.add(ProgressBar::new(100));
        bar.set_style(
            style("  {prefix:<12} [{bar:20}] {percent:>3} %  {wide_msg}").progress_chars("=> "),
        );
        bar.set_prefix(console::truncate_str(&plain(name), NAME, "…").into_owned());
        self.bars.push(bar);
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl View for Bars {
    fn show(&mut self, seen: &Seen, figures: &Figures) {
        let stages = &seen.progress.stages;
        let ended = seen.state.is_final();
        self.head.set_message(headline(seen.state, figures));
        for stage in stages.iter().skip(self.bars.len()) {
            self.add(&stage.name);
        }
        for (stage, bar) in stages.iter().zip(&self.bars) {
            // The bar itself would round up, to 100 before the end.
            bar.set_position(u64::from(percent(stage.progress)));
            bar.set_message(counted(stage));
            if ended {
                bar.abandon();
            }
        }
        if ended {
            self.head.abandon();
        }
    }
}

/// Plain lines where nobody sits in front of a terminal.
#[derive(Default)]
struct Lines {
    last: Option<Instant>,
}

impl View for Lines {
    fn show(&mut self, seen: &Seen, figures: &Figures) {
        let early = self.last.is_some_and(|at| at.elapsed() < LINE);
        if early && !seen.state.is_final() {
            return;
        }
        self.last = Some(Instant::now());
        let stages = seen.progress.stages.iter().map(|stage| {
            let percent = percent(stage.progress);
            let (name, figures) = (plain(&stage.name), counted(stage));
            match figures.is_empty() {
                true => format!("{name} {percent} %"),
                false => format!("{name} {percent} % ({figures})"),
            }
        });
        let stages: Vec<String> = stages.collect();
        let headline = headline(seen.state, figures);
        say(&match stages.is_empty() {
            true => format!("{headline}\n"),
            false => format!("{headline}: {}\n", stages.join("; ")),
        });
    }
}

/// Nothing at all.
struct Nothing;

impl View for Nothing {
    fn show(&mut self, _: &Seen, _: &Figures) {}
}

/// What a stage has counted, in words.
pub fn counted(stage: &Stage) -> String {
    let number = |key: &str| figure(stage, key).unwrap_or(0);
    match stage.key.as_str() {
        COLLECT_STAGE => format!("{} images", number("total_images")),
        PROCESS_STAGE => format!(
            "{} processed, {} failed",
            number("processed"),
            number("failed")
        ),
        RESULTS_STAGE => format!(
            "{} captures, {} detections, {} classifications",
            number("captures"),
            number("detections"),
            number("classifications")
        ),
        // What an export or a delay says of itself is no count.
        _ => {
            let counts = stage.params.iter().filter_map(|param| match &param.value {
                Value::Number(number) => Some(format!("{} {number}", plain(&param.name))),
                _ => None,
            });
            counts.collect::<Vec<_>>().join(", ")
        }
    }
}

/// A span of time as people say it.
pub fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3599 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn times_read_as_people_say_them() {
        assert_eq!(time(Duration::from_secs(9)), "9 s");
        assert_eq!(time(Duration::from_secs(75)), "1 min 15 s");
        assert_eq!(time(Duration::from_secs(7260)), "2 h 1 min");
    }

    #[test]
    fn no_speed_promises_no_time() {
        assert_eq!(time_left(10, 0.0), None);
        assert_eq!(time_left(0, 3.0), None);
        assert_eq!(time_left(10, 2.0), Some(Duration::from_secs(5)));
    }

    #[test]
    fn stages_of_other_kinds_tell_what_they_count() {
        let stage: Stage = serde_json::from_value(json!({
            "status": "STARTED", "progress": 0.5, "key": "data_storage_sync",
            "name": "Data storage sync", "params": [
                {"name": "Total files", "key": "total_files", "value": 4},
                {"name": "Failed", "key": "failed", "value": 1},
            ],
        }))
        .unwrap();
        assert_eq!(counted(&stage), "Total files 4, Failed 1");
    }

    #[test]
    fn the_headline_tells_what_a_person_wants_to_know() {
        let figures = |speed: f64, left: u64, waiting: u64| Figures {
            speed,
            left: Some(left).filter(|left| *left > 0).map(Duration::from_secs),
            waiting: Some(waiting).filter(|w| *w > 0).map(Duration::from_secs),
        };
        let said = |state, figures: Figures| headline(state, &figures);
        assert_eq!(said(JobState::Pending, figures(0.0, 0, 2)), "Waiting");
        let long = said(JobState::Pending, figures(0.0, 0, 75));
        assert!(long.starts_with("Waiting for 1 min 15 s: "), "{long}");
        let runs = said(JobState::Started, figures(12.34, 75, 0));
        assert_eq!(runs, "Running, 12.3 images/s, about 1 min 15 s left");
        let ended = said(JobState::Success, figures(12.34, 75, 0));
        assert_eq!(ended, "Success, 12.3 images/s");
    }
}
