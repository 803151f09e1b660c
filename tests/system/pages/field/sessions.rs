//! Sessions: nights in a list, one night as a timeline with its neighbours, and whatever belongs to a
//! draft being there for its members only.

use chrono::Duration;
use domain::permission::Role;
use store::testing;

use super::{has, world};
use crate::app::TestApp;
use crate::pages::jpeg;

#[tokio::test]
async fn a_night_is_a_timeline_with_pictures_and_its_neighbours() {
    for fresh in testing::fresh().await {
        let world = world(TestApp::start(&fresh).await).await;
        let app = &world.app;
        let list = world.shown(&app.anonymous(), "/sessions").await;
        has(
            &list,
            &[
                "Aug 10 2022",
                "21:00–22:58",
                "1 h 58 min",
                "<td data-name=\"Captures\" class=\"number\">60</td>",
                "First capture of Aug 10 2022",
                "Last capture of Aug 10 2022",
                "1–2 of 2",
            ],
        );
        let newest = list.find("Aug 11 2022").unwrap();
        assert!(newest < list.find("Aug 10 2022").unwrap(), "newest first");
        let fewest = world
            .shown(&app.anonymous(), "/sessions?ordering=captures_count")
            .await;
        assert!(fewest.find("Aug 11 2022") < fewest.find("Aug 10 2022"));

        let [first, second] = [0, 1].map(|at: usize| format!("/sessions/{}", world.nights[at].id));
        let page = world.shown(&app.anonymous(), &first).await;
        let top = format!("{}?session={}", world.capture(1), world.nights[0].id);
        has(
            &page,
            &[
                "Wednesday, Aug 10 2022",
                "<b>60</b> captures",
                "The night in steps of 2 min",
                &format!("rel=\"next\" href=\"{}\"", world.path(&second)),
                "from=2022-08-10T21:00:00&#38;to=2022-08-10T21:02:00",
                "Vanessa &#60;itea&#62;",
                &top,
                "1 detection<",
            ],
        );
        assert!(!page.contains("rel=\"prev\""), "there is no night before");
        assert_eq!(page.matches("loading=\"lazy\"").count(), 12);
        let after = world.shown(&app.anonymous(), &second).await;
        has(
            &after,
            &[&format!("rel=\"prev\" href=\"{}\"", world.path(&first))],
        );
        let other = app.project("Other", false).await;
        let strange = format!("/projects/{}{first}", other.id);
        assert_eq!(app.anonymous().get(&strange).await.status, 404);
    }
}

#[tokio::test]
async fn a_draft_is_shown_to_its_members_only() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let draft = app.project("Draft", true).await;
        let station = app.station(&draft).await;
        let picture = jpeg(40, 30);
        let capture = app.capture(&station, "20220810231507.jpg", &picture).await;
        let gap = Duration::hours(2);
        app.store.regroup(station.id, gap, |_| {}).await.unwrap();
        let night = app.store.sessions_of(station.id).await.unwrap()[0].id;
        let basic = app.member(&draft, Some(Role::BasicMember)).await;
        let nobody = app.member(&draft, None).await;
        for rest in [
            String::new(),
            "/captures".to_owned(),
            format!("/captures/{capture}"),
            "/sessions".to_owned(),
            format!("/sessions/{night}"),
        ] {
            let path = format!("/projects/{}{rest}", draft.id);
            assert_eq!(app.anonymous().get(&path).await.status, 404, "{path}");
            assert_eq!(nobody.get(&path).await.status, 404, "{path}");
            assert_eq!(basic.get(&path).await.status, 200, "{path}");
        }
    }
}
