//! What the terminal shows: a bar per stage while the job runs, and a table at its end that can
//! be pasted into a mail. Without a terminal, a plain line every few seconds.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use anyhow::Context;
use domain::job::{COLLECT_STAGE, PROCESS_STAGE};
use domain::progress::{Progress, Stage};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use store::Store;
use store::job::Job;
use store::progress::Counts;

use super::prepare::Prepared;

/// How often the row is read.
const LOOK: Duration = Duration::from_millis(200);
/// How often a plain line is written.
const LINE: Duration = Duration::from_secs(3);

/// Shows the job until it has ended.
pub async fn watch(store: &Store, prepared: &Prepared, id: i64) -> anyhow::Result<Job> {
    let mut job = store.job(id).await.context("the job was deleted")?;
    println!(
        "Job {} \"{}\": {}/projects/{}/jobs/{}",
        job.id, job.name, prepared.url, job.project_id, job.id
    );
    let mut view: Box<dyn View> = if std::io::stderr().is_terminal() {
        Box::new(Bars::new())
    } else {
        Box::new(Lines::new())
    };
    let mut rate = Rate::new();
    loop {
        let counts = counts(store, &job).await?;
        let progress = store::progress::compose(&job, counts);
        let speed = rate.now(counts.done + counts.failed);
        let left = remaining(&job, counts).and_then(|images| time_left(images, speed));
        let ended = job.job_state().is_final();
        view.show(&job, &progress, speed, left, ended);
        if ended {
            return Ok(job);
        }
        tokio::time::sleep(LOOK).await;
        job = store.job(id).await.context("the job was deleted")?;
    }
}

async fn counts(store: &Store, job: &Job) -> anyhow::Result<Counts> {
    let sums = store.counts(std::slice::from_ref(job)).await?;
    Ok(sums.get(&job.id).copied().unwrap_or_default())
}

fn remaining(job: &Job, counts: Counts) -> Option<i64> {
    Some(job.total? - counts.done - counts.failed)
}

fn time_left(images: i64, speed: f64) -> Option<Duration> {
    (speed > 0.0 && images > 0).then(|| Duration::from_secs_f64(images as f64 / speed))
}

/// Images per second since the first one came back.
struct Rate {
    first: Option<(Instant, i64)>,
}

impl Rate {
    fn new() -> Rate {
        Rate { first: None }
    }

    fn now(&mut self, seen: i64) -> f64 {
        let (start, before) = *self.first.get_or_insert_with(|| (Instant::now(), seen));
        let seconds = start.elapsed().as_secs_f64();
        if seconds < 0.5 {
            return 0.0;
        }
        (seen - before) as f64 / seconds
    }
}

trait View {
    fn show(
        &mut self,
        job: &Job,
        progress: &Progress,
        speed: f64,
        left: Option<Duration>,
        ended: bool,
    );
}

/// Bars on a terminal, one for each stage.
struct Bars {
    all: MultiProgress,
    bars: Vec<ProgressBar>,
}

impl Bars {
    fn new() -> Bars {
        Bars {
            all: MultiProgress::new(),
            bars: Vec::new(),
        }
    }

    fn add(&mut self, name: &str) {
        let bar = self.all.add(ProgressBar::new(1000));
        let style = ProgressStyle::with_template("  {prefix:<8} [{bar:30}] {percent:>3} %  {msg}");
        bar.set_style(
            style
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("=> "),
        );
        bar.set_prefix(name.to_owned());
        self.bars.push(bar);
    }
}

impl View for Bars {
    fn show(
        &mut self,
        _job: &Job,
        progress: &Progress,
        speed: f64,
        left: Option<Duration>,
        ended: bool,
    ) {
        for stage in &progress.stages[self.bars.len().min(progress.stages.len())..] {
            self.add(&stage.name);
        }
        for (stage, bar) in progress.stages.iter().zip(&self.bars) {
            bar.set_position((stage.progress * 1000.0) as u64);
            bar.set_message(figures(stage, speed, left));
            if ended {
                bar.abandon();
            }
        }
    }
}

/// Plain lines where nobody sits in front of a terminal.
struct Lines {
    last: Option<Instant>,
}

impl Lines {
    fn new() -> Lines {
        Lines { last: None }
    }
}

impl View for Lines {
    fn show(
        &mut self,
        job: &Job,
        progress: &Progress,
        speed: f64,
        left: Option<Duration>,
        ended: bool,
    ) {
        if !ended && self.last.is_some_and(|at| at.elapsed() < LINE) {
            return;
        }
        self.last = Some(Instant::now());
        let stages: Vec<String> = progress
            .stages
            .iter()
            .map(|s| {
                let percent = (s.progress * 100.0).floor();
                format!("{} {percent} % ({})", s.name, figures(s, speed, left))
            })
            .collect();
        println!("{}: {}", job.job_state().word(), stages.join("; "));
    }
}

fn figures(stage: &Stage, speed: f64, left: Option<Duration>) -> String {
    let figure = |key: &str| {
        let param = stage.params.iter().find(|p| p.key == key);
        param.and_then(|p| p.value.as_i64()).unwrap_or(0)
    };
    match stage.key.as_str() {
        COLLECT_STAGE => format!("{} images", figure("total_images")),
        PROCESS_STAGE => {
            let mut text = format!(
                "{} processed, {} failed, {speed:.1} images/s",
                figure("processed"),
                figure("failed")
            );
            if let Some(left) = left {
                text.push_str(&format!(", about {} left", clock(left)));
            }
            text
        }
        _ => format!(
            "{} captures, {} detections, {} classifications",
            figure("captures"),
            figure("detections"),
            figure("classifications")
        ),
    }
}

fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3599 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// The table at the end.
pub async fn table(store: &Store, prepared: &Prepared, job: &Job) -> anyhow::Result<()> {
    let counts = counts(store, job).await?;
    let captures = store.count_members(prepared.set).await?;
    let sessions = store.count_sessions(prepared.project).await?;
    let seconds = job
        .started_at
        .zip(job.finished_at)
        .map_or(0.0, |(start, end)| (end - start).as_seconds_f64());
    let seen = counts.done + counts.failed;
    let speed = if seconds > 0.0 {
        seen as f64 / seconds
    } else {
        0.0
    };
    let rows = [
        ("State", job.state.clone()),
        ("Captures", captures.to_string()),
        ("Sessions", sessions.to_string()),
        ("Processed by this job", seen.to_string()),
        ("Detections", counts.detections.to_string()),
        ("Classifications", counts.classifications.to_string()),
        ("Failed", counts.failed.to_string()),
        ("Seconds", format!("{seconds:.1}")),
        ("Images/s", format!("{speed:.2}")),
    ];
    println!();
    for (name, value) in &rows {
        println!("  {name:<22} {value:>12}");
    }
    if seen == 0 {
        println!("  All captures had been processed before: nothing was left to do.");
    }
    println!();
    println!(
        "  Job page  {}/projects/{}/jobs/{}",
        prepared.url, job.project_id, job.id
    );
    println!("  Job (API) {}/api/v2/jobs/{}/", prepared.url, job.id);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_say_them() {
        assert_eq!(clock(Duration::from_secs(9)), "9 s");
        assert_eq!(clock(Duration::from_secs(75)), "1 min 15 s");
        assert_eq!(clock(Duration::from_secs(7260)), "2 h 1 min");
    }

    #[test]
    fn no_speed_promises_no_time() {
        assert_eq!(time_left(10, 0.0), None);
        assert_eq!(time_left(0, 3.0), None);
        assert_eq!(time_left(10, 2.0), Some(Duration::from_secs(5)));
    }
}
