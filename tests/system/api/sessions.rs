//! `/api/v2/events/`: sessions with their timeline and charts.

use serde_json::{Value, json};
use store::testing;

use super::captures::{keys, night};
use crate::app::TestApp;

const PATH: &str = "/api/v2/events/";

#[tokio::test]
async fn sessions_are_listed_and_shown() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let draft = app.project("Draft", true).await;
        let (station, all) = night(&app, &project).await;
        night(&app, &draft).await;
        let anonymous = app.anonymous();
        let list = anonymous.get(PATH).await;
        assert_eq!(list.status, 200, "{}", list.text);
        let list = list.json();
        assert_eq!(list["count"], 2, "those of drafts are hidden");
        let first = &list["results"][0];
        assert_eq!(
            keys(first).join(" "),
            "id name details deployment start end day date_label duration duration_label \
             captures_count detections_count occurrences_count taxa_count captures \
             example_captures created_at updated_at user_permissions"
        );
        assert_eq!(first["name"], "Wednesday, Aug 10 2022");
        assert_eq!(first["duration_label"], "30 minutes");
        assert_eq!(
            (&first["duration"], &first["captures_count"]),
            (&json!("1800.0"), &json!(3))
        );
        assert_eq!(
            first["example_captures"][0]["id"], all[0],
            "the largest photograph"
        );
        let ordered = format!("{PATH}?deployment={}&ordering=captures_count", station.id);
        let ordered = anonymous.get(&ordered).await.json();
        assert_eq!(ordered["results"][1]["id"], first["id"]);
        let unknown = anonymous.get(&format!("{PATH}?deployment=999")).await;
        assert_eq!(unknown.status, 400);
        let none = anonymous
            .get(&format!("{PATH}?project_id={}", draft.id))
            .await;
        assert_eq!(none.json()["count"], 0);

        let one = format!("{PATH}{}", first["id"]);
        let shown = anonymous.get(&format!("{one}/?capture={}", all[2])).await;
        assert_eq!(shown.status, 200, "{}", shown.text);
        let shown = shown.json();
        assert_eq!(
            keys(&shown).join(" "),
            "id name details deployment start end day date_label duration duration_label \
             captures_count detections_count occurrences_count stats taxa_count captures \
             first_capture summary_data capture_page_offset created_at updated_at \
             user_permissions"
        );
        assert_eq!(shown["first_capture"]["id"], all[0]);
        assert_eq!(shown["capture_page_offset"], 2);
        // Nothing was found at any hour.
        assert_eq!(shown["summary_data"][0]["data"]["x"], json!([]));
        assert_eq!(
            anonymous.get(&one).await.json()["capture_page_offset"],
            Value::Null
        );
        assert_eq!(anonymous.get(&format!("{PATH}999/")).await.status, 404);
        let refused = app.superuser().await.post(PATH, json!({})).await;
        assert_eq!(
            refused.json(),
            json!({"deployment_id": ["This field is required."]})
        );
    }
}

#[tokio::test]
async fn a_timeline_holds_every_capture_once() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Moths", false).await;
        let (_, all) = night(&app, &project).await;
        let session = app.store.capture(all[0]).await.unwrap().session_id.unwrap();
        let path = format!("{PATH}{session}/timeline/");
        let anonymous = app.anonymous();
        let fine = anonymous.get(&path).await.json();
        assert_eq!(fine["meta"]["total_intervals"], 30);
        let coarse = anonymous
            .get(&format!("{path}?resolution_minutes=20"))
            .await
            .json();
        let counts: Vec<&Value> = coarse["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|interval| &interval["captures_count"])
            .collect();
        assert_eq!(counts, [2, 1]);
        assert_eq!(coarse["data"][1]["first_capture"]["id"], all[2]);
        let bad = anonymous
            .get(&format!("{path}?resolution_minutes=abc"))
            .await;
        assert_eq!(bad.status, 400);
        let words = json!({"resolution_minutes": ["A valid integer is required."]});
        assert_eq!(bad.json(), words);
        assert_eq!(
            anonymous
                .get(&format!("{path}?resolution_minutes=0"))
                .await
                .status,
            400
        );
    }
}
