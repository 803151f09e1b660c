//! Who may do what: every address of the API with every method, asked by every role. The table
//! says what each must hear (`domain-rules.md` §10 and the recorded matrix of roles); an address
//! without a row fails the test, so a new one cannot be forgotten.

mod table;
mod target;
mod world;

use std::collections::BTreeSet;

use store::testing;

use crate::app::TestApp;
use table::{Row, rows};
use target::{Of, Target};
use world::World;

/// Who asks, in the order of the table's columns.
const ROLES: [&str; 10] = [
    "superuser",
    "owner",
    "manager",
    "mlmanager",
    "researcher",
    "identifier",
    "basic",
    "nonmember",
    "staff",
    "anonymous",
];

#[test]
fn every_address_has_its_rows() {
    let rows: BTreeSet<(&str, &str)> = rows().map(|row| (row.path, row.method)).collect();
    let mut wanted = BTreeSet::new();
    for (path, allow) in web::addresses() {
        for method in allow
            .split(", ")
            .filter(|m| !["HEAD", "OPTIONS"].contains(m))
        {
            wanted.insert((path, method));
        }
    }
    let missing: Vec<_> = wanted.difference(&rows).collect();
    assert!(
        missing.is_empty(),
        "without a row in roles/table/: {missing:?}"
    );
    let gone: Vec<_> = rows.difference(&wanted).collect();
    assert!(gone.is_empty(), "rows about no address: {gone:?}");
}

#[tokio::test]
async fn every_role_hears_what_the_table_says() {
    for fresh in testing::fresh().await {
        let world = World::new(TestApp::start(&fresh).await).await;
        let mut tokens = Vec::new();
        for user in &world.people {
            tokens.push(world.app.store.create_token(user.id, "t").await.unwrap());
        }
        let mut wrong = Vec::new();
        for row in rows() {
            for (role, name) in ROLES.iter().enumerate() {
                let heard = world
                    .ask(row, role, tokens.get(role).map(String::as_str))
                    .await;
                let wanted = row.heard[role];
                if heard != wanted {
                    let Row {
                        method,
                        path,
                        query,
                        target,
                        ..
                    } = row;
                    wrong.push(format!(
                        "{method} {path}/{query} ({target:?}) as {name}: {heard}, not {wanted}"
                    ));
                }
            }
        }
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    }
}

/// Lists that want no project, and a row of the draft project in each.
const HIDDEN: [(&str, Target); 13] = [
    ("jobs", Target::DraftJob),
    ("projects", Target::Draft),
    ("deployments", Target::DraftStation),
    ("deployments/sites", Target::DraftSite),
    ("captures/collections", Target::Set(Of::Hidden)),
    ("events", Target::Session(Of::Hidden)),
    ("exports", Target::Export(Of::Hidden)),
    ("schedules", Target::Schedule(Of::Hidden)),
    ("webhooks", Target::Webhook(Of::Hidden)),
    ("identifications", Target::Identification(Of::Hidden)),
    ("tags", Target::Tag(Of::Hidden)),
    ("taxa", Target::Taxon(Of::Hidden)),
    ("ml/pipelines", Target::Pipeline(Of::Hidden)),
];

/// Whoever may not see a list's rows does not see them: the draft project's are only shown to its
/// owner and superusers, also in lists.
#[tokio::test]
async fn lists_show_only_what_each_may_see() {
    for fresh in testing::fresh().await {
        let world = World::new(TestApp::start(&fresh).await).await;
        let mut tokens = Vec::new();
        for user in &world.people {
            tokens.push(world.app.store.create_token(user.id, "t").await.unwrap());
        }
        for (list, target) in HIDDEN {
            let (ids, _) = world.make(target, 0).await;
            let id: i64 = ids[0].parse().unwrap();
            for (role, name) in ROLES.iter().enumerate() {
                let client = match tokens.get(role) {
                    Some(token) => world.app.with_token(token),
                    None => world.app.anonymous(),
                };
                let answer = client.get(&format!("/api/v2/{list}/?limit=100")).await;
                let rows = answer.json()["results"].as_array().cloned().unwrap();
                let shown = rows.iter().any(|row| row["id"] == id);
                assert_eq!(shown, role < 2, "{list} as {name}");
            }
        }
    }
}
