//! `/api/v2/deployments/`: each role, errors word for word, forms with pictures, and the jobs that
//! are asked for at a station.

use domain::permission::Permit;
use domain::permission::Role;
use reqwest::Method;
use serde_json::{Value, json};
use store::testing;

use crate::app::{TestApp, keys, png};

const LIST: &str = "/api/v2/deployments/";
const MISSING: &str = "This field is required.";

/// Keys of a station in a list.
const ROW: [&str; 22] = [
    "id",
    "name",
    "details",
    "image",
    "events",
    "occurrences",
    "events_count",
    "captures_count",
    "occurrences_count",
    "taxa_count",
    "project",
    "created_at",
    "updated_at",
    "latitude",
    "longitude",
    "first_date",
    "last_date",
    "device",
    "research_site",
    "jobs",
    "data_source_connected",
    "user_permissions",
];

/// Keys that a station alone has more.
const MORE: [&str; 11] = [
    "data_source",
    "data_source_uri",
    "data_source_total_files",
    "data_source_total_size",
    "data_source_total_size_display",
    "data_source_last_checked",
    "data_source_subdir",
    "data_source_regex",
    "description",
    "example_captures",
    "manually_uploaded_captures",
];

#[tokio::test]
async fn a_station_is_made_shown_edited_and_deleted() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let other = app.project("Other", false).await;
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let basic = app.member(&project, Some(Role::BasicMember)).await;
        let new = json!({
            "name": "North", "project_id": project.id, "latitude": 1.5, "longitude": "-2.25",
            "description": "d",
        });
        assert_eq!(app.anonymous().post(LIST, new.clone()).await.status, 401);
        assert_eq!(basic.post(LIST, new.clone()).await.status, 403);
        let empty = manager.post(LIST, json!({})).await;
        assert_eq!(
            empty.json(),
            json!({"name": [MISSING], "project_id": [MISSING]})
        );
        let made = manager.post(LIST, new).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json();
        // Example captures are shown where a station is read.
        let more = MORE.iter().filter(|key| **key != "example_captures");
        let wanted: Vec<&str> = ROW[..21]
            .iter()
            .chain(more)
            .chain(&ROW[21..])
            .copied()
            .collect();
        assert_eq!(keys(&made), wanted);
        assert_eq!(made["longitude"], -2.25);
        assert_eq!(made["data_source_total_size_display"], "0\u{a0}bytes");
        assert_eq!(
            made["user_permissions"],
            json!(["update", "delete", "sync", "regroup"])
        );
        let one = format!("{LIST}{}/", made["id"]);
        let read = app.anonymous().get(&one).await.json();
        let whole = ROW[..21].iter().chain(&MORE).chain(&ROW[21..]).copied();
        assert_eq!(keys(&read), whole.collect::<Vec<_>>());
        let list = app
            .anonymous()
            .get(&format!("{LIST}?project_id={}", project.id))
            .await;
        let list = list.json();
        assert_eq!(keys(&list["results"][0]), ROW);
        assert_eq!(list["results"][0]["user_permissions"], json!([]));
        assert!(
            list["results"][0]["events"]
                .as_str()
                .unwrap()
                .contains("/events/?deployment=")
        );

        let bad = json!({
            "name": "x", "project_id": project.id, "latitude": "a", "device_id": 999,
            "research_site_id": 999, "data_source_id": 999,
        });
        let gone = json!(["Invalid pk \"999\" - object does not exist."]);
        let expected = json!({
            "latitude": ["A valid number is required."], "device_id": gone,
            "research_site_id": gone, "data_source_id": gone,
        });
        assert_eq!(manager.post(LIST, bad).await.json(), expected);
        let site = app.store.create_place(
            Permit::BY_PROGRAM,
            store::place::PlaceKind::Site,
            other.id,
            "s",
            "",
        );
        let site = site.await.unwrap();
        let foreign = manager
            .patch(&one, json!({"research_site_id": site.id}))
            .await;
        assert_eq!(foreign.status, 400, "a site of another project");
        let moved = manager.patch(&one, json!({"project_id": other.id})).await;
        assert_eq!(moved.status, 400);

        let patched = manager
            .patch(&one, json!({"name": "South", "latitude": null}))
            .await
            .json();
        assert_eq!(patched["name"], "South");
        assert_eq!(
            (&patched["latitude"], &patched["longitude"]),
            (&Value::Null, &json!(-2.25))
        );
        assert_eq!(basic.patch(&one, json!({"name": "x"})).await.status, 403);
        assert_eq!(
            app.anonymous()
                .patch(&one, json!({"name": "x"}))
                .await
                .status,
            401
        );
        let null = manager.patch(&one, json!({"name": null})).await.json();
        assert_eq!(null, json!({"name": ["This field may not be null."]}));
        let put = manager.put(&one, json!({})).await.json();
        assert_eq!(put, json!({"name": [MISSING], "project_id": [MISSING]}));
        assert_eq!(basic.delete(&one).await.status, 403);
        assert_eq!(manager.delete(&one).await.status, 204);
        assert_eq!(manager.get(&one).await.status, 404);
    }
}

