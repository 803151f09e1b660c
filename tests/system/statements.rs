//! Lists cost the same number of statements whatever they show: each is asked for two rows and
//! then for twenty. A list that nobody fills here fails the test, so a new one is not forgotten.

mod fill;

use store::testing::{self, Fresh};

use crate::app::{Client, TestApp};
use fill::Filling;

/// Lists once more, with all that they can show.
const MORE: [&str; 5] = [
    "/captures/?with_counts=true&with_detections=true&project_id=$project",
    "/captures/collections/?with_counts=true&project_id=$project",
    "/deployments/?project_id=$project",
    "/jobs/?project_id=$project",
    "/taxa/?project_id=$project",
];

/// The addresses of all lists, those that want a project with it.
async fn lists(admin: &Client<'_>, project: i64) -> Vec<String> {
    let project = project.to_string();
    let mut lists = Vec::new();
    for (path, allow) in web::addresses() {
        if allow != "GET, POST, HEAD, OPTIONS" {
            continue;
        }
        let mut list = format!("/api/v2{path}/?").replace("{id}", &project);
        if admin.get(&list).await.status == 400 {
            list = format!("{list}project_id={project}");
        }
        lists.push(list);
    }
    let more = MORE.map(|list| format!("/api/v2{list}").replace("$project", &project));
    lists.extend(more);
    lists
}

/// How many statements each list takes to show so many rows.
async fn costs(fresh: &Fresh, admin: &Client<'_>, lists: &[String], rows: usize) -> Vec<u64> {
    // The first request also notes that the token is used.
    admin.get("/api/v2/users/me/").await;
    let mut costs = Vec::new();
    for list in lists {
        let before = fresh.statements();
        let answer = admin.get(&format!("{list}&limit={rows}")).await;
        costs.push(fresh.statements() - before);
        let shown = answer.json()["results"].as_array().map(Vec::len);
        assert_eq!(shown, Some(rows), "`fill` has too few rows for {list}");
    }
    costs
}

#[tokio::test]
async fn a_list_costs_the_same_for_twenty_rows_as_for_two() {
    for fresh in testing::fresh().await {
        let app = TestApp::start(&fresh).await;
        let admin = app.superuser().await;
        let me = app.store.user_by_email("super@example.org").await.unwrap();
        let project = app.project("Moths", false).await;
        let station = app.station(&project).await;
        let filling = Filling {
            app: &app,
            project: &project,
            station: &station,
            me: me.unwrap().id,
        };
        let lists = lists(&admin, project.id).await;
        filling.add(0, 2).await;
        let two = costs(&fresh, &admin, &lists, 2).await;
        filling.add(2, 20).await;
        let twenty = costs(&fresh, &admin, &lists, 20).await;
        let all = lists.iter().zip(two).zip(twenty);
        let wrong = all.filter(|((_, few), many)| *few == 0 || few != many);
        let wrong: Vec<String> = wrong
            .map(|((list, few), many)| format!("{list}: {few} for 2 rows, {many} for 20"))
            .collect();
        assert!(wrong.is_empty(), "statements of lists: {wrong:#?}");
    }
}
