//! Data: sources with their test, capture sets with a look ahead, schedules, exports.

use domain::permission::Role;
use store::testing;

use super::Visitor;
use crate::app::TestApp;
use crate::pages::jpeg;

#[tokio::test]
async fn sources_are_kept_and_tested() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        app.capture(&station, "20220810220000.jpg", &jpeg(40, 30))
            .await;
        let here = format!("/projects/{}/data", project.id);
        assert_eq!(Visitor::nobody(&app).get(&here).await.status, 401);
        let basic = Visitor::member(&app, &project, Role::BasicMember).await;
        let page = basic.get(&here).await;
        page.has(&["Storage sources", "Folder", "All Images"]);
        page.lacks(&["Add a source", "Make a capture set", "Write an export"]);
        let new = format!("{here}/sources/new");
        assert_eq!(basic.get(&new).await.status, 403);

        let manager = Visitor::member(&app, &project, Role::ProjectManager).await;
        let folder = station.source_id.unwrap();
        let one = format!("{here}/sources/{folder}");
        manager
            .post(&format!("{one}/test"), &[])
            .await
            .done("20220810220000.jpg");
        let form = [("regex_filter", "nothing")];
        manager
            .post(&format!("{one}/test"), &form)
            .await
            .done("none that is a picture and matches");
        let form = [("regex_filter", "(")];
        manager
            .post(&format!("{one}/test"), &form)
            .await
            .done("could not be read");
        assert_eq!(basic.post(&format!("{one}/test"), &[]).await.status, 403);
        let page = manager.get(&one).await;
        page.has(&["This is a folder of the server", "value=\"Folder\""]);
        // Where it stands on the server is nobody's business.
        page.lacks(&[app.folder.path().to_str().unwrap()]);

        let page = manager
            .post(&new, &[("name", "Bucket"), ("secret_key", "hush")])
            .await;
        page.has(&["class=\"wrong\"", "value=\"Bucket\""]);
        page.lacks(&["hush"]);
        let form = [
            ("name", "Bucket"),
            ("bucket", "moths"),
            ("endpoint_url", "http://127.0.0.1:9"),
            ("access_key", "key"),
            ("secret_key", "hush"),
        ];
        let made = manager.post(&new, &form).await;
        made.done("Bucket was added.");
        let bucket = made.on_to.unwrap();
        let page = manager.get(&bucket).await;
        page.has(&["s3://moths/", "value=\"http://127.0.0.1:9\""]);
        page.lacks(&["hush", "value=\"key\""]);
        manager
            .post(&format!("{bucket}/test"), &[])
            .await
            .done("Bucket could not be read");
        let id: i64 = bucket.rsplit('/').next().unwrap().parse().unwrap();
        let before = app.store.source(id).await.unwrap();
        let form = [
            ("name", "Bucket 2"),
            ("bucket", "moths"),
            ("secret_key", ""),
        ];
        manager
            .post(&bucket, &form)
            .await
            .done("Bucket 2 was changed.");
        let after = app.store.source(id).await.unwrap();
        assert_eq!(
            (after.secret_key, after.name),
            (before.secret_key, "Bucket 2".to_owned())
        );
        assert_eq!(after.endpoint_url, None);
        manager
            .post(&format!("{bucket}/remove"), &[])
            .await
            .done("Bucket 2 was removed.");
        assert_eq!(manager.get(&bucket).await.status, 404);
        let other = app.project("Other", false).await;
        let elsewhere = format!("/projects/{}/data/sources/{folder}", other.id);
        let admin = Visitor::superuser(&app).await;
        assert_eq!(admin.get(&elsewhere).await.status, 404);
    }
}

