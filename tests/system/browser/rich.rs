//! A job of which there is much to see: stages, a plot, captures, a failure and a long log. Whoever
//! reads that log by keys hears of new lines all the same.

use std::time::Duration;

use domain::job::{DispatchMode, ML};
use domain::state::JobState;
use serde_json::{Value, json};
use store::job::NewJob;
use store::log::Level;
use store::project::Project;
use store::result::{Batch, Outcome};
use store::testing;
use store::testing::rows::{Row, insert};

use super::browsable::open;
use super::field::night;
use super::{Driver, shown};
use crate::app::TestApp;
use crate::pull::registration;

/// Lines of the log: more than fit into its frame.
const LINES: usize = 80;

/// A job over these captures that two of three came back from; it has not ended yet.
pub async fn rich(app: &TestApp, project: &Project, captures: &[i64; 3]) -> i64 {
    let store = &app.store;
    let pipeline = store.pipeline_by_slug("test").await.unwrap().unwrap().id;
    let new = NewJob {
        name: "A night with much to see".to_owned(),
        project_id: project.id,
        kind: ML,
        pipeline_id: Some(pipeline),
        dispatch_mode: Some(DispatchMode::AsyncApi),
        start_now: true,
        ..Default::default()
    };
    let id = store.create_job(new).await.unwrap().id;
    let (job, fence) = store.claim_job("runner").await.unwrap().unwrap();
    assert_eq!(job.id, id, "nothing else waits");
    let mut stages = job.own_stages();
    for status in [JobState::Started, JobState::Success] {
        stages[0].status = status;
        store.write_stages(&fence, &stages).await.unwrap();
    }
    let last = captures[2];
    store.feed_page(&fence, captures, last).await.unwrap();
    store.feed_end(&fence, true).await.unwrap();
    let why =
        "Traceback (most recent call last):\n  File \"moths.py\", line 7, in look\nValueError";
    let images = vec![
        (captures[0], Outcome::Done(Vec::new())),
        (captures[1], Outcome::Done(Vec::new())),
        (captures[2], Outcome::Failed(why.to_owned())),
    ];
    let batch = Batch {
        job: id,
        generation: job.generation,
        pipeline,
        images,
    };
    store.save_results(batch).await.unwrap();
    // A plot needs a second moment at which something came back.
    let slot = store::now().timestamp() / 10 * 10 - 60;
    let rate = Row::new("job_rate")
        .int("job_id", id)
        .int("generation", job.generation)
        .int("slot", slot)
        .int("shard", 1)
        .int("images", 3);
    insert(store, &[rate]).await.unwrap();
    let levels = [Level::Debug, Level::Info, Level::Warning, Level::Error];
    let lines = levels.iter().cycle().take(LINES);
    let lines = lines.map(|level| (*level, format!("what is said as {}", level.word())));
    let lines: Vec<(Level, String)> = lines.collect();
    store.write_log(id, &lines).await.unwrap();
    id
}

#[tokio::test]
async fn whoever_reads_a_log_by_keys_hears_of_new_lines() {
    let Some(driver) = Driver::start() else {
        return;
    };
    let fresh = testing::fresh_sqlite().await;
    let app = TestApp::start(&fresh).await;
    let project = app.project("Moths", false).await;
    let (captures, _) = night(&app, &project).await;
    let admin = app.superuser().await;
    let path = format!("/api/v2/projects/{}/pipelines/", project.id);
    let made = admin.post(&path, registration("test")).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = rich(&app, &project, &captures).await;
    let browser = driver.browser().await;
    let page = format!("/projects/{}/jobs/{id}", project.id);
    open(&browser, &app, &page).await;

    // The frame of the log has the focus, and what it shows can be moved.
    let focus = "const frame = document.querySelector('.lines');
        frame.focus();
        frame.scrollTop = 100;
        return [document.activeElement === frame, frame.scrollTop];";
    let focus = browser.execute(focus, vec![]).await.unwrap();
    assert_eq!(focus, json!([true, 100]));
    let line = (Level::Info, "a line that came later".to_owned());
    app.store.write_log(id, &[line]).await.unwrap();
    let telling = async {
        loop {
            let waiting = false;
            app.tools.bus.publish(queue::Changed { job: id, waiting });
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let log = tokio::select! {
        log = shown(&browser, "#log", "came later") => log,
        () = telling => String::new(),
    };
    assert!(log.contains("a line that came later"), "{log}");
    let kept = "return document.activeElement === document.querySelector('.lines');";
    let kept: Value = browser.execute(kept, vec![]).await.unwrap();
    assert_eq!(kept, json!(true), "the focus was not stolen");
    browser.close().await.unwrap();
}
