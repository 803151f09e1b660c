//! Overview, captures and sessions as three roles: what is there and what is not, what the address
//! narrows, what acting does, and that no page is heavy. Here is the world that they look at.

mod captures;
mod overview;
mod sessions;

use chrono::{Duration, NaiveDateTime};
use reqwest::Method;
use store::algorithm::AlgorithmChange;
use store::capture::{Capture, NewCapture, Scope};
use store::project::Project;
use store::session::Session;
use store::station::Station;
use store::testing;

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
