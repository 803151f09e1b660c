//! Jobs of the other kinds, killed in the middle: what they leave is what the same job leaves that
//! nobody disturbed. Each kind is one line of [`KINDS`].

use std::path::Path;
use std::time::{Duration, Instant};

use domain::export::FORMATS;
use domain::job::{EXPORT, POPULATE, POST_PROCESSING, REGROUP, SYNC};
use domain::permission::Permit;
use domain::state::JobState;
use serde_json::{Value, json};
use store::Store;
use store::capture::Scope;
use store::job::{Job, NewJob};
use store::project::ProjectChange;
use store::testing::{self, Fresh};

use super::luck::Luck;
use super::process::{Process, free_port, listens};
use super::project::Project;

/// Nothing may take longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// A kind: its key, and what is asked of a project.
struct Kind {
    key: &'static str,
    ask: fn(&Project) -> NewJob,
    /// Whether a kill is sure to find it at work: what takes no time is not.
    long: bool,
    /// Whether the undisturbed job is one of the same project: what it leaves names its rows.
    same: bool,
}

/// Every kind that is killed, in the order in which they build on each other.
const KINDS: &[Kind] = &[
    Kind {
        key: SYNC,
        ask: |project| project.of_station(SYNC),
        long: true,
        same: false,
    },
    Kind {
        key: REGROUP,
        ask: |project| project.of_station(REGROUP),
        long: true,
        same: false,
    },
    Kind {
        key: POPULATE,
        ask: |project| NewJob {
            capture_set_id: Some(project.drawn),
            ..project.job(POPULATE)
        },
        long: false,
        same: false,
    },
    Kind {
        key: POST_PROCESSING,
        ask: |project| NewJob {
            params: Some(json!({"task": "small_size_filter", "config": {
                "size_threshold": 0.001, "source_image_collection_id": project.seen,
            }})),
            ..project.job(POST_PROCESSING)
        },
        long: true,
        same: false,
    },
    Kind {
        key: EXPORT,
        ask: |project| NewJob {
            export_id: Some(project.export),
            ..project.job(EXPORT)
        },
        long: true,
        same: true,
    },
];

/// Runs with this seed, on the database that it chooses.
pub async fn run(seed: u64) {
    let mut databases = testing::fresh().await;
    let fresh = databases.swap_remove(seed as usize % databases.len());
    drop(databases);
    let folder = tempfile::tempdir().unwrap();
    let mut luck = Luck::new(seed);
    let store = &fresh.store;
    // Every format on every database, one after the other.
    let format = FORMATS[seed as usize / 2 % FORMATS.len()].key;
    let calm = Project::new(store, folder.path(), "Calm", format).await;
    let torn = Project::new(store, folder.path(), "Torn", format).await;
    let mut server = serve(&fresh, folder.path()).await;
    for kind in KINDS {
        if kind.key == REGROUP {
            // Else there would be nothing for it to do after the sync.
            for project in [&calm, &torn] {
                narrow(store, project.id).await;
            }
        }
        let calm = if kind.same { &torn } else { &calm };
        let job = store.create_job((kind.ask)(calm)).await.unwrap();
        let job = ended(store, job.id).await;
        assert_eq!(
            job.job_state(),
            JobState::Success,
            "{}",
            log(store, job.id).await
        );
        let took = took(&job);
        let expected = left(store, calm, &job).await;
        let file = written(store, folder.path(), &job).await;

        let began = Instant::now();
        let job = store.create_job((kind.ask)(&torn)).await.unwrap();
        let kills = tear(store, &mut server, job.id, took, &mut luck).await;
        let job = ended(store, job.id).await;
        assert_eq!(
            job.job_state(),
            JobState::Success,
            "{}",
            log(store, job.id).await
        );
        assert!(
            !kind.long || job.rescues > 0,
            "{} was never at work when killed",
            kind.key
        );
        let found = left(store, &torn, &job).await;
        assert_eq!(found, expected, "seed {seed}, {}", kind.key);
        let again = written(store, folder.path(), &job).await;
        assert!(again == file, "seed {seed}, {format}: other bytes");
        println!(
            "seed {seed}: {} of {took} ms killed {kills} times, {} times at work: the same, {:.0} s",
            kind.key,
            job.rescues,
            began.elapsed().as_secs_f64()
        );
    }
}