#[tokio::test]
async fn a_picture_comes_in_a_form_and_goes_again() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let id = project.id.to_string();
        let fields = [("name", "North"), ("project_id", &id), ("latitude", "45.5")];
        let picture = png();
        let script = b"<script>alert(1)</script>".as_slice();
        let refused = manager
            .form(Method::POST, LIST, &fields, &[("image", "a.png", script)])
            .await;
        assert!(
            refused.json()["image"][0]
                .as_str()
                .unwrap()
                .starts_with("Upload a valid image.")
        );
        let made = manager
            .form(
                Method::POST,
                LIST,
                &fields,
                &[("image", "../../evil.html", &picture)],
            )
            .await;
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json();
        assert_eq!(made["latitude"], 45.5);
        let address = made["image"].as_str().unwrap();
        assert!(!address.contains("evil"), "{address}");
        let shown = app.anonymous().get(address).await;
        assert_eq!(shown.status, 200);
        assert_eq!(shown.headers["content-type"], "image/png");
        assert!(
            shown.headers["cache-control"]
                .to_str()
                .unwrap()
                .contains("immutable")
        );
        let unsigned = address.split('?').next().unwrap();
        assert_eq!(app.anonymous().get(unsigned).await.status, 404);

        let one = format!("{LIST}{}/", made["id"]);
        let kept = manager
            .form(Method::PATCH, &one, &[("name", "South")], &[])
            .await
            .json();
        assert!(kept["image"].is_string(), "what is not sent stays");
        let cleared = [("image", ""), ("latitude", ""), ("device_id", "")];
        let cleared = manager
            .form(Method::PATCH, &one, &cleared, &[])
            .await
            .json();
        assert_eq!(
            (&cleared["image"], &cleared["latitude"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(cleared["name"], "South");
        assert_eq!(
            app.anonymous().get(address).await.status,
            404,
            "the file is gone"
        );
    }
}

#[tokio::test]
async fn stations_are_listed_by_what_they_hold() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let draft = app.project("Draft", true).await;
        let station = app.station(&project).await;
        app.capture(&station, "20220810220000.jpg", b"x").await;
        app.store
            .regroup(station.id, chrono::Duration::hours(2), |_| ())
            .await
            .unwrap();
        for (of, name) in [(&project, "Alder"), (&draft, "Hidden")] {
            let new = store::station::NewStation {
                project_id: of.id,
                name: name.to_owned(),
                ..Default::default()
            };
            app.store.create_station(new).await.unwrap();
        }
        let names = async |query: &str| {
            let list = app.anonymous().get(&format!("{LIST}{query}")).await.json();
            let rows = list["results"].as_array().unwrap().iter();
            let names = rows.map(|row| row["name"].as_str().unwrap().to_owned());
            (list["count"].as_i64().unwrap(), names.collect::<Vec<_>>())
        };
        let both = |a: &str, b: &str| (2, vec![a.to_owned(), b.to_owned()]);
        assert_eq!(names("").await, both("Alder", "Station"));
        assert_eq!(names("?ordering=-name").await, both("Station", "Alder"));
        for order in ["last_capture_timestamp", "-last_capture_timestamp"] {
            let listed = names(&format!("?ordering={order}")).await;
            assert_eq!(listed, both("Station", "Alder"), "nulls last: {order}");
        }
        assert_eq!(
            names("?ordering=captures_count").await,
            both("Alder", "Station")
        );
        assert_eq!(names(&format!("?project_id={}", draft.id)).await.0, 0);
        let bad = app
            .anonymous()
            .get(&format!("{LIST}?project_id=abc"))
            .await
            .json();
        assert_eq!(bad, json!({"project_id": ["A valid integer is required."]}));
        let hidden = app.superuser().await.get(LIST).await.json();
        assert_eq!(hidden["count"], 3);
        assert_eq!(hidden["user_permissions"], json!(["create"]));
        let whole = app
            .anonymous()
            .get(&format!("{LIST}{}/", station.id))
            .await
            .json();
        assert_eq!(whole["first_date"], "2022-08-10");
        assert_eq!(whole["events"][0]["name"], "Wednesday, Aug 10 2022");
        assert_eq!(whole["data_source_uri"], "folder://photographs/");
        let folder = app.folder.path().to_str().unwrap();
        assert!(
            !whole.to_string().contains(folder),
            "where the folder stands is not told"
        );
    }
}