#[tokio::test]
async fn a_set_is_looked_at_before_it_is_made() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        for hour in 20..24 {
            app.capture(&station, &format!("20220810{hour}0000.jpg"), &jpeg(40, 30))
                .await;
        }
        app.store.refresh_station(station.id).await.unwrap();
        let here = format!("/projects/{}/data", project.id);
        let basic = Visitor::member(&app, &project, Role::BasicMember).await;
        let new = format!("{here}/sets/new");
        assert_eq!(basic.get(&new).await.status, 403);
        assert_eq!(basic.post(&new, &[("do", "look")]).await.status, 403);

        let manager = Visitor::member(&app, &project, Role::MlDataManager).await;
        manager
            .get(&new)
            .await
            .has(&["Show what it would pick", "All captures", "Station"]);
        let look = |method: &'static str, size: &'static str| {
            [
                ("name", "Few"),
                ("method", method),
                ("size", size),
                ("do", "look"),
            ]
        };
        let count = async || {
            let filter = store::capture_set::CaptureSetFilter::default();
            app.store
                .capture_sets_page(&filter, &[], 10, 0)
                .await
                .unwrap()
                .1
        };
        let before = count().await;
        let page = manager.post(&new, &look("random", "3")).await;
        page.has(&[
            "It would pick 3 captures of 4.",
            "drawn by lot",
            "/thumbnails/",
        ]);
        assert_eq!(page.text.matches("<img").count(), 3);
        manager
            .post(&new, &look("full", ""))
            .await
            .has(&["It would pick 4 captures of 4."]);
        let page = manager.post(&new, &look("full", "3")).await;
        page.has(&["does not take the setting &#34;size&#34;"]);
        manager
            .post(&new, &look("random", "many"))
            .await
            .has(&["is not a whole number"]);
        assert_eq!(count().await, before, "nothing is saved");

        let form = [("name", ""), ("method", "random"), ("do", "save")];
        manager.post(&new, &form).await.has(&["class=\"wrong\""]);
        let id = station.id.to_string();
        let form = [
            ("name", "Few"),
            ("method", "random"),
            ("size", "2"),
            ("deployment_ids", id.as_str()),
            ("do", "fill"),
        ];
        let made = manager.post(&new, &form).await;
        made.done("fills Few.");
        let path = made.on_to.unwrap();
        app.work();
        let set: i64 = path.rsplit('/').next().unwrap().parse().unwrap();
        let jobs = app.store.jobs_of_sets(&[set]).await.unwrap();
        app.ended(jobs[&set][0].id).await;
        let page = manager.get(&path).await;
        page.has(&["2 captures", "value=\"2\"", "checked", "Save and fill"]);
        page.has(&[&format!(
            "new?source_image_collection_id={set}\">New job</a>"
        )]);
        let basic_page = basic.get(&path).await;
        basic_page.lacks(&["Save and fill", "Remove…"]);
        let form = [
            ("name", "Fewer"),
            ("method", "random"),
            ("size", "1"),
            ("do", "save"),
        ];
        manager.post(&path, &form).await.done("Fewer was changed.");
        let row = app.store.capture_set(set).await.unwrap();
        assert_eq!(row.kwargs, serde_json::json!({"size": 1}));
        assert_eq!(basic.post(&format!("{path}/remove"), &[]).await.status, 403);
        manager
            .post(&format!("{path}/remove"), &[])
            .await
            .done("Fewer was removed");
    }
}

