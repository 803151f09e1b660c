//! Captures in a list and alone: the address narrows, sorts and turns the list, the page of one leads
//! on and back within it, and members star them.

use domain::permission::Role;
use store::testing;

use super::{has, send, world};
use crate::app::TestApp;

#[tokio::test]
async fn the_address_narrows_sorts_and_turns_the_list_of_captures() {
    for fresh in testing::fresh().await {
        let world = world(TestApp::start(&fresh).await).await;
        let all = "1–50 of 62".to_owned();
        assert_eq!(world.listed("").await, (50, all.clone()));
        assert_eq!(
            world.listed("?page=2").await,
            (12, "51–62 of 62".to_owned())
        );
        let (station, night) = (world.station.id, world.nights[1].id);
        assert_eq!(world.listed(&format!("?station={station}")).await.1, all);
        let two = (2, "1–2 of 2".to_owned());
        for query in [
            format!("?session={night}"),
            "?from=2022-08-11".to_owned(),
            "?from=2022-08-11&to=2022-08-11&view=table".to_owned(),
            "?from=2022-08-10T22:58:00&to=2022-08-11T21:00".to_owned(),
            "?detections=yes".to_owned(),
            format!("?processed=yes&station={station}&session="),
        ] {
            assert_eq!(world.listed(&query).await, two, "{query}");
        }
        let rest = (50, "1–50 of 60".to_owned());
        assert_eq!(world.listed("?detections=no").await, rest);
        assert_eq!(world.listed("?to=2022-08-10").await, rest);
        let none = (0, String::new());
        assert_eq!(world.listed("?starred=1").await, none);
        assert_eq!(world.listed("?from=2023-01-01").await, none);
        let everything = world
            .app
            .store
            .capture_set_by_name(world.project.id, "All Images");
        let set = everything.await.unwrap().unwrap().id;
        assert_eq!(world.listed(&format!("?set={set}")).await, none);
        world.app.store.populate_full(set).await.unwrap();
        assert_eq!(world.listed(&format!("?set={set}")).await.1, all);

        let anonymous = world.app.anonymous();
        let page = world
            .shown(&anonymous, "/captures?ordering=-boxes&view=table")
            .await;
        let first = page.find(&world.capture(1)).unwrap();
        assert!(first < page.find(&world.capture(61)).unwrap());
        has(
            &page,
            &["1 detection<", "aria-sort=\"descending\"", "&#60;i&#62;0"],
        );
        let page = world.shown(&anonymous, "/captures").await;
        let newest = page.find(&world.capture(61)).unwrap();
        assert!(
            newest < page.find(&world.capture(60)).unwrap(),
            "newest first"
        );
        has(
            &page,
            &["alt=\"Capture of 2022-08-11 21:30:00 at Station\""],
        );
    }
}

#[tokio::test]
async fn what_of_an_address_cannot_be_used_is_said() {
    for fresh in testing::fresh().await {
        let world = world(TestApp::start(&fresh).await).await;
        let app = &world.app;
        let other = app.project("Other", false).await;
        let strange = app.station(&other).await;
        for (query, words) in [
            ("from=July".to_owned(), "from: “July” is no day"),
            ("to=2022-13-01".to_owned(), "to: “2022-13-01” is no day"),
            (
                format!("station={}", strange.id),
                "station: this project has none",
            ),
            ("session=x".to_owned(), "session: this project has none"),
            ("set=99999".to_owned(), "set: this project has none"),
            (
                "processed=2".to_owned(),
                "processed: “2” is neither yes nor no",
            ),
            (
                "ordering=moon".to_owned(),
                "ordering: captures cannot be sorted by “moon”",
            ),
        ] {
            let page = world
                .shown(&app.anonymous(), &format!("/captures?{query}"))
                .await;
            has(&page, &[words, "1–50 of 62"]);
        }
        let page = world
            .shown(&app.anonymous(), "/sessions?station=moon")
            .await;
        has(&page, &["no station “moon”", "1–2 of 2"]);
        for path in ["/captures?page=999999999", "/sessions?page=0&ordering=x"] {
            let page = world.shown(&app.anonymous(), path).await;
            assert!(!page.contains("No capture yet"), "there are some");
        }
    }
}

