//! What becomes of files whose rows are deleted: they go, and where one is left, nobody is shown it.

use reqwest::Method;
use serde_json::json;
use store::testing;

use super::results::harvest;
use crate::app::{Client, TestApp};
use crate::pages::jpeg;

/// Links, and the keys of the files that they show.
struct Shown<'a> {
    app: &'a TestApp,
    links: Vec<(String, String)>,
}

impl Shown<'_> {
    /// They are all shown and kept, or neither.
    async fn are(&self, there: bool) {
        for (link, key) in &self.links {
            let status = self.app.anonymous().get(link).await.status;
            assert_eq!(status, if there { 200 } else { 404 }, "{link}");
            assert_eq!(self.file(key).exists(), there, "{key}");
        }
    }

    /// A crash has left them behind.
    async fn left(&self) {
        for (link, key) in &self.links {
            let file = self.file(key);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, jpeg(8, 8)).unwrap();
            let status = self.app.anonymous().get(link).await.status;
            assert_eq!(status, 404, "{link}");
        }
    }

    fn file(&self, key: &str) -> std::path::PathBuf {
        self.app.folder.path().join("files").join(key)
    }
}

/// Sends a photograph; its links, as anybody and as whoever may see drafts gets them.
async fn sent(app: &TestApp, user: &Client<'_>, station: i64) -> Vec<(String, String)> {
    let path = "/api/v2/captures/upload/?process_now=false";
    let name = "20240601220000.jpg";
    let (station, file) = (station.to_string(), Some(("image", name, jpeg(8, 8))));
    let made = user.send_file(path, ("deployment", &station), file).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let key = format!("example_captures/{station}/{name}");
    let signed = app
        .tools
        .links
        .relative("example_captures", &format!("{station}/{name}"));
    vec![(format!("/media/{key}"), key.clone()), (signed, key)]
}

#[tokio::test]
async fn files_go_with_their_rows() {
    for fresh in testing::fresh().await {
        let (farm, [found, _]) = harvest(&fresh).await;
        let (app, links) = (&farm.app, &farm.app.tools.links);
        let (user, project) = (app.superuser().await, farm.project.id);
        let delete = async |path: String| {
            let gone = user.send(Method::DELETE, &path, None).await;
            assert_eq!(gone.status, 204, "{}", gone.text);
        };

        let detection = app.store.detections_on(found).await.unwrap()[0];
        let names = [
            ("thumbnails", format!("capture_{found}/small.jpg")),
            ("thumbnails", format!("capture_{found}/page.jpg")),
            ("crops", format!("detection_{detection}.jpg")),
        ];
        let names =
            names.map(|(kind, name)| (links.relative(kind, &name), format!("{kind}/{name}")));
        let of_capture = Shown {
            app,
            links: names.to_vec(),
        };
        for (link, _) in &of_capture.links {
            assert_eq!(app.anonymous().get(link).await.status, 200, "it is made");
        }
        of_capture.are(true).await;
        delete(format!("/api/v2/captures/{found}/?project_id={project}")).await;
        of_capture.are(false).await;
        of_capture.left().await;

        let new = |name: &str| store::station::NewStation {
            project_id: project,
            name: name.to_owned(),
            ..Default::default()
        };
        let garden = app.store.create_station(new("Garden")).await.unwrap().id;
        let of_station = Shown {
            app,
            links: sent(app, &user, garden).await,
        };
        of_station.are(true).await;
        delete(format!("/api/v2/deployments/{garden}/")).await;
        of_station.are(false).await;
        of_station.left().await;

        let meadow = app.store.create_station(new("Meadow")).await.unwrap().id;
        let mut of_project = Shown {
            app,
            links: sent(app, &user, meadow).await,
        };
        let new = json!({"project": project, "format": domain::export::CSV, "filters": {}});
        let made = user.post("/api/v2/exports/", new).await.json();
        app.ended(made["job"]["id"].as_i64().unwrap()).await;
        let export = format!("/api/v2/exports/{}/", made["id"]);
        let export = user.get(&export).await.json();
        let file = export["file_url"].as_str().unwrap();
        let file = file.strip_prefix(&app.url).unwrap().to_owned();
        let key = file.strip_prefix("/media/").unwrap().to_owned();
        let name = key.strip_prefix("exports/").unwrap();
        let signed = links.relative("exports", name);
        of_project.links.push((signed, key.clone()));
        of_project.links.push((file, key));
        of_project.are(true).await;
        delete(format!("/api/v2/projects/{project}/")).await;
        of_project.are(false).await;
        of_project.left().await;
    }
}