async fn serve(fresh: &Fresh, folder: &Path) -> Process {
    let address = free_port();
    let data = folder.join("data");
    let arguments = [
        "serve",
        "--data",
        data.to_str().unwrap(),
        "--database-url",
        &fresh.url,
        "--bind",
        &address,
        "--silence-seconds",
        "5",
    ];
    let server = Process::new("serve", folder, &arguments);
    listens(&address).await;
    server
}

/// How long a job was at work, in milliseconds.
fn took(job: &Job) -> u64 {
    let time = job.finished_at.unwrap() - job.started_at.unwrap();
    time.num_milliseconds().unsigned_abs()
}

/// Kills the server once or twice while the job is at work, and starts it again: within the first
/// half of what the undisturbed one took, or within a quarter of a second.
async fn tear(store: &Store, server: &mut Process, job: i64, took: u64, luck: &mut Luck) -> u64 {
    let before = server.kills;
    for _ in 0..1 + luck.below(2) {
        let began = Instant::now();
        loop {
            let job = store.job(job).await.unwrap();
            if job.job_state().is_final() {
                return server.kills - before;
            }
            if job.job_state() == JobState::Started && server.kills == before + job.rescues as u64 {
                break;
            }
            assert!(began.elapsed() < PATIENCE, "job {} does not start", job.id);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        tokio::time::sleep(luck.millis(1, (took / 2).clamp(2, 250))).await;
        server.kill();
        server.start();
    }
    server.kills - before
}

async fn ended(store: &Store, id: i64) -> Job {
    let began = Instant::now();
    loop {
        let job = store.job(id).await.unwrap();
        if job.job_state().is_final() {
            return job;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "job {id} hangs: {}",
            log(store, id).await
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn log(store: &Store, id: i64) -> String {
    let lines = store.job_log(id, 50).await.unwrap();
    let lines = lines.into_iter().rev().map(|line| line.message);
    lines.collect::<Vec<_>>().join("\n")
}

/// Sessions that were one become several.
async fn narrow(store: &Store, project: i64) {
    let change = ProjectChange {
        session_time_gap_seconds: Some(120),
        ..ProjectChange::default()
    };
    let changed = store.change_project(Permit::BY_PROGRAM, project, change);
    changed.await.unwrap();
}

/// All that jobs have left in a project, without the numbers of rows.
async fn left(store: &Store, project: &Project, job: &Job) -> Value {
    let sessions = store.sessions_of(project.station).await.unwrap();
    let day = |id: Option<i64>| {
        let session = sessions.iter().find(|s| Some(s.id) == id);
        session.map(|s| s.day.to_string())
    };
    let captures = project
        .captures(store, Scope::Station(project.station))
        .await;
    let captures: Vec<Value> = captures
        .iter()
        .map(|c| json!([c.path, c.taken_at, day(c.session_id), c.size]))
        .collect();
    let nights: Vec<Value> = sessions
        .iter()
        .map(|s| json!([s.day, s.start_at, s.end_at, s.captures_count]))
        .collect();
    let station = store.station(project.station).await.unwrap();
    let drawn = project.captures(store, Scope::Set(project.drawn)).await;
    // What a regroup counts is what its last attempt did.
    let counted = [POST_PROCESSING, POPULATE, EXPORT].contains(&job.kind.as_str());
    let figures = counted.then(|| job.own_stages()[0].params.clone());
    json!({
        "captures": captures,
        "sessions": nights,
        "station": [station.captures_count, station.sessions_count, station.source_total_files],
        "drawn": drawn.iter().map(|c| c.path.clone()).collect::<Vec<_>>(),
        "said": project.said(store).await,
        "figures": figures,
    })
}

/// The file that the job of an export has left, and nothing half done beside it; it is taken away,
/// so that the next one must write it.
async fn written(store: &Store, folder: &Path, job: &Job) -> Vec<u8> {
    let Some(export) = job.export_id else {
        return Vec::new();
    };
    let address = store.export(export).await.unwrap().file_url.unwrap();
    let files = folder.join("data").join("files");
    let begun = std::fs::read_dir(files.join(".unfinished")).unwrap();
    assert_eq!(begun.count(), 0);
    let file = files.join(address.strip_prefix("/media/").unwrap());
    let bytes = std::fs::read(&file).unwrap();
    std::fs::remove_file(file).unwrap();
    bytes
}