#[tokio::test]
async fn a_capture_is_shown_with_what_was_found_and_leads_on_and_back() {
    for fresh in testing::fresh().await {
        let world = world(TestApp::start(&fresh).await).await;
        let app = &world.app;
        let place = |place: usize| format!("/captures/{}", world.captures[place].id);
        let page = world.shown(&app.anonymous(), &place(1)).await;
        has(
            &page,
            &[
                "<h1>2022-08-10 21:02:00</h1>",
                "2 of 60 in this session",
                "4000 × 3000 pixels, 1.9\u{a0}MB",
                "Vanessa &#60;itea&#62;",
                "0.90",
                "<td>Finder</td>",
                "id=\"box-1\"",
                "href=\"#box-1\"",
                "/api/v2/occurrences/2/?project_id=",
                &format!("rel=\"prev\" href=\"{}\"", world.capture(0)),
                &format!("rel=\"next\" href=\"{}\"", world.capture(2)),
                &world.path(&format!("/captures?session={}", world.nights[0].id)),
                "Full picture",
            ],
        );
        assert!(!page.contains("☆ Star"), "strangers may not");
        let first = world.shown(&app.anonymous(), &place(0)).await;
        assert!(!first.contains("rel=\"prev\""));
        let query = "?detections=no&station=&view=table";
        let page = world
            .shown(&app.anonymous(), &format!("{}{query}", place(2)))
            .await;
        has(
            &page,
            &[
                "No pipeline has looked at this capture",
                &world.path("/captures?detections=no&#38;view=table"),
                &format!("href=\"{}?detections=no&#38;view=table\"", world.capture(3)),
            ],
        );
        let other = app.project("Other", false).await;
        let strange = format!("/projects/{}{}", other.id, place(0));
        assert_eq!(app.anonymous().get(&strange).await.status, 404);
        assert_eq!(
            app.anonymous()
                .get(&world.path("/captures/99999"))
                .await
                .status,
            404
        );
    }
}

#[tokio::test]
async fn members_star_captures_and_strangers_do_not() {
    for fresh in testing::fresh().await {
        let world = world(TestApp::start(&fresh).await).await;
        let app = &world.app;
        let star = format!("{}/star", world.capture(5));
        let refused = send(&app.anonymous(), &star, "on=1").await;
        assert_eq!(refused.status, 401);
        has(&refused.text, &["<h1>Sign in</h1>", ">Sign in</a></p>"]);
        let nobody = app.member(&world.project, None).await;
        assert_eq!(send(&nobody, &star, "on=1").await.status, 403);
        let basic = app.member(&world.project, Some(Role::BasicMember)).await;
        let place = format!("/captures/{}", world.captures[5].id);
        has(&world.shown(&basic, &place).await, &["☆ Star"]);
        let page = send(&basic, &format!("{star}?starred=1"), "on=1").await;
        assert_eq!(page.status, 200, "it is shown again: {}", page.text);
        has(&page.text, &["★ Unstar"]);
        assert_eq!(world.listed("?starred=1").await, (1, "1–1 of 1".to_owned()));
        for (view, seen) in [("", 0), ("?page=2", 1), ("?page=2&view=table", 1)] {
            let list = world
                .shown(&app.anonymous(), &format!("/captures{view}"))
                .await;
            assert_eq!(list.matches("★</span> starred<").count(), seen, "{view}");
        }
        let stranger = world.shown(&app.anonymous(), &place).await;
        assert!(stranger.contains("★ starred") && !stranger.contains("Unstar"));
        let page = send(&basic, &star, "").await;
        has(&page.text, &["☆ Star"]);
        assert_eq!(world.listed("?starred=1").await, (0, String::new()));
        let draft = app.project("Draft", true).await;
        let hidden = format!("/projects/{}/captures/1/star", draft.id);
        assert_eq!(send(&nobody, &hidden, "on=1").await.status, 404);
    }
}