#[tokio::test]
async fn jobs_are_asked_for_at_a_station() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let with = app.station(&project).await;
        let new = store::station::NewStation {
            project_id: project.id,
            name: "Bare".to_owned(),
            ..Default::default()
        };
        let bare = app.store.create_station(new).await.unwrap();
        let keeper = app.member(&project, Some(Role::MlDataManager)).await;
        let basic = app.member(&project, Some(Role::BasicMember)).await;
        let nothing = || json!(null);
        let sync = format!("{LIST}{}/sync/", with.id);
        assert_eq!(app.anonymous().post(&sync, nothing()).await.status, 401);
        assert_eq!(basic.post(&sync, nothing()).await.status, 403);
        let started = keeper.post(&sync, nothing()).await;
        assert_eq!(started.status, 200, "{}", started.text);
        let started = started.json();
        assert_eq!(started["project_id"], project.id);
        let job = app
            .store
            .job(started["job_id"].as_i64().unwrap())
            .await
            .unwrap();
        assert_eq!(
            job.name,
            format!("Sync captures for deployment {}", with.id)
        );
        assert_eq!(
            (job.kind.as_str(), job.state.as_str()),
            ("data_storage_sync", "PENDING")
        );
        let without = keeper
            .post(&format!("{LIST}{}/sync/", bare.id), nothing())
            .await;
        assert_eq!(without.status, 400);
        let words = "Deployment must have a data source to sync captures from";
        assert_eq!(without.json(), json!([words]));
        assert_eq!(
            keeper
                .post(&format!("{LIST}999/sync/"), nothing())
                .await
                .status,
            404
        );

        let all = format!("{LIST}sync-all/");
        let words = "A project_id is required to sync all stations.";
        assert_eq!(keeper.post(&all, nothing()).await.json(), json!([words]));
        let all = format!("{all}?project_id={}", project.id);
        assert_eq!(app.anonymous().post(&all, nothing()).await.status, 401);
        let refused = basic.post(&all, nothing()).await;
        let words = "You do not have permission to sync stations in this project.";
        assert_eq!(
            (refused.status.as_u16(), refused.json()),
            (403, json!({"detail": words}))
        );
        let queued = keeper.post(&all, nothing()).await.json();
        assert_eq!(
            (&queued["queued"], &queued["project_id"]),
            (&json!(1), &json!(project.id))
        );
        let again = (&queued["job_ids"], &started["job_id"]);
        assert_eq!(again.0, &json!([again.1]), "it waits already");

        let regroup = format!("{LIST}{}/regroup-sessions/", with.id);
        assert_eq!(keeper.post(&regroup, nothing()).await.status, 403);
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        let started = manager.post(&regroup, nothing()).await;
        assert_eq!(started.status, 202);
        let started = started.json();
        assert_eq!(started["deployment_id"], with.id);
        let id = started["job_id"].as_i64().unwrap();
        let shown = manager.get(&format!("{LIST}{}/", with.id)).await.json();
        let jobs = shown["jobs"].as_array().unwrap();
        assert_eq!(
            (jobs.len(), &jobs[0]["id"]),
            (2, &json!(id)),
            "the newest first"
        );
        app.work();
        assert_eq!(app.ended(id).await.state, "SUCCESS");
    }
}

#[tokio::test]
async fn options_tell_what_a_station_takes() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        let options = async |path: &str| {
            let answer = app.anonymous().send(Method::OPTIONS, path, None).await;
            answer.json()
        };
        let list = options(LIST).await;
        assert_eq!(list["name"], "Deployment List");
        let post = &list["actions"]["POST"];
        assert_eq!(
            post["jobs"]["child"]["children"]["status"]["type"],
            "choice"
        );
        assert_eq!(post["image"]["max_length"], 100);
        assert_eq!(post["events_count"]["min_value"], -2_147_483_648_i64);
        assert!(post["project_id"]["required"].as_bool().unwrap());
        let one = options(&format!("{LIST}{}/", station.id)).await;
        assert!(
            one.get("actions").is_none(),
            "only those who may edit are told how"
        );
    }
}
