//! How long the stages of a job take, as its page says it; the API, whose keys are recorded, does not.

use domain::state::JobState;
use store::job::NewJob;
use store::result::{Batch, Outcome};
use store::testing;

use crate::pull::Farm;

/// What the page says of each stage.
async fn lasted(farm: &Farm, job: i64) -> Vec<String> {
    let path = format!("/projects/{}/jobs/{job}", farm.project.id);
    let page = farm.app.anonymous().get(&path).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let cells = page.text.split("<td class=\"lasted\">").skip(1);
    let cells = cells.map(|cell| cell.split('<').next().unwrap_or_default().to_owned());
    cells.collect()
}

#[tokio::test]
async fn a_jobs_page_says_how_long_its_stages_took() {
    for fresh in testing::fresh().await {
        let farm = Farm::idle(&fresh, 1).await;
        let store = &farm.app.store;
        let new = NewJob {
            name: "Night".to_owned(),
            project_id: farm.project.id,
            kind: domain::job::ML,
            station_id: Some(farm.station.id),
            pipeline_id: Some(farm.pipeline),
            start_now: true,
            ..Default::default()
        };
        let id = store.create_job(new).await.unwrap().id;
        assert_eq!(lasted(&farm, id).await, ["", "", ""]);
        let (job, fence) = store.claim_job("runner").await.unwrap().unwrap();
        let mut stages = job.own_stages();
        stages[0].status = JobState::Started;
        store.write_stages(&fence, &stages).await.unwrap();
        assert_eq!(lasted(&farm, id).await, ["just begun", "", ""]);

        stages[0].end(JobState::Success);
        store.write_stages(&fence, &stages).await.unwrap();
        let scope = store::capture::Scope::Station(farm.station.id);
        let captures = store.capture_ids_after(&scope, i64::MIN, 10).await;
        let captures = captures.unwrap();
        store
            .feed_page(&fence, &captures, captures[0])
            .await
            .unwrap();
        store.feed_end(&fence, true).await.unwrap();
        let batch = Batch {
            job: id,
            generation: job.generation,
            pipeline: farm.pipeline,
            images: vec![(captures[0], Outcome::Done(Vec::new()))],
        };
        store.save_results(batch).await.unwrap();
        let while_it_runs = lasted(&farm, id).await;
        assert!(while_it_runs[0].ends_with(" s"), "{while_it_runs:?}");
        assert_eq!(while_it_runs[1..], ["just begun", "just begun"]);
        store.finalise_job(id).await.unwrap().unwrap();
        let ended = lasted(&farm, id).await;
        assert!(ended.iter().all(|words| words.ends_with(" s")), "{ended:?}");

        let api = farm.app.superuser().await;
        let shown = api.get(&format!("/api/v2/jobs/{id}/")).await;
        assert!(!shown.text.contains("began_at"), "{}", shown.text);
    }
}
