//! Overview, captures and sessions as three roles: what is there and what is not, what the address
//! narrows, what acting does, and that no page is heavy.

use chrono::{Duration, NaiveDateTime};
use domain::permission::{Permit, Role};
use reqwest::Method;
use store::algorithm::AlgorithmChange;
use store::capture::{Capture, NewCapture, Scope};
use store::job::NewJob;
use store::project::Project;
use store::session::Session;
use store::station::Station;
use store::testing;

use super::jpeg;
use crate::app::{Answer, Client, TestApp};
use crate::found::Found;

/// No page is heavier, in bytes, without its pictures.
const HEAVY: usize = 100_000;

struct World {
    app: TestApp,
    project: Project,
    station: Station,
    /// Sixty on the first evening, then two on the second, in order of time.
    captures: Vec<Capture>,
    nights: Vec<Session>,
}

/// Two nights of a station; something was found on the first two captures.
async fn world(app: TestApp) -> World {
    let project = app.project("Moths & more", false).await;
    let station = app.station(&project).await;
    let start: NaiveDateTime = "2022-08-10T21:00:00".parse().unwrap();
    let minutes = (0..60).map(|n| n * 2).chain([24 * 60, 24 * 60 + 30]);
    let new: Vec<NewCapture> = minutes
        .map(|minutes| NewCapture {
            path: format!("<i>{minutes:04}</i>.jpg"),
            taken_at: Some(start + Duration::minutes(minutes)),
            size: Some(2_000_000),
            width: Some(4000),
            height: Some(3000),
            ..NewCapture::default()
        })
        .collect();
    app.store.upsert_captures(&station, &new).await.unwrap();
    let gap = Duration::hours(2);
    app.store.regroup(station.id, gap, |_| {}).await.unwrap();
    let scope = Scope::Station(station.id);
    let ids = app.store.capture_ids_after(&scope, 0, 100).await.unwrap();
    let mut captures = app.store.captures_by_id(&ids).await.unwrap();
    captures.sort_by_key(|capture| capture.taken_at);
    let taxon = testing::taxon(&app.store, "Vanessa <itea>").await;
    let algorithm = AlgorithmChange {
        name: Some("Finder".to_owned()),
        key: Some("finder".to_owned()),
        ..AlgorithmChange::default()
    };
    let algorithm = app.store.create_algorithm(algorithm).await.unwrap().id;
    for (id, capture) in (1..).zip(&captures[..2]) {
        let found = Found {
            id,
            taxon,
            algorithm,
        };
        app.found(capture, found).await;
    }
    let seen = [captures[0].id, captures[1].id];
    app.store.recount_captures(&seen).await.unwrap();
    app.store.refresh_counters(&ids).await.unwrap();
    let nights = app.store.sessions_of(station.id).await.unwrap();
    World {
        station: app.store.station(station.id).await.unwrap(),
        app,
        project,
        captures,
        nights,
    }
}

impl World {
    fn path(&self, rest: &str) -> String {
        format!("/projects/{}{rest}", self.project.id)
    }

    fn capture(&self, place: usize) -> String {
        self.path(&format!("/captures/{}", self.captures[place].id))
    }

    /// A page that is there and not heavy.
    async fn shown(&self, client: &Client<'_>, rest: &str) -> String {
        let answer = client.get(&self.path(rest)).await;
        assert_eq!(answer.status, 200, "{rest}: {}", answer.text);
        assert!(
            answer.text.len() < HEAVY,
            "{rest} has {} bytes",
            answer.text.len()
        );
        assert!(
            !answer.text.contains("<i>0"),
            "{rest} shows names as they are"
        );
        answer.text
    }

    /// How many captures a list shows, and the words about all of them.
    async fn listed(&self, query: &str) -> (usize, String) {
        let page = self
            .shown(&self.app.anonymous(), &format!("/captures{query}"))
            .await;
        let words = page.split("<nav class=\"pager\" aria-label=\"Pages\"><span>");
        let words = words.last().unwrap().split("</span>").next().unwrap();
        let words = if page.contains("class=\"pager\"") {
            words
        } else {
            ""
        };
        (page.matches("loading=\"lazy\"").count(), words.to_owned())
    }
}

fn has(page: &str, words: &[&str]) {
    for words in words {
        assert!(page.contains(words), "{words} is missing from {page}");
    }
}

async fn send(client: &Client<'_>, path: &str, body: &str) -> Answer {
    let body = Some(body.to_owned());
    client.send(Method::POST, path, body).await
}