#[tokio::test]
async fn schedules_are_written_step_by_step() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        app.station(&project).await;
        let here = format!("/projects/{}/schedules", project.id);
        let basic = Visitor::member(&app, &project, Role::BasicMember).await;
        basic.get(&here).await.lacks(&["Make a schedule"]);
        let new = format!("{here}/new");
        assert_eq!(basic.get(&new).await.status, 403);
        let manager = Visitor::member(&app, &project, Role::MlDataManager).await;
        manager
            .get(&new)
            .await
            .has(&["Step 1", "Show next runs", "<select id=\"set-0\""]);
        let form = |what: &'static str, cron: &'static str| {
            [
                ("name", "Nightly"),
                ("cron", cron),
                ("time_zone", "Europe/Berlin"),
                ("kind-0", "data_storage_sync"),
                ("do", what),
            ]
        };
        let page = manager.post(&new, &form("next", "30 6 * * *")).await;
        page.has(&[" 06:30 CE", "Nightly", "aria-label=\"Next runs\""]);
        manager
            .post(&new, &form("next", "nonsense"))
            .await
            .has(&["not a cron expression"]);
        let page = manager.post(&new, &form("more", "30 6 * * *")).await;
        page.has(&["Step 2", "value=\"30 6 * * *\""]);
        manager
            .post(&new, &form("save", "x"))
            .await
            .has(&["not a cron expression"]);
        let wrong = [
            ("name", "Nightly"),
            ("cron", "30 6 * * *"),
            ("time_zone", "UTC"),
            ("kind-0", "ml"),
            ("do", "save"),
        ];
        manager
            .post(&new, &wrong)
            .await
            .has(&["Step 1: pipeline_id: This field is required."]);
        manager
            .post(&new, &form("save", "30 6 * * *"))
            .await
            .done("Nightly was made.");
        let filter = store::schedule::ScheduleFilter::default();
        let (rows, _) = app.store.schedules(&filter, 10, 0).await.unwrap();
        let one = format!("{here}/{}", rows[0].id);
        manager
            .get(&here)
            .await
            .has(&["Nightly", "30 6 * * *", "Run now", "Pause"]);
        basic.get(&here).await.lacks(&["Run now"]);
        assert_eq!(basic.get(&one).await.status, 403);
        manager
            .get(&one)
            .await
            .has(&["value=\"30 6 * * *\"", "Remove the schedule"]);
        manager
            .post(&format!("{one}/pause"), &[])
            .await
            .done("Nightly rests");
        manager.get(&here).await.has(&["paused", "Resume"]);
        manager
            .post(&format!("{one}/resume"), &[])
            .await
            .done("Nightly goes on.");
        manager
            .post(&one, &form("save", "0 7 * * *"))
            .await
            .done("Nightly was changed.");
        assert_eq!(
            app.store.schedule(rows[0].id).await.unwrap().cron,
            "0 7 * * *"
        );
        assert_eq!(basic.post(&format!("{one}/remove"), &[]).await.status, 403);
        manager
            .post(&format!("{one}/remove"), &[])
            .await
            .done("Nightly was removed");
        manager.get(&here).await.has(&["No schedule yet."]);
    }
}

#[tokio::test]
async fn an_export_is_written_downloaded_and_removed() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let here = format!("/projects/{}/data", project.id);
        let basic = Visitor::member(&app, &project, Role::BasicMember).await;
        let exports = format!("{here}/exports");
        let form = [("format", "occurrences_simple_csv"), ("set", "")];
        assert_eq!(basic.post(&exports, &form).await.status, 403);
        let researcher = Visitor::member(&app, &project, Role::Researcher).await;
        researcher.get(&here).await.has(&["Write an export"]);
        let wrong = researcher.post(&exports, &[("format", "papyrus")]).await;
        wrong.has(&["is not a valid choice", "menu\" open"]);
        researcher
            .post(&exports, &form)
            .await
            .done("writes the export");
        app.work();
        let filter = store::export::ExportFilter::default();
        let (rows, _) = app.store.exports(&filter, 10, 0).await.unwrap();
        let id = rows[0].id;
        let jobs = app.store.jobs_of_exports(&[id]).await.unwrap();
        app.ended(jobs[&id].id).await;
        let page = researcher.get(&here).await;
        page.has(&["CSV, a line for each occurrence", "Download", "0 records"]);
        let (_, rest) = page
            .text
            .split_once("<a class=\"tool\" href=\"/media/")
            .unwrap();
        let file = rest.split('"').next().unwrap().replace("&#38;", "&");
        let file = Visitor::nobody(&app).get(&format!("/media/{file}")).await;
        assert_eq!(file.status, 200);
        let remove = format!("{exports}/{id}/remove");
        assert_eq!(basic.post(&remove, &[]).await.status, 403);
        researcher
            .post(&remove, &[])
            .await
            .done("was removed with its file");
        researcher.get(&here).await.has(&["No export yet."]);
    }
}
