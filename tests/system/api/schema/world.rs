//! An installation with a row of everything: drawn sheets, found by the built-in detector in real
//! jobs, one of which cannot be read.

use domain::permission::Role;
use serde_json::{Value, json};
use store::project::Project;

use crate::app::{Client, TestApp};

/// Sheets on which the detector works.
const SHEETS: usize = 3;

/// Fills the installation; the project that has it all.
pub async fn fill(app: &TestApp) -> Project {
    let project = app.project("Moths", false).await;
    // The detector is pushed to; without the flag, jobs are for remote workers.
    let pushed = app
        .store
        .set_flag(project.id, "async_pipeline_workers", false);
    pushed.await.unwrap();
    let admin = app.superuser().await;
    app.member(&project, Some(Role::ProjectManager)).await;
    let station = app.station(&project).await;
    for scene in detector::scene::demo_nights().iter().take(SHEETS) {
        let picture = image::DynamicImage::ImageRgb8(scene.draw()).thumbnail(800, 800);
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture
            .to_rgb8()
            .write_to(&mut bytes, image::ImageFormat::Jpeg)
            .unwrap();
        app.capture(&station, &scene.name, bytes.get_ref()).await;
    }
    app.capture(&station, "20220102030405-00-00.jpg", b"no picture")
        .await;
    let new = store::capture_set::NewCaptureSet {
        project_id: project.id,
        name: "All".to_owned(),
        method: "full".to_owned(),
        ..Default::default()
    };
    let set = app.store.create_capture_set(new).await.unwrap();
    let pipeline = pipeline(app, &project).await;
    app.work();
    for (kind, more) in [
        ("regroup_events", json!({"deployment_id": station.id})),
        (
            "populate_captures_collection",
            json!({"source_image_collection_id": set.id}),
        ),
        (
            "ml",
            json!({"source_image_collection_id": set.id, "pipeline_id": pipeline}),
        ),
    ] {
        run(app, &admin, &project, kind, more).await;
    }
    super::made::fill(&admin, &project).await;
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::new(64, 48);
    picture
        .write_to(&mut bytes, image::ImageFormat::Jpeg)
        .unwrap();
    let station = station.id.to_string();
    let parts = [
        ("deployment", station.as_bytes(), None),
        (
            "image",
            bytes.get_ref().as_slice(),
            Some("20220102030406-00-00.jpg"),
        ),
    ];
    let path = format!("/api/v2/captures/upload/?project_id={}", project.id);
    let sent = admin.send_form(reqwest::Method::POST, &path, &parts).await;
    assert_eq!(sent.status, 201, "{}", sent.text);
    project
}

async fn run(app: &TestApp, admin: &Client<'_>, project: &Project, kind: &str, more: Value) {
    let mut body =
        json!({"name": kind, "delay": 0, "project_id": project.id, "job_type_key": kind});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let made = admin.post("/api/v2/jobs/?start_now", body).await.json();
    let ended = app.ended(made["id"].as_i64().unwrap()).await;
    assert_eq!(ended.state, "SUCCESS", "{kind}: {:?}", ended.error_list());
}

/// The built-in detector, serving, registered as any processing service is.
async fn pipeline(app: &TestApp, project: &Project) -> i64 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap());
    let settings = detector::service::Settings::default();
    tokio::spawn(detector::serve(listener, settings, std::future::pending()));
    let info = app.tools.services.info(&endpoint).await.unwrap();
    let service = app
        .store
        .put_service(project.id, "Detector", "", Some(&endpoint))
        .await;
    let service = service.unwrap();
    let registered = app
        .store
        .register_pipelines(service.id, &[project.id], &info.pipelines)
        .await;
    registered.unwrap();
    app.store.service_seen(service.id, true, 0.1).await.unwrap();
    let slug = &info.pipelines[0].slug;
    app.store.pipeline_by_slug(slug).await.unwrap().unwrap().id
}
