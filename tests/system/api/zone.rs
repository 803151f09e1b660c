//! Times are told on the server's clock: in JSON, in lines of logs, and on pages.

use store::job::NewJob;
use store::log::Level;
use store::testing;

use crate::app::TestApp;

#[tokio::test]
async fn times_are_local_to_the_server() {
    let zone: rest::Zone = "America/New_York".parse().unwrap();
    for fresh in testing::fresh().await {
        let app = TestApp::start_with(&fresh, |state| state.in_zone(zone)).await;
        let project = app.project("Moths", false).await;
        let new = NewJob {
            name: "Job".to_owned(),
            project_id: project.id,
            kind: domain::job::ML,
            ..Default::default()
        };
        let job = app.store.create_job(new).await.unwrap();
        let lines = [(Level::Info, "A line".to_owned())];
        app.store.write_log(job.id, &lines).await.unwrap();
        let line = app.store.job_log(job.id, 1).await.unwrap().remove(0);
        let local = |at| zone.local(at).format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
        let shown = |at| zone.local(at).format("%Y-%m-%d %H:%M:%S").to_string();
        let client = app.anonymous();
        let detail = client.get(&format!("/api/v2/jobs/{}/", job.id)).await;
        let detail = detail.json();
        assert_eq!(detail["created_at"], local(job.created_at));
        let said = format!("[{}] INFO A line", shown(line.at));
        assert_eq!(detail["logs"]["stdout"][0], said);
        let page = format!("/projects/{}/jobs/{}", project.id, job.id);
        let page = client.get(&page).await.text;
        assert!(page.contains(&shown(job.created_at)), "{page}");
        let log = format!("/projects/{}/jobs/{}/log.txt", project.id, job.id);
        assert_eq!(client.get(&log).await.text, format!("{said}\n"));
    }
}