#[tokio::test]
async fn the_overview_tells_what_is_there_and_what_goes_on() {
    for fresh in testing::fresh().await {
        let world = world(TestApp::start(&fresh).await).await;
        let store = &world.app.store;
        let new = NewJob {
            name: "Fill <now>".to_owned(),
            project_id: world.project.id,
            kind: domain::job::POPULATE,
            ..NewJob::default()
        };
        let job = store.create_job(new).await.unwrap().id;
        let page = world.shown(&world.app.anonymous(), "").await;
        has(
            &page,
            &[
                "<h1>Moths &#38; more</h1>",
                "<b>62</b> captures",
                "<b>2</b> sessions",
                &world.path(&format!("/captures?station={}", world.station.id)),
                "2022-08-11 21:30",
                &world.path("/captures?from=2022-08-10T21:00:00&#38;to=2022-08-10T22:58:00"),
                "<title>2022-08-10: 60</title>",
                "Detections per hour",
                &world.path(&format!("/sessions/{}", world.nights[1].id)),
                "aria-current=\"page\">Overview",
            ],
        );
        assert!(!page.contains("Running and waiting"), "nothing runs");
        assert!(!page.contains("Failed lately"), "nothing failed");
        assert!(!page.contains("What to do next"), "there are captures");
        assert!(!page.contains(">Data</a>"), "that is for members");
        store.enqueue_job(Permit::BY_PROGRAM, job).await.unwrap();
        let page = world.shown(&world.app.anonymous(), "").await;
        has(
            &page,
            &["Running and waiting", "Fill &#60;now&#62;", "Waiting"],
        );
        // Without a set to fill it fails.
        world.app.work();
        let ended = world.app.ended(job).await;
        assert_eq!(ended.state, "FAILURE");
        let page = world.shown(&world.app.anonymous(), "").await;
        has(&page, &["Failed lately", "Fill &#60;now&#62;", "Failed"]);
        assert!(!page.contains("Running and waiting"));
    }
}

#[tokio::test]
async fn an_empty_project_says_what_to_do_to_those_who_may() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let project = app.project("Empty", false).await;
        let path = format!("/projects/{}", project.id);
        let page = app.anonymous().get(&path).await.text;
        has(
            &page,
            &["What to do next", "Add a station:", "No station yet"],
        );
        let links = [
            "/api/v2/deployments/?project_id",
            "/api/v2/captures/upload/",
        ];
        for link in links {
            assert!(!page.contains(link), "strangers may not");
        }
        let basic = app.member(&project, Some(Role::BasicMember)).await;
        let page = basic.get(&path).await.text;
        assert!(!page.contains(links[0]) && page.contains(">Data</a>"));
        let manager = app.member(&project, Some(Role::ProjectManager)).await;
        has(&manager.get(&path).await.text, &links);
        app.station(&project).await;
        let page = manager.get(&path).await.text;
        has(&page, &["</span>done</span> Add a station:"]);
        let captures = manager.get(&format!("{path}/captures")).await.text;
        has(&captures, &["No capture yet"]);
        let sessions = manager.get(&format!("{path}/sessions")).await.text;
        has(&sessions, &["No session yet"]);
    }
}

#[tokio::test]
async fn the_first_page_tells_of_each_project_and_finds_them() {
    for fresh in testing::fresh().await {
        let world = world(TestApp::start(&fresh).await).await;
        let app = &world.app;
        let draft = app.project("Draft of beetles", true).await;
        let page = app.anonymous().get("/").await.text;
        let link = format!("href=\"{}\"", world.path(""));
        has(
            &page,
            &[&link, "<td>62</td>", "2022-08-11 21:30", "none runs"],
        );
        assert!(!page.contains("beetles"), "a draft is hidden");
        let member = app.member(&draft, Some(Role::BasicMember)).await;
        let page = member.get("/?q=BEETLES").await.text;
        has(
            &page,
            &["Draft of beetles", "none yet", "value=\"BEETLES\""],
        );
        assert!(!page.contains("Moths"));
        let page = app.anonymous().get("/?q=%3Cb%3E").await.text;
        has(&page, &["No project that you may see has “&#60;b&#62;”"]);
        for name in 0..60 {
            app.project(&format!("Many {name:02}"), false).await;
        }
        let admin = app.superuser().await;
        let page = admin.get("/?ordering=-name&q=many").await.text;
        has(
            &page,
            &[
                "1–50 of 60",
                "Many 59",
                "?ordering=-name&#38;page=2&#38;q=many",
            ],
        );
        assert!(page.len() < HEAVY && !page.contains("Many 09"));
        let page = admin.get("/?ordering=-name&q=many&page=2").await.text;
        has(&page, &["51–60 of 60", "Many 09"]);
    }
}

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
        has(&refused.text, &["Not for you"]);
        let nobody = app.member(&world.project, None).await;
        assert_eq!(send(&nobody, &star, "on=1").await.status, 403);
        let basic = app.member(&world.project, Some(Role::BasicMember)).await;
        let place = format!("/captures/{}", world.captures[5].id);
        has(&world.shown(&basic, &place).await, &["☆ Star"]);
        let page = send(&basic, &format!("{star}?starred=1"), "on=1").await;
        assert_eq!(page.status, 200, "it is shown again: {}", page.text);
        has(&page.text, &["★ Unstar"]);
        assert_eq!(world.listed("?starred=1").await, (1, "1–1 of 1".to_owned()));
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
                "1 hours 58 min",
                "<td class=\"number\">60</td>",
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
